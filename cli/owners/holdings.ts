/** Who may use what of which Gateway: hosts and paths, by Grants, and by the listeners themselves where no Grant is asked for. */
import { GRANT_KIND, type Grant } from '../../gateway-runtime/api/grant.ts';
import { parse } from '../../gateway-runtime/api/kinds.ts';
import { OWN_GROUP, TEAM_LABEL } from '../../gateway-runtime/api/names.ts';
import { type ObjectRef, refKey } from '../../gateway-runtime/api/object.ts';
import type { SourcedObject } from '../../gateway-runtime/control/source.ts';
import { ANY_HOST, hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import type { Origin } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { ReadOnce } from '../read-once.ts';
import { isPort, type Place, placesOf } from './places.ts';

export interface Delegated {
  readonly path: string;
  readonly hostnames: readonly string[];
  readonly team: string;
  readonly namespace: string;
}

/** A host and a path of a Gateway, and who may have routes there. */
export interface Holding {
  /** `namespace/name` */
  readonly gateway: string;
  /** `*` is any. */
  readonly host: string;
  /** And all below it. */
  readonly path: string;
  /** The team; where a listener is open to more than one namespace, which they are, in words. */
  readonly holder: string;
  readonly isTeam: boolean;
  /** Undefined where they are not known by name. */
  readonly namespaces?: readonly string[];
  /** Kinds of routes; undefined where the listener leaves that to its protocol. */
  readonly kinds?: readonly string[];
  readonly places: readonly Place[];
  /** Name of the grant; for what no Grant says, the object with the listener. */
  readonly grant: string;
  /** The object that says so: a Grant, or that with the listener. */
  readonly object: ObjectRef;
  readonly origin: Origin | undefined;
  /** What its holder gave on. */
  readonly delegated: readonly Delegated[];
}

/** All of them, in the order of the objects. */
export function holdingsOf(read: ReadOnce): Holding[] {
  const places = placesOf(read);
  const around = { places, teams: teamLabels(read.objects), read };
  const granted = read.objects.flatMap(({ ref, raw, parts }) => {
    if (ref.group !== OWN_GROUP || ref.kind !== GRANT_KIND) return [];
    const parsed = parse(raw);
    return parsed.outcome === 'known' ? fromGrant(ref, parsed.object as Grant, parts, around) : [];
  });
  return [...granted, ...fromListeners(granted, around)];
}

interface Around {
  readonly places: readonly Place[];
  readonly teams: TeamLabels;
  readonly read: ReadOnce;
}

function fromGrant(
  ref: ObjectRef,
  { spec }: Grant,
  parts: SourcedObject['parts'],
  { places, teams, read }: Around,
): Holding[] {
  const gateway = `${ref.namespace}/${spec.gatewayName}`;
  const ofGateway = places.filter((each) => each.gateway === gateway);
  // A Grant of a Gateway that is not among the objects says nothing of any that is.
  if (!read.gateways.some((each) => `${each.namespace}/${each.name}` === gateway)) return [];
  return spec.grants.flatMap((entry) => {
    const named = ofGateway.filter(
      ({ object, listener }) =>
        object.namespace === ref.namespace &&
        entry.listeners.some(
          ({ kind, name, sectionNames }) =>
            kind === object.kind && name === object.name && sectionNames.includes(listener),
        ),
    );
    const brought = entry.ownListeners
      ? ofGateway.filter(({ object }) => object.kind === 'ListenerSet' && object.namespace === spec.namespace)
      : [];
    const own = named.find(({ object }) => teams.get(labelKey(object)) === spec.team) ?? named[0];
    const made = own && read.originOf(own.object);
    // Of a gateway of one team the listeners stand where it is granted.
    const madeThere = made !== undefined && constructOf(made) !== undefined ? made : undefined;
    const origin = parts?.get(entry.name) ?? madeThere ?? read.originOf(ref);
    const common = {
      gateway,
      holder: spec.team,
      isTeam: true,
      namespaces: [spec.namespace],
      kinds: entry.kinds,
      grant: entry.name,
      object: ref,
      origin,
    };
    const ofHosts = entry.hostnames.flatMap((host) =>
      entry.paths.map((path) => ({
        ...common,
        host,
        path,
        places: [
          ...named.filter((each) => !isPort(each) && hostnameMatches(each.hostname, host)),
          ...brought.filter(({ hostname }) => hostnameMatches(host, hostname)),
        ],
        delegated: entry.delegated.filter(({ hostnames }) =>
          hostnames.some((each) => hostnameMatches(host, each) || hostnameMatches(each, host)),
        ),
      })),
    );
    const ports = named.filter(isPort);
    return ports.length > 0 || entry.hostnames.length === 0
      ? [...ofHosts, { ...common, host: ANY_HOST, path: '/', places: ports, delegated: [] }]
      : ofHosts;
  });
}

/** What listeners admit by themselves, without any Grant. */
function fromListeners(granted: readonly Holding[], { places, teams, read }: Around): Holding[] {
  const byGrant = new Set(
    granted.flatMap(({ places, namespaces = [] }) =>
      places.flatMap(({ key }) => namespaces.map((each) => `${key} ${each}`)),
    ),
  );
  const found = new Map<string, Holding & { places: Place[] }>();
  for (const place of places) {
    for (const namespaces of admittedAt(place, byGrant)) {
      const isOne = typeof namespaces !== 'string';
      const holder = isOne ? teamOfNamespace(teams, namespaces[0]!) : namespaces;
      const key = [refKey(place.object), place.hostname, holder].join(' ');
      const known = found.get(key);
      if (known) {
        known.places.push(place);
        continue;
      }
      found.set(key, {
        gateway: place.gateway,
        host: place.hostname,
        path: '/',
        holder,
        isTeam: isOne,
        ...(isOne ? { namespaces } : {}),
        ...(place.kinds ? { kinds: place.kinds } : {}),
        places: [place],
        grant: refKey(place.object),
        object: place.object,
        origin: read.originOf(place.object),
        delegated: [],
      });
    }
  }
  return [...found.values()];
}

/** Namespaces, each alone where it is known by name, that need no Grant at a listener and have none. */
function admittedAt(place: Place, byGrant: ReadonlySet<string>): (readonly [string] | string)[] {
  const { admits, asksForGrant, object, key } = place;
  if (typeof admits === 'string') return asksForGrant ? [] : [admits];
  return admits
    .filter((each) => !asksForGrant || each === object.namespace)
    .filter((each) => !byGrant.has(`${key} ${each}`))
    .map((each) => [each] as const);
}

/** The path of the construct, where an object was made by one: `file:line path`. */
export const constructOf = (origin: Origin): string | undefined => /^.+:\d+ (\S+)$/.exec(origin)?.[1];

/** The team that each object says it belongs to, by group and key. */
type TeamLabels = ReadonlyMap<string, string>;

const labelKey = (ref: ObjectRef) => `${ref.group} ${refKey(ref)}`;
const namespaceRef = (name: string): ObjectRef => ({ group: '', kind: 'Namespace', namespace: '', name });

export function teamLabels(objects: ReadOnce['objects']): TeamLabels {
  const teams = new Map<string, string>();
  for (const { ref, raw } of objects) {
    const { labels } = (raw.metadata ?? {}) as { labels?: Readonly<Record<string, unknown>> };
    const team = labels && Object.hasOwn(labels, TEAM_LABEL) ? labels[TEAM_LABEL] : undefined;
    if (typeof team === 'string') teams.set(labelKey(ref), team);
  }
  return teams;
}

/** The team that a namespace is of: by its label, else its name. */
export const teamOfNamespace = (teams: TeamLabels, namespace: string): string =>
  teams.get(labelKey(namespaceRef(namespace))) ?? namespace;
