import { Construct } from 'constructs';
import { type KindObject, parse } from '../gateway-runtime/api/kinds.ts';
import { CONTROLLER_NAME, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import { gatewayObject } from './api-object.ts';
import { type Attachment, fix, type ListenerPlace, requireHostname } from './attachment.ts';
import { DEFAULT_CLASS, type ListenerEntry, listenerEntry, onlyNamespaceOf, sectionName } from './gateway.ts';
import type { GrantedHostname, RouteKind } from './granted.ts';
import { boundedName } from './naming.ts';
import { nestingWarnings, openWarnings, overlapProblems } from './overlap.ts';
import { kindProblems, listOr, listProblems, propsProblems } from './props.ts';
import type { SharedGateway } from './shared-gateway.ts';
import { WARNINGS } from './synth-hooks.ts';
import { Team, type TeamRef } from './team.ts';

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

/**
 * What one team may use of a shared gateway: these hostnames, for routes of these kinds, from its own namespace. Made by
 * `gateway.grant(team, { hostnames })`; each hostname becomes a listener that admits nobody else.
 */
export class Grant<
    Hosts extends readonly string[] = readonly string[],
    Kinds extends RouteKind = 'HTTPRoute',
    Listeners extends string = string,
    TeamName extends string = string,
  >
  extends Construct
  implements Attachment<Hosts, Kinds, Listeners, TeamName>
{
  readonly team: TeamRef<TeamName>;
  readonly hostnames: Hosts;
  readonly kinds: readonly Kinds[];
  readonly listeners: readonly Listeners[];
  /** @internal */
  readonly title: string;
  /** @internal */
  readonly wholeObject: boolean;
  /** @internal */
  readonly _nestedIn: readonly AnyGrant[];
  /** Not for teams: whoever holds a grant could else make another. */
  readonly #gateway: SharedGateway;
  readonly #shape: readonly string[];
  readonly #refused: readonly string[];
  readonly #object: { readonly kind: 'Gateway' | 'ListenerSet'; readonly name: string };

  /** @internal Made by `SharedGateway.grant`. */
  constructor(
    gateway: SharedGateway,
    team: TeamRef<TeamName>,
    props: GrantProps<Hosts, Kinds, Listeners> & { readonly listeners: readonly Listeners[] },
  ) {
    super(gateway, props.name ?? team.name);
    this.#gateway = gateway;
    this.team = team;
    this.#shape = [
      ...propsProblems('grant()', props, ['hostnames', 'kinds', 'listeners', 'nestedIn', 'name']),
      ...(['hostnames', 'kinds', 'listeners'] as const)
        .filter((list) => list === 'hostnames' || props[list] !== undefined)
        .flatMap((list) => listProblems(list, props[list])),
      ...listOr(props.hostnames)
        .filter((host) => typeof host !== 'string')
        .map((host) => `a hostname is a string, this is ${typeof host}`),
    ];
    this.hostnames = listOr(props.hostnames).filter(
      (host) => typeof host === 'string',
    ) as readonly string[] as Hosts;
    this.kinds = props.kinds
      ? listOr(props.kinds)
      : (['HTTPRoute'] as readonly RouteKind[] as readonly Kinds[]);
    const listeners = listOr(props.listeners);
    this.listeners = listeners.filter((name) => isGranted(gateway, name));
    this.#refused = listeners.filter((name) => !isGranted(gateway, name));
    this.title = `grant ${this.node.path}`;
    this.wholeObject = gateway.teamListeners === 'listener-set';
    this._nestedIn = [props.nestedIn ?? []].flat() as AnyGrant[];
    fix(this);
    if (team instanceof Team) team._allow(this.kinds);
    this.node.addValidation({ validate: () => this.#problems() });

    if (gateway.teamListeners === 'gateway') {
      this.#object = { kind: 'Gateway', name: gateway.name };
      return;
    }
    const name = boundedName([gateway.name, team.name, ...(props.name ? [props.name] : [])]);
    this.#object = { kind: 'ListenerSet', name };
    gatewayObject(this, 'Resource', {
      kind: 'ListenerSet',
      name,
      namespace: gateway.namespace,
      labels: { [TEAM_LABEL]: team.name },
      spec: () => ({ parentRef: { name: gateway.name }, listeners: this._entries() }),
    });
  }

  /** A hostname known only at run time. Throws an Error where the grant does not cover it. */
  hostname(value: string): GrantedHostname<Hosts> {
    return requireHostname<Hosts>(this, value);
  }

  /** @internal */
  places(): ListenerPlace[] {
    const { namespace } = this.#gateway;
    return this.#perListener((listener, hostname) => ({
      ...this.#object,
      namespace,
      sectionName: sectionName(listener, hostname),
      listener,
      hostname,
    }));
  }

  /** @internal */
  _entries(): ListenerEntry[] {
    return this.#perListener((listener, hostname) =>
      listenerEntry(this.#gateway._specs[listener]!, {
        name: sectionName(listener, hostname),
        hostname,
        routes: onlyNamespaceOf(this.team),
        kinds: this.kinds,
      }),
    );
  }

  /** @internal */
  [WARNINGS](objects: readonly RawObject[]): string[] {
    const { className } = this.#gateway;
    const isOwn = className === DEFAULT_CLASS || objects.some((object) => isOwnClass(object, className));
    return [...openWarnings(this, this.#gateway), ...(isOwn ? [] : nestingWarnings(this, className))];
  }

  #perListener<T>(make: (listener: string, hostname: string) => T): T[] {
    return this.listeners.flatMap((listener) => this.hostnames.map((hostname) => make(listener, hostname)));
  }

  #problems(): string[] {
    if (this.#shape.length > 0) return [...this.#shape];
    const problems = overlapProblems(this, this.#gateway._grants);
    for (const name of this.#refused) {
      const granted = Object.keys(this.#gateway._specs).filter((each) => isGranted(this.#gateway, each));
      problems.push(
        `listener ${name} is not one that ${this.#gateway.node.path} grants (it has: ${granted.join(', ')})`,
      );
    }
    problems.push(...kindProblems(this.kinds));
    if (this.hostnames.length === 0) problems.push('no hostname is granted: name at least one in hostnames');
    const count = this.hostnames.length * this.listeners.length;
    if (this.wholeObject && count > 64) {
      problems.push(
        `${this.hostnames.length} hostnames at ${this.listeners.length} listeners are ${count} entries, and a ListenerSet holds 64: grant them in several grants, each with a name`,
      );
    }
    return problems;
  }
}

const isGranted = (gateway: SharedGateway, listener: string) =>
  Object.hasOwn(gateway._specs, listener) && !gateway._specs[listener]!.routes;

/** A GatewayClass of this name that our controller serves. */
function isOwnClass(object: RawObject, name: string): boolean {
  if (object.kind !== 'GatewayClass') return false;
  const parsed = parse(object);
  return (
    parsed.outcome === 'known' &&
    parsed.ref.name === name &&
    (parsed.object as KindObject<'GatewayClass'>).spec.controllerName === CONTROLLER_NAME
  );
}
