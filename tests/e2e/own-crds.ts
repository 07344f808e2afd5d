/** The CustomResourceDefinitions of kinds of our own, as GatewayRuntime synthesizes them. */
import { OWN_DEFINITIONS } from '../../gateway-runtime/api/own-kinds.ts';
import { eventually } from '../cluster/command.ts';
import { DEFINITIONS, removeDefinitions } from './definitions.ts';
import type { KubeApi } from './kube-api.ts';

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Installs them where they are not, and returns what takes them away again where they were not. */
export async function installOwnCrds(api: KubeApi): Promise<() => Promise<void>> {
  const installed: (typeof OWN_DEFINITIONS)[number][] = [];
  for (const definition of OWN_DEFINITIONS) {
    const { status: before } = await api.call('GET', `${DEFINITIONS}/${definition.metadata.name}`);
    await api.applyAll([definition]);
    if (before === 404) installed.push(definition);
  }
  for (const { metadata, spec } of OWN_DEFINITIONS) {
    await eventually(30_000, async () => {
      const { status } = await api.get<Definition>(`${DEFINITIONS}/${metadata.name}`);
      const isEstablished = status?.conditions?.some(
        (each) => each.type === 'Established' && each.status === 'True',
      );
      if (!isEstablished) throw new Error(`${spec.names.kind} is not established`);
    });
  }
  return () => removeDefinitions(api, installed);
}
