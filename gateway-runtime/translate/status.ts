/** Status of Gateways and ListenerSets, and what to tell people about them. */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import { exampleRequest } from '../match/example.ts';
import { ANY_HOST } from '../match/hostname.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { Conditions, diagnose, type Finding, sentence, sentences } from './findings.ts';
import type { GatewayView, ListenerSetView, ParentView, ServedListener } from './gateways.ts';
import { isServedProtocol } from './listeners.ts';
import { addOver } from './policies/affected.ts';
import type { Reason } from './reasons.ts';
import type { Condition, ListenerStatus, ObjectStatus } from './translation.ts';

type GatewayStatus = Extract<ObjectStatus, { kind: 'Gateway' }>;
type ListenerSetStatus = Extract<ObjectStatus, { kind: 'ListenerSet' }>;

/** How many routes are attached to a listener. */
export type CountRoutes = (listener: string) => number;

export const gatewayRef = ({ namespace, name }: { namespace: string; name: string }): ObjectRef => ({
  group: GATEWAY_GROUP,
  kind: 'Gateway',
  namespace,
  name,
});
export const listenerSetRef = ({ namespace, name }: { namespace: string; name: string }): ObjectRef => ({
  group: GATEWAY_GROUP,
  kind: 'ListenerSet',
  namespace,
  name,
});

/** @param leftOut policies that it is left out of */
export function gatewayStatus(
  view: GatewayView,
  countRoutes: CountRoutes,
  leftOut: readonly Finding[],
): GatewayStatus {
  const accepted = [...view.listenerSets.values()].filter(({ refusal }) => !refusal);
  return {
    kind: 'Gateway',
    ref: gatewayRef(view.id),
    conditions: [
      ...summary(view.generation, view.refusal, view.listeners, 'Invalid', [...view.warnings, ...leftOut]),
      resolvedRefs(view),
      ...insecureFrontend(view),
      ...defaultGateway(view),
      ...underPolicies(view),
    ],
    listeners: view.listeners.map((listener) => listenerStatus(listener, countRoutes)),
    attachedListenerSets: accepted.length,
  };
}

export function listenerSetStatus(view: ListenerSetView, countRoutes: CountRoutes): ListenerSetStatus {
  const notProgrammed =
    view.refusal?.reason === 'ParentNotAccepted' ? 'ParentNotProgrammed' : view.refusal?.reason;
  return {
    kind: 'ListenerSet',
    ref: listenerSetRef(view.name),
    conditions: [
      ...summary(view.generation, view.refusal, view.listeners, notProgrammed ?? 'Invalid'),
      ...underPolicies(view),
    ],
    listeners: view.listeners.map((listener) => listenerStatus(listener, countRoutes)),
  };
}

/** Accepted and Programmed of a Gateway or ListenerSet. */
function summary(
  generation: number,
  refusal: Finding | undefined,
  listeners: readonly ServedListener[],
  notProgrammed: Reason,
  warnings: readonly Finding[] = [],
): Condition[] {
  const conditions = new Conditions(generation);
  if (refusal) {
    conditions.add('Accepted', 'False', refusal.reason, sentence(refusal));
    conditions.add(
      'Programmed',
      'False',
      notProgrammed,
      'Nothing of it is served, since it is not accepted.',
    );
    return conditions.list;
  }
  const left = listeners.filter(({ programmed }) => !programmed).map(({ name }) => name);
  const served = listeners.filter(({ programmed }) => programmed).map(({ name }) => name);
  const leftOut = warnings.length > 0 ? ` ${sentences(warnings)}` : '';
  // "The implementation MUST set a "ListenersNotValid" condition [...] whether or not they accept the Gateway. That
  // Condition SHOULD clearly indicate in the Message which Listeners are conflicted, and which are Accepted".
  if (left.length > 0) {
    conditions.add(
      'Accepted',
      'True',
      'ListenersNotValid',
      `Listeners that can't be served: ${left.join(', ')}. Served: ${served.join(', ')}.${leftOut}`,
    );
  } else {
    conditions.add(
      'Accepted',
      'True',
      'Accepted',
      `Every listener is served: ${served.join(', ')}.${leftOut}`,
    );
  }
  conditions.add('Programmed', 'True', 'Programmed', `Handed to the data plane: ${served.join(', ')}.`);
  return conditions.list;
}

/** Of what the Gateway itself refers to, and in sum of its listeners (GatewayConditionResolvedRefs). */
function resolvedRefs({ generation, unresolved, listeners }: GatewayView): Condition {
  const conditions = new Conditions(generation);
  const left = listeners.filter((listener) => listener.unresolved.length > 0).map(({ name }) => name);
  const inSum = left.length > 0 ? `References of listeners that do not resolve: ${left.join(', ')}.` : '';
  const [first] = unresolved;
  if (first) {
    conditions.add('ResolvedRefs', 'False', first.reason, `${sentences(unresolved)} ${inSum}`.trimEnd());
  } else if (inSum) conditions.add('ResolvedRefs', 'False', 'ListenersNotResolved', inSum);
  else {
    const message = 'Every reference of the Gateway and of its listeners resolves.';
    conditions.add('ResolvedRefs', 'True', 'ResolvedRefs', message);
  }
  return conditions.list[0]!;
}

