/** The regions of one port that are of TLS connections: which server names are passed on in another way by TLSRoutes. */
import { ANY_HOST } from '../match/hostname.ts';
import type { Listener, TlsRule } from '../snapshot/snapshot.ts';
import type { GatewaySide } from './gateway-side.ts';
import { hostnamesFor, hostOf, mostSpecific } from './hosts.ts';
import type { Outcome } from './outcome.ts';
import type { RegionSet } from './region-set.ts';
import { closed, tlsOutcome } from './tls-outcome.ts';

/** Connections of one class of server names on one side. */
export interface TlsEnd {
  readonly outcome: Outcome;
  readonly listener?: Listener;
  readonly rule?: TlsRule;
}

export function compareTls(port: number, before: GatewaySide, after: GatewaySide, regions: RegionSet): void {
  const names = new Set<string>([ANY_HOST]);
  let isAny = false;
  for (const side of [before, after]) {
    for (const [hostname, listener] of side.listeners(port)) {
      names.add(hostname);
      if (listener.protocol !== 'TLS') continue;
      isAny = true;
      for (const each of side.tlsHostnames(listener)) names.add(each);
    }
  }
  if (!isAny) return;
  for (const name of names) {
    const hostnames = hostnamesFor(name);
    const was = endOf(before, port, hostnames);
    const is = endOf(after, port, hostnames);
    if (was.outcome.key === is.outcome.key) continue;
    const serverName = hostOf(name, names);
    regions.addTls({ port, name, serverName, before: was, after: is });
  }
}

function endOf(side: GatewaySide, port: number, hostnames: readonly string[]): TlsEnd {
  const listeners = side.listeners(port);
  const listener = mostSpecific(listeners, hostnames);
  if (!listener) {
    const text =
      listeners.size === 0
        ? `connection refused: no listener at port ${port}`
        : 'the TLS handshake fails: no listener takes the server name';
    return { outcome: closed(text) };
  }
  if (listener.protocol !== 'TLS') {
    return { outcome: closed(`for HTTP only: the listener ${listener.source.listener}`), listener };
  }
  const rule = side.tlsRule(listener, hostnames);
  if (!rule) return { outcome: closed('closed: no TLSRoute takes the server name'), listener };
  return { outcome: tlsOutcome(rule, listener, side.outcomes), listener, rule };
}
