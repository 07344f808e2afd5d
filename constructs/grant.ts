import {
  type Attachment,
  frozenList,
  frozenTeam,
  type ListenerPlace,
  type OwnListener,
  requireHostname,
} from './attachment.ts';
import { type Enforcing, enforced } from './enforced.ts';
import type { GrantedHostname, HostnameWithin } from './granted.ts';
import type { DelegatedPath, GivenAway, givenAway } from './granted-paths.ts';
import type { Delegated } from './path-limits.ts';
import type { PortKind, RouteKind } from './route-kind.ts';
import type { TeamRef } from './team.ts';

/** What `grant()` takes: hostnames for routes that have them, and for TCPRoutes and UDPRoutes alone only the listeners. */
export type GrantProps<
  Hosts extends readonly string[],
  Kinds extends RouteKind,
  Listeners extends string,
  Secrets extends string = never,
> = GrantOptions<Kinds, Secrets> &
  ([Kinds] extends [PortKind] ? GrantedPorts<Listeners> : GrantedHosts<Hosts, Listeners>);

export interface GrantedHosts<Hosts extends readonly string[], Listeners extends string> {
  /** The hostnames that the team's routes may use; `*.` in front covers one or more labels. */
  readonly hostnames: Hosts;
  /**
   * The listeners of the gateway at which the hostnames are granted; those made with `tcp()` and `udp()` are one team's each, and have to be named.
   * @default - every listener that has no namespace policy of its own
   */
  readonly listeners?: readonly Listeners[];
}

export interface GrantedPorts<Listeners extends string> {
  /** TCPRoutes and UDPRoutes have none. */
  readonly hostnames?: undefined;
  /** The listeners that are granted, as a whole: no other team may have a grant of them. */
  readonly listeners: readonly Listeners[];
}

