import {
  type Attachment,
  frozenList,
  frozenTeam,
  type ListenerPlace,
  requireHostname,
} from './attachment.ts';
import type { GrantedHostname } from './granted.ts';
import type { RouteKind } from './route-kind.ts';
import type { TeamRef } from './team.ts';

export interface GrantProps<
  Hosts extends readonly string[],
  Kinds extends RouteKind,
  Listeners extends string,
> {
  /** The hostnames that the team's routes may use; `*.` in front covers one or more labels. */
  readonly hostnames: Hosts;
  /**
   * The kinds of routes that the team may attach.
   * @default ['HTTPRoute']
   */
  readonly kinds?: readonly Kinds[];
  /**
   * The listeners of the gateway at which the hostnames are granted.
   * @default - every listener that has no namespace policy of its own
   */
  readonly listeners?: readonly Listeners[];
  /**
   * The grants of other teams inside whose wildcards these hostnames lie, on purpose. Without it an overlap is an error.
   * @default - no overlap
   */
  readonly nestedIn?: AnyGrant | readonly AnyGrant[];
  /**
   * The name of the grant, where a team has several of one gateway.
   * @default - the name of the team
   */
  readonly name?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a grant of whatever it grants
export type AnyGrant = Grant<any, any, any, any>;

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
  readonly places: () => readonly ListenerPlace[];
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
> implements Attachment<Hosts, Kinds, Listeners, TeamName>
{
  /** The team whose routes may attach. */
  readonly team: TeamRef<TeamName>;
  readonly hostnames: Hosts;
  readonly kinds: readonly Kinds[];
  readonly listeners: readonly Listeners[];
  /** @internal */
  readonly title: string;
  /** @internal */
  readonly gatewayName: string;
  /** @internal */
  readonly wholeObject: boolean;
  readonly #places: () => readonly ListenerPlace[];

  /** @internal Made by `SharedGateway.grant`. */
  constructor(granted: Granted<Hosts, Kinds, Listeners, TeamName>) {
    this.team = frozenTeam(granted.team);
    this.hostnames = frozenList(granted.hostnames);
    this.kinds = frozenList(granted.kinds);
    this.listeners = frozenList(granted.listeners);
    this.title = granted.title;
    this.gatewayName = granted.gatewayName;
    this.wholeObject = granted.wholeObject;
    this.#places = granted.places;
  }

  /** A hostname known only at run time. Throws an Error where the grant does not cover it. */
  hostname(value: string): GrantedHostname<Hosts> {
    return requireHostname<Hosts>(this, value);
  }

  /** @internal */
  places(): readonly ListenerPlace[] {
    return this.#places();
  }
}
