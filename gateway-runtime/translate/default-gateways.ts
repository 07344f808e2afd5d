/**
 * Default Gateways (GEP-3793): a route with `useDefaultGateways: All` attaches as if it named each Gateway of ours that has `defaultScope: All`
 * in a parentRef without a section, under the rules that hold for any parentRef: listeners, namespaces, Grants, limits. What it names itself stays.
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { GivenParent, ParentRef } from './attachment.ts';
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
 * What the default Gateways add to the parents that a route names itself. Where there is no room for all of them, those come first that take
 * the route, so that who makes Gateways for others' routes alone keeps nobody from his own.
 *
 * @param namespace of the route
 * @param takes whether the Gateway takes the route by this reference; asked only where there is no room for all of them
 */
export function byDefault(
  named: readonly GivenParent[],
  namespace: string,
  gateways: readonly GatewayId[],
  takes: (ref: ParentRef) => boolean,
): ByDefault {
  if (gateways.length === 0) return NONE;
  const others = gateways.filter((id) => !named.some(({ ref }) => isWhole(ref, namespace, id))).map(parentOf);
  const room = Math.max(0, MOST_PARENTS - named.length);
  if (others.length <= room) return { parents: others };
  const taking = new Set(others.filter(({ ref }) => takes(ref)));
  const parents = [...taking, ...others.filter((each) => !taking.has(each))].slice(0, room);
  if (taking.size <= room) return { parents };
  return {
    parents,
    finding: {
      reason: 'LimitExceeded',
      field: FIELD,
      message: `${taking.size} Gateways with defaultScope All take the route beside those that it names, and its status has room for ${MOST_PARENTS} parents: it attaches to the oldest ${room} of them`,
      fix: 'name those that are meant in spec.parentRefs',
    },
  };
}

const parentOf = ({ namespace, name }: GatewayId): GivenParent => ({
  ref: { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name },
  field: FIELD,
  isByDefault: true,
});

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
