import type { Construct } from 'constructs';
import { type Attachment, admit, frozenList, type ListenerPlace, requireHostname } from './attachment.ts';
import {
  apiNamespaces,
  GATEWAY_PROPS,
  GatewayBase,
  type GatewayProps,
  kindsAt,
  type ListenerEntry,
  listenerEntry,
  onlyNamespacesOf,
} from './gateway.ts';
import type { Grant, GrantProps } from './grant.ts';
import type { PlatformScope } from './granted.ts';
import {
  type GrantedNames,
  type HostsOfListener,
  type ListenerSpec,
  type OpenNames,
  sameNamespace,
} from './listener.ts';
import { found, isObject, oneOf, optional, read, type Shape } from './props.ts';
import { teamOf } from './role.ts';
import { ROUTE_KINDS, type RouteKind } from './route-kind.ts';
import { ATTACHMENTS } from './synth-hooks.ts';
import { isTeam, isTeamRef, type TeamRef } from './team.ts';
import { TeamGrants } from './team-grants.ts';
import { TeamListeners } from './team-listeners.ts';

export interface SharedGatewayProps<Listeners> extends GatewayProps<Listeners> {
  /**
   * Where the listeners of teams are written: each team's into a ListenerSet of its own beside the Gateway, so that a new team
   * edits no shared object; or into the Gateway itself, up to 64, for implementations without ListenerSet.
   * @default 'listener-set'
   */
  readonly teamListeners?: 'listener-set' | 'gateway';
}

const PROPS: Shape<SharedGatewayProps<unknown>> = {
  ...GATEWAY_PROPS,
  teamListeners: optional(oneOf('listener-set', 'gateway')),
};

/** A gateway that several teams use, each what it was granted. Throws an Error where it is given no listeners. */
export class SharedGateway<
  const Listeners extends Readonly<Record<string, ListenerSpec>> = Readonly<Record<string, ListenerSpec>>,
  Scope = Construct,
> extends GatewayBase<Listeners> {
  readonly teamListeners: 'listener-set' | 'gateway';
  readonly #grants = new TeamGrants();

  constructor(scope: PlatformScope<Scope>, id: string, given: SharedGatewayProps<Listeners>) {
    const checked = read<SharedGatewayProps<Listeners>>('SharedGateway', given, PROPS);
    const { props } = checked;
    super(scope as Construct, id, checked, given);
    this.teamListeners = props.teamListeners ?? 'listener-set';
  }

  /**
   * Lets a team's routes use hostnames of this gateway, or listeners without hostnames. The result is what its routes say in `on`. Throws an Error where there is
   * no team, or where a second grant has the name of the first; all else is told at synth.
   */
  grant<
    TeamName extends string,
    const Hosts extends readonly string[] = readonly [],
    const Kinds extends RouteKind = 'HTTPRoute',
    const Names extends GrantedNames<Listeners> = GrantedNames<Listeners>,
    const Secrets extends string = never,
  >(
    team: TeamRef<TeamName>,
    props: GrantProps<Hosts, Kinds, Names, Secrets>,
  ): Grant<Hosts, Kinds, Names, TeamName, '/', '', Secrets> {
    const call = `${this.node.path}: grant(team, { hostnames: [...] })`;
    if (!isTeamRef(team))
      throw new Error(`${call} takes a team with name and namespace first, this is ${found(team)}`);
    if (!isObject(props))
      throw new Error(`${call} takes an object with hostnames second, this is ${found(props)}`);
    const name = props.name ?? team.name;
    if (this.node.tryFindChild(name) instanceof TeamListeners) {
      const example = String([props.hostnames].flat()[0] ?? 'second')
        .replace('*.', '')
        .split('.')[0];
      throw new Error(
        `${this.node.path} has a grant ${name} already: give this one a name, grant(team, { name: '${example}', hostnames: [...] })`,
      );
    }
    return new TeamListeners(this as unknown as SharedGateway, team, props, this.#grants).grant;
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
    const hostnames = frozenList([hostname ?? '*']) as readonly string[] as HostsOfListener<Listeners[Name]>;
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
      kinds: frozenList(kindsAt(spec, ROUTE_KINDS)),
      listeners: frozenList([name]),
      paths: frozenList(['/']),
      ownCertificates: frozenList([]),
      ownListeners: frozenList([]),
      delegations: () => [],
      title: `listener ${name} of ${this.node.path}`,
      gatewayName: `${this.namespace}/${this.name}`,
      wholeObject: false,
      places: () => [place],
      hostname: (value) => requireHostname(attachment, value),
    };
    admit(attachment);
    return Object.freeze(attachment);
  }

  /** @internal */
  [ATTACHMENTS](): Attachment[] {
    const open = Object.keys(this._specs).filter((name) => this._specs[name]!.routes);
    return [
      ...this.#grants.all.flatMap(({ grant, delegated }) => [grant, ...delegated]),
      ...open.map((name) => this.listener(name as OpenNames<Listeners>)),
    ];
  }

  /** @internal The gateway's own listeners admit its namespace at every hostname, so no team may live there. */
  override _problems(): string[] {
    const teams = this.node.root.node.findAll().filter(isTeam);
    const inside = [
      ...teams,
      ...this.#grants.all.flatMap(({ grant, delegated }) => [grant, ...delegated].map(({ team }) => team)),
    ].filter(({ namespace }) => namespace === this.namespace);
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

  /** @internal The Secrets of teams that bring certificates as well. */
  override get _certificates(): { readonly name: string; readonly namespace: string }[] {
    const ofTeams = this.#grants.all.flatMap(({ grant: { team, ownCertificates } }) =>
      (ownCertificates as readonly string[]).map((name) => ({ name, namespace: team.namespace })),
    );
    return [...super._certificates, ...ofTeams];
  }

  /** Where ListenerSets may be: those of grants are here, and a team that brings certificates has its own. */
  #listenerSetNamespaces(): Record<string, unknown> {
    const teams = this.#grants.all.filter(({ grant }) => grant.ownListeners.length > 0);
    if (teams.length === 0) return { from: 'Same' };
    const here = { name: '', namespace: this.namespace };
    return apiNamespaces(onlyNamespacesOf([here, ...teams.map(({ grant }) => grant.team)]));
  }

  /** @internal */
  _spec() {
    const base: ListenerEntry[] = Object.entries<ListenerSpec>(this._specs).map(([name, spec]) =>
      // Without a policy of its own nobody but the platform itself: teams come in through the listeners of their grants.
      listenerEntry(spec, {
        name,
        hostname: spec.hostname,
        routes: spec.routes ?? sameNamespace(),
        ...this.#grants.holderOf(name)?.portEntry(name),
      }),
    );
    if (this.teamListeners === 'gateway')
      return { listeners: [...base, ...this.#grants.all.flatMap((each) => each.entries())] };
    return this.#grants.all.length > 0
      ? { listeners: base, allowedListeners: { namespaces: this.#listenerSetNamespaces() } }
      : { listeners: base };
  }
}
