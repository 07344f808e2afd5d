/** Which listeners of a parent a route attaches to, or why none takes it. */
import type { KindObject } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import { intersectHostnames } from '../match/hostname.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import { type Finding, named } from './findings.ts';
import type { GatewayView, ListenerSetView, ServedListener } from './gateways.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { admits, admittedInWords } from './selector.ts';

export type ParentRef = NonNullable<KindObject<'HTTPRoute'>['spec']['parentRefs']>[number];

/** A Gateway or ListenerSet as a route sees it. */
export interface Parent {
  readonly gateway: GatewayId;
  readonly listeners: readonly ServedListener[];
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
      return gateway && { gateway: gateway.id, listeners: gateway.listeners };
    }
    const set = listenerSets.get(namespace!, name!);
    if (!set) return undefined;
    const { gateway, listeners, refusal } = set;
    return { gateway, listeners, ...(listeners.length === 0 && refusal ? { refusal } : {}) };
  });
}

export interface Attachment {
  readonly listener: ServedListener;
  readonly hostnames: readonly string[];
}

export interface RouteIdentity {
  readonly kind: string;
  readonly namespace: string;
  readonly hostnames: readonly string[];
}

/** Where a route attaches by one parentRef. "An attachment is considered successful if at least one section accepts it". */
export function attach(
  route: RouteIdentity,
  ref: ParentRef,
  field: string,
  parent: Parent,
  objects: Objects,
): readonly Attachment[] | Finding {
  const target = {
    group: ref.group,
    kind: ref.kind,
    namespace: ref.namespace ?? route.namespace,
    name: ref.name,
  };
  const shown = named(target);
  const refuse = (reason: string, message: string, fix: string | undefined): Finding => ({
    reason,
    field,
    message,
    ...(fix ? { fix } : {}),
    related: [target],
  });
  if (parent.refusal) {
    const { message, fix } = parent.refusal;
    return refuse('NoMatchingParent', `${shown} is not attached to its Gateway: ${message}`, fix);
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
    const there = parent.listeners.map(({ name, port }) => `${name} (port ${port})`).join(', ');
    const message = `${shown} has no listener with ${asked}; it has ${there}`;
    return refuse('NoMatchingParent', message, 'correct sectionName or port');
  }

  const ofKind = sections.filter((each) =>
    each.supportedKinds.some(({ group, kind }) => group === GATEWAY_GROUP && kind === route.kind),
  );
  if (ofKind.length === 0) {
    return refuse(
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
      'NotAllowedByListeners',
      `no listener of ${shown} takes routes of namespace ${route.namespace} (${ofEach(ofKind, namespacesInWords)})`,
      `${bySelector ? `have namespace ${route.namespace} labelled so, or ` : ''}have the owner change allowedRoutes.namespaces of the listener`,
    );
  }

  const attachments = allowed.flatMap((listener) => {
    const hostnames = intersectHostnames(listener.hostname, route.hostnames);
    return hostnames.length > 0 ? [{ listener, hostnames }] : [];
  });
  if (attachments.length > 0) return attachments;
  return refuse(
    'NoMatchingListenerHostname',
    `no hostname of the route (${route.hostnames.join(', ')}) falls within a listener of ${shown} that takes it (${ofEach(allowed, hostnameInWords)})`,
    'change spec.hostnames of the route, or attach to a listener whose hostname covers them',
  );
}

const ofEach = (listeners: readonly ServedListener[], inWords: (listener: ServedListener) => string) =>
  listeners.map((each) => `${each.name} ${inWords(each)}`).join('; ');
const kindsInWords = ({ supportedKinds, protocol }: ServedListener) =>
  `with protocol ${protocol} takes ${supportedKinds.map(({ kind }) => kind).join(', ') || 'none'}`;
const namespacesInWords = ({ namespaces, home }: ServedListener) =>
  `takes ${admittedInWords(namespaces, home.namespace)}`;
const hostnameInWords = ({ hostname }: ServedListener) => `has ${hostname}`;
