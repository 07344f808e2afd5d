/** The objects of a cluster, as far as routing depends on them. Nothing is written, and no Secret is read. */
import { KINDS, type KindName, refOf } from '../api/kinds.ts';
import { type RawObject, refKey } from '../api/object.ts';
import { isStatus } from '../control/cluster/client.ts';
import { collectionPath, objectPath, resourceName } from '../control/cluster/resources.ts';
import { readObject } from '../control/read-object.ts';
import type { SourcedObject } from '../control/source.ts';

/** Keys, what is read by name, and what is no part of a snapshot. */
const NOT_LISTED: ReadonlySet<string> = new Set(['Secret', 'ConfigMap', 'EndpointSlice']);
const LISTED = (Object.keys(KINDS) as KindName[]).filter((kind) => !NOT_LISTED.has(kind));
const PAGE = 500;

/** The JSON at a path of the API server. Throws an ApiError where it refuses. */
export type Get = <T>(path: string) => Promise<T>;

/** A kind may not be listed: half of the cluster would give a wrong answer. */
export class NotListedError extends Error {
  override readonly name = 'NotListedError';
}

/** What answers is something else: taken for a cluster, it would be one that serves nothing. */
export class NoKubernetesError extends Error {
  override readonly name = 'NoKubernetesError';

  constructor(found: string) {
    super(
      `what answers is no Kubernetes API: ${found}. Name the cluster in the kubeconfig; without one, kubectl asks localhost:8080`,
    );
  }
}

/** Throws a NotListedError, a NoKubernetesError, or what `get` throws. */
export async function clusterObjects(get: Get): Promise<SourcedObject[]> {
  // Every cluster has them, so what is none is told from a cluster without Gateway API before all of it is asked.
  const namespaces = await list(get, 'Namespace');
  const others = LISTED.filter((kind) => kind !== 'Namespace');
  const listed = [namespaces, ...(await Promise.all(others.map((kind) => list(get, kind))))].flat();
  const configMaps = await Promise.all(namedConfigMaps(listed).map((name) => configMap(get, name)));
  return [...listed, ...configMaps.filter((each) => each !== undefined)].flatMap(sourced);
}

/** Of objects from elsewhere those that would be read from a cluster. */
export function amongRead(objects: readonly SourcedObject[]): SourcedObject[] {
  const configMaps = new Set(namedConfigMaps(objects.map(({ raw }) => raw)));
  return objects.filter(
    ({ ref: { kind, namespace, name } }) =>
      !NOT_LISTED.has(kind) || (kind === 'ConfigMap' && configMaps.has(`${namespace}/${name}`)),
  );
}

interface List {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly RawObject[];
}

async function list(get: Get, kind: KindName): Promise<RawObject[]> {
  const { group, versions } = KINDS[kind];
  for (const version of versions) {
    try {
      const items: RawObject[] = [];
      let next = '';
      do {
        const path = collectionPath(kind, version);
        const page = await get<List | null>(
          `${path}?limit=${PAGE}${next && `&continue=${encodeURIComponent(next)}`}`,
        );
        if (!Array.isArray(page?.items)) throw new NoKubernetesError(`found no list at ${path}`);
        // Objects in a list do not say what they are.
        const apiVersion = group ? `${group}/${version}` : version;
        items.push(...page.items.map((each) => ({ ...each, apiVersion, kind })));
        next = page.metadata?.continue ?? '';
      } while (next);
      return items;
    } catch (error) {
      if (isStatus(error, 403)) {
        throw new NotListedError(
          `${resourceName(kind)} may not be listed. Fix: kubectl create clusterrole ... --verb=list --resource=${resourceName(kind)}, for whoever the kubeconfig names`,
        );
      }
      if (!isStatus(error, 404)) throw error;
      if (!group) throw new NoKubernetesError(`it has no ${resourceName(kind)}`);
      // Not installed, in this version at least.
    }
  }
  return [];
}

/** Authorities that Gateways and policies name, as `namespace/name`. */
function namedConfigMaps(objects: readonly RawObject[]): string[] {
  const names = new Set<string>();
  for (const object of objects) {
    const { namespace } = refOf(object);
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, each] of Object.entries(value)) {
        if (key !== 'caCertificateRefs' || !Array.isArray(each)) visit(each);
        else {
          for (const ref of each as { kind?: string; namespace?: string; name?: string }[]) {
            if (ref.kind === 'ConfigMap') names.add(`${ref.namespace ?? namespace}/${ref.name}`);
          }
        }
      }
    };
    visit(object.spec);
  }
  return [...names].sort();
}

/** Undefined where there is none, or it may not be read: then one stands in for it, as for files. */
async function configMap(get: Get, named: string): Promise<RawObject | undefined> {
  const [namespace = '', name = ''] = named.split('/');
  try {
    const object = await get<RawObject>(objectPath('ConfigMap', 'v1', { namespace, name }));
    return { ...object, apiVersion: 'v1', kind: 'ConfigMap' };
  } catch (error) {
    if (isStatus(error, 403, 404)) return undefined;
    throw error;
  }
}

function sourced(raw: RawObject): SourcedObject[] {
  const origin = `cluster ${refKey(refOf(raw))}`;
  const { object } = readObject(raw, 'cluster', () => ({ file: origin }));
  return object ? [object] : [];
}
