/** The runtime in the cluster, from the objects that its construct synthesizes. */
import { Chart, Testing } from 'cdk8s';
import { GatewayRuntime } from '../../../constructs/gateway-runtime.ts';
import { synthesize } from '../../../constructs/synthesize.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { DEFAULT_REFERENCE } from '../../../scripts/image/runtime-image.ts';
import { eventually } from '../../cluster/command.ts';
import { removeDefinitions } from '../definitions.ts';
import { installGatewayApi } from '../gateway-api-crds.ts';
import type { KubeApi } from '../kube-api.ts';
import { observed, PATIENCE } from '../waiting.ts';

export const CLASS = 'gatewright';
export const SYSTEM = 'gatewright-system';

/** A cluster of our own has the image; any other has to be told one that it can pull. */
export function imageReference(): string {
  if (process.env.GATEWRIGHT_E2E_OWN_CLUSTER) return DEFAULT_REFERENCE;
  const given = process.env.GATEWRIGHT_E2E_IMAGE;
  if (given) return given;
  throw new Error(
    'found no GATEWRIGHT_E2E_IMAGE, expected the name of an image that the cluster can pull: push what "npm run image" makes',
  );
}

/** The objects of the runtime, with rights over the whole cluster: these tests make gateways that synth does not know of. */
export function runtimeObjects(replicas: number): RawObject[] {
  const app = Testing.app();
  new GatewayRuntime(new Chart(app, 'runtime'), 'runtime', {
    image: imageReference(),
    replicas,
    permissions: 'cluster',
  });
  return synthesize(app).objects.map(({ object }) => object as RawObject);
}

interface Deployed {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly replicas?: number;
  };
}

/** True once all pods of the Deployment are of its latest template, and ready. */
export const rolledOut = ({ metadata, spec, status }: Deployed): true | undefined =>
  (status.observedGeneration === metadata.generation &&
    [status.updatedReplicas, status.readyReplicas, status.replicas].every(
      (each) => each === spec.replicas,
    )) ||
  undefined;

export interface InstallOptions {
  /** Pods of the control plane. */
  readonly replicas?: number;
}

/** Installs CRDs and runtime, waits until the class is accepted, and returns what takes all of it away again. */
export async function installRuntime(
  api: KubeApi,
  { replicas = 1 }: InstallOptions = {},
): Promise<() => Promise<void>> {
  const uninstallApi = await installGatewayApi(api);
  const objects = runtimeObjects(replicas);
  await api.applyAll(objects);
  const deployment = objects.find(({ kind }) => kind === 'Deployment')!;
  await observed(api, await api.pathOf(deployment), `${replicas} ready pods`, rolledOut);
  const gatewayClass = objects.find(({ kind }) => kind === 'GatewayClass')!;
  await observed<Conditioned, true>(api, await api.pathOf(gatewayClass), 'Accepted=True', accepted);
  return async () => {
    await removeAll(api, objects);
    await uninstallApi();
  };
}

export interface Conditioned {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly observedGeneration?: number;
    }[];
  };
}

/** True once the condition is true, for the object's present generation. */
export const hasTrue =
  (type: string) =>
  ({ metadata, status }: Conditioned): true | undefined =>
    status?.conditions?.some(
      (each) =>
        each.type === type && each.status === 'True' && each.observedGeneration === metadata.generation,
    ) || undefined;

const accepted = hasTrue('Accepted');

/**
 * Takes objects away, last ones first, and waits until definitions and namespaces among them are gone. What runs there ends before: a namespace that finds pods
 * in it comes back for them only after half of the time that they may take.
 */
export async function removeAll(api: KubeApi, objects: readonly RawObject[]): Promise<void> {
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  for (const object of [...objects].reverse()) {
    if (!namespaces.includes(object) && !definitions.includes(object)) await api.remove(object);
  }
  await eventually(PATIENCE, async () => {
    for (const namespace of namespaces) {
      const path = `${await api.pathOf(namespace)}/pods`;
      const { items } = await api.get<{ items: readonly unknown[] }>(path);
      if (items.length > 0) throw new Error(`${path}: ${items.length} are still there`);
    }
  });
  for (const namespace of namespaces) await api.remove(namespace);
  for (const namespace of namespaces) await gone(api, namespace);
  await removeDefinitions(api, definitions);
}

/** Waits until there is no such object. */
export async function gone(api: KubeApi, object: RawObject): Promise<void> {
  const path = await api.pathOf(object);
  await eventually(2 * PATIENCE, async () => {
    const { status, body } = await api.call('GET', path);
    if (status !== 404) throw new Error(`${path} is still there: ${body}`);
  });
}
