import type { Construct } from 'constructs';
import {
  type Attachment,
  admit,
  frozenList,
  frozenTeam,
  type ListenerPlace,
  requireHostname,
} from './attachment.ts';
import {
  GATEWAY_PROPS,
  GatewayBase,
  type GatewayProps,
  kindsAt,
  type ListenerEntry,
  listenerEntry,
  onlyNamespacesOf,
  sectionName,
} from './gateway.ts';
import type { GrantedHostname, PlatformScope } from './granted.ts';
import type { GrantedListener } from './listener.ts';
import { found, optional, read, type Shape, texts } from './props.ts';
import { isPortListener, type RouteKind, routeKinds } from './route-kind.ts';
import { ATTACHMENTS } from './synth-hooks.ts';
import { allow, isTeamRef, type TeamRef, teamType } from './team.ts';

export interface DedicatedGatewayProps<
  Listeners,
  Hosts extends readonly string[],
  Kinds extends RouteKind,
  TeamName extends string,
> extends GatewayProps<Listeners> {
  /** The only team whose routes may attach. */
  readonly team: TeamRef<TeamName>;
  /** The only hostnames that are served; `*.` in front covers one or more labels. Listeners made with `tcp()` and `udp()` serve whatever comes. */
  readonly hostnames: Hosts;
  /**
   * The kinds of routes that the team may attach.
   * @default ['HTTPRoute']
   */
  readonly kinds?: readonly Kinds[];
}

const PROPS: Shape<DedicatedGatewayProps<unknown, readonly string[], RouteKind, string>> = {
  ...GATEWAY_PROPS,
  team: teamType,
  hostnames: texts,
  kinds: optional(routeKinds),
};

/**
 * A gateway of one team alone. Routes say it in `on`, as they do a grant. Throws an Error where it is given no listeners or no
 * team.
 */
export class DedicatedGateway<
    const Listeners extends Readonly<Record<string, GrantedListener>> = Readonly<
      Record<string, GrantedListener>
    >,
    const Hosts extends readonly string[] = readonly string[],
    const Kinds extends RouteKind = 'HTTPRoute',
    TeamName extends string = string,
    Scope = Construct,
  >
  extends GatewayBase<Listeners>
  implements Attachment<Hosts, Kinds, keyof Listeners & string, TeamName>
{
  readonly team: TeamRef<TeamName>;
  readonly hostnames: Hosts;
  readonly kinds: readonly Kinds[];
  readonly listeners: readonly (keyof Listeners & string)[];
  /** A dedicated gateway is for all paths. */
  readonly paths = frozenList(['/'] as const);
  /** The platform brings the certificates of its listeners. */
  readonly ownCertificates = frozenList([] as const);
  /** @internal */
  readonly ownListeners = frozenList([] as const);
  /** @internal */
  readonly delegations = () => [];
  /** @internal */
  readonly title: string;
  /** @internal */
  readonly wholeObject = true;
  /** @internal */
  readonly gatewayName: string;

  constructor(
    scope: PlatformScope<Scope>,
    id: string,
    given: DedicatedGatewayProps<Listeners, Hosts, Kinds, TeamName>,
  ) {
    const checked = read<DedicatedGatewayProps<Listeners, Hosts, Kinds, TeamName>>(
      'DedicatedGateway',
      given,
      PROPS,
    );
    super(scope as Construct, id, checked, given);
    const { team, hostnames = [], kinds = ['HTTPRoute'] } = checked.props;
    if (!isTeamRef(team))
      throw new Error(
        `${this.node.path}: a dedicated gateway takes a team with name and namespace, this is ${found(given.team)}`,
      );
    this.team = frozenTeam(team);
    this.hostnames = frozenList(hostnames as readonly string[]) as Hosts;
    this.kinds = frozenList(kinds as readonly Kinds[]);
    this.listeners = frozenList(Object.keys(this._specs));
    this.gatewayName = `${this.namespace}/${this.name}`;
    this.title = `dedicated gateway ${this.node.path}`;
    admit(this);
    allow(team, this);
  }

  /** A hostname known only at run time. Throws an Error where the gateway does not serve it. */
  hostname(value: string): GrantedHostname<Hosts> {
    return requireHostname<Hosts>(this, value);
  }

  /** @internal */
  [ATTACHMENTS](): readonly Attachment[] {
    return [this];
  }

  /** @internal */
  places(): ListenerPlace[] {
    const { namespace, name } = this;
    return this.#perListener((listener, hostname) => ({
      kind: 'Gateway',
      namespace,
      name,
      sectionName: sectionName(listener, hostname),
      listener,
      ...(hostname === undefined ? {} : { hostname }),
      kinds: kindsAt(this._specs[listener]!, this.kinds),
      protocol: this._specs[listener]!.protocol,
      port: this._specs[listener]!.port,
    }));
  }

  /** @internal */
  _spec(): { listeners: ListenerEntry[] } {
    return {
      listeners: this.#perListener((listener, hostname) =>
        listenerEntry(this._specs[listener]!, {
          name: sectionName(listener, hostname),
          hostname,
          routes: onlyNamespacesOf([this.team]),
          kinds: kindsAt(this._specs[listener]!, this.kinds),
        }),
      ),
    };
  }

  /** @internal */
  override _problems(): string[] {
    const idle = this.listeners.filter((name) => kindsAt(this._specs[name]!, this.kinds).length === 0);
    return [
      ...super._problems(),
      // An entry that names no kinds would admit all of them.
      ...idle.map(
        (name) =>
          `listener ${name} has protocol ${this._specs[name]!.protocol}, which takes no ${this.kinds.join(', ')}: leave it out, or name a kind that it takes in kinds`,
      ),
    ];
  }

  #perListener<T>(make: (listener: string, hostname: string | undefined) => T): T[] {
    return this.listeners.flatMap((listener) =>
      isPortListener(this._specs[listener]!)
        ? [make(listener, undefined)]
        : this.hostnames.map((hostname) => make(listener, hostname)),
    );
  }
}