export interface GrantOptions<Kinds extends RouteKind, Secrets extends string> {
  /**
   * The kinds of routes that the team may attach.
   * @default ['HTTPRoute']
   */
  readonly kinds?: readonly Kinds[];
  /**
   * The grants of other teams inside whose wildcards these hostnames lie, on purpose. Without it an overlap is an error.
   * @default - no overlap
   */
  readonly nestedIn?: AnyGrant | readonly AnyGrant[];
  /**
   * Lets the team bring the certificates of these hostnames itself, at the HTTPS listeners of the grant: the names of the Secrets in its namespace,
   * which the gateway may read then, and no others. The listeners are the team's, see `TeamCertificate`, and there is none before it makes them.
   * @default - the certificates of the gateway's own listeners
   */
  readonly ownCertificates?: readonly Secrets[];
  /**
   * The name of the grant, where a team has several of one gateway.
   * @default - the name of the team
   */
  readonly name?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a grant of whatever it grants
export type AnyGrant = Grant<any, any, any, any, any, any, any, any>;

/** @internal */
export interface Granted<
  Hosts extends readonly string[],
  Kinds extends RouteKind,
  Listeners extends string,
  TeamName extends string,
> {
  readonly team: TeamRef<TeamName>;
  readonly hostnames: Hosts;
  readonly kinds: readonly Kinds[];
  readonly listeners: readonly Listeners[];
  readonly title: string;
  readonly gatewayName: string;
  readonly wholeObject: boolean;
  /** @default [] */
  readonly ownCertificates?: readonly string[];
  /** @default [] */
  readonly ownListeners?: readonly OwnListener[];
  /** @default ['/'] */
  readonly paths?: readonly string[];
  readonly places: () => readonly ListenerPlace[];
  /** What was given on, by now. */
  readonly delegations: () => readonly Delegated[];
  readonly delegate: (path: unknown, team: unknown, props: unknown) => AnyGrant;
  /** What it was taken from. */
  readonly remainder?: AnyGrant;
}

/** What a delegation may narrow, besides the path. */
export interface DelegateProps<Hosts, Listeners> {
  /**
   * The hostnames at which the path is delegated, each inside the grant.
   * @default - every hostname of the grant
   */
  readonly hostnames?: Hosts;
  /**
   * The listeners at which it is.
   * @default - all of the grant
   */
  readonly listeners?: readonly Listeners[];
  /**
   * The name of the delegation, where a team gets several of one grant.
   * @default - the name of the team
   */
  readonly name?: string;
}

/**
 * What one team may use of a shared gateway: these hostnames, for routes of these kinds, from its own namespace. Made by
 * `gateway.grant(team, { hostnames })`; each hostname becomes a listener that admits nobody else.
 *
 * A team's code gets this and no construct of the platform: nothing in it can be assigned, nothing leads to the gateway, and an
 * imitation is refused at synth. That keeps mistakes out, not intruders: constructs of one app reach each other through
 * `node.root`, and code that runs at synth can do whatever synth can. What holds against that is outside of the program: synth
 * of a team's repository runs with the team's rights, the API server lets it write routes of its own namespace only, and the
 * listener admits that namespace and hostname only.
 */
export class Grant<
  Hosts extends readonly string[] = readonly string[],
  Kinds extends RouteKind = 'HTTPRoute',
  Listeners extends string = string,
  TeamName extends string = string,
  Paths extends string = '/',
  Given extends string = '',
  Secrets extends string = never,
  Enforced = unknown,
> implements Attachment<Hosts, Kinds, Listeners, TeamName>, GivenAway<Given>, Enforcing<Enforced>
{
  /** Nothing at run time: what the compiler knows of what the platform enforces. A method, so that no error recites it. */
  [enforced]?(): Enforced;
  /** Nothing at run time: what the compiler knows of paths that were delegated. */
  declare readonly [givenAway]?: Given;
  /** The team whose routes may attach. */
  readonly team: TeamRef<TeamName>;
  readonly hostnames: Hosts;
  readonly kinds: readonly Kinds[];
  readonly listeners: readonly Listeners[];
  /** The paths below which its routes are; `/` for all. */
  readonly paths: readonly Paths[];
  /** @internal */
  readonly title: string;
  /** @internal */
  readonly gatewayName: string;
  /** @internal */
  readonly wholeObject: boolean;
  readonly #granted: Granted<Hosts, Kinds, Listeners, TeamName>;

  /** @internal Made by `SharedGateway.grant`. */
  constructor(granted: Granted<Hosts, Kinds, Listeners, TeamName>) {
    this.team = frozenTeam(granted.team);
    this.hostnames = frozenList(granted.hostnames);
    this.kinds = frozenList(granted.kinds);
    this.listeners = frozenList(granted.listeners);
    this.title = granted.title;
    this.gatewayName = granted.gatewayName;
    this.wholeObject = granted.wholeObject;
    this.paths = frozenList((granted.paths ?? ['/']) as readonly Paths[]);
    this.#granted = granted;
  }

  /** A hostname known only at run time. Throws an Error where the grant does not cover it. */
  hostname(value: string): GrantedHostname<Hosts> {
    return requireHostname<Hosts>(this, value);
  }

  /** @internal */
  places(): readonly ListenerPlace[] {
    return this.#granted.places();
  }

  /** The names of the Secrets with the certificates that the team brings itself, see `TeamCertificate`. */
  get ownCertificates(): readonly Secrets[] {
    return frozenList((this.#granted.ownCertificates ?? []) as readonly Secrets[]);
  }

  /** @internal */
  get ownListeners(): readonly OwnListener[] {
    return frozenList((this.#granted.ownListeners ?? []).map((each) => Object.freeze({ ...each })));
  }

  /** @internal */
  get delegations(): () => readonly Delegated[] {
    return this.#granted.delegations;
  }

  /**
   * Gives another team a path of this grant and all below it: its routes attach to what this returns, from its own namespace, and routes of
   * this grant may not use the path any more. A request that no route of the other team takes goes by the rules of this one. What comes out
   * are plain HTTPRoutes of both teams at the same listeners, which admit both namespaces; so what holds a team to its paths is the compiler,
   * synth and admission. Throws an Error where there is no team, or where the team has a delegation of that name.
   */
  delegate<
    const Path extends string,
    ToName extends string,
    const ToHosts extends readonly string[] = Hosts,
    const ToListeners extends Listeners = Listeners,
  >(
    path: DelegatedPath<Path, Paths, Given>,
    team: TeamRef<ToName>,
    props: DelegateProps<
      { readonly [Index in keyof ToHosts]: HostnameWithin<ToHosts[Index], Hosts> },
      ToListeners
    > = {},
  ): DelegatedGrant<
    Grant<ToHosts, 'HTTPRoute', ToListeners, ToName, Path>,
    Grant<Hosts, Kinds, Listeners, TeamName, Paths, Given | Path>
  > {
    return this.#granted.delegate(path, team, props) as never;
  }

  /** @internal Of a delegation, see `DelegatedGrant`. */
  get remainder(): unknown {
    return this.#granted.remainder;
  }
}

/** A part of a grant, for another team, and what is left of the whole. */
export type DelegatedGrant<Part, Left> = Part & {
  /** The grant that it was taken from: for routes of whose paths the compiler knows that they were given away. */
  readonly remainder: Left;
};
