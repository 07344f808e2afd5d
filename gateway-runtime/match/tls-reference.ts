/**
 * Where a TLS connection goes, plainly: every listener of the port and every rule with a say, and why each does not serve. It shares
 * nothing with `tls-table.ts` but the canonical form of server names.
 */
import type { Listener, Snapshot, TlsRule } from '../snapshot/snapshot.ts';
import { compareHostnames, hostnameMatches } from './hostname.ts';
import { listenersOf, mostSpecificListener } from './reference.ts';

export interface EvaluatedTlsRule {
  readonly rule: TlsRule;
  /** The most specific of its hostnames that matches; empty where none does. */
  readonly hostname: string;
  /** Why it does not serve, as the rest of a sentence that begins with the rule; absent for the one that serves. */
  readonly reason?: string;
}

export interface TlsEvaluation {
  readonly listeners: readonly Listener[];
  /** That of the server name, whatever its protocol. */
  readonly listener?: Listener;
  /** The one that serves first, the others in the order of their keys. */
  readonly rules: readonly EvaluatedTlsRule[];
  readonly winner?: TlsRule;
}

/** @param serverName canonical; empty for none */
export function evaluateTls(snapshot: Snapshot, port: number, serverName: string): TlsEvaluation {
  const listeners = listenersOf(snapshot, port);
  const listener = mostSpecificListener(listeners, serverName);
  const concerned = snapshot.resources.filter(
    (each): each is TlsRule =>
      each.type === 'tls-rule' &&
      each.parents.some((one) => listeners.some(({ key }) => key === one.listener)),
  );
  const all = concerned.map((rule) => evaluated(rule, listener, serverName));
  const [first] = all.filter(({ reason }) => reason === undefined).sort(byPrecedence);
  if (!listener || !first) return { listeners, ...(listener ? { listener } : {}), rules: all };
  const others = all
    .filter((each) => each !== first)
    .map((each) => (each.reason ? each : { ...each, reason: lostTo(first, each) }));
  return { listeners, listener, rules: [first, ...others], winner: first.rule };
}

function evaluated(rule: TlsRule, listener: Listener | undefined, serverName: string): EvaluatedTlsRule {
  const place = rule.parents.find((each) => each.listener === listener?.key);
  if (!place) {
    const reason = listener
      ? 'its route is not attached to the listener that serves this server name'
      : 'no listener serves this server name';
    return { rule, hostname: '', reason };
  }
  const [hostname] = place.hostnames
    .filter((each) => hostnameMatches(each, serverName))
    .sort(compareHostnames);
  if (hostname !== undefined) return { rule, hostname };
  const shown = serverName || 'a connection without a server name';
  return { rule, hostname: '', reason: `it is for ${place.hostnames.join(', ')}, not ${shown}` };
}

/** Text that sorts after every timestamp: a route without one counts as the newest. */
const NEWEST = '~';
const created = ({ rule }: EvaluatedTlsRule) => rule.source.created || NEWEST;
const routeName = ({ rule }: EvaluatedTlsRule) => `${rule.source.namespace}/${rule.source.name}`;
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function byPrecedence(a: EvaluatedTlsRule, b: EvaluatedTlsRule): number {
  return (
    compareHostnames(a.hostname, b.hostname) ||
    byText(created(a), created(b)) ||
    byText(routeName(a), routeName(b)) ||
    a.rule.source.rule - b.rule.source.rule
  );
}

function lostTo(first: EvaluatedTlsRule, other: EvaluatedTlsRule): string {
  if (compareHostnames(first.hostname, other.hostname) !== 0) {
    return 'another goes first: the most specific matching hostname goes first';
  }
  return created(first) === created(other)
    ? 'another goes first: the route that comes first by "namespace/name" goes first'
    : 'another goes first: the oldest route goes first';
}
