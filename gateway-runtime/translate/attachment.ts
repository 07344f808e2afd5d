/** Which listeners of a parent a route attaches to, or why none takes it. */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RouteObject } from '../api/route-kinds.ts';
import { type Granted, grantsAt, grantsOf, type Holding } from '../grants/holding.ts';
import { intersectHostnames } from '../match/hostname.ts';
import type { GatewayId, ListenerKey } from '../snapshot/snapshot.ts';
import { type Finding, listed, named, oneOf } from './findings.ts';
import type { GatewayView, ListenerSetView, ServedListener } from './gateways.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import type { Reason } from './reasons.ts';
import { admits, admittedInWords } from './selector.ts';

export type ParentRef = NonNullable<RouteObject['spec']['parentRefs']>[number];

/** A parent as a route names it, or a default Gateway as if the route named it. */
export interface GivenParent {
  readonly ref: ParentRef;
  /** What in the route leads to it. */
  readonly field: string;
  readonly isByDefault?: true;
}

/** What of a listener matters to routes: neither its generation nor its certificates, so that those change no route. */
export type ParentListener = Pick<
  ServedListener,
  | 'key'
  | 'home'
  | 'name'
  | 'port'
  | 'protocol'
  | 'hostname'
  | 'namespaces'
  | 'supportedKinds'
  | 'programmed'
  | 'asks'
>;

/** A listener that takes routes of a kind and namespace. */
export interface Taker extends ParentListener {
  /** Where it asks for grants: those by which it takes them, at least one. */
  readonly grants?: readonly Granted[];
}

/** A Gateway or ListenerSet as a route sees it. */
export interface Parent {
  readonly gateway: GatewayId;
  /** Its Gateway asks for Grants. */
  readonly isGranted: boolean;
  readonly listeners: readonly ParentListener[];
  /** The Gateway does not take this ListenerSet, so it has no listeners. */
  readonly refusal?: Finding;
}

/** By kind, namespace and name; undefined where there is none, or it is another controller's. */
export function routeParents(
  memo: Memo,
  gateways: Derived<GatewayView | undefined>,
  listenerSets: Derived<ListenerSetView | undefined>,
): Derived<Parent | undefined> {
  return memo.derive((kind, namespace, name) => {
    if (kind === 'Gateway') {
      const gateway = gateways.get(namespace!, name!);
      if (!gateway) return undefined;
      const { id, isGranted, listeners } = gateway;
      return { gateway: id, isGranted, listeners: seenByRoutes(listeners) };
    }
    const set = listenerSets.get(namespace!, name!);
    if (!set) return undefined;
    const { gateway, isGranted, listeners, refusal } = set;
    const open = seenByRoutes(listeners);
    return {
      gateway,
      isGranted,
      listeners: open,
      ...(open.length === 0 && refusal ? { refusal } : {}),
    };
  });
}

/** What the Gateway does not take is not there for routes. */
const seenByRoutes = (listeners: readonly ServedListener[]): ParentListener[] =>
  listeners.filter(({ notTaken }) => !notTaken).map(seen);

function seen(listener: ServedListener): ParentListener {
  const { key, home, name, port, protocol, hostname, namespaces, supportedKinds, programmed, asks } =
    listener;
  const always = { key, home, name, port, protocol, namespaces, supportedKinds, programmed };
  return { ...always, ...(hostname === undefined ? {} : { hostname }), ...(asks ? { asks } : {}) };
}

export interface Attachment {
  readonly listener: ListenerKey;
  /** Of the listener. */
  readonly name: string;
  readonly protocol: string;
  readonly programmed: boolean;
  readonly hostnames: readonly string[];
  /** Where the listener asks for grants: those by which it takes the route. */
  readonly grants?: readonly Granted[];
}

/** What routes of one kind and namespace have in common. */
export interface Applicant {
  readonly kind: string;
  readonly namespace: string;
}

/** A parentRef apart from whose it is. */
export interface Target extends ObjectRef {
  readonly sectionName?: string;
  readonly port?: number;
}

/** Without the field, since it is said of the same parentRef wherever it stands. */
function refuse(target: Target, reason: Reason, message: string, fix: string | undefined): Finding {
  const { group, kind, namespace, name } = target;
  const related = [{ group, kind, namespace, name }];
  return { reason, message, ...(fix ? { fix } : {}), related };
}

/**
 * The listeners that take routes such as these by one parentRef, whatever their hostnames; or why none does. "An
 * attachment is considered successful if at least one section accepts it".
 */
