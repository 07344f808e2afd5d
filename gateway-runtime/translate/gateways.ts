/** Gateways that are ours, with their own listeners and those of the ListenerSets attached to them. */
import type { KindObject } from '../api/kinds.ts';
import { CONTROLLER_NAME } from '../api/names.ts';
import type { CertificateId, GatewayId, GatewayIdentity, ListenerProtocol } from '../snapshot/snapshot.ts';
import type { CaBundles } from './ca-bundles.ts';
import type { Certificates } from './certificates.ts';
import type { Finding } from './findings.ts';
import { FrontendTls } from './frontend-tls.ts';
import {
  isServable,
  noneValid,
  notAllowed,
  notBrought,
  nothingBrought,
  notServed,
  parentNotAccepted,
  whyClassRefused,
  whyNotAccepted,
} from './gateway-checks.ts';
import { gatewayReferences } from './gateway-references.ts';
import { asksForGrants, type Grants } from './grants.ts';
import type { DeclaredListener } from './listeners.ts';
import type { Derived, Memo } from './memo.ts';
import { type MergedListener, mergeListeners } from './merge.ts';
import type { Name, Objects } from './objects.ts';
import { parametersOf } from './parameters.ts';
import type { GatewayPolicies } from './policies/gateway-policies.ts';
import type { Infrastructure, TranslateOptions } from './translation.ts';

export type Classes = NonNullable<TranslateOptions['classes']>;

export interface ServedListener extends MergedListener {
  /** It is in the snapshot. */
  readonly programmed: boolean;
  /** Which Grants it asks of routes: those that name it, of other namespaces; or any, of a listener that a team brought. */
  readonly asks?: 'named' | 'any';
}

/** What routes are attached to. */
export interface ParentView {
  readonly generation: number;
  /** Teams have of its Gateway what Grants say. */
  readonly isGranted: boolean;
  /** Why it is not accepted: then a Gateway has no snapshot, and a ListenerSet that its Gateway does not allow no listeners. */
  readonly refusal?: Finding;
  /** GatewayPolicies that name it, or one of its listeners, by listener; that of the whole has an empty name. */
  readonly policies: ReadonlyMap<string, Name>;
  readonly listeners: readonly ServedListener[];
}

export interface ListenerSetView extends ParentView {
  readonly name: Name;
  readonly gateway: GatewayId;
}

export interface GatewayView extends ParentView {
  readonly id: GatewayId;
  /** Routes that use default Gateways attach to it. */
  readonly isDefault: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** What is not served of it, although it is accepted. */
  readonly warnings: readonly Finding[];
  /** Why not everything that it refers to is there, its listeners aside. */
  readonly unresolved: readonly Finding[];
  /** What it refers to and may refer to, its listeners aside. */
  readonly secrets: readonly CertificateId[];
  /** ConfigMaps that it refers to and may refer to, by `namespace/name`. */
  readonly configMaps: readonly string[];
  /** Where clients without a valid certificate are let in although certificates are asked for, in words. */
  readonly insecureClients: readonly string[];
  /** What it shows to backends, where that resolves. */
  readonly identity?: GatewayIdentity;
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
  certificates: Certificates,
  caBundles: CaBundles,
  grants: Grants,
  policies: GatewayPolicies,
  classes: Classes,
): Derived<GatewayView | undefined> {
  return memo.derive((namespace, name) => {
    const id = { namespace: namespace!, name: name! };
    const gateway = objects.get('Gateway', id.namespace, id.name);
    if (!gateway || !isOurs(gateway, objects, classes)) return undefined;
    const classRefusal = classes === 'own' ? whyClassRefused(gateway, objects) : undefined;
    return view(id, gateway, classRefusal, objects, declared, certificates, caBundles, grants, policies);
  });
}

function isOurs({ spec }: Gateway, objects: Objects, classes: Classes): boolean {
  if (classes === 'any') return true;
  if (classes !== 'own') return classes.includes(spec.gatewayClassName);
  return objects.get('GatewayClass', '', spec.gatewayClassName)?.spec.controllerName === CONTROLLER_NAME;
}

