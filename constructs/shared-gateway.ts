import type { Construct } from 'constructs';
import { type Attachment, fix, type ListenerPlace, requireHostname } from './attachment.ts';
import { teamOf } from './chart.ts';
import { GatewayBase, type GatewayProps, type ListenerEntry, listenerEntry } from './gateway.ts';
import { type AnyGrant, Grant, type GrantProps } from './grant.ts';
import type { PlatformScope, RouteKind } from './granted.ts';
import {
  type GrantedNames,
  type HostsOfListener,
  type ListenerSpec,
  type OpenNames,
  sameNamespace,
} from './listener.ts';
import { Team, type TeamRef } from './team.ts';

export interface SharedGatewayProps<Listeners> extends GatewayProps<Listeners> {
  /**
   * Where the listeners of teams are written: each team's into a ListenerSet of its own beside the Gateway, so that a new team
   * edits no shared object; or into the Gateway itself, up to 64, for implementations without ListenerSet.
   * @default 'listener-set'
   */
  readonly teamListeners?: 'listener-set' | 'gateway';
}

/** A gateway that several teams use, each what it was granted. */
export class SharedGateway<
  const Listeners extends Readonly<Record<string, ListenerSpec>> = Readonly<Record<string, ListenerSpec>>,
  Scope = Construct,
> extends GatewayBase<Listeners> {
  readonly teamListeners: 'listener-set' | 'gateway';
  /** @internal */
  readonly _grants: AnyGrant[] = [];

  constructor(scope: PlatformScope<Scope>, id: string, props: SharedGatewayProps<Listeners>) {
    super(scope as Construct, id, props);
    this.teamListeners = props.teamListeners ?? 'listener-set';
  }

  /** Lets a team's routes use hostnames of this gateway. The result is what its routes say in `on`. */
  grant<
    TeamName extends string,
    const Hosts extends readonly string[],
    const Kinds extends RouteKind = 'HTTPRoute',
    const Names extends GrantedNames<Listeners> = GrantedNames<Listeners>,
  >(team: TeamRef<TeamName>, props: GrantProps<Hosts, Kinds, Names>): Grant<Hosts, Kinds, Names, TeamName> {
    const call = `${this.node.path}: grant(team, { hostnames: [...] })`;
    if (typeof team?.name !== 'string' || typeof team.namespace !== 'string')
      throw new Error(`${call} takes a team with name and namespace first, this is ${String(team)}`);
    if (typeof props !== 'object' || props === null)
      throw new Error(`${call} takes an object with hostnames second, this is ${String(props)}`);
    const name = props.name ?? team.name;
    if (this._grants.some((each) => each.node.id === name)) {
      const example = String([props.hostnames].flat()[0] ?? 'second')
        .replace('*.', '')
        .split('.')[0];
      throw new Error(
        `${this.node.path} has a grant ${name} already: give this one a name, grant(team, { name: '${example}', hostnames: [...] })`,
      );
    }
    const listeners =
      props.listeners ??
      (Object.keys(this._specs).filter((name) => !this._specs[name]!.routes) as unknown as readonly Names[]);
    const grant = new Grant<Hosts, Kinds, Names, TeamName>(this as unknown as SharedGateway, team, {
      ...props,
      listeners,
    });
    this._grants.push(grant);
    return grant;
  }

  /** A listener that is open to namespaces without a grant, for routes to attach to. Throws an Error for any other. */
  listener<const Name extends OpenNames<Listeners>>(
    name: Name,
  ): Attachment<HostsOfListener<Listeners[Name]>, RouteKind, Name> {
    const spec: ListenerSpec | undefined = Object.hasOwn(this._specs, name) ? this._specs[name] : undefined;
    if (!spec?.routes) {
      throw new Error(
        `listener ${name} of ${this.node.path} is not open to namespaces: use grant(team, { hostnames }), or give it routes`,
      );
    }
    const { hostname } = spec;
    const hostnames = [hostname ?? '*'] as readonly string[] as HostsOfListener<Listeners[Name]>;
    const place: ListenerPlace = {
      kind: 'Gateway',
      namespace: this.namespace,
      name: this.name,
      sectionName: name,
      listener: name,
      ...(hostname === undefined ? {} : { hostname }),
    };
    const attachment: Attachment<HostsOfListener<Listeners[Name]>, RouteKind, Name> = {
      hostnames,
      kinds: ['HTTPRoute', 'GRPCRoute'],
      listeners: [name],
      title: `listener ${name} of ${this.node.path}`,
      wholeObject: false,
      places: () => [place],
      hostname: (value) => requireHostname(attachment, value),
    };
    fix(attachment);
    return attachment;
  }

  /** @internal The gateway's own listeners admit its namespace at every hostname, so no team may live there. */
  override _problems(): string[] {
    const teams = this.node.root.node.findAll().filter((construct) => construct instanceof Team);
    const inside = [...teams, ...this._grants.map(({ team }) => team)].filter(
      ({ namespace }) => namespace === this.namespace,
    );
    const problems = super._problems();
    if (teamOf(this)) return problems;
    return [
      ...problems,
      ...[...new Set(inside.map(({ name }) => name))].map(
        (name) =>
          `team ${name} lives in namespace ${this.namespace}, which the gateway's own listeners admit at every hostname: put the gateway into a namespace without teams`,
      ),
    ];
  }

  /** @internal */
  _spec() {
    const base: ListenerEntry[] = Object.entries<ListenerSpec>(this._specs).map(([name, spec]) =>
      // Without a policy of its own nobody but the platform itself: teams come in through the listeners of their grants.
      listenerEntry(spec, { name, hostname: spec.hostname, routes: spec.routes ?? sameNamespace() }),
    );
    if (this.teamListeners === 'gateway')
      return { listeners: [...base, ...this._grants.flatMap((grant) => grant._entries())] };
    return this._grants.length > 0
      ? { listeners: base, allowedListeners: { namespaces: { from: 'Same' } } }
      : { listeners: base };
  }
}
