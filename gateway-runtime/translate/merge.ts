/**
 * The listeners of a Gateway and of the ListenerSets attached to it, as one list: which of them are distinct. Within
 * one object no conflicting listener wins ("The implementation MUST NOT pick one conflicting Listener as the winner",
 * GatewaySpec.listeners); between objects the one that comes first in precedence does (ListenerSetSpec.listeners).
 */

import { GATEWAY_GROUP } from '../api/names.ts';
import { hostnameMatches } from '../match/hostname.ts';
import { type Finding, named } from './findings.ts';
import { type DeclaredListener, isServedProtocol } from './listeners.ts';

export interface MergedListener extends DeclaredListener {
  readonly conflict?: Finding;
  /** Listeners of the same port with TLS whose hostnames overlap this one's (OverlappingTLSConfig). */
  readonly overlaps: readonly string[];
}

/** Listeners by object, the objects in order of precedence. */
export function mergeListeners(objects: readonly (readonly DeclaredListener[])[]): MergedListener[][] {
  const taken = new Map<number, DeclaredListener[]>();
  const merged = objects.map((listeners) => {
    const result = listeners.map((listener) => ({
      listener,
      conflict: conflictWith(listener, taken.get(listener.port) ?? []) ?? conflictWithin(listener, listeners),
    }));
    for (const { listener, conflict } of result) {
      // A listener that can't be served for other reasons, such as a lost certificate, still keeps its place: else its
      // hostname would go to whoever asked for it next.
      if (conflict || !isServedProtocol(listener.protocol)) continue;
      const others = taken.get(listener.port);
      if (others) others.push(listener);
      else taken.set(listener.port, [listener]);
    }
    return result;
  });
  return merged.map((listeners) =>
    listeners.map(({ listener, conflict }) => ({
      ...listener,
      ...(conflict ? { conflict } : {}),
      overlaps: conflict ? [] : overlapsOf(listener, taken.get(listener.port) ?? []),
    })),
  );
}

const TRANSPORT: Readonly<Record<string, string>> = { HTTP: 'TCP', HTTPS: 'TCP', TLS: 'TCP', TCP: 'TCP' };
const IS_TLS: Readonly<Record<string, true>> = { HTTPS: true, TLS: true };

/** Whether two protocols can't share a port. TLS and HTTPS can, told apart by server name. */
function areIncompatible(a: string, b: string): boolean {
  if (a === b || !Object.hasOwn(TRANSPORT, a) || !Object.hasOwn(TRANSPORT, b)) return false;
  return !(Object.hasOwn(IS_TLS, a) && Object.hasOwn(IS_TLS, b));
}

/** With listeners of objects that come before. */
function conflictWith(listener: DeclaredListener, before: readonly DeclaredListener[]): Finding | undefined {
  const protocol = before.find((other) => areIncompatible(other.protocol, listener.protocol));
  if (protocol) return protocolConflict(listener, protocol);
  const hostname = before.find(
    (other) => other.protocol === listener.protocol && other.hostname === listener.hostname,
  );
  return (
    hostname && {
      reason: 'HostnameConflict',
      field: listener.hostname ? `${listener.field}.hostname` : listener.field,
      message: `${shownHostname(listener)} on port ${listener.port} is taken by ${shownOwner(listener, hostname)}, which comes first`,
      fix: 'choose another hostname or port',
      related: [refOf(hostname)],
    }
  );
}

/** With listeners of the same object: equal hostnames are refused by the API's field rules already. */
function conflictWithin(
  listener: DeclaredListener,
  siblings: readonly DeclaredListener[],
): Finding | undefined {
  // A protocol that is not served is refused for that; it takes nothing from others ("If an implementation does not
  // support TCP Protocol Listeners, then the previous rule does not apply").
  if (!isServedProtocol(listener.protocol)) return undefined;
  const other = siblings.find(
    (each) =>
      each.port === listener.port &&
      isServedProtocol(each.protocol) &&
      areIncompatible(each.protocol, listener.protocol),
  );
  return other && protocolConflict(listener, other);
}

function protocolConflict(listener: DeclaredListener, other: DeclaredListener): Finding {
  return {
    reason: 'ProtocolConflict',
    field: `${listener.field}.protocol`,
    message: `found protocol ${listener.protocol} on port ${listener.port}, where ${shownOwner(listener, other)} has protocol ${other.protocol}`,
    fix: 'choose another port, or the same protocol',
    ...(isSameObject(listener, other) ? {} : { related: [refOf(other)] }),
  };
}

function overlapsOf(listener: DeclaredListener, port: readonly DeclaredListener[]): string[] {
  if (listener.protocol !== 'HTTPS') return [];
  const own = listener.hostname ?? '*';
  return port
    .filter((other) => other.key !== listener.key && other.protocol === 'HTTPS')
    .filter(({ hostname = '*' }) => hostnameMatches(own, hostname) || hostnameMatches(hostname, own))
    .map((other) => shownOwner(listener, other));
}

const shownHostname = ({ hostname }: DeclaredListener) =>
  hostname ? `hostname ${hostname}` : 'every hostname';
const refOf = ({ home }: DeclaredListener) => ({ group: GATEWAY_GROUP, ...home });
const isSameObject = ({ home: a }: DeclaredListener, { home: b }: DeclaredListener) =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/** "Implementations SHOULD be cautious about what information from the parent or siblings are reported". */
function shownOwner(to: DeclaredListener, other: DeclaredListener): string {
  if (isSameObject(to, other)) return `listener ${other.name} of the same object`;
  const mayKnow = other.home.kind === 'Gateway' || other.home.namespace === to.home.namespace;
  return mayKnow ? `listener ${other.name} of ${named(other.home)}` : 'a listener of another namespace';
}
