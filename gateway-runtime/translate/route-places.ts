/**
 * Where each route attaches, and what it takes up there; limits are for `shares.ts`. Which listeners take a route is the same
 * for all routes of a namespace with such a parentRef, so a changed listener is looked at once for each namespace.
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RouteKind, RouteObject } from '../api/route-kinds.ts';
import { grantsOf, type Holding, missingOfRoutes } from '../grants/holding.ts';
import { hostnamesText, missingGrant } from '../grants/missing.ts';
import { ANY_HOST, intersectHostnames } from '../match/hostname.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import {
  type Attachment,
  attach,
  type GivenParent,
  GRANT_IT,
  type Parent,
  type ParentListener,
  type ParentRef,
  type Taker,
  type Target,
  takers,
  takes,
} from './attachment.ts';
import { byDefault } from './default-gateways.ts';
import { type Finding, listed } from './findings.ts';
import { creationTime } from './gateways.ts';
import type { Grants } from './grants.ts';
import type { ListenerHome } from './listeners.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { isRouteParent, missingRouteParents } from './parents.ts';
import type { NamespaceLimits } from './translation.ts';

/** What of a listener is in the URL of a request. */
export type Entry = Pick<ParentListener, 'protocol' | 'port'>;

const entryOf = ({ protocol, port }: Entry): Entry => ({ protocol, port });

/** What one parentRef leads to. */
export interface Place {
  readonly gateway: GatewayId;
  /** Where an example request goes by it, whether the route is taken there or not. */
  readonly shownAt: Entry;
  /** Empty where there is a refusal. */
  readonly attachments: readonly Attachment[];
  readonly refusal?: Finding;
  /** Which of its hostnames the route does not serve there for want of a grant, without a full stop. */
  readonly missing?: string;
}

export interface RoutePlaces {
  /** Milliseconds, as `creationTime` gives them. */
  readonly created: number;
  /** What it takes up of every Gateway that it attaches to. */
  readonly takes: NamespaceLimits;
  /** What it names itself, and then what default Gateways there are for it. */
  readonly parents: readonly GivenParent[];
  /** By parent; undefined where it is not there or not ours. */
  readonly places: readonly (Place | undefined)[];
  /** By parent: why there is no place, without the field; undefined where there is one, or the parent is another's. */
  readonly missing: readonly (Finding | undefined)[];
  /** Why there are no default Gateways for it, or not all of them, where it uses them. */
  readonly withoutDefaults?: Finding;
}

/** Where a request goes of whose listener nothing is known. */
export const ANYWHERE = {
  HTTPRoute: { protocol: 'HTTP', port: 80 },
  TLSRoute: { protocol: 'TLS', port: 443 },
} as const satisfies Record<RouteKind, Entry>;

/** Of one kind, by namespace and name; undefined where there is no such route. */
export function routePlaces(
  kindOfRoute: RouteKind,
  memo: Memo,
  objects: Objects,
  parents: Derived<Parent | undefined>,
  defaults: Derived<readonly GatewayId[]>,
  grants: Grants,
): Derived<RoutePlaces | undefined> {
  const listeners = memo.derive((routeNamespace, kind, namespace, name, section, port) => {
    const parent = parents.get(kind!, namespace!, name!);
    if (!parent) return undefined;
    const target: Target = {
      group: GATEWAY_GROUP,
      kind: kind as ListenerHome,
      namespace: namespace!,
      name: name!,
      ...(section ? { sectionName: section } : {}),
      ...(port ? { port: Number(port) } : {}),
    };
    const applicant = { kind: kindOfRoute, namespace: routeNamespace! };
    const meant =
      parent.listeners.find((each) => each.name === target.sectionName || each.port === target.port) ??
      parent.listeners.find((each) => takes(each, applicant, objects));
    const { gateway } = parent;
    const asks = parent.isGranted || parent.listeners.some((each) => each.asks);
    const holding = asks ? grants.of(gateway, routeNamespace!) : undefined;
    return {
      gateway,
      taken: takers(applicant, target, parent, objects, holding),
      meant: meant ? entryOf(meant) : ANYWHERE[kindOfRoute],
      ...(holding ? { holding, sections: sectionsOf(parent, target) } : {}),
    };
  });
  const placeOf = (
    namespace: string,
    target: Target,
    hostnames: readonly string[],
  ): FoundPlace | undefined => {
    const { kind, namespace: home, name, sectionName = '', port = '' } = target;
    const found = listeners.get(namespace, kind, home, name, sectionName, `${port}`);
    if (!found) return undefined;
    const { gateway, taken, meant, holding, sections = [] } = found;
    const attached = 'reason' in taken ? taken : attach(hostnames, target, taken);
    if ('reason' in attached) {
      const refusal = holding ? withMissing(attached, kindOfRoute, hostnames, holding, sections) : attached;
      return { place: { gateway, shownAt: meant, attachments: [], refusal } };
    }
    const [{ listener }] = attached as [Attachment];
    const shownAt = entryOf((taken as readonly Taker[]).find(({ key }) => key === listener)!);
    return { place: { gateway, shownAt, attachments: attached }, holding };
  };
  const missing = missingRouteParents(memo, objects, parents);
  // Apart from where it attaches, so that a changed listener has only that worked out anew.
  const applications = memo.derive((namespace, name) => {
    const route = objects.get(kindOfRoute, namespace!, name!);
    if (!route) return undefined;
    const { metadata, spec } = route;
    return {
      created: creationTime(metadata.creationTimestamp),
      takes: takenBy(route),
      hostnames: spec.hostnames ?? [],
      named: (spec.parentRefs ?? []).map((ref, index) => ({ ref, field: `spec.parentRefs[${index}]` })),
      usesDefaults: spec.useDefaultGateways === 'All',
    };
  });
  return memo.derive((namespace, name) => {
    const application = applications.get(namespace!, name!);
    if (!application) return undefined;
    const { created, takes: amount, hostnames, named, usesDefaults } = application;
    const placeAt = (target: Target) =>
      isRouteParent(target) ? placeOf(namespace!, target, hostnames) : undefined;
    const takenAt = (ref: ParentRef) => {
      const at = placeAt(targetOf(ref, namespace!));
      return at !== undefined && !at.place.refusal;
    };
    const added = usesDefaults ? byDefault(named, namespace!, defaults.get(), takenAt) : undefined;
    const given: readonly GivenParent[] = added ? [...named, ...added.parents] : named;
    const targets = given.map(({ ref }) => targetOf(ref, namespace!));
    const found = targets.map(placeAt);
    const places = found.map((each) => each && notedMissing(each, kindOfRoute, hostnames, found));
    return {
      created,
      takes: amount,
      parents: given,
      places,
      missing: targets.map(({ group, kind, name: parent }, index) =>
        places[index]
          ? undefined
          : missing.get(kindOfRoute, namespace!, group, kind, given[index]!.ref.namespace ?? '', parent),
      ),
      ...(added?.finding ? { withoutDefaults: added.finding } : {}),
    };
  });
}

