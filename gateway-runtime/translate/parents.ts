/** What objects name as their parents and is not there: they get no status, for there is nobody to give it. */
import type { KindName } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { type Parent, takes } from './attachment.ts';
import { diagnose, type Finding, listed, named, oneOf } from './findings.ts';
import { notAllowed } from './gateway-checks.ts';
import type { Classes } from './gateways.ts';
import type { ListenerHome } from './listeners.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

/** Kinds to which routes attach. */
const ROUTE_PARENTS: readonly string[] = ['Gateway', 'ListenerSet'] satisfies ListenerHome[];

export const isRouteParent = (ref: ObjectRef): boolean =>
  ref.group === GATEWAY_GROUP && ROUTE_PARENTS.includes(ref.kind);

/** Gateways that are looked at for one that a reference may have meant. */
const MOST_CANDIDATES = 8;

/**
 * Why a route has no parent where it names one, without the field: undefined where the parent is there, and another
 * controller's, which is its business alone. What the reference may have meant is told where it would take routes of the
 * namespace; of others the owner of the route learns nothing. By kind and namespace of the route; then group, kind,
 * namespace (empty where it is not named) and name in the reference.
 */
export function missingRouteParents(
  memo: Memo,
  objects: Objects,
  parents: Derived<Parent | undefined>,
): Derived<Finding | undefined> {
  const openTo = memo.derive((routeKind, routeNamespace, kind, namespace, name) => {
    const applicant = { kind: routeKind!, namespace: routeNamespace! };
    const all = parents.get(kind!, namespace!, name!)?.listeners ?? [];
    const open = all.filter((each) => takes(each, applicant, objects));
    if (open.length === 0) return undefined;
    return open.some(({ namespaces }) => namespaces.from === 'All')
      ? 'every namespace'
      : `namespace ${routeNamespace}`;
  });
  return memo.derive((routeKind, routeNamespace, group, kind, namespace, name) => {
    const parent = { group: group!, kind: kind!, namespace: namespace || routeNamespace!, name: name! };
    if (!isRouteParent(parent)) {
      return {
        reason: 'ParentNotFound',
        message: `found ${inWords(parent)}, to which routes are not attached here`,
        fix: `refer to a ${ROUTE_PARENTS.join(' or ')}`,
        related: [parent],
      };
    }
    const found = missing(parent, objects);
    if (!found || objects.isRefused(kind as KindName, parent.namespace, name!)) return found;
    const looked = lookedFor(namespace, 'route');
    const meant = (other: ObjectRef, open: string, fix: string): Finding => ({
      ...found,
      message: `${found.message}${looked}; ${named(other)} does, and takes routes of ${open}`,
      fix,
      related: [parent, other],
    });

    const otherKind = ROUTE_PARENTS.find((each) => each !== kind)!;
    const ofOtherKind = openTo.get(routeKind!, routeNamespace!, otherKind, parent.namespace, name!);
    if (ofOtherKind) {
      return meant({ ...parent, kind: otherKind }, ofOtherKind, `set kind to ${otherKind} in the reference`);
    }
    if (kind !== 'Gateway') return found;
    for (const other of objects.gatewaysNamed(name!).slice(0, MOST_CANDIDATES)) {
      const open = openTo.get(routeKind!, routeNamespace!, 'Gateway', other.namespace, name!);
      if (!open) continue;
      return meant({ ...parent, ...other }, open, namespaceFix(namespace, other.namespace));
    }
    const beside = objects
      .gatewaysIn(parent.namespace)
      .slice(0, MOST_CANDIDATES)
      .map((each) => each.name)
      .filter((each) => openTo.get(routeKind!, routeNamespace!, 'Gateway', parent.namespace, each));
    if (beside.length === 0) return { ...found, message: `${found.message}${looked}` };
    return {
      ...found,
      message: `${found.message}${looked}; Gateways of namespace ${parent.namespace} that take routes of namespace ${routeNamespace}: ${listed(beside)}`,
      fix: `set name to ${oneOf(beside)} in the reference, or create the Gateway`,
    };
  });
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
    const finding = missing(parent, objects);
    return finding
      ? [diagnose('gateway', ref, { ...finding, field: 'spec.gatewayClassName' }, 'warning')]
      : [];
  });
}

