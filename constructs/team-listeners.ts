import { Construct } from 'constructs';
import { type KindObject, parse } from '../gateway-runtime/api/kinds.ts';
import { CONTROLLER_NAME, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import { gatewayObject } from './api-object.ts';
import { admit, type ListenerPlace } from './attachment.ts';
import { requireChecks } from './checks.ts';
import { type Delegation, delegate, type GrantHolder, givenOn } from './delegation.ts';
import {
  DEFAULT_CLASS,
  kindsAt,
  type ListenerEntry,
  listenerEntry,
  onlyNamespacesOf,
  sectionName,
} from './gateway.ts';
import { type AnyGrant, Grant, type GrantProps } from './grant.ts';
import { boundedName } from './naming.ts';
import { nestingWarnings, openWarnings, overlapProblems } from './overlap.ts';
import { anything, found, optional, read, type Shape, text, texts } from './props.ts';
import { type RouteKind, routeKinds } from './route-kind.ts';
import type { SharedGateway } from './shared-gateway.ts';
import { WARNINGS } from './synth-hooks.ts';
import { allow, type TeamRef } from './team.ts';

type Props = GrantProps<readonly string[], RouteKind, string>;

const PROPS: Shape<Props> = {
  hostnames: texts,
  kinds: optional(routeKinds),
  listeners: optional(texts),
  nestedIn: optional(anything),
  name: optional(text),
};

/** What a grant is in the tree: the listeners of one team, in a ListenerSet or in the Gateway. */
export class TeamListeners extends Construct implements GrantHolder {
  readonly grant: AnyGrant;
  readonly gateway: SharedGateway;
  /** The grants around this one that it was told of. */
  readonly nestedIn: readonly TeamListeners[];
  readonly delegations: Delegation[] = [];
  readonly #problems: readonly string[];
  readonly #object: { readonly kind: 'Gateway' | 'ListenerSet'; readonly name: string };

  constructor(gateway: SharedGateway, team: TeamRef, given: Props, others: TeamGrants) {
    const { props, problems } = read('grant()', given, PROPS);
    super(gateway, props.name ?? team.name);
    this.gateway = gateway;
    const grantable = Object.keys(gateway._specs).filter((name) => !gateway._specs[name]!.routes);
    const kinds: readonly RouteKind[] = props.kinds ?? ['HTTPRoute'];
    const takes = (name: string) => kindsAt(gateway._specs[name]!, kinds).length > 0;
    const listeners = props.listeners ?? grantable.filter(takes);
    this.grant = new Grant({
      team,
      hostnames: props.hostnames ?? [],
      kinds,
      listeners: listeners.filter((name) => grantable.includes(name)),
      title: `grant ${this.node.path}`,
      gatewayName: `${gateway.namespace}/${gateway.name}`,
      wholeObject: gateway.teamListeners === 'listener-set',
      places: () => this.#places(),
      delegations: () => givenOn(this),
      delegate: (...args) => delegate(this, ...args),
    });
    admit(this.grant);
    allow(team, this.grant.kinds);
    const around = [props.nestedIn ?? []].flat();
    this.nestedIn = around.map((each) => others.of(each)).filter((each) => each !== undefined);
    this.#problems = [
      ...problems,
      ...around
        .filter((each) => others.of(each) === undefined)
        .map((each) => `grant() takes a grant that this gateway made as nestedIn, this is ${thing(each)}`),
      ...listeners
        .filter((name) => !grantable.includes(name))
        .map(
          (name) =>
            `listener ${name} is not one that ${gateway.node.path} grants (it has: ${grantable.join(', ')})`,
        ),
      ...this.grant.listeners
        .filter((name: string) => !takes(name))
        .map(
          (name: string) =>
            `listener ${name} has protocol ${gateway._specs[name]!.protocol}, which takes no ${kinds.join(', ')}: name another listener, or kinds`,
        ),
      ...(listeners.length === 0
        ? [
            `no listener of ${gateway.node.path} takes ${kinds.join(', ')}: give it one, such as ${kinds.includes('TLSRoute') ? 'tls(443)' : 'http(80)'}`,
          ]
        : []),
      ...this.#sizeProblems(),
      ...overlapProblems(this, others.overlapping(this)),
    ];
    requireChecks(this, () => [...this.#problems]);
    others.add(this);

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
      spec: () => ({ parentRef: { name: gateway.name }, listeners: this.entries() }),
    });
  }

  /** The entries for the listeners of the object, one for each hostname. */
  entries(): ListenerEntry[] {
    const { team, kinds } = this.grant;
    return this.#perListener((listener, hostname) =>
      listenerEntry(this.gateway._specs[listener]!, {
        name: sectionName(listener, hostname),
        hostname,
        routes: onlyNamespacesOf([
          team,
          ...this.delegations.flatMap((each) => each.admitted(listener, hostname)),
        ]),
        kinds: kindsAt(this.gateway._specs[listener]!, kinds),
      }),
    );
  }

  /** The grants that were made of parts of this one. */
  get delegated(): AnyGrant[] {
    return this.delegations.flatMap(({ all }) => all.map(({ grant }) => grant));
  }

  [WARNINGS](objects: readonly RawObject[]): string[] {
    const { className } = this.gateway;
    const isOwn = className === DEFAULT_CLASS || objects.some((object) => isOwnClass(object, className));
    return [...openWarnings(this), ...(isOwn ? [] : nestingWarnings(this, className))];
  }

  #places(): ListenerPlace[] {
    const { namespace } = this.gateway;
    return this.#perListener((listener, hostname) => ({
      ...this.#object,
      namespace,
      sectionName: sectionName(listener, hostname),
      listener,
      hostname,
      kinds: kindsAt(this.gateway._specs[listener]!, this.grant.kinds),
    }));
  }

  #perListener<T>(make: (listener: string, hostname: string) => T): T[] {
    const { listeners, hostnames } = this.grant;
    return listeners.flatMap((listener: string) =>
      hostnames.map((hostname: string) => make(listener, hostname)),
    );
  }

  #sizeProblems(): string[] {
    const { hostnames, listeners, wholeObject } = this.grant;
    const count = hostnames.length * listeners.length;
    if (!wholeObject || count <= 64) return [];
    return [
      `${hostnames.length} hostnames at ${listeners.length} listeners are ${count} entries, and a ListenerSet holds 64: grant them in several grants, each with a name`,
    ];
  }
}

