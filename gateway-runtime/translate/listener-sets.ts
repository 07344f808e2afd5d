/** ListenerSets as their Gateways see them. */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { diagnose, named } from './findings.ts';
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

/** What is wrong with a ListenerSet that no Gateway has; it gets no status, for there is nobody to give it. */
export function orphanDiagnostics(memo: Memo, objects: Objects): Derived<readonly Diagnostic[]> {
  return memo.derive((namespace, name) => {
    const parent = objects.get('ListenerSet', namespace!, name!)?.spec.parentRef;
    if (!parent) return [];
    const ref = { group: GATEWAY_GROUP, kind: 'ListenerSet', namespace: namespace!, name: name! };
    const target = {
      group: parent.group,
      kind: parent.kind,
      namespace: parent.namespace ?? namespace!,
      name: parent.name,
    };
    const report = (message: string, fix: string) => [
      diagnose(
        'listener-set',
        ref,
        { reason: 'ParentNotFound', field: 'spec.parentRef', message, fix, related: [target] },
        'warning',
      ),
    ];
    if (parent.group !== GATEWAY_GROUP || parent.kind !== 'Gateway') {
      return report(
        `found ${parent.kind} of group ${parent.group || '""'}, which takes no ListenerSets`,
        'refer to a Gateway',
      );
    }
    if (objects.get('Gateway', target.namespace, target.name)) return [];
    return objects.isRefused('Gateway', target.namespace, target.name)
      ? report(`${named(target)} was refused for its fields`, 'correct the Gateway')
      : report(`${named(target)} does not exist`, 'create it, or correct the name or namespace');
  });
}
