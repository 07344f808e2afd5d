/**
 * Services that routes name and no source defines: on a laptop a program's Service often lives only in the cluster, so `serve`
 * puts one in its place for the route to reach. A cluster that lacks it answers 500, which is for the caller to say.
 */
import { type ObjectRef, refKey } from '../api/object.ts';
import { isRouteKind } from '../api/route-kinds.ts';
import type { SourcedObject } from './source.ts';

const ORIGIN = 'made by gatewright for this machine';

/** As they are written, in objects that passed the rules of their kind: without defaults. */
interface WrittenSpec {
  readonly rules?: readonly {
    readonly backendRefs?:
      | readonly {
          readonly group?: string | null;
          readonly kind?: string | null;
          readonly name: string;
          readonly namespace?: string | null;
          readonly port?: number | null;
        }[]
      | null;
  }[];
}

export interface MissingService {
  readonly ref: ObjectRef;
  /** Those that routes name, in ascending order. */
  readonly ports: readonly number[];
  /** Keys of the routes, such as `HTTPRoute/shop/store`. */
  readonly neededBy: readonly string[];
}

/** The Services that routes send to and that are not among the objects, in stable order. */
export function missingServices(objects: Iterable<SourcedObject>): MissingService[] {
  const present = new Set<string>();
  const routes: SourcedObject[] = [];
  for (const object of objects) {
    if (object.ref.kind === 'Service') present.add(refKey(object.ref));
    if (isRouteKind(object.ref.kind)) routes.push(object);
  }
  const missing = new Map<string, { ref: ObjectRef; ports: Set<number>; neededBy: Set<string> }>();
  for (const { ref: route, raw } of routes) {
    for (const { backendRefs } of (raw.spec as WrittenSpec).rules ?? []) {
      for (const { group, kind, name, namespace, port } of backendRefs ?? []) {
        if ((group ?? '') !== '' || (kind ?? 'Service') !== 'Service' || typeof port !== 'number') continue;
        const ref = { group: '', kind: 'Service', namespace: namespace ?? route.namespace, name };
        const key = refKey(ref);
        if (present.has(key)) continue;
        const entry = missing.get(key) ?? { ref, ports: new Set(), neededBy: new Set() };
        missing.set(key, entry);
        entry.ports.add(port);
        entry.neededBy.add(refKey(route));
      }
    }
  }
  return [...missing.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ref, ports, neededBy }]) => ({
      ref,
      ports: [...ports].sort((a, b) => a - b),
      neededBy: [...neededBy].sort(),
    }));
}

/** A Service with exactly the ports that routes name. */
export function standInService({ ref, ports }: MissingService): SourcedObject {
  const raw = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: ref.name, namespace: ref.namespace },
    spec: { ports: ports.map((port) => ({ name: `port-${port}`, port })) },
  };
  return { ref, raw, origin: ORIGIN };
}
