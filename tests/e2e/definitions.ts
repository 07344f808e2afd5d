/** CustomResourceDefinitions installed until their kinds can be used, and taken away until they are gone. */
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { eventually } from '../cluster/command.ts';
import type { KubeApi } from './kube-api.ts';

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** `spec` of a definition. */
interface DefinitionSpec {
  readonly group: string;
  readonly names: { readonly plural: string; readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

interface Definition {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}

/** What is at a path; fails where there is nothing. */
type Get = <T>(path: string) => Promise<T>;

/**
 * Waits until the kinds of definitions among some objects can be used, for each `patience` milliseconds at most. The API server says that a definition is established before it lists the kind, and who looks
 * up where objects of a kind are finds it in that list.
 */
export async function untilServed(get: Get, objects: readonly object[], patience = 30_000): Promise<void> {
  for (const { metadata, spec } of definitionsAmong(objects)) {
    const { name } = metadata as Definition['metadata'];
    const { group, names, versions } = spec as DefinitionSpec;
    await eventually(patience, async () => {
      const { status } = await get<Definition>(`${DEFINITIONS}/${name}`);
      const isEstablished = status?.conditions?.some(
        (each) => each.type === 'Established' && each.status === 'True',
      );
      if (!isEstablished) throw new Error(`${name} is not established`);
      for (const version of versions.filter(({ served }) => served)) {
        const path = `/apis/${group}/${version.name}`;
        const { resources } = await get<{ resources: readonly { readonly kind: string }[] }>(path);
        if (!resources.some(({ kind }) => kind === names.kind)) {
          throw new Error(`${name} is established, and ${path} does not list it`);
        }
      }
    });
  }
}

const definitionsAmong = (objects: readonly object[]) =>
  (objects as readonly RawObject[]).filter(({ kind }) => kind === 'CustomResourceDefinition');

/** Takes objects away, definitions with every object of their kinds, and waits until those have gone. */
export async function removeDefinitions(api: KubeApi, objects: readonly object[]): Promise<void> {
  const definitions = definitionsAmong(objects);
  await eventually(30_000, () => untilListed(api, definitions));
  for (const object of objects as readonly RawObject[]) await api.remove(object);
  const names = new Set(definitions.map(({ metadata }) => (metadata as Definition['metadata']).name));
  // Each waits for the objects of its kind, and there may be thousands.
  await eventually(120_000, async () => {
    const { items } = await api.get<{ items: Definition[] }>(DEFINITIONS);
    const left = items.filter(({ metadata }) => names.has(metadata.name)).map(standing);
    if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
  });
}

function standing({ metadata, status }: Definition): string {
  const why = status?.conditions?.find(({ type }) => type === 'Terminating')?.message ?? 'nothing is said';
  return `${metadata.name} (${why})`;
}

/**
 * To delete a definition the API server lists what there is of its kind. Where nobody had listed that before, it may find that it is not ready itself
 * ("could not list instances: storage is (re)initializing"), and come back to it late: after 50 to more than 120 seconds in 4 of 29 attempts, and in none
 * of 60 where each kind had been listed.
 */
async function untilListed(api: KubeApi, definitions: readonly RawObject[]): Promise<void> {
  for (const { spec } of definitions) {
    const { group, names, versions } = spec as DefinitionSpec;
    for (const { name } of versions.filter(({ served }) => served)) {
      const path = `/apis/${group}/${name}/${names.plural}?limit=1`;
      const { status, body } = await api.call('GET', path);
      // Somebody else may have taken it away.
      if (status >= 300 && status !== 404) throw new Error(`GET ${path} was answered ${status}: ${body}`);
    }
  }
}
