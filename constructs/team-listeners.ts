import { Construct } from 'constructs';
import { type KindObject, parse } from '../gateway-runtime/api/kinds.ts';
import { CONTROLLER_NAME, GRANTED_LISTENERS, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
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
import { type AnyGrant, Grant, type GrantOptions } from './grant.ts';
import { grantProblems } from './grant-checks.ts';
import { boundedName } from './naming.ts';
import { nestingWarnings, openWarnings, overlapProblems } from './overlap.ts';
import { anything, isObject, optional, read, type Shape, text, texts } from './props.ts';
import { isPortKind, isPortListener, type RouteKind, routeKinds } from './route-kind.ts';
import type { SharedGateway } from './shared-gateway.ts';
import { WARNINGS } from './synth-hooks.ts';
import { allow, type TeamRef } from './team.ts';
import type { TeamGrants } from './team-grants.ts';

type Props = GrantOptions<RouteKind, string> & {
  readonly hostnames: readonly string[];
  readonly listeners?: readonly string[];
};

const PROPS: Shape<Props> = {
  hostnames: texts,
  kinds: optional(routeKinds),
  listeners: optional(texts),
  nestedIn: optional(anything),
  name: optional(text),
  ownCertificates: optional(texts),
};

/** The same where no route has hostnames. */
const PORT_PROPS: Shape<Omit<Props, 'hostnames'> & { readonly hostnames?: unknown }> = {
  ...PROPS,
  hostnames: optional(anything),
};

const isOfPorts = (given: unknown): boolean =>
  isObject(given) &&
  'kinds' in given &&
  Array.isArray(given.kinds) &&
  given.kinds.length > 0 &&
  given.kinds.every(isPortKind);

/** What a grant is in the tree: the listeners of one team, in a ListenerSet or in the Gateway. */
export class TeamListeners extends Construct implements GrantHolder {
  readonly grant: AnyGrant;
  readonly gateway: SharedGateway;
  /** The grants around this one that it was told of. */
  readonly nestedIn: readonly TeamListeners[];
  readonly delegations: Delegation[] = [];
  readonly #problems: readonly string[];
  /** None where the team makes all of the listeners itself. */
  readonly #object: { readonly kind: 'Gateway' | 'ListenerSet'; readonly name: string } | undefined;

  constructor(gateway: SharedGateway, team: TeamRef, given: unknown, others: TeamGrants) {
    const ofPorts = isOfPorts(given);
    const { props, problems } = read<Props>('grant()', given, (ofPorts ? PORT_PROPS : PROPS) as Shape<Props>);
    super(gateway, props.name ?? team.name);
    this.gateway = gateway;
    const grantable = Object.keys(gateway._specs).filter((name) => !gateway._specs[name]!.routes);
    const kinds: readonly RouteKind[] = props.kinds ?? ['HTTPRoute'];
    const takes = (name: string) => kindsAt(gateway._specs[name]!, kinds).length > 0;
    const isPort = (name: string) => isPortListener(gateway._specs[name]!);
    // A port is one team's, so nobody gets it without a word.
    const listeners = props.listeners ?? grantable.filter((name) => takes(name) && !isPort(name));
    this.grant = new Grant({
      team,
      hostnames: ofPorts ? [] : (props.hostnames ?? []),
      kinds,
      listeners: listeners.filter((name) => grantable.includes(name)),
      title: `grant ${this.node.path}`,
      gatewayName: `${gateway.namespace}/${gateway.name}`,
      wholeObject: gateway.teamListeners === 'listener-set',
      ownCertificates: props.ownCertificates ?? [],
      ownListeners: props.ownCertificates
        ? listeners.flatMap((listener) => {
            const spec = gateway._specs[listener];
            return spec?.protocol === 'HTTPS' && !spec.routes ? [{ listener, port: spec.port }] : [];
          })
        : [],
      places: () => this.#places(),
      delegations: () => givenOn(this),
      delegate: (...args) => delegate(this, ...args),
    });
    admit(this.grant);
    allow(team, this.grant);
    const around = [props.nestedIn ?? []].flat();
    this.nestedIn = around.map((each) => others.of(each)).filter((each) => each !== undefined);
    this.#problems = [
      ...problems,
      ...grantProblems({ grant: this.grant, gateway, listeners, hostnames: props.hostnames, around, others }),
      ...this.#sizeProblems(),
      ...overlapProblems(this, others.overlapping(this)),
    ];
    requireChecks(this, () => [...this.#problems]);
    others.add(this);

    if (gateway.teamListeners === 'gateway') {
      this.#object = { kind: 'Gateway', name: gateway.name };
      return;
    }
    // Where the team brings all of the listeners, there is nothing left to write: an object without listeners would be refused.
    if (this.#listeners.length === 0) return;
    const name = boundedName([gateway.name, team.name, ...(props.name ? [props.name] : [])]);
    this.#object = { kind: 'ListenerSet', name };
    gatewayObject(this, 'Resource', {
      kind: 'ListenerSet',
      name,
      namespace: gateway.namespace,
      labels: { [TEAM_LABEL]: team.name },
      ...(gateway.heldBy === 'listeners' ? {} : { annotations: { [GRANTED_LISTENERS]: '*' } }),
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

  /** Whom a listener of the Gateway without hostnames admits: this team, where it was granted that. */
  portEntry(listener: string): Pick<Parameters<typeof listenerEntry>[1], 'routes' | 'kinds'> {
    const { team, kinds } = this.grant;
    return { routes: onlyNamespacesOf([team]), kinds: kindsAt(this.gateway._specs[listener]!, kinds) };
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
    const { namespace, name } = this.gateway;
    const ports: ListenerPlace[] = this.grant.listeners.filter(this.#isPort).map((listener: string) => ({
      kind: 'Gateway',
      namespace,
      name,
      sectionName: listener,
      listener,
      ...this.#spoken(listener),
      isShared: true,
    }));
    const ofHosts: ListenerPlace[] = this.#perListener((listener, hostname) => ({
      ...this.#object!,
      namespace,
      sectionName: sectionName(listener, hostname),
      listener,
      hostname,
      ...this.#spoken(listener),
    }));
    return [...ofHosts, ...ports];
  }

  #spoken(listener: string): Pick<ListenerPlace, 'kinds' | 'protocol' | 'port'> {
    const spec = this.gateway._specs[listener]!;
    return { kinds: kindsAt(spec, this.grant.kinds), protocol: spec.protocol, port: spec.port };
  }

  readonly #isPort = (listener: string): boolean => isPortListener(this.gateway._specs[listener]!);

  #perListener<T>(make: (listener: string, hostname: string) => T): T[] {
    return this.#listeners.flatMap((listener: string) =>
      this.grant.hostnames.map((hostname: string) => make(listener, hostname)),
    );
  }

  /** Those that are made here: where the team brings certificates it makes them itself, and ports are listeners of the Gateway. */
  get #listeners(): string[] {
    const { listeners, ownListeners } = this.grant;
    return listeners.filter(
      (name: string) => !this.#isPort(name) && !ownListeners.some(({ listener }) => listener === name),
    );
  }

  #sizeProblems(): string[] {
    const { hostnames, wholeObject } = this.grant;
    const listeners = this.#listeners.length;
    const count = hostnames.length * listeners;
    if (!wholeObject || count <= 64) return [];
    return [
      `${hostnames.length} hostnames at ${listeners} listeners are ${count} entries, and a ListenerSet holds 64: grant them in several grants, each with a name`,
    ];
  }
}

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
