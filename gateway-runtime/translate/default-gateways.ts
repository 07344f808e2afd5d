/**
 * Default Gateways (GEP-3793): a route with `useDefaultGateways: All` attaches as if it named each Gateway of ours that has `defaultScope: All`
 * in a parentRef without a section, under the rules that hold for any parentRef: listeners, namespaces, Grants, limits. What it names itself stays.
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { GivenParent } from './attachment.ts';
import type { Finding } from './findings.ts';
import type { GatewayView } from './gateways.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

/** "A maximum of 32 Gateways will be represented in this list" (RouteStatus.parents). */
export const MOST_PARENTS = 32;

const FIELD = 'spec.useDefaultGateways';

/**
 * Those of ours, the oldest first, so that a new one takes nobody's place. It is another value only where one came or went: routes that use
 * default Gateways read it, and no others.
 */
export function defaultGateways(
  memo: Memo,
  objects: Objects,
  gateways: Derived<GatewayView | undefined>,
): Derived<readonly GatewayId[]> {
  const created = memo.derive((namespace, name) => gateways.get(namespace!, name!)?.created);
  return memo.derive(() =>
    objects
      .defaultGateways()
      .flatMap((id) => {
        const since = created.get(id.namespace, id.name);
        return since === undefined ? [] : [{ id, since }];
      })
      // As they come they are in the order of their names.
      .sort((a, b) => a.since - b.since)
      .map(({ id }) => id),
  );
}

export interface ByDefault {
  readonly parents: readonly GivenParent[];
  /** Why there are none, or not all of them. */
  readonly finding?: Finding;
}

/**
 * What the default Gateways add to the parents that a route names itself.
 *
 * @param namespace of the route
 */
export function byDefault(
  named: readonly GivenParent[],
  namespace: string,
  gateways: readonly GatewayId[],
): ByDefault {
  if (gateways.length === 0) return NONE;
  const others = gateways.filter((id) => !named.some(({ ref }) => isWhole(ref, namespace, id)));
  const room = Math.max(0, MOST_PARENTS - named.length);
  const parents = others.slice(0, room).map((id): GivenParent => {
    const ref = { group: GATEWAY_GROUP, kind: 'Gateway', namespace: id.namespace, name: id.name };
    return { ref, field: FIELD, isByDefault: true };
  });
  if (others.length <= room) return { parents };
  return {
    parents,
    finding: {
      reason: 'LimitExceeded',
      field: FIELD,
      message: `${gateways.length} Gateways have defaultScope All, and the status of a route has room for ${MOST_PARENTS} parents: it attaches to the oldest ${parents.length} beside those that it names`,
      fix: 'name those that are meant in spec.parentRefs',
    },
  };
}

const NONE: ByDefault = {
  parents: [],
  finding: {
    reason: 'ParentNotFound',
    field: FIELD,
    message:
      'no Gateway that is served here has defaultScope All, so the route attaches by its parentRefs alone',
    fix: 'name the Gateway in spec.parentRefs, or have its owner set spec.defaultScope to All',
  },
};

/** Whether a parentRef names the Gateway itself and no part of it. */
function isWhole(
  { group, kind, namespace: own, name, sectionName, port }: GivenParent['ref'],
  namespace: string,
  gateway: GatewayId,
): boolean {
  return (
    group === GATEWAY_GROUP &&
    kind === 'Gateway' &&
    (own ?? namespace) === gateway.namespace &&
    name === gateway.name &&
    sectionName === undefined &&
    port === undefined
  );
}
