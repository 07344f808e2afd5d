/** Gateways that are ours, with their own listeners and those of the ListenerSets attached to them. */
import type { KindObject } from '../api/kinds.ts';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../api/names.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import { type Finding, named } from './findings.ts';
import { refusalOfClass } from './gateway-classes.ts';
import type { DeclaredListener } from './listeners.ts';
import type { Derived, Memo } from './memo.ts';
import { type MergedListener, mergeListeners } from './merge.ts';
import type { Name, Objects } from './objects.ts';
import { admits, admittedInWords, selectorProblem } from './selector.ts';
import type { Infrastructure, TranslateOptions } from './translation.ts';

export type Classes = NonNullable<TranslateOptions['classes']>;

export interface ServedListener extends MergedListener {
  /** It is in the snapshot. */
  readonly programmed: boolean;
}

export interface ListenerSetView {
  readonly name: Name;
  readonly generation: number;
  readonly gateway: GatewayId;
  /** Why it is not accepted; its listeners are empty where the Gateway does not allow it. */
  readonly refusal?: Finding;
  readonly listeners: readonly ServedListener[];
}

export interface GatewayView {
  readonly id: GatewayId;
  readonly generation: number;
  /** Why it is not accepted: then it has no snapshot. */
  readonly refusal?: Finding;
  /** What is not served of it, although it is accepted. */
  readonly warnings: readonly Finding[];
  readonly listeners: readonly ServedListener[];
  /** By `namespace/name`: every ListenerSet that names this Gateway. */
  readonly listenerSets: ReadonlyMap<string, ListenerSetView>;
  readonly infrastructure: Infrastructure;
}

type Gateway = KindObject<'Gateway'>;

/** By namespace and name; undefined where there is no such Gateway, or another controller has it. */
export function gatewayViews(
  memo: Memo,
  objects: Objects,
  declared: Derived<readonly DeclaredListener[]>,
  classes: Classes,
): Derived<GatewayView | undefined> {
  return memo.derive((namespace, name) => {
    const id = { namespace: namespace!, name: name! };
    const gateway = objects.get('Gateway', id.namespace, id.name);
    if (!gateway || !isOurs(gateway, objects, classes)) return undefined;
    return view(
      id,
      gateway,
      objects,
      declared,
      classes === 'own' ? whyClassRefused(gateway, objects) : undefined,
    );
  });
}

function isOurs({ spec }: Gateway, objects: Objects, classes: Classes): boolean {
  if (classes === 'any') return true;
  if (classes !== 'own') return classes.includes(spec.gatewayClassName);
  return objects.get('GatewayClass', '', spec.gatewayClassName)?.spec.controllerName === CONTROLLER_NAME;
}

