/** ListenerSets as their Gateways see them. */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { GatewayView, ListenerSetView } from './gateways.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

/** By namespace and name; undefined where there is none, or its Gateway is not ours. */
export function listenerSetViews(
  memo: Memo,
  objects: Objects,
  gateways: Derived<GatewayView | undefined>,
): Derived<ListenerSetView | undefined> {
  return memo.derive((namespace, name) => {
    const parent = objects.get('ListenerSet', namespace!, name!)?.spec.parentRef;
    if (parent?.group !== GATEWAY_GROUP || parent.kind !== 'Gateway') return undefined;
    return gateways
      .get(parent.namespace ?? namespace!, parent.name)
      ?.listenerSets.get(`${namespace}/${name}`);
  });
}
