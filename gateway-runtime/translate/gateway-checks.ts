/** What a Gateway is accepted with, what of it is not served, and which ListenerSets it takes. */
import type { KindObject } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import { type Finding, named } from './findings.ts';
import { refusalOfClass } from './gateway-classes.ts';
import type { MergedListener } from './merge.ts';
import type { Name, Objects } from './objects.ts';
import { parametersProblem } from './parameters.ts';
import { admits, admittedInWords, selectorProblem } from './selector.ts';

type Gateway = KindObject<'Gateway'>;

export function whyClassRefused({ spec }: Gateway, objects: Objects): Finding | undefined {
  const gatewayClass = {
    group: GATEWAY_GROUP,
    kind: 'GatewayClass',
    namespace: '',
    name: spec.gatewayClassName,
  };
  const refusal = refusalOfClass(objects.get('GatewayClass', '', gatewayClass.name)!, objects);
  return (
    refusal && {
      reason: refusal.reason,
      field: 'spec.gatewayClassName',
      message: `${named(gatewayClass)} is not accepted`,
      fix: 'see the conditions of the GatewayClass',
      related: [gatewayClass],
    }
  );
}

/** Whether a listener can be in the snapshot, if its Gateway is. */
export const isServable = (listener: MergedListener) =>
  !listener.notTaken &&
  !listener.conflict &&
  !listener.unsupported &&
  (!listener.terminates || listener.certificates.length > 0);

export function whyNotAccepted(
  { metadata, spec }: Gateway,
  own: readonly MergedListener[],
  objects: Objects,
): Finding | undefined {
  const parameters = spec.infrastructure?.parametersRef;
  const field = 'spec.infrastructure.parametersRef';
  const problem =
    parameters && parametersProblem(parameters, field, metadata.namespace ?? 'default', objects);
  if (problem) return problem;
  const address = (spec.addresses ?? []).findIndex(({ type }) => type !== 'IPAddress');
  if (address >= 0) {
    return {
      reason: 'UnsupportedAddress',
      field: `spec.addresses[${address}].type`,
      message: `found ${spec.addresses![address]!.type}, which can't be assigned`,
      fix: 'use the type IPAddress, or leave the addresses out',
    };
  }
  return own.some(isServable) ? undefined : noneValid(own);
}

/** "At least one distinct Listener MUST be present, or else the Gateway [...] must be rejected" (GatewaySpec.listeners). */
export function noneValid(listeners: readonly MergedListener[]): Finding {
  return {
    reason: 'ListenersNotValid',
    field: 'spec.listeners',
    message: `none of the listeners can be served (${listeners.map((each) => each.name).join(', ')})`,
    fix: 'see the conditions of each listener',
  };
}

export function parentNotAccepted(id: GatewayId): Finding {
  const gateway = { group: GATEWAY_GROUP, kind: 'Gateway', ...id };
  return {
    reason: 'ParentNotAccepted',
    field: 'spec.parentRef',
    message: `${named(gateway)} is not accepted`,
    fix: 'see the conditions of the Gateway',
    related: [gateway],
  };
}

/** Why a listener of a ListenerSet may not be brought to a Gateway that asks for Grants. */
export const notBrought = (field: string, problem: string): Finding => ({
  reason: 'NotAllowed',
  field,
  message: problem,
  fix: 'have the platform grant it, or remove the listener',
});

/** None of its listeners may be brought. */
export const nothingBrought = (listeners: readonly MergedListener[]): Finding => ({
  reason: 'NotAllowed',
  field: 'spec.listeners',
  message: `none of its listeners is granted: ${[...new Set(listeners.map(({ notTaken }) => notTaken!.message))].join('. ')}`,
  fix: 'have the platform grant them',
});

export function notAllowed(
  gateway: Gateway,
  id: GatewayId,
  set: Name,
  objects: Objects,
): Finding | undefined {
  // "The default value is to allow no ListenerSets" (GatewaySpec.allowedListeners).
  const allowed = gateway.spec.allowedListeners?.namespaces ?? { from: 'None' as const };
  if (admits(allowed, id.namespace, set.namespace, objects)) return undefined;
  const ref = { group: GATEWAY_GROUP, kind: 'Gateway', ...id };
  return {
    reason: 'NotAllowed',
    field: 'spec.parentRef',
    message: `${named(ref)} takes ListenerSets of ${admittedInWords(allowed, id.namespace)}, not of namespace ${set.namespace}`,
    fix: 'have its owner change spec.allowedListeners.namespaces of the Gateway',
    related: [ref],
  };
}

/** What is left out without doing harm. */
export function notServed({ spec }: Gateway): Finding[] {
  const warnings: Finding[] = [];
  const warn = (field: string, message: string, fix = 'remove it') =>
    warnings.push({ reason: 'UnsupportedField', field, message, fix });
  const allowed = spec.allowedListeners?.namespaces;
  const problem = allowed && selectorProblem(allowed);
  if (problem) warn(`spec.allowedListeners.namespaces.${problem.field}`, problem.message, problem.fix);
  return warnings;
}