function whyClassRefused({ spec }: Gateway, objects: Objects): Finding | undefined {
  const gatewayClass = {
    group: GATEWAY_GROUP,
    kind: 'GatewayClass',
    namespace: '',
    name: spec.gatewayClassName,
  };
  const refusal = refusalOfClass(objects.get('GatewayClass', '', gatewayClass.name)!);
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

function view(
  id: GatewayId,
  gateway: Gateway,
  objects: Objects,
  declared: Derived<readonly DeclaredListener[]>,
  classRefusal: Finding | undefined,
): GatewayView {
  const allowed: ListenerSetView[] = [];
  const refused: ListenerSetView[] = [];
  for (const name of objects.listenerSetsOf(id)) {
    const set = objects.get('ListenerSet', name.namespace, name.name)!;
    const generation = set.metadata.generation ?? 0;
    const refusal = notAllowed(gateway, id, name, objects);
    if (refusal) refused.push({ name, generation, gateway: id, refusal, listeners: [] });
    else allowed.push({ name, generation, gateway: id, listeners: [] });
  }
  const created = new Map(
    allowed.map(({ name }) => [
      name,
      creationTime(objects.get('ListenerSet', name.namespace, name.name)!.metadata.creationTimestamp),
    ]),
  );
  // "ListenerSet ordered by creation time (oldest first)", then by "{namespace}/{name}", in which order they come.
  allowed.sort((a, b) => created.get(a.name)! - created.get(b.name)! || 0);

  const [own, ...ofSets] = mergeListeners([
    declared.get('Gateway', id.namespace, id.name).map((each) => withFrontendTls(each, gateway)),
    ...allowed.map(({ name }) =>
      declared.get('ListenerSet', name.namespace, name.name).map((each) => withFrontendTls(each, gateway)),
    ),
  ]);
  const refusal = classRefusal ?? whyNotAccepted(gateway, own!);
  const serve = (listener: MergedListener): ServedListener => ({
    ...listener,
    programmed: !refusal && isServable(listener),
  });

  const listeners = own!.map(serve);
  const listenerSets = new Map<string, ListenerSetView>();
  allowed.forEach((set, index) => {
    const merged = ofSets[index]!;
    const problem = refusal ? parentNotAccepted(id) : merged.some(isServable) ? undefined : noneValid(merged);
    listenerSets.set(`${set.name.namespace}/${set.name.name}`, {
      ...set,
      ...(problem ? { refusal: problem } : {}),
      listeners: merged.map(serve),
    });
  });
  for (const set of refused) listenerSets.set(`${set.name.namespace}/${set.name.name}`, set);

  return {
    id,
    generation: gateway.metadata.generation ?? 0,
    ...(refusal ? { refusal } : {}),
    warnings: notServed(gateway),
    listeners,
    listenerSets,
    infrastructure: infrastructureOf(id, gateway, [
      ...listeners,
      ...[...listenerSets.values()].flatMap((set) => set.listeners),
    ]),
  };
}

/** Milliseconds; an object without (valid) creation time sorts as the newest. */
export function creationTime(timestamp: string | undefined): number {
  const time = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(time) ? Number.MAX_SAFE_INTEGER : time;
}

const isServable = (listener: MergedListener) =>
  !listener.conflict &&
  !listener.unsupported &&
  (listener.protocol !== 'HTTPS' || listener.certificates.length > 0);

function whyNotAccepted({ spec }: Gateway, own: readonly MergedListener[]): Finding | undefined {
  const parameters = spec.infrastructure?.parametersRef;
  if (parameters) {
    return {
      reason: 'InvalidParameters',
      field: 'spec.infrastructure.parametersRef',
      message: `found ${parameters.kind} of group ${parameters.group || '""'}, and no kind of parameters is known`,
      fix: 'remove the reference',
    };
  }
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
function noneValid(listeners: readonly MergedListener[]): Finding {
  return {
    reason: 'ListenersNotValid',
    field: 'spec.listeners',
    message: `none of the listeners can be served (${listeners.map((each) => each.name).join(', ')})`,
    fix: 'see the conditions of each listener',
  };
}

function parentNotAccepted(id: GatewayId): Finding {
  const gateway = { group: GATEWAY_GROUP, kind: 'Gateway', ...id };
  return {
    reason: 'ParentNotAccepted',
    field: 'spec.parentRef',
    message: `${named(gateway)} is not accepted`,
    fix: 'see the conditions of the Gateway',
    related: [gateway],
  };
}

function notAllowed(gateway: Gateway, id: GatewayId, set: Name, objects: Objects): Finding | undefined {
  // "The default value is to allow no ListenerSets" (GatewaySpec.allowedListeners).
  const allowed = gateway.spec.allowedListeners?.namespaces ?? { from: 'None' as const };
  if (admits(allowed, id.namespace, set.namespace, (each) => objects.namespaceLabels(each))) return undefined;
  const ref = { group: GATEWAY_GROUP, kind: 'Gateway', ...id };
  return {
    reason: 'NotAllowed',
    field: 'spec.parentRef',
    message: `${named(ref)} takes ListenerSets of ${admittedInWords(allowed, id.namespace)}, not of namespace ${set.namespace}`,
    fix: 'have its owner change spec.allowedListeners.namespaces of the Gateway',
    related: [ref],
  };
}

/** A listener that was told to demand client certificates must not be served without. */
function withFrontendTls(listener: DeclaredListener, { spec }: Gateway): DeclaredListener {
  const frontend = spec.tls?.frontend;
  if (!frontend || listener.protocol !== 'HTTPS' || listener.unsupported) return listener;
  const perPort = (frontend.perPort ?? []).findIndex(({ port }) => port === listener.port);
  const [tls, field] =
    perPort >= 0
      ? [frontend.perPort![perPort]!.tls, `spec.tls.frontend.perPort[${perPort}].tls.validation`]
      : [frontend.default, 'spec.tls.frontend.default.validation'];
  if (!tls.validation) return listener;
  return {
    ...listener,
    unsupported: {
      reason: 'UnsupportedValue',
      field: listener.home.kind === 'Gateway' ? field : listener.field,
      message: 'the Gateway asks for client certificates on this port, and their validation is not served',
      fix: `remove ${field} of the Gateway, or serve this port with protocol HTTP`,
    },
  };
}

/** What is left out without doing harm. */
function notServed({ spec }: Gateway): Finding[] {
  const warnings: Finding[] = [];
  const warn = (field: string, message: string, fix = 'remove it') =>
    warnings.push({ reason: 'UnsupportedField', field, message, fix });
  if (spec.tls?.backend?.clientCertificateRef) {
    warn(
      'spec.tls.backend.clientCertificateRef',
      'backends are not reached over TLS, so no client certificate is used',
    );
  }
  if (spec.defaultScope === 'All') {
    warn(
      'spec.defaultScope',
      'default Gateways are not served, so no route attaches by it',
      'name the Gateway in parentRefs of each route',
    );
  }
  const allowed = spec.allowedListeners?.namespaces;
  const problem = allowed && selectorProblem(allowed);
  if (problem) warn(`spec.allowedListeners.namespaces.${problem.field}`, problem.message, problem.fix);
  return warnings;
}

function infrastructureOf(
  gateway: GatewayId,
  { spec }: Gateway,
  listeners: readonly ServedListener[],
): Infrastructure {
  const ports = new Map<number, 'HTTP' | 'HTTPS'>();
  for (const { programmed, port, protocol } of listeners) {
    if (programmed) ports.set(port, protocol as 'HTTP' | 'HTTPS');
  }
  return {
    gateway,
    className: spec.gatewayClassName,
    ports: [...ports].map(([port, protocol]) => ({ port, protocol })).sort((a, b) => a.port - b.port),
    addresses: spec.addresses ?? [],
    labels: spec.infrastructure?.labels ?? {},
    annotations: spec.infrastructure?.annotations ?? {},
  };
}
