/**
 * The listeners of a Gateway and of the ListenerSets attached to it, as one list: which of them are distinct. Within
 * one object no conflicting listener wins ("The implementation MUST NOT pick one conflicting Listener as the winner",
 * GatewaySpec.listeners); between objects the one that comes first in precedence does (ListenerSetSpec.listeners).
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import { ANY_HOST } from '../match/hostname.ts';
import { type Finding, named } from './findings.ts';
import { type DeclaredListener, isServedProtocol } from './listeners.ts';

export interface MergedListener extends DeclaredListener {
  readonly conflict?: Finding;
  /** In words: listeners with TLS on the same port whose hostnames overlap this one's (OverlappingTLSConfig). */
  readonly overlaps?: string;
}

/** Listeners by object, the objects in order of precedence. */
export function mergeListeners(objects: readonly (readonly DeclaredListener[])[]): MergedListener[][] {
  const ports = new Map<number, Port>();
  const conflicts = new Map<DeclaredListener, Finding>();
  for (const listeners of objects) {
    for (const listener of listeners) {
      if (listener.notTaken) continue;
      const conflict = ports.get(listener.port)?.conflict(listener) ?? conflictWithin(listener, listeners);
      if (conflict) conflicts.set(listener, conflict);
    }
    for (const listener of listeners) {
      // A listener that can't be served for other reasons, such as a lost certificate, still keeps its place: else its
      // hostname would go to whoever asked for it next.
      if (listener.notTaken || conflicts.has(listener) || !isServedProtocol(listener.protocol)) continue;
      const port = ports.get(listener.port) ?? new Port();
      ports.set(listener.port, port);
      port.take(listener);
    }
  }
  const overlaps = new Map([...ports.values()].flatMap((port) => [...port.overlaps()]));
  return objects.map((listeners) =>
    listeners.map((listener) => {
      const conflict = conflicts.get(listener);
      const others = overlaps.get(listener);
      return {
        ...listener,
        ...(conflict ? { conflict } : {}),
        ...(others ? { overlaps: shownOwners(listener, others) } : {}),
      };
    }),
  );
}

/** The listeners that have a place on one port. There may be thousands, so nothing here looks at each of them. */
class Port {
  readonly #byProtocol = new Map<string, DeclaredListener>();
  readonly #byHostname = new Map<string, DeclaredListener>();

