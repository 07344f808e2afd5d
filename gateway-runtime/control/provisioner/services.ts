/**
 * The Service in front of a Gateway's data planes. Ports are told apart by number and protocol, as server-side apply does, so each
 * keeps its node port while others come and go; node ports are left to the API server.
 */
import { containerPort } from '../../distribution/ports.ts';
import type { Infrastructure } from '../../translate/translation.ts';
import { selectorLabels } from './names.ts';

export function serviceSpec({ gateway, className, ports, addresses, parameters }: Infrastructure) {
  const { type = 'LoadBalancer', externalTrafficPolicy = 'Local' } = parameters?.service ?? {};
  const [address] = staticAddresses(addresses);
  return {
    type,
    selector: selectorLabels(gateway, className),
    ports: ports.map(({ port }) => ({
      name: `tcp-${port}`,
      port,
      protocol: 'TCP',
      targetPort: containerPort(port),
    })),
    ...(type === 'ClusterIP' ? {} : { externalTrafficPolicy }),
    ...(address === undefined ? {} : { [type === 'LoadBalancer' ? 'loadBalancerIP' : 'clusterIP']: address }),
  };
}

/** The addresses that a Gateway asks for; those without a value are any. */
export const staticAddresses = (addresses: Infrastructure['addresses']): string[] =>
  addresses.flatMap(({ value }) => (value ? [value] : []));
