/**
 * Where a request goes, and why. It stands on the reference matcher and on the filters themselves, so the answer on paper is the
 * answer on the wire; a property test holds it to the router.
 */
import { normalizeAuthority, normalizeHost, normalizePath } from '../match/normalize.ts';
import { type Evaluation, evaluate, listenersOf, mostSpecificListener } from '../match/reference.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { MatchRequest } from '../match/request.ts';
import { gatewayKey, type Snapshot } from '../snapshot/snapshot.ts';
import { connectionFailure, handshakeName } from './connection.ts';
import type { ExplainedListener, ExplainedMatch, ExplainedRequest, Explanation } from './explanation.ts';
import { explainService } from './service.ts';
import { explainTls } from './tls.ts';
import { clientsInWords, matchInWords, ruleNameOf } from './words.ts';

export interface ExplainedAt {
  /** Port of the Gateway, not one that it was moved to. */
  readonly port: number;
  /** Whether the client speaks TLS. By default as the port expects it. */
  readonly tls?: boolean;
  /** Server name of the TLS handshake, empty for none. By default the host; none where that is an address. */
  readonly serverName?: string;
  /** Whether the client has a certificate that the listener accepts. By default it has one. */
  readonly clientCertificate?: boolean;
  /** Address of the client. By default one from which it may come, if there is any. */
  readonly client?: string;
  /** Ports as a client sees them, for redirects. By default the same. */
  readonly publicPort?: (port: number) => number;
}

type Outcome = Omit<Explanation, 'gateway' | 'request'>;

const NOTHING = { listeners: [], matches: [], filters: [], backends: [] } as const;

/** Host and path of `request` need not be canonical: what can't be made so is explained as the 400 that it gets. */
export function explain(
  snapshot: Snapshot,
  at: ExplainedAt,
  request: MatchRequest,
  regex: RegexEngine,
): Explanation {
  const { method, query } = request;
  const listeners = listenersOf(snapshot, at.port);
  const tls = at.tls ?? (listeners.length > 0 && listeners[0]!.protocol !== 'HTTP');
  const answer = (
    asMatched: Pick<ExplainedRequest, 'host' | 'path' | 'given' | 'isConnection'>,
    outcome: Outcome,
  ) => ({
    gateway: gatewayKey(snapshot.gateway),
    request: { method, query, port: at.port, tls, ...asMatched },
    ...outcome,
  });

  const host = normalizeHost(request.host);
  const path = normalizePath(request.path);
  const malformed = (problem: string) =>
    answer(
      { host: request.host, path: request.path },
      { ...NOTHING, summary: `answered 400: ${problem}`, status: 400 },
    );
  if (typeof host !== 'string') return malformed(host.problem);
  if (typeof path !== 'string') return malformed(path.problem);
  const authority = normalizeAuthority(request.host, host);
  const header = (name: string) => (name === 'host' ? authority : request.header(name));
  const canonical: MatchRequest = { method, query, host, path, header };
  const isCanonical = host === request.host && path === request.path;
  const asMatched = {
    host,
    path,
    ...(isCanonical ? {} : { given: { host: request.host, path: request.path } }),
  };

  const serverName = tls ? handshakeName(at.serverName, host) : undefined;
  const arrived = serverName === undefined ? { port: at.port } : { port: at.port, serverName };
  const evaluation = evaluate(snapshot, arrived, canonical, regex);
  const explainedListeners = evaluation.listeners.map(({ listener, serves, reason }) => ({
    ...listenerName(listener),
    serves,
    reason,
  }));
  const failure = connectionFailure(listeners, at.port, serverName, at.clientCertificate ?? true);
  if (failure) {
    const unused = explainedListeners.map((each) => ({ ...each, serves: false }));
    return answer(asMatched, { ...NOTHING, listeners: unused, summary: failure });
  }
  const ofHandshake = serverName === undefined ? undefined : mostSpecificListener(listeners, serverName);
  if (ofHandshake?.protocol === 'TLS') {
    const ofConnection = listeners.map((each) => ({
      ...listenerName(each),
      serves: each === ofHandshake,
      reason: each === ofHandshake ? 'the server name chooses it' : 'the server name chooses another',
    }));
    return answer(
      { ...asMatched, isConnection: true },
      explainTls(snapshot, ofHandshake, serverName!, ofConnection),
    );
  }
  return answer(asMatched, {
    ...NOTHING,
    listeners: explainedListeners,
    matches: evaluation.matches.map(explainedMatch),
    ...(evaluation.winner
      ? explainService(evaluation, canonical, { ...at, tls }, snapshot)
      : { status: evaluation.status!, summary: notServed(evaluation, host, serverName) }),
  });
}

function notServed({ status, listener }: Evaluation, host: string, serverName: string | undefined): string {
  if (status === 421) {
    const name = serverName ? `the server name ${serverName}` : 'no server name';
    return `answered 421: the TLS handshake with ${name} was with another listener than the one of ${host}`;
  }
  return listener
    ? `answered 404: no rule at the listener ${listener.source.listener} matches`
    : `answered 404: no listener of the port takes the host ${host}`;
}

function listenerName({
  source,
  protocol,
  port,
  hostname,
  clientCertificates,
  minTlsVersion,
}: Evaluation['listeners'][number]['listener']): Omit<ExplainedListener, 'serves' | 'reason'> {
  const { kind, namespace, name, listener } = source;
  return {
    kind,
    namespace,
    name,
    listener,
    protocol,
    port,
    ...(hostname ? { hostname } : {}),
    ...(minTlsVersion ? { tls: `${minTlsVersion.replace('v', ' ')} or newer` } : {}),
    ...(clientCertificates ? { clients: clientsInWords(clientCertificates) } : {}),
  };
}

function explainedMatch({ rule, match, hostname, loss }: Evaluation['matches'][number]): ExplainedMatch {
  return {
    ...ruleNameOf(rule),
    match,
    asks: matchInWords(rule.matches[match]!),
    ...(hostname ? { hostname } : {}),
    outcome: !loss ? 'serves' : loss.on === 'precedence' ? 'outranked' : 'does not match',
    ...(loss ? { lostOn: loss.on, reason: loss.reason } : {}),
    ...(loss?.line ? { precedence: loss.line.id } : {}),
  };
}
