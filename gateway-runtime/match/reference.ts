/**
 * The matcher that is right because it is plain: it walks every listener of the port and every match of every rule, and says why
 * each did not serve. It shares nothing with the router but the canonical form of requests; a property test holds that they agree.
 */
import { isCredentialName, shownValue } from '../snapshot/credential.ts';
import type { HttpMatch, HttpRule, Listener, PathMatch, Snapshot, ValueMatch } from '../snapshot/snapshot.ts';
import { ANY_HOST, compareHostnames, hostnameMatches } from './hostname.ts';
import { type Contender, comparePrecedence, decidingLine, type PrecedenceLine } from './precedence.ts';
import type { RegexEngine } from './regex.ts';
import type { MatchRequest } from './request.ts';

export interface ArrivedAt {
  /** Port of the Gateway. */
  readonly port: number;
  /** Server name of the TLS handshake, canonical, where it is known and may differ from the host. Empty: TLS without one. */
  readonly serverName?: string;
}

/** A listener of the port. */
export interface EvaluatedListener {
  readonly listener: Listener;
  readonly serves: boolean;
  readonly reason: string;
}

/** What a match asked that the request did not have; `precedence` where it had all, and another match goes first. */
export type LostOn = 'listener' | 'hostname' | 'path' | 'method' | 'header' | 'query' | 'precedence';

export interface Loss {
  readonly on: LostOn;
  /** In words, as the rest of a sentence that begins with the match. */
  readonly reason: string;
  /** For `precedence`: the line by which the winner goes first. */
  readonly line?: PrecedenceLine;
}

/** One match of a rule. */
export interface EvaluatedMatch extends Contender {
  /** Absent for the one that serves. */
  readonly loss?: Loss;
}

export interface Evaluation {
  /** Those of the port, the one that serves first, the others in the order of their keys. */
  readonly listeners: readonly EvaluatedListener[];
  readonly listener?: Listener;
  /** Every match of every rule of these listeners: by precedence those that hold, then the others in the order of their keys. */
  readonly matches: readonly EvaluatedMatch[];
  readonly winner?: EvaluatedMatch;
  /** What is answered where no rule serves: 404, or 421 where the connection is for another listener than the host. */
  readonly status?: 404 | 421;
}

export function evaluate(
  snapshot: Snapshot,
  at: ArrivedAt,
  request: MatchRequest,
  regex: RegexEngine,
): Evaluation {
  const ofPort = listenersOf(snapshot, at.port);
  const listener = mostSpecificListener(ofPort, request.host);
  // HTTPS: the listener of the handshake must be the one of the host (Listener.hostname).
  const misdirected =
    listener !== undefined &&
    at.serverName !== undefined &&
    mostSpecificListener(ofPort, at.serverName) !== listener;
  const listeners = [listener, ...ofPort.filter((each) => each !== listener)]
    .filter((each) => each !== undefined)
    .map((each) => ({
      listener: each,
      serves: each === listener,
      reason: listenerReason(each, listener, request),
    }));
  if (misdirected) return { listeners, listener, matches: [], status: 421 };

  const holding: Contender[] = [];
  const failing: EvaluatedMatch[] = [];
  for (const rule of snapshot.resources) {
    if (rule.type !== 'http-rule' || !isAttachedTo(rule, ofPort)) continue;
    for (const index of rule.matches.keys()) {
      const evaluated = evaluateMatch(rule, index, listener, request, regex);
      if (evaluated.loss) failing.push(evaluated);
      else holding.push(evaluated);
    }
  }
  const [winner, ...outranked] = holding.sort(comparePrecedence);
  if (!winner) return { listeners, ...(listener ? { listener } : {}), matches: failing, status: 404 };
  const beaten = outranked.map((contender) => {
    const line = decidingLine(winner, contender)!;
    return {
      ...contender,
      loss: { on: 'precedence' as const, reason: `another goes first: ${line.sentence}`, line },
    };
  });
  return { listeners, listener: listener!, matches: [winner, ...beaten, ...failing], winner };
}

export function listenersOf(snapshot: Snapshot, port: number): Listener[] {
  return snapshot.resources.filter(
    (resource): resource is Listener => resource.type === 'listener' && resource.port === port,
  );
}

/** "Inbound request hostnames MUST match from the most specific to least specific Hostname" (GatewaySpec.listeners). */
export function mostSpecificListener(listeners: readonly Listener[], host: string): Listener | undefined {
  return listeners
    .filter(({ hostname = ANY_HOST }) => hostnameMatches(hostname, host))
    .sort((a, b) => compareHostnames(a.hostname ?? ANY_HOST, b.hostname ?? ANY_HOST))[0];
}

