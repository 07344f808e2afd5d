/** What objects name as their parents and is not there: they get no status, for there is nobody to give it. */
import type { KindName } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { diagnose, type Finding, named } from './findings.ts';
import type { Classes } from './gateways.ts';
import type { ListenerHome } from './listeners.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

/** Kinds to which routes attach. */
const ROUTE_PARENTS: readonly string[] = ['Gateway', 'ListenerSet'] satisfies ListenerHome[];

export const isRouteParent = (ref: ObjectRef): boolean =>
  ref.group === GATEWAY_GROUP && ROUTE_PARENTS.includes(ref.kind);

/** Undefined where the parent is there, and another controller's: its business alone. */
export function missingRouteParent(parent: ObjectRef, field: string, objects: Objects): Finding | undefined {
  if (isRouteParent(parent)) return missing(parent, field, objects);
  return {
    reason: 'ParentNotFound',
    field,
    message: `found ${inWords(parent)}, to which routes are not attached here`,
    fix: `refer to a ${ROUTE_PARENTS.join(' or ')}`,
    related: [parent],
  };
}

/** Of a Gateway: its class. By namespace and name. */
export function missingClasses(
  memo: Memo,
  objects: Objects,
  classes: Classes,
): Derived<readonly Diagnostic[]> {
  return memo.derive((namespace, name) => {
    const gateway = objects.get('Gateway', namespace!, name!);
    if (!gateway || classes !== 'own') return [];
    const ref = { group: GATEWAY_GROUP, kind: 'Gateway', namespace: namespace!, name: name! };
    const parent = {
      group: GATEWAY_GROUP,
      kind: 'GatewayClass',
      namespace: '',
      name: gateway.spec.gatewayClassName,
    };
    const finding = missing(parent, 'spec.gatewayClassName', objects);
    return finding ? [diagnose('gateway', ref, finding, 'warning')] : [];
  });
}

/** Of a ListenerSet: its Gateway. By namespace and name. */
export function missingGateways(memo: Memo, objects: Objects): Derived<readonly Diagnostic[]> {
  return memo.derive((namespace, name) => {
    const spec = objects.get('ListenerSet', namespace!, name!)?.spec;
    if (!spec) return [];
    const ref = { group: GATEWAY_GROUP, kind: 'ListenerSet', namespace: namespace!, name: name! };
    const parent = { ...spec.parentRef, namespace: spec.parentRef.namespace ?? namespace! };
    const finding =
      parent.group === GATEWAY_GROUP && parent.kind === 'Gateway'
        ? missing(parent, 'spec.parentRef', objects)
        : {
            reason: 'ParentNotFound',
            field: 'spec.parentRef',
            message: `found ${inWords(parent)}, which takes no ListenerSets`,
            fix: 'refer to a Gateway',
            related: [parent],
          };
    return finding ? [diagnose('listener-set', ref, finding, 'warning')] : [];
  });
}

/** Only for kinds that are read. */
function missing(parent: ObjectRef, field: string, objects: Objects): Finding | undefined {
  const { namespace, name } = parent;
  const kind = parent.kind as KindName;
  if (objects.get(kind, namespace, name)) return undefined;
  const refused = objects.isRefused(kind, namespace, name);
  return {
    reason: 'ParentNotFound',
    field,
    message: `${named(parent)} ${refused ? 'was refused for its fields' : 'does not exist'}`,
    fix: refused ? `correct the ${kind}` : 'create it, or correct the reference',
    related: [parent],
  };
}

const inWords = ({ group, kind }: ObjectRef) => `${kind} of group ${group || '""'}`;
