/** What a route can attach to: a grant, a dedicated gateway, or an open listener; and the synth-time form of what each allows. */
import { hostnameMatches, intersectHostnames } from '../gateway-runtime/match/hostname.ts';
import { inAllCopies } from './copies.ts';
import { fixFields } from './fixed.ts';
import type { GrantedHostname } from './granted.ts';
import type { ListenerSpec } from './listener.ts';
import type { Delegated } from './path-limits.ts';
import { hostnamesText, missingGrant } from './role.ts';
import type { RouteKind } from './route-kind.ts';
import type { TeamRef } from './team.ts';

/** One listener that an attachment opens, as a `parentRef` names it. */
export interface ListenerPlace {
  readonly kind: 'Gateway' | 'ListenerSet';
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string;
  /** Name of the base listener it belongs to, such as `secure`. */
  readonly listener: string;
  /** @default - every hostname */
  readonly hostname?: string;
  /** @default - those of the attachment */
  readonly kinds?: readonly RouteKind[];
  /**
   * What is spoken there.
   * @default - not known, of a grant that was exported without it
   */
  readonly protocol?: ListenerSpec['protocol'];
  /** @default - not known, as above */
  readonly port?: number;
  /** Set where its object has listeners of others as well, so that a route names the section. */
  readonly isShared?: boolean;
}

/** A listener of a gateway at which a team has HTTPS listeners of its own. */
export interface OwnListener {
  /** As the gateway calls it. */
  readonly listener: string;
  readonly port: number;
}

/**
 * A slice of a gateway that routes may attach to. What the type parameters say is checked by the compiler, and once more at
 * synth.
 */
export interface Attachment<
  Hosts extends readonly string[] = readonly string[],
  Kinds extends RouteKind = RouteKind,
  Listeners extends string = string,
  TeamName extends string = string,
> {
  /** The hostnames that routes may name: each of these, and what a wildcard among them covers. */
  readonly hostnames: Hosts;
  /** The kinds of routes that may attach. */
  readonly kinds: readonly Kinds[];
  /** The listeners of the gateway that it opens. */
  readonly listeners: readonly Listeners[];
  /**
   * The team whose routes may attach.
   * @default - routes of any team that the listener's namespace policy admits
   */
  readonly team?: TeamRef<TeamName>;
  /** The paths below which routes are; `/` for all. */
  readonly paths: readonly string[];
  /** The names of the Secrets with the certificates that the team brings itself, see `TeamCertificate`. */
  readonly ownCertificates: readonly string[];
  /** @internal The listeners of the gateway at which it brings them. */
  readonly ownListeners: readonly OwnListener[];
  /** @internal What was given on to other teams, by now. */
  readonly delegations: () => readonly Delegated[];
  /** @internal How messages name it, such as `grant platform/shared-gw/shop`. */
  readonly title: string;
  /** @internal Its Gateway, as messages name it: `infra/shared-gw`. */
  readonly gatewayName: string;
  /** @internal Whether its listeners have an object of their own, so that a route attaches to the whole object and not to sections. */
  readonly wholeObject: boolean;
  /** @internal The listeners in the objects. */
  places(): readonly ListenerPlace[];
  /** A hostname known only at run time. Throws an Error where the grant does not cover it. */
  hostname(value: string): GrantedHostname<Hosts>;
}

const made = inAllCopies('attachments/1', () => new WeakSet<object>());

/** A list that nobody can add to, whoever holds what it was made from. */
export const frozenList = <List extends readonly unknown[]>(list: List): List =>
  Object.freeze([...list]) as readonly unknown[] as List;

/** What an attachment says of a team: no construct, by which one would reach the platform's, and nothing that can be assigned. */
export const frozenTeam = <Name extends string>({ name, namespace }: TeamRef<Name>): TeamRef<Name> =>
  Object.freeze({ name, namespace });

/**
 * Makes an attachment known as one of ours, and fixes what it allows. Only code of this package can: an object that looks like a
 * grant, inherits from one or was made by its constructor is none.
 */
export function admit(attachment: Attachment): void {
  fixFields(attachment, [
    'hostnames',
    'kinds',
    'listeners',
    'team',
    'paths',
    'delegations',
    'title',
    'gatewayName',
    'wholeObject',
    'places',
    'hostname',
    'ownCertificates',
    'ownListeners',
  ]);
  made.add(attachment);
}

