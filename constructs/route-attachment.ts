/** What routes of every kind have in common: the grants that they attach to, their hostnames, and whether they may. */
import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import {
  type Attachment,
  foreignProblem,
  hostnameProblem,
  isAttachment,
  kindProblem,
  listenerProblem,
  type ParentRef,
  parentRefs,
} from './attachment.ts';
import { isGateway } from './gateway.ts';
import type { HostnameWithin, HostsOf, ListenersOf } from './granted.ts';
import { noteUse } from './granted-elsewhere.ts';
import { nameProblem } from './naming.ts';
import { ownPlaces, placesOf } from './own-listeners.ts';
import { anything, found, isObject, optional, type Shape, text, texts } from './props.ts';
import { hostnamesText, missingGrant, onOf, teamOf } from './role.ts';
import { isPortKind, PROTOCOLS, type RouteKind } from './route-kind.ts';

/** What a route says of its attachment, besides `on`. */
export interface AttachmentOptions<On, Hosts extends readonly string[]> {
  /**
   * The hostnames that the route serves, at least one, each inside the grant.
   * @default - every hostname of the grant
   */
  readonly hostnames?: { readonly [Index in keyof Hosts]: HostnameWithin<Hosts[Index], HostsOf<On>> };
  /**
   * The listeners of the grant that the route attaches to, such as only `web` for a redirect to HTTPS.
   * @default - all of them
   */
  readonly listeners?: readonly ListenersOf<On>[];
  /**
   * The name of the object.
   * @default - the id of the construct
   */
  readonly name?: string;
}

export type AnyAttachmentOptions = AttachmentOptions<unknown, readonly string[]> & { readonly on?: unknown };

export const ATTACHMENT_OPTIONS: Shape<AnyAttachmentOptions> = {
  on: optional(anything),
  hostnames: optional(texts),
  listeners: optional(texts),
  name: optional(text),
};

/** The same of a route without hostnames. */
export type PortAttachmentOptions<On> = Omit<AttachmentOptions<On, readonly string[]>, 'hostnames'>;

const { hostnames: _, ...PORT_ATTACHMENT_OPTIONS } = ATTACHMENT_OPTIONS;

export { PORT_ATTACHMENT_OPTIONS };

const takesHttps = (kind: RouteKind) => PROTOCOLS[kind].includes('HTTPS');

const present = <Value>(value: Value | undefined): Value[] => (value === undefined ? [] : [value]);

/** The attachment of one route. */
export class RouteAttachment {
  /** The name of the object. */
  readonly name: string;
  /** The namespace of the team. */
  readonly namespace: string;
  readonly hostnames: readonly string[];
  readonly listeners: readonly string[] | undefined;
  /** What of `on` is a grant, a gateway or a listener; the rest is told. */
  readonly all: readonly Attachment[];
  /** Whether the hostnames stand in the object. */
  readonly #writesHostnames: boolean;
  readonly #on: readonly unknown[];
  readonly #route: Construct;
  readonly #kind: RouteKind;

  constructor(route: Construct, kind: RouteKind, props: Partial<AnyAttachmentOptions>) {
    this.#route = route;
    this.#kind = kind;
    this.name = props.name ?? route.node.id;
    this.#on = [props.on === undefined ? onOf(route) : props.on].flat();
    this.all = this.#on.filter(isAttachment);
    noteUse(route, this.all);
    this.listeners = props.listeners;
    const granted = new Set(this.all.flatMap((each) => each.hostnames));
    granted.delete('*');
    this.hostnames = isPortKind(kind) ? [] : (props.hostnames ?? [...granted]);
    // Where all are meant, the listeners say them too, and may say more than a route has room for; but a TLSRoute must name its own.
    this.#writesHostnames =
      this.hostnames.length > 0 &&
      (props.hostnames !== undefined || granted.size <= 16 || kind === 'TLSRoute');
    const team = teamOf(route) ?? this.all.find((each) => each.team)?.team;
    this.namespace = team?.namespace ?? Chart.of(route).namespace ?? 'default';
  }