interface FoundPlace {
  readonly place: Place;
  /** Where grants are asked for. */
  readonly holding?: Holding | undefined;
}

/** The listeners that a parentRef means, whether they take routes or not. */
const sectionsOf = ({ listeners }: Parent, { sectionName, port }: Target): readonly ParentListener[] =>
  listeners.filter(
    (each) =>
      (sectionName === undefined || each.name === sectionName) && (port === undefined || each.port === port),
  );

/** Says with a refusal what would have to be granted, where that is why. */
function withMissing(
  refusal: Finding,
  routeKind: RouteKind,
  hostnames: readonly string[],
  holding: Holding,
  sections: readonly ParentListener[],
): Finding {
  // A listener that is open to some namespaces by itself asks for none.
  if (sections.length > 0 && !sections.some(({ asks }) => asks)) return refusal;
  const notAllowed = refusal.reason === 'NotAllowedByListeners';
  if (!notAllowed && refusal.reason !== 'NoMatchingListenerHostname') return refusal;
  const asked =
    hostnames.length > 0 ? hostnames : [...new Set(sections.map(({ hostname = ANY_HOST }) => hostname))];
  const missing =
    missingOfRoutes(routeKind, asked, holding) ??
    (notAllowed
      ? missingGrant(
          `${hostnamesText(asked)} for ${sections.length > 1 ? 'listeners' : 'listener'} ${listed(sections.map(({ name }) => name))}`,
          holding.gateway,
          holding.team,
        )
      : undefined);
  if (missing === undefined) return refusal;
  // Whoever wrote the route can't tell whether a label or a listener is behind it.
  return {
    ...refusal,
    message: `${refusal.message}. ${missing}`,
    ...(notAllowed ? { fix: GRANT_IT } : {}),
  };
}

/** A place where the route is served, but not with all of its hostnames: other Gateways may have been meant with those. */
function notedMissing(
  { place, holding }: FoundPlace,
  routeKind: RouteKind,
  hostnames: readonly string[],
  all: readonly (FoundPlace | undefined)[],
): Place {
  if (!holding || !place.attachments.some(({ grants }) => grants)) return place;
  const granted = holding.grants.filter(({ kinds }) => (kinds as readonly string[]).includes(routeKind));
  const beyond = hostnames.filter(
    (hostname) =>
      grantsOf(hostname, granted).length === 0 &&
      !all.some(
        (other) =>
          other &&
          gatewayKey(other.place.gateway) !== gatewayKey(place.gateway) &&
          other.place.attachments.some((each) => intersectHostnames(hostname, each.hostnames).length > 0),
      ),
  );
  if (beyond.length === 0) return place;
  return { ...place, missing: missingOfRoutes(routeKind, beyond, holding)! };
}

/** A parentRef of a route of `namespace`, as a reference to an object. */
export function targetOf(
  { group, kind, namespace: own, name, sectionName, port }: ParentRef,
  namespace: string,
): Target {
  return {
    ...({ group, kind, namespace: own ?? namespace, name } satisfies ObjectRef),
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  };
}

/** What a route takes up of each Gateway that it attaches to. */
export function takenBy({ kind, spec }: RouteObject): NamespaceLimits {
  // Each hostname is a place in a table, as a match is.
  if (kind === 'TLSRoute') {
    return { rules: spec.rules.length, matches: spec.hostnames.length, regexCharacters: 0 };
  }
  let [matches, regexCharacters] = [0, 0];
  for (const rule of spec.rules) {
    // Without matches it has the one that takes everything.
    matches += Math.max(1, rule.matches.length);
    for (const { path, headers = [], queryParams = [] } of rule.matches) {
      for (const { type, value } of [path, ...headers, ...queryParams]) {
        if (type === 'RegularExpression') regexCharacters += value.length;
      }
    }
  }
  return { rules: spec.rules.length, matches, regexCharacters };
}