const thing = (value: unknown) => (value instanceof Grant ? value.title : found(value));

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

/** All grants of a gateway, by the grant itself and by what they cover. */
export class TeamGrants {
  readonly #all = new Map<unknown, TeamListeners>();
  readonly #byHostname = new Map<string, Set<TeamListeners>>();
  /** For `b.example.com`: those with a hostname below it, such as `a.b.example.com`. */
  readonly #below = new Map<string, Set<TeamListeners>>();

  get all(): readonly TeamListeners[] {
    return [...this.#all.values()];
  }

  /** Undefined for what is no grant, or that of another gateway. */
  of(grant: unknown): TeamListeners | undefined {
    return this.#all.get(grant);
  }

  add(listeners: TeamListeners): void {
    this.#all.set(listeners.grant, listeners);
    for (const hostname of listeners.grant.hostnames as readonly string[]) {
      insert(this.#byHostname, hostname, listeners);
      for (const suffix of suffixesOf(hostname)) insert(this.#below, suffix, listeners);
    }
  }

  /** Those that may have a hostname in common with this one, in the order of their making. Costs nothing for all others. */
  overlapping({ grant }: TeamListeners): TeamListeners[] {
    const near = new Set<TeamListeners>();
    const take = (some: Iterable<TeamListeners> = []) => {
      for (const each of some) near.add(each);
    };
    for (const hostname of grant.hostnames as readonly string[]) {
      take(this.#byHostname.get(hostname));
      for (const suffix of suffixesOf(hostname)) take(this.#byHostname.get(`*.${suffix}`));
      if (hostname.startsWith('*.')) take(this.#below.get(hostname.slice(2)));
    }
    return [...near];
  }
}

/** `b.example.com`, `example.com` and `com` for `a.b.example.com`; the same without the first for `*.b.example.com`. */
function suffixesOf(hostname: string): string[] {
  const labels = hostname.replace(/^\*\./, '').split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
}

function insert(map: Map<string, Set<TeamListeners>>, key: string, value: TeamListeners): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}
