/** The CustomResourceDefinitions of kinds of our own, as GatewayRuntime synthesizes them. */
import { OWN_DEFINITIONS } from '../../gateway-runtime/api/own-kinds.ts';
import { DEFINITIONS, removeDefinitions, untilServed } from './definitions.ts';
import type { KubeApi } from './kube-api.ts';

/** Installs them where they are not, and returns what takes them away again where they were not. */
export async function installOwnCrds(api: KubeApi): Promise<() => Promise<void>> {
  const installed: (typeof OWN_DEFINITIONS)[number][] = [];
  for (const definition of OWN_DEFINITIONS) {
    const { status: before } = await api.call('GET', `${DEFINITIONS}/${definition.metadata.name}`);
    await api.applyAll([definition]);
    if (before === 404) installed.push(definition);
  }
  await untilServed((path) => api.get(path), OWN_DEFINITIONS);
  return () => removeDefinitions(api, installed);
}
