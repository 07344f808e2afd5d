/** The objects of the cluster that the kubeconfig names, as far as routing depends on them. Nothing is written, and no Secret is read. */
import { KINDS, type KindName, refOf } from '../../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import {
  ApiClient,
  ApiError,
  isStatus,
  UnreachableError,
} from '../../gateway-runtime/control/cluster/client.ts';
import { ConnectionError, connection } from '../../gateway-runtime/control/cluster/connection.ts';
import { collectionPath, objectPath, resourceName } from '../../gateway-runtime/control/cluster/resources.ts';
import { readObject } from '../../gateway-runtime/control/read-object.ts';
import type { SourcedObject } from '../../gateway-runtime/control/source.ts';
import { CommandError, EXIT } from '../terminal.ts';

/** Keys, what is read by name, and what is no part of a snapshot. */
const NOT_LISTED: ReadonlySet<string> = new Set(['Secret', 'ConfigMap', 'EndpointSlice']);
const PAGE = 500;

/** Throws a CommandError where the cluster can't be reached, or a kind may not be listed: half of it would be a wrong answer. */
export async function clusterObjects(): Promise<SourcedObject[]> {
  try {
    const client = new ApiClient(connection());
    try {
      const kinds = (Object.keys(KINDS) as KindName[]).filter((kind) => !NOT_LISTED.has(kind));
      const listed = (await Promise.all(kinds.map((kind) => list(client, kind)))).flat();
      const configMaps = await Promise.all(namedConfigMaps(listed).map((name) => configMap(client, name)));
      return [...listed, ...configMaps.filter((each) => each !== undefined)].flatMap(sourced);
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof UnreachableError || error instanceof ApiError) {
      throw new CommandError(`error cluster: ${error.message}.`, EXIT.usage);
    }
    throw error;
  }
}

interface List {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly RawObject[];
}

async function list(client: ApiClient, kind: KindName): Promise<RawObject[]> {
  const { group, versions } = KINDS[kind];
  for (const version of versions) {
    try {
      const items: RawObject[] = [];
      let next = '';
      do {
        const page = await client.get<List>(
          `${collectionPath(kind, version)}?limit=${PAGE}${next && `&continue=${encodeURIComponent(next)}`}`,
        );
        // Objects in a list do not say what they are.
        const apiVersion = group ? `${group}/${version}` : version;
        items.push(...page.items.map((each) => ({ ...each, apiVersion, kind })));
        next = page.metadata?.continue ?? '';
      } while (next);
      return items;
    } catch (error) {
      if (isStatus(error, 403)) {
        throw new CommandError(
          `error cluster: ${resourceName(kind)} may not be listed. Fix: kubectl create clusterrole ... --verb=list --resource=${resourceName(kind)}, for whoever the kubeconfig names.`,
          EXIT.usage,
        );
      }
      // Not installed, in this version at least.
      if (!isStatus(error, 404)) throw error;
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
async function configMap(client: ApiClient, named: string): Promise<RawObject | undefined> {
  const [namespace = '', name = ''] = named.split('/');
  try {
    const object = await client.get<RawObject>(objectPath('ConfigMap', 'v1', { namespace, name }));
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
