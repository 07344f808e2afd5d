/** The CustomResourceDefinitions of kinds of our own, as GatewayRuntime synthesizes them. */
import { GATEWAY_PARAMETERS_DEFINITION } from '../../gateway-runtime/api/gateway-parameters.ts';
import { eventually } from '../cluster/command.ts';
import type { KubeApi } from './kube-api.ts';

const PATH = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${GATEWAY_PARAMETERS_DEFINITION.metadata.name}`;

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Installs them where they are not, and returns what takes them away again where they were not. */
export async function installOwnCrds(api: KubeApi): Promise<() => Promise<void>> {
  const { status: before } = await api.call('GET', PATH);
  await api.applyAll([GATEWAY_PARAMETERS_DEFINITION]);
  await eventually(30_000, async () => {
    const { status } = await api.get<Definition>(PATH);
    const isEstablished = status?.conditions?.some(
      (each) => each.type === 'Established' && each.status === 'True',
    );
    if (!isEstablished) throw new Error('GatewayParameters is not established');
  });
  return async () => {
    if (before === 404) await api.remove(GATEWAY_PARAMETERS_DEFINITION);
  };
}