/** Of a ListenerSet: its Gateway. By namespace and name. */
export function missingGateways(memo: Memo, objects: Objects): Derived<readonly Diagnostic[]> {
  const allowedBy = memo.derive((setNamespace, namespace, name) => {
    const gateway = objects.get('Gateway', namespace!, name!);
    const id = { namespace: namespace!, name: name! };
    // What it is called makes no difference to whether it is allowed.
    return gateway !== undefined && !notAllowed(gateway, id, { namespace: setNamespace!, name: '' }, objects);
  });
  const found = (
    namespace: string,
    given: { namespace?: string },
    parent: ObjectRef,
  ): Finding | undefined => {
    const finding = missing(parent, objects);
    if (!finding || objects.isRefused('Gateway', parent.namespace, parent.name)) return finding;
    const looked = lookedFor(given.namespace, 'ListenerSet');
    const other = objects
      .gatewaysNamed(parent.name)
      .slice(0, MOST_CANDIDATES)
      .find((each) => allowedBy.get(namespace, each.namespace, each.name));
    if (!other) return { ...finding, message: `${finding.message}${looked}` };
    return {
      ...finding,
      message: `${finding.message}${looked}; ${named({ ...parent, ...other })} does, and takes ListenerSets of namespace ${namespace}`,
      fix: namespaceFix(given.namespace, other.namespace),
      related: [parent, { ...parent, ...other }],
    };
  };
  return memo.derive((namespace, name) => {
    const spec = objects.get('ListenerSet', namespace!, name!)?.spec;
    if (!spec) return [];
    const ref = { group: GATEWAY_GROUP, kind: 'ListenerSet', namespace: namespace!, name: name! };
    const parent = { ...spec.parentRef, namespace: spec.parentRef.namespace ?? namespace! };
    const finding =
      parent.group === GATEWAY_GROUP && parent.kind === 'Gateway'
        ? found(namespace!, spec.parentRef, parent)
        : {
            reason: 'ParentNotFound' as const,
            message: `found ${inWords(parent)}, which takes no ListenerSets`,
            fix: 'refer to a Gateway',
            related: [parent],
          };
    return finding ? [diagnose('listener-set', ref, { ...finding, field: 'spec.parentRef' }, 'warning')] : [];
  });
}

/** Of a Grant: its Gateway, which is in its namespace, since anywhere else it means nothing. By namespace, and name of the Gateway. */
export function missingGrantedGateway(
  objects: Objects,
  namespace: string,
  gatewayName: string,
): Finding | undefined {
  const parent = { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name: gatewayName };
  const finding = missing(parent, objects);
  if (!finding) return undefined;
  const message = `${finding.message}, so nothing is granted by it: a Grant is for a Gateway of its namespace`;
  return { ...finding, message, field: 'spec.gatewayName' };
}

const lookedFor = (given: string | undefined, referrer: string) =>
  given ? '' : ` (the reference has no namespace, so that of the ${referrer} counts)`;

const namespaceFix = (given: string | undefined, namespace: string) =>
  given ? `set namespace to ${namespace} in the reference` : `add namespace: ${namespace} to the reference`;

/** Only for kinds that are read. */
function missing(parent: ObjectRef, objects: Objects): Finding | undefined {
  const { namespace, name } = parent;
  const kind = parent.kind as KindName;
  if (objects.get(kind, namespace, name)) return undefined;
  const refused = objects.isRefused(kind, namespace, name);
  return {
    reason: 'ParentNotFound',
    message: `${named(parent)} ${refused ? 'was refused for its fields' : 'does not exist'}`,
    fix: refused ? `correct the ${kind}` : 'create it, or correct the reference',
    related: [parent],
  };
}

const inWords = ({ group, kind }: ObjectRef) => `${kind} of group ${group || '""'}`;