function view(
  id: GatewayId,
  gateway: Gateway,
  classRefusal: Finding | undefined,
  objects: Objects,
  declared: Derived<readonly DeclaredListener[]>,
  certificates: Certificates,
  caBundles: CaBundles,
  grants: Grants,
  policies: GatewayPolicies,
): GatewayView {
  const isGranted = asksForGrants(gateway);
  const isBrought = ({ namespace }: Name) => isGranted && namespace !== id.namespace;
  const [allowed, refused] = listenerSetsOf(id, gateway, objects, isGranted, grants, policies);
  const frontend = new FrontendTls(id.namespace, gateway, caBundles);
  const listenersOf = (kind: string, { namespace, name }: Name) =>
    declared.get(kind, namespace, name).map((listener) => policies.applyTo(frontend.applyTo(listener), id));
  const [own, ...ofSets] = mergeListeners([
    listenersOf('Gateway', id),
    ...allowed.map(({ name: set }) => {
      const listeners = listenersOf('ListenerSet', set);
      return isBrought(set) ? listeners.map((each) => brought(each, id, set.namespace, grants)) : listeners;
    }),
  ]);

  const refusal = classRefusal ?? whyNotAccepted(gateway, own!, objects);
  const serve = (listener: MergedListener): ServedListener => {
    const asks = isBrought(listener.home) ? 'any' : listener.isGranted ? 'named' : undefined;
    return { ...listener, programmed: !refusal && isServable(listener), ...(asks ? { asks } : {}) };
  };
  const parameters = parametersOf(gateway, objects);
  const listeners = own!.map(serve);
  const sets = allowed.map((set, index): ListenerSetView => {
    const merged = ofSets[index]!;
    const setRefusal = refusal
      ? parentNotAccepted(id)
      : merged.some(isServable)
        ? undefined
        : merged.every(({ notTaken }) => notTaken)
          ? nothingBrought(merged)
          : noneValid(merged);
    return { ...set, ...(setRefusal ? { refusal: setRefusal } : {}), listeners: merged.map(serve) };
  });
  return {
    id,
    isDefault: gateway.spec.defaultScope === 'All',
    generation: gateway.metadata.generation ?? 0,
    isGranted,
    created: creationTime(gateway.metadata.creationTimestamp),
    ...(refusal ? { refusal } : {}),
    policies: policies.of({ kind: 'Gateway', ...id }),
    warnings: notServed(gateway),
    ...gatewayReferences(id.namespace, gateway, certificates),
    configMaps: [...frontend.configMaps],
    insecureClients: frontend.insecure,
    listeners,
    listenerSets: new Map(
      [...sets, ...refused].map((set) => [`${set.name.namespace}/${set.name.name}`, set]),
    ),
    infrastructure: {
      ...infrastructureOf(id, gateway, [...listeners, ...sets.flatMap((set) => set.listeners)]),
      ...(parameters ? { parameters } : {}),
    },
  };
}

/** Those that the Gateway takes, in order of precedence, and those that it does not. */
function listenerSetsOf(
  id: GatewayId,
  gateway: Gateway,
  objects: Objects,
  isGranted: boolean,
  grants: Grants,
  policies: GatewayPolicies,
): readonly [allowed: ListenerSetView[], refused: ListenerSetView[]] {
  const allowed: { set: ListenerSetView; created: number }[] = [];
  const refused: ListenerSetView[] = [];
  for (const name of objects.listenerSetsOf(id)) {
    const { metadata, spec } = objects.get('ListenerSet', name.namespace, name.name)!;
    const refusal = notAllowed(gateway, id, name, objects);
    const set = {
      name,
      generation: metadata.generation ?? 0,
      gateway: id,
      isGranted,
      policies: policies.of({ kind: 'ListenerSet', ...name }),
      listeners: [],
    };
    if (refusal) {
      const missing = isGranted ? missingOfSet(spec.listeners, id, name.namespace, grants) : '';
      refused.push({ ...set, refusal: { ...refusal, message: `${refusal.message}${missing}` } });
    } else allowed.push({ set, created: creationTime(metadata.creationTimestamp) });
  }
  // "ListenerSet ordered by creation time (oldest first)", then "alphabetically by "{namespace}/{name}"", the order in
  // which they come.
  allowed.sort((a, b) => a.created - b.created);
  return [allowed.map(({ set }) => set), refused];
}

/** A listener of a team as the Gateway takes it. */
function brought(
  listener: DeclaredListener,
  gateway: GatewayId,
  namespace: string,
  grants: Grants,
): DeclaredListener {
  const problem = grants.broughtProblem(gateway, namespace, listener);
  return problem === undefined ? listener : { ...listener, notTaken: notBrought(listener.field, problem) };
}

/** What would have to be granted for a ListenerSet, as the end of a sentence. */
function missingOfSet(
  listeners: KindObject<'ListenerSet'>['spec']['listeners'],
  gateway: GatewayId,
  namespace: string,
  grants: Grants,
): string {
  const problems = listeners.map((each) => grants.broughtProblem(gateway, namespace, each));
  return [...new Set(problems)].flatMap((each) => (each === undefined ? [] : [`. ${each}`])).join('');
}

/** Milliseconds; an object without (valid) creation time sorts as the newest. */
export function creationTime(timestamp: string | undefined): number {
  const time = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(time) ? Number.MAX_SAFE_INTEGER : time;
}

function infrastructureOf(
  gateway: GatewayId,
  { metadata, spec }: Gateway,
  listeners: readonly ServedListener[],
): Infrastructure {
  const ports = new Map<number, ListenerProtocol>();
  for (const { programmed, resource } of listeners) {
    // Where HTTPS and TLS share a port, HTTPS is what people are told of.
    if (programmed && resource && ports.get(resource.port) !== 'HTTPS') {
      ports.set(resource.port, resource.protocol);
    }
  }
  return {
    gateway,
    ...(metadata.uid ? { uid: metadata.uid } : {}),
    className: spec.gatewayClassName,
    ports: [...ports].map(([port, protocol]) => ({ port, protocol })).sort((a, b) => a.port - b.port),
    addresses: spec.addresses ?? [],
    labels: spec.infrastructure?.labels ?? {},
    annotations: spec.infrastructure?.annotations ?? {},
  };
}