  take(listener: DeclaredListener): void {
    if (!this.#byProtocol.has(listener.protocol)) this.#byProtocol.set(listener.protocol, listener);
    this.#byHostname.set(placeOf(listener), listener);
  }

  /** With a listener of an object that comes before. */
  conflict(listener: DeclaredListener): Finding | undefined {
    for (const other of this.#byProtocol.values()) {
      if (areIncompatible(other.protocol, listener.protocol)) return protocolConflict(listener, other);
    }
    const other = this.#byHostname.get(placeOf(listener));
    return other && hostnameConflict(listener, other);
  }

  /** Listeners with TLS, each with those whose hostnames contain its own or lie within. */
  overlaps(): Map<DeclaredListener, DeclaredListener[]> {
    const pairs = new Map<DeclaredListener, DeclaredListener[]>();
    const put = (listener: DeclaredListener, other: DeclaredListener) => {
      const others = pairs.get(listener);
      if (others) others.push(other);
      else pairs.set(listener, [other]);
    };
    for (const listener of this.#byHostname.values()) {
      if (!OVER_TLS.has(listener.protocol) || listener.hostname === undefined) continue;
      for (const hostname of widerHostnames(listener.hostname)) {
        const wider = this.#byHostname.get(`TLS ${hostname}`);
        if (!wider) continue;
        put(listener, wider);
        put(wider, listener);
      }
    }
    return pairs;
  }
}

/** `*.b.c`, `*.c` and `*` for `a.b.c`. */
function* widerHostnames(hostname: string): Generator<string> {
  let dot = hostname.indexOf('.', hostname.startsWith('*.') ? 2 : 0);
  for (; dot >= 0; dot = hostname.indexOf('.', dot + 1)) yield `*${hostname.slice(dot)}`;
  yield ANY_HOST;
}

/** What a connection or request must show to be the listener's, the port aside: server names tell HTTPS and TLS apart. */
const placeOf = ({ protocol, hostname = ANY_HOST }: DeclaredListener) =>
  `${OVER_TLS.has(protocol) ? 'TLS' : protocol} ${hostname}`;

const OVER_TCP = new Set(['HTTP', 'HTTPS', 'TLS', 'TCP']);
const OVER_TLS = new Set(['HTTPS', 'TLS']);

/** Whether two protocols can't share a port. HTTPS and TLS can, told apart by server name. */
function areIncompatible(a: string, b: string): boolean {
  return a !== b && OVER_TCP.has(a) && OVER_TCP.has(b) && !(OVER_TLS.has(a) && OVER_TLS.has(b));
}

/** With a listener of the same object: equal hostnames of one protocol are refused by the API's field rules already. */
function conflictWithin(
  listener: DeclaredListener,
  siblings: readonly DeclaredListener[],
): Finding | undefined {
  // A protocol that is not served is refused for that; it takes nothing from others ("If an implementation does not
  // support TCP Protocol Listeners, then the previous rule does not apply").
  if (!isServedProtocol(listener.protocol)) return undefined;
  const other = siblings.find(
    ({ port, protocol, notTaken }) =>
      !notTaken &&
      port === listener.port &&
      isServedProtocol(protocol) &&
      areIncompatible(protocol, listener.protocol),
  );
  if (other) return protocolConflict(listener, other);
  const place = placeOf(listener);
  const alike = siblings.find(
    (each) => each !== listener && !each.notTaken && each.port === listener.port && placeOf(each) === place,
  );
  return alike && hostnameConflict(listener, alike);
}

function protocolConflict(listener: DeclaredListener, other: DeclaredListener): Finding {
  return {
    reason: 'ProtocolConflict',
    field: `${listener.field}.protocol`,
    message: `found protocol ${listener.protocol} on port ${listener.port}, where ${shownOwner(listener, other)} has protocol ${other.protocol}`,
    fix: 'choose another port, or the same protocol',
    ...(isSameObject(listener, other) ? {} : { related: [{ group: GATEWAY_GROUP, ...other.home }] }),
  };
}

function hostnameConflict(listener: DeclaredListener, other: DeclaredListener): Finding {
  const { hostname, port, field } = listener;
  return {
    reason: 'HostnameConflict',
    field: hostname ? `${field}.hostname` : field,
    message: `${hostname ? `hostname ${hostname}` : 'every hostname'} on port ${port} is taken by ${shownOwner(listener, other)}${isSameObject(listener, other) ? ' as well' : ', which comes first'}`,
    fix: 'choose another hostname or port',
    ...(isSameObject(listener, other) ? {} : { related: [{ group: GATEWAY_GROUP, ...other.home }] }),
  };
}

const isSameObject = ({ home: a }: DeclaredListener, { home: b }: DeclaredListener) =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/** "Implementations SHOULD be cautious about what information from the parent or siblings are reported". */
function shownOwner(to: DeclaredListener, other: DeclaredListener): string {
  if (isSameObject(to, other)) return `listener ${other.name} of the same object`;
  const mayKnow = other.home.kind === 'Gateway' || other.home.namespace === to.home.namespace;
  return mayKnow ? `listener ${other.name} of ${named(other.home)}` : 'a listener of another namespace';
}

function shownOwners(to: DeclaredListener, others: readonly DeclaredListener[]): string {
  const shown = others.slice(0, 3).map((other) => shownOwner(to, other));
  return [...shown, ...(others.length > 3 ? [`${others.length - 3} more`] : [])].join(', ');
}