/** "This condition is removed as soon as FrontendValidationModeType is changed back to `AllowValidOnly`". */
function insecureFrontend({ generation, insecureClients }: GatewayView): readonly Condition[] {
  if (insecureClients.length === 0) return [];
  const conditions = new Conditions(generation);
  conditions.add(
    'InsecureFrontendValidationMode',
    'True',
    'ConfigurationChanged',
    `Clients are let in without a valid certificate ${insecureClients.join(', ')}: the mode is AllowInsecureFallback.`,
  );
  return conditions.list;
}

/** "It MUST NOT set the `DefaultGateway` condition" where it is none (GEP-3793, which names no reason for it). */
function defaultGateway({ generation, isDefault }: GatewayView): readonly Condition[] {
  if (!isDefault) return [];
  const conditions = new Conditions(generation);
  conditions.add(
    'DefaultGateway',
    'True',
    'DefaultGateway',
    'Routes with useDefaultGateways All attach to it as if they named it: its defaultScope is All.',
  );
  return conditions.list;
}

function underPolicies({ generation, policies }: ParentView): readonly Condition[] {
  const conditions = new Conditions(generation);
  addOver(conditions, policies);
  return conditions.list;
}

function listenerStatus(listener: ServedListener, countRoutes: CountRoutes): ListenerStatus {
  const { notTaken, conflict, unsupported, unresolved, overlaps } = listener;
  const conditions = new Conditions(listener.generation);
  const refusal = notTaken ?? conflict ?? unsupported;
  if (refusal) conditions.add('Accepted', 'False', refusal.reason, sentence(refusal));
  else conditions.add('Accepted', 'True', 'Accepted', 'The listener is valid.');

  if (listener.programmed) {
    conditions.add(
      'Programmed',
      'True',
      'Programmed',
      `Served on port ${listener.port} with ${listener.protocol}.`,
    );
  } else if (conflict) {
    conditions.add('Programmed', 'False', conflict.reason, 'Not served because of the conflict.');
  } else {
    conditions.add('Programmed', 'False', 'Invalid', `Not served: ${whyNotProgrammed(listener)}.`);
  }

  const [first] = unresolved;
  if (first) conditions.add('ResolvedRefs', 'False', first.reason, sentences(unresolved));
  else conditions.add('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference of the listener resolves.');

  if (conflict) conditions.add('Conflicted', 'True', conflict.reason, sentence(conflict));
  else conditions.add('Conflicted', 'False', 'NoConflicts', 'No other listener takes its place.');
  // "This is a negative polarity condition and MUST NOT be set when it is False" (OverlappingTLSConfig).
  if (overlaps) {
    conditions.add(
      'OverlappingTLSConfig',
      'True',
      'OverlappingHostnames',
      `Its hostnames overlap those of ${overlaps}; a connection made for one may be reused for the other.`,
    );
  }
  return {
    name: listener.name,
    supportedKinds: listener.supportedKinds,
    attachedRoutes: countRoutes(listener.key),
    conditions: conditions.list,
  };
}

function whyNotProgrammed({ notTaken, unsupported, terminates, certificates }: ServedListener): string {
  if (notTaken) return 'the Gateway does not take it';
  if (unsupported) return unsupported.message;
  if (terminates && certificates.length === 0) return 'no certificate resolves';
  return 'the object is not accepted';
}

function listenerDiagnostics(ref: ObjectRef, listener: ServedListener): Diagnostic[] {
  const findings = [
    ...[listener.notTaken ?? listener.conflict ?? listener.unsupported ?? []].flat(),
    ...listener.unresolved,
  ];
  if (findings.length === 0) return [];
  const { protocol, port, hostname = ANY_HOST } = listener;
  // Of another protocol no request can be shown.
  const example = isServedProtocol(protocol) ? exampleRequest({ protocol, port, hostname }) : undefined;
  return findings.map((finding) =>
    diagnose('listener', ref, { ...finding, ...(example ? { example } : {}) }),
  );
}

/** What listeners have of their Gateway is said of the first one. */
function onceEach(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const each of diagnostics) {
    const key = `${each.code} ${each.field}`;
    if (!seen.has(key)) seen.set(key, each);
  }
  return [...seen.values()];
}

export function gatewayDiagnostics(view: GatewayView): Diagnostic[] {
  const ref = gatewayRef(view.id);
  return [
    ...(view.refusal ? [diagnose('gateway', ref, view.refusal)] : []),
    ...view.unresolved.map((finding) => diagnose('gateway', ref, finding)),
    ...onceEach(view.listeners.flatMap((listener) => listenerDiagnostics(ref, listener))),
    ...view.warnings.map((finding) => diagnose('gateway', ref, finding, 'warning')),
  ];
}

export function listenerSetDiagnostics(view: ListenerSetView): Diagnostic[] {
  const ref = listenerSetRef(view.name);
  return [
    ...(view.refusal ? [diagnose('listener-set', ref, view.refusal)] : []),
    ...view.listeners.flatMap((listener) => listenerDiagnostics(ref, listener)),
  ];
}