/** Whether the platform made it: an object that only looks like a grant grants nothing. */
export function isAttachment(value: unknown): value is Attachment {
  return typeof value === 'object' && value !== null && made.has(value);
}

/** Why a hostname may not be used, or undefined where one of the attachments covers it. */
export function hostnameProblem(asked: unknown, attachments: readonly Attachment[]): string | undefined {
  const granted = attachments.flatMap((each) => each.hostnames);
  if (typeof asked !== 'string') return `a hostname is a string, this is ${typeof asked}`;
  if (granted.some((host) => hostnameMatches(host, asked))) return undefined;
  const titles = attachments.map((each) => each.title).join(' and ');
  return `hostname ${asked} is outside ${titles} (granted: ${granted.join(', ')})${missing(`hostname ${asked}`, attachments[0])}`;
}

/** Why a team's route may not attach, or undefined. */
export function foreignProblem(
  on: Attachment,
  team: TeamRef | undefined,
  hostnames: readonly string[],
): string | undefined {
  if (!team || !on.team || team.name === on.team.name) return undefined;
  const asked = hostnames.filter((host) => hostnameProblem(host, [on]) === undefined);
  const what = on.hostnames.length > 0 ? hostnamesText(asked) : listenersText(on);
  return (
    `${on.title} is for team ${on.team.name}, this chart belongs to team ${team.name}` +
    missing(what, on, team)
  );
}

/** Why a kind of route may not attach, or undefined. */
export function kindProblem(on: Attachment, kind: string, hostnames: readonly string[]): string | undefined {
  if ((on.kinds as readonly string[]).includes(kind)) return undefined;
  const asked = (hostnames.length > 0 ? hostnames : on.hostnames).join(', ') || listenersText(on);
  return `${on.title} is not for ${kind} (granted: ${on.kinds.join(', ')})${missing(`${kind}s for ${asked}`, on)}`;
}

/** Why a listener may not be used, or undefined. */
export function listenerProblem(
  name: string,
  on: Attachment,
  hostnames: readonly string[],
): string | undefined {
  if (on.listeners.includes(name)) return undefined;
  const what =
    on.hostnames.length > 0 ? `${hostnamesText(hostnames)} for listener ${name}` : `listener ${name}`;
  return `listener ${name} is outside ${on.title} (granted: ${on.listeners.join(', ')})${missing(what, on)}`;
}

/** What is granted where there are no hostnames. */
const listenersText = ({ listeners }: Attachment) =>
  `${listeners.length > 1 ? 'listeners' : 'listener'} ${listeners.join(', ')}`;

/** The end of a sentence. Of a listener that is open to whole namespaces nothing is granted. */
function missing(what: string, on: Attachment | undefined, team = on?.team): string {
  return on?.team && team ? `. ${missingGrant(what, on.gatewayName, team.name)}` : '';
}

/** The hostname itself, or an Error that says what is granted. */
export function requireHostname<Hosts extends readonly string[]>(
  attachment: Attachment<Hosts>,
  value: string,
): GrantedHostname<Hosts> {
  const problem = hostnameProblem(value, [attachment]);
  if (problem) throw new Error(problem);
  return value as GrantedHostname<Hosts>;
}

export interface ParentRef {
  readonly kind: 'Gateway' | 'ListenerSet';
  readonly namespace: string;
  readonly name: string;
  readonly sectionName?: string;
}

/**
 * The parentRefs by which a route with these hostnames attaches to the listeners of an attachment. Sections are named where the object is shared with others or
 * where only some of the listeners are wanted; else the route attaches to the object, and takes part in listeners added to it.
 */
export function parentRefs(
  attachment: Attachment,
  all: readonly ListenerPlace[],
  hostnames: readonly string[],
  listeners: readonly string[] | undefined,
  kind: RouteKind,
): ParentRef[] {
  const places = all
    .filter(({ kinds }) => kinds?.includes(kind) ?? true)
    .filter((place) => listeners === undefined || listeners.includes(place.listener))
    .filter((place) => intersectHostnames(place.hostname, hostnames).length > 0);
  const isWhole = attachment.wholeObject && listeners === undefined;
  const refs = places.map(({ kind, namespace, name, sectionName, isShared }) =>
    isWhole && !isShared ? { kind, namespace, name } : { kind, namespace, name, sectionName },
  );
  return [...new Map(refs.map((each) => [JSON.stringify(each), each])).values()];
}
