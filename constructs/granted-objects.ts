/** The objects that a team's routes attach to, for the repository of the team: so that requests have somewhere to go in its tests and previews. */
import { GRANT_KIND } from '../gateway-runtime/api/grant.ts';
import { refOf } from '../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP, OWN_GROUP, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import { type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import { policyObjects } from './granted-policies.ts';
import type { GrantData } from './import-grant.ts';

/** Of all objects those that these grants of one team are about: Gateways with their policies, ListenerSets, Grants and the namespace; of no other team. */
export function grantedObjects(objects: readonly RawObject[], grants: readonly GrantData[]): RawObject[] {
  const team = grants[0]!.team;
  const gateways = new Set(grants.map(({ gateway }) => gateway));
  const listeners = new Set(grants.flatMap(({ places }) => places.map(refKey)));
  const meant = objects.filter((object) => {
    const ref = refOf(object);
    const { group, kind, namespace, name } = ref;
    const { labels } = object.metadata as { labels?: Readonly<Record<string, unknown>> };
    if (group === GATEWAY_GROUP && kind === 'Gateway') return gateways.has(`${namespace}/${name}`);
    if (group === GATEWAY_GROUP && kind === 'ListenerSet') return listeners.has(refKey(ref));
    if (group === OWN_GROUP && kind === GRANT_KIND) return labels?.[TEAM_LABEL] === team.name;
    return group === '' && kind === 'Namespace' && name === team.namespace;
  });
  return [...meant, ...policyObjects(grants)];
}
