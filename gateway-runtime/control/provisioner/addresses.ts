/** At which addresses a Gateway is reached, and what is wrong where these are not those that it asks for. */
import { isIPv6 } from 'node:net';
import type { Infrastructure } from '../../translate/translation.ts';
import { staticAddresses } from './services.ts';

export interface Address {
  readonly type: 'IPAddress' | 'Hostname';
  readonly value: string;
}

export interface Problem {
  /** Of the condition Programmed. */
  readonly reason: string;
  readonly message: string;
}

/** A Service, as far as its addresses go. */
export interface AddressedService {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: { readonly type?: string; readonly clusterIPs?: readonly string[] };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

/** As they are assigned. Those of other types than LoadBalancer are addresses of the cluster. */
export function assignedAddresses({ spec, status }: AddressedService): Address[] {
  if (spec?.type !== 'LoadBalancer') {
    return (spec?.clusterIPs ?? [])
      .filter((value) => value !== 'None' && value !== '')
      .map((value) => ({ type: 'IPAddress', value }));
  }
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }): Address[] => {
    if (ip) return [{ type: 'IPAddress', value: ip }];
    return hostname ? [{ type: 'Hostname', value: hostname }] : [];
  });
}

/** "If a value is set in the spec and the requested address is [...] unavailable, the implementation MUST indicate this". */
export function addressProblem(
  { addresses }: Pick<Infrastructure, 'addresses'>,
  service: AddressedService,
): Problem | undefined {
  const assigned = assignedAddresses(service).map(({ value }) => canonical(value));
  const asked = staticAddresses(addresses);
  const missing = asked.filter((value) => !assigned.includes(canonical(value)));
  const { name, namespace } = service.metadata;
  const place = `Service ${namespace}/${name}`;
  if (missing.length > 0) {
    const has = assigned.length > 0 ? `has ${assigned.join(', ')} and not` : 'has not got';
    return {
      reason: 'AddressNotUsable',
      message:
        asked.length > 1
          ? `${place} ${has} ${missing.join(', ')}: of several addresses that a Gateway asks for only the first can be had. Leave one in spec.addresses.`
          : `${place} ${has} ${missing[0]}: the load balancer of the cluster has not given it. Ask in spec.addresses for one of its addresses that nobody else has, or leave them out.`,
    };
  }
  if (assigned.length > 0) return undefined;
  return {
    reason: 'AddressNotAssigned',
    message: `${place} has no address yet. Where the cluster has no load balancer, or one without an address that is free, give the Gateway parameters with another service.type.`,
  };
}

const canonical = (value: string) =>
  isIPv6(value) ? new URL(`http://[${value}]`).hostname.slice(1, -1) : value;
