import type { Construct } from 'constructs';
import { type Attachment, fix, type ListenerPlace, requireHostname } from './attachment.ts';
import {
  GatewayBase,
  type GatewayProps,
  type ListenerEntry,
  listenerEntry,
  onlyNamespaceOf,
  sectionName,
} from './gateway.ts';
import type { GrantedHostname, PlatformScope, RouteKind } from './granted.ts';
import type { GrantedListener } from './listener.ts';
import { kindProblems, listOr, listProblems, propsProblems } from './props.ts';
import { Team, type TeamRef } from './team.ts';

export interface DedicatedGatewayProps<
  Listeners,
  Hosts extends readonly string[],
  Kinds extends RouteKind,
  TeamName extends string,
> extends GatewayProps<Listeners> {
  /** The only team whose routes may attach. */
  readonly team: TeamRef<TeamName>;
  /** The only hostnames that are served; `*.` in front covers one or more labels. */
  readonly hostnames: Hosts;
  /**
   * The kinds of routes that the team may attach.
   * @default ['HTTPRoute']
   */
  readonly kinds?: readonly Kinds[];
}

/** A gateway of one team alone. Routes say it in `on`, as they do a grant. */
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
  /** @internal */
  readonly title: string;
  /** @internal */
  readonly wholeObject = true;
  readonly #shape: readonly string[];

  constructor(
    scope: PlatformScope<Scope>,
    id: string,
    props: DedicatedGatewayProps<Listeners, Hosts, Kinds, TeamName>,
  ) {
    super(scope as Construct, id, props);
    if (typeof props.team?.name !== 'string' || typeof props.team.namespace !== 'string')
      throw new Error(
        `${this.node.path}: a dedicated gateway takes a team with name and namespace, this is ${String(props.team)}`,
      );
    this.#shape = [
      ...propsProblems('DedicatedGateway', props, [
        'team',
        'hostnames',
        'kinds',
        'listeners',
        'class',
        'name',
        'namespace',
      ]),
      ...listProblems('hostnames', props.hostnames),
      ...(props.kinds === undefined ? [] : listProblems('kinds', props.kinds)),
    ];
    this.team = props.team;
    this.hostnames = listOr(props.hostnames) as readonly string[] as Hosts;
    this.kinds = props.kinds
      ? listOr(props.kinds)
      : (['HTTPRoute'] as readonly RouteKind[] as readonly Kinds[]);
    this.listeners = Object.keys(props.listeners);
    this.title = `dedicated gateway ${this.node.path}`;
    fix(this);
    if (props.team instanceof Team) props.team._allow(this.kinds);
  }

  /** A hostname known only at run time. Throws an Error where the gateway does not serve it. */
  hostname(value: string): GrantedHostname<Hosts> {
    return requireHostname<Hosts>(this, value);
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
      hostname,
    }));
  }

  /** @internal */
  override _problems(): string[] {
    if (this.#shape.length > 0) return [...this.#shape];
    return [...super._problems(), ...kindProblems(this.kinds)];
  }

  /** @internal */
  _spec(): { listeners: ListenerEntry[] } {
    return {
      listeners: this.#perListener((listener, hostname) =>
        listenerEntry(this._specs[listener]!, {
          name: sectionName(listener, hostname),
          hostname,
          routes: onlyNamespaceOf(this.team),
          kinds: this.kinds,
        }),
      ),
    };
  }

  #perListener<T>(make: (listener: string, hostname: string) => T): T[] {
    return this.listeners.flatMap((listener) => this.hostnames.map((hostname) => make(listener, hostname)));
  }
}