function listenerReason(listener: Listener, serving: Listener | undefined, request: MatchRequest): string {
  const { hostname = ANY_HOST } = listener;
  if (!hostnameMatches(hostname, request.host))
    return `its hostname ${hostname} does not match ${request.host}`;
  if (listener !== serving)
    return `${serving!.hostname} is more specific than ${hostname === ANY_HOST ? 'any host' : hostname}`;
  return hostname === ANY_HOST
    ? 'it takes any host'
    : `its hostname ${hostname} is the most specific that matches`;
}

const isAttachedTo = (rule: HttpRule, listeners: readonly Listener[]) =>
  rule.parents.some((parent) => listeners.some((listener) => listener.key === parent.listener));

function evaluateMatch(
  rule: HttpRule,
  index: number,
  listener: Listener | undefined,
  request: MatchRequest,
  regex: RegexEngine,
): EvaluatedMatch {
  const parents = rule.parents.filter((parent) => parent.listener === listener?.key);
  const hostnames = parents.flatMap((parent) => parent.hostnames);
  const [hostname] = hostnames.filter((each) => hostnameMatches(each, request.host)).sort(compareHostnames);
  const contender = { rule, match: index, hostname: hostname ?? '' };
  if (parents.length === 0) {
    const reason = listener
      ? 'its route is not attached to the listener that serves this host'
      : 'no listener serves this host';
    return { ...contender, loss: { on: 'listener', reason } };
  }
  if (hostname === undefined) {
    return {
      ...contender,
      loss: { on: 'hostname', reason: `it is for ${hostnames.join(', ')}, not ${request.host}` },
    };
  }
  const loss = lossOf(rule.matches[index]!, request, regex);
  return loss ? { ...contender, loss } : contender;
}

function lossOf(match: HttpMatch, request: MatchRequest, regex: RegexEngine): Loss | undefined {
  const { path, method, headers, queryParams } = match;
  if (!pathHolds(path, request.path, regex)) {
    return { on: 'path', reason: `its path is ${path.type} ${path.value}, not ${request.path}` };
  }
  if (method !== undefined && method !== request.method) {
    return { on: 'method', reason: `its method is ${method}, not ${request.method}` };
  }
  for (const header of firstOfEachName(headers)) {
    const value = request.header(header.name);
    if (!valueHolds(header, value, regex)) return valueLoss('header', header, value);
  }
  // The parser of the URL Standard. It would take a "?" at the start away, but not after an "&".
  const query = new URLSearchParams(`&${request.query}`);
  for (const param of firstOfEachName(queryParams)) {
    const value = query.get(param.name) ?? undefined;
    if (!valueHolds(param, value, regex)) return valueLoss('query', param, value);
  }
  return undefined;
}

function pathHolds({ type, value }: PathMatch, path: string, regex: RegexEngine): boolean {
  if (type === 'Exact') return path === value;
  if (type === 'RegularExpression') return expressionHolds(value, path, regex);
  // "Matching is ... done on a path element by element basis": /abc matches /abc, /abc/ and /abc/def, not /abcd.
  return value === '/' || path === value || path.startsWith(`${value}/`);
}

function valueHolds({ type, value }: ValueMatch, found: string | undefined, regex: RegexEngine): boolean {
  if (found === undefined) return false;
  return type === 'Exact' ? found === value : expressionHolds(value, found, regex);
}

function expressionHolds(source: string, value: string, regex: RegexEngine): boolean {
  const compiled = regex.compile(source);
  return 'regex' in compiled && compiled.regex.test(value);
}

function valueLoss(on: 'header' | 'query', wanted: ValueMatch, found: string | undefined): Loss {
  const what = on === 'header' ? 'header' : 'query parameter';
  const shown = shownValue(wanted.name, wanted.value);
  const value = wanted.type === 'Exact' ? shown : `a match of ${shown}`;
  const given = isCredentialName(wanted.name) ? 'another' : found;
  const instead = found === undefined ? 'the request has none' : `the request has ${given}`;
  return { on, reason: `its ${what} ${wanted.name} must be ${value}, and ${instead}` };
}

/** "Only the first entry with an equivalent name MUST be considered" (HTTPHeaderMatch.name, HTTPQueryParamMatch.name). */
function firstOfEachName(matches: readonly ValueMatch[]): ValueMatch[] {
  return matches.filter(({ name }, index) => matches.findIndex((each) => each.name === name) === index);
}