  /** The fields of the spec that say it. */
  get spec(): { parentRefs: readonly ParentRef[]; hostnames: readonly string[] | undefined } {
    return {
      parentRefs: this.all.flatMap((each) => this.#parentRefs(each)),
      hostnames: this.#writesHostnames ? this.hostnames : undefined,
    };
  }

  /** The listeners that are meant, for comparison with those of other routes. */
  get places(): ReadonlySet<string> {
    return new Set(
      this.all.flatMap((each) =>
        placesOf(this.#route, each)
          .filter(({ listener }) => this.listeners?.includes(listener) ?? true)
          .map(({ kind, namespace, name, sectionName }) => `${kind}/${namespace}/${name}/${sectionName}`),
      ),
    );
  }

  #parentRefs(on: Attachment): ParentRef[] {
    return parentRefs(on, placesOf(this.#route, on), this.hostnames, this.listeners, this.#kind);
  }

  /** Why the route may not attach so, in sentences. */
  problems(): string[] {
    return [
      ...nameProblem(this.#kind, this.name),
      ...(this.#on.length === 0
        ? ['the route attaches to nothing, so it serves nothing: name a grant in on']
        : []),
      ...this.#on.flatMap((each) => this.#problemsOf(each)),
      ...(this.all.length > 0
        ? this.hostnames.flatMap((host, index) =>
            present(hostnameProblem(host, this.all)).map((problem) => `hostnames[${index}]: ${problem}`),
          )
        : []),
    ];
  }

  /** What is not wrong in itself, in sentences. */
  warnings(): string[] {
    return this.all.flatMap((on) => {
      const hasOwn = ownPlaces(this.#route, on).length > 0;
      const asked = on.ownListeners.some(({ listener }) => this.listeners?.includes(listener) ?? true);
      return hasOwn || !asked || !takesHttps(this.#kind) ? [] : [this.#uncertified(on)];
    });
  }

  /** Why it is not served over HTTPS. */
  #uncertified(on: Attachment): string {
    const names = on.ownListeners.map(({ listener }) => listener).join(', ');
    return `${on.title} has certificates of the team at listener ${names}, and none is brought in this app: new TeamCertificate(chart, 'certificate', { on })`;
  }

  #problemsOf(on: unknown): string[] {
    const own = teamOf(this.#route);
    if (!isAttachment(on)) {
      const what = isObject(on) && !(on instanceof Construct) ? 'an object that no grant() made' : found(on);
      const missing =
        on instanceof Construct && isGateway(on) && own
          ? `. ${missingGrant(hostnamesText(this.hostnames), `${on.namespace}/${on.name}`, own.name)}`
          : '';
      return [
        `a route attaches to a grant, not to ${what}: use gateway.grant(team, { hostnames })${missing}`,
      ];
    }
    const problems: string[] = [];
    const chartNamespace = Chart.of(this.#route).namespace;
    const foreign = foreignProblem(on, own, this.hostnames);
    if (foreign) {
      problems.push(foreign);
    } else if (on.team && this.namespace !== on.team.namespace) {
      problems.push(
        `${on.title} is for team ${on.team.name} in namespace ${on.team.namespace}, this route is in namespace ${this.namespace}`,
      );
    } else if (on.team && chartNamespace !== undefined && chartNamespace !== on.team.namespace) {
      problems.push(
        `${on.title} admits routes of namespace ${on.team.namespace}, this chart is in namespace ${chartNamespace}`,
      );
    }
    problems.push(...present(kindProblem(on, this.#kind, this.hostnames)));
    for (const [index, name] of (this.listeners ?? []).entries()) {
      if (this.all.some((each) => each.listeners.includes(name))) continue;
      problems.push(`listeners[${index}]: ${listenerProblem(name, on, this.hostnames)}`);
    }
    const isInside = this.hostnames.every((host) => hostnameProblem(host, this.all) === undefined);
    if (problems.length === 0 && isInside && this.#parentRefs(on).length === 0) {
      problems.push(
        on.ownListeners.length > 0
          ? this.#uncertified(on)
          : isPortKind(this.#kind)
            ? `${on.title} has no listener for ${this.#kind} among ${(this.listeners ?? on.listeners).join(', ')}`
            : `none of the hostnames ${this.hostnames.join(', ')} is one of ${on.title} (granted: ${on.hostnames.join(', ')})`,
      );
    }
    return problems;
  }
}
