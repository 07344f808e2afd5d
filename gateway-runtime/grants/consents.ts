/**
 * What owners of other namespaces let the routes of a team refer to, by ReferenceGrants: as a Grant lists it, so that admission, which can look up
 * no other objects, can tell a reference that was consented to from one that was not.
 */

import { GATEWAY_GROUP } from '../api/names.ts';
import type { ReferenceGrant } from '../api/reference-grant.ts';

/** What is referred to, by what may refer to it: `HTTPRoute to Service media/feed`, or `HTTPRoute to Service media/*` for every name. */
export type Consents = Readonly<Record<string, string>>;

/** Names that are listed of one kind in one namespace; where there are more, `*` stands for all. */
const MOST_NAMES = 64;
/** Entries of a Grant: whoever has a namespace can consent to something, so that their number is nobody's to keep low. */
export const MOST_CONSENTS = 1024;
/** In the place of all entries, where there are too many: then nothing is known here, and the runtime alone holds references to consent. */
export const ANYTHING = '*';

export function consentKey(
  routeKind: string,
  { group, kind, namespace, name = '*' }: { group: string; kind: string; namespace: string; name?: string },
): string {
  return `${routeKind} to ${group === '' ? kind : `${kind}.${group}`} ${namespace}/${name}`;
}

/**
 * The consents that some ReferenceGrants give to routes of a namespace, sorted, with the ReferenceGrant (`namespace/name`) that gives each.
 *
 * @param grants in an order that does not depend on chance: of two that give the same the first is named
 */
export function consentsTo(
  namespace: string,
  grants: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly spec: ReferenceGrant['spec'];
  }[],
): Consents {
  /** By what stands for every name, then by entry. */
  const all = new Map<string, Map<string, string>>();
  for (const { namespace: owner, name, spec } of grants) {
    if (owner === namespace) continue;
    const kinds = new Set(
      spec.from
        .filter((each) => each.group === GATEWAY_GROUP && each.namespace === namespace)
        .map(({ kind }) => kind)
        .filter((kind) => kind.endsWith('Route')),
    );
    for (const routeKind of kinds) {
      for (const { group, kind, name: target } of spec.to) {
        const every = consentKey(routeKind, { group, kind, namespace: owner });
        const entries = all.get(every) ?? new Map<string, string>();
        const key =
          target === undefined
            ? every
            : consentKey(routeKind, { group, kind, namespace: owner, name: target });
        if (!entries.has(key)) entries.set(key, `${owner}/${name}`);
        all.set(every, entries);
      }
    }
  }
  const listed = [...all].flatMap(([every, entries]): [string, string][] =>
    entries.size > MOST_NAMES ? [[every, entries.values().next().value!]] : [...entries],
  );
  if (listed.length > MOST_CONSENTS)
    return { [ANYTHING]: `more than ${MOST_CONSENTS} references are allowed` };
  return Object.fromEntries(listed.sort(([a], [b]) => (a < b ? -1 : 1)));
}