export function takers(
  route: Applicant,
  ref: Target,
  parent: Parent,
  objects: Objects,
  holding: Holding | undefined,
): readonly Taker[] | Finding {
  const shown = named(ref);
  if (parent.refusal) {
    const { message, fix } = parent.refusal;
    return refuse(ref, 'NoMatchingParent', `${shown} is not attached to its Gateway: ${message}`, fix);
  }

  const sections = parent.listeners.filter(
    ({ name, port }) =>
      (ref.sectionName === undefined || ref.sectionName === name) &&
      (ref.port === undefined || ref.port === port),
  );
  if (sections.length === 0) {
    const asked = [
      ...(ref.sectionName === undefined ? [] : [`sectionName ${ref.sectionName}`]),
      ...(ref.port === undefined ? [] : [`port ${ref.port}`]),
    ].join(' and ');
    const open = parent.listeners.filter((each) => takes(each, route, objects));
    const there = listed(open.map(({ name, port }) => `${name} (port ${port})`));
    const message = `${shown} has no listener with ${asked}; those that take ${route.kind} objects of namespace ${route.namespace}: ${there || 'none'}`;
    return refuse(ref, 'NoMatchingParent', message, sectionFix(ref, open));
  }

  const ofKind = sections.filter((each) => takesKind(each, route.kind));
  if (ofKind.length === 0) {
    return refuse(
      ref,
      'NotAllowedByListeners',
      `no listener of ${shown} takes ${route.kind} objects (${ofEach(sections, kindsInWords)})`,
      'attach to another listener, or have its owner change protocol or allowedRoutes.kinds',
    );
  }

  const allowed = ofKind.filter((each) =>
    admits(each.namespaces, each.home.namespace, route.namespace, objects),
  );
  if (allowed.length === 0) {
    const bySelector = ofKind.some(({ namespaces }) => namespaces.from === 'Selector');
    return refuse(
      ref,
      'NotAllowedByListeners',
      `no listener of ${shown} takes routes of namespace ${route.namespace} (${ofEach(ofKind, namespacesInWords)})`,
      `${bySelector ? `have namespace ${route.namespace} labelled so, or ` : ''}have the owner change allowedRoutes.namespaces of the listener`,
    );
  }

  if (!holding) return allowed;
  const granted = allowed.flatMap((each) => withGrants(each, route, parent.gateway, holding));
  if (granted.length > 0) return granted;
  return refuse(
    ref,
    'NotAllowedByListeners',
    `${shown} takes ${route.kind} objects of namespace ${route.namespace} as far as they were granted, and no grant names ${allowed.map(({ name }) => name).join(', ')}`,
    GRANT_IT,
  );
}

/** What to do where a grant is missing. */
export const GRANT_IT = 'have the platform grant it';

/** None where a listener asks for grants and the namespace has none for it. */
function withGrants(
  listener: ParentListener,
  { kind, namespace }: Applicant,
  gateway: GatewayId,
  holding: Holding,
): Taker[] {
  const { asks, home, name } = listener;
  if (!asks || (asks === 'named' && home.namespace === namespace)) return [listener];
  // A Grant names listeners of its own namespace, which is the Gateway's.
  if (asks === 'named' && home.namespace !== gateway.namespace) return [];
  const named = { kind: home.kind, name: home.name, sectionName: name };
  const grants = grantsAt(holding, kind, asks === 'named' ? named : undefined);
  return grants.length > 0 ? [{ ...listener, grants }] : [];
}

const takesKind = ({ supportedKinds }: Pick<ParentListener, 'supportedKinds'>, routeKind: string) =>
  supportedKinds.some(({ group, kind }) => group === GATEWAY_GROUP && kind === routeKind);

/** Whether a listener takes routes such as these, whatever their hostnames. */
export const takes = (
  listener: Pick<ParentListener, 'home' | 'namespaces' | 'supportedKinds'>,
  { kind, namespace }: Applicant,
  objects: Objects,
): boolean =>
  takesKind(listener, kind) && admits(listener.namespaces, listener.home.namespace, namespace, objects);

function sectionFix({ sectionName, port }: Target, open: readonly ParentListener[]): string {
  if (open.length === 0) return 'attach to another Gateway, or have the owner of this one add a listener';
  if (port === undefined) return `set sectionName to ${oneOf(open.map(({ name }) => name))}`;
  if (sectionName === undefined)
    return `set port to ${oneOf([...new Set(open.map((each) => `${each.port}`))])}`;
  return 'correct sectionName or port';
}

/** Where a route with these hostnames attaches, among the listeners that take it; or why nowhere. */
export function attach(
  hostnames: readonly string[],
  ref: Target,
  listeners: readonly Taker[],
): readonly Attachment[] | Finding {
  const attachments: Attachment[] = [];
  const notGranted = new Set<string>();
  for (const listener of listeners) {
    const agreed = intersectHostnames(listener.hostname, hostnames);
    const { key, name, protocol, programmed, grants } = listener;
    const granted = grants ? agreed.filter((each) => grantsOf(each, grants).length > 0) : agreed;
    if (granted.length < agreed.length) for (const each of agreed) notGranted.add(each);
    if (granted.length === 0) continue;
    const attachment = { listener: key, name, protocol, programmed, hostnames: granted };
    attachments.push(grants ? { ...attachment, grants } : attachment);
  }
  if (attachments.length > 0) return attachments;
  if (notGranted.size > 0) {
    return refuse(
      ref,
      'NotAllowedByListeners',
      `${named(ref)} takes the route as far as it was granted, and ${listed([...notGranted])} was not`,
      GRANT_IT,
    );
  }
  return refuse(
    ref,
    'NoMatchingListenerHostname',
    `no hostname of the route (${hostnames.join(', ')}) falls within a listener of ${named(ref)} that takes it (${ofEach(listeners, hostnameInWords)})`,
    'change spec.hostnames of the route, or attach to a listener whose hostname covers them',
  );
}

const ofEach = (listeners: readonly ParentListener[], inWords: (listener: ParentListener) => string) =>
  listeners.map((each) => `${each.name} ${inWords(each)}`).join('; ');
const kindsInWords = ({ supportedKinds, protocol }: ParentListener) =>
  `with protocol ${protocol} takes ${supportedKinds.map(({ kind }) => kind).join(', ') || 'none'}`;
const namespacesInWords = ({ namespaces, home }: ParentListener) =>
  `takes ${admittedInWords(namespaces, home.namespace)}`;
const hostnameInWords = ({ hostname }: ParentListener) => `has ${hostname}`;
