/**
 * The access log: one JSON object per line and one line per request, written when its response has ended, whatever the request
 * holds; and one per connection of a TLSRoute. Durations are in milliseconds.
 *
 * What can be a secret is not in it: no header values but Host, a request id and what matches ask for, and of the query, where tokens
 * travel (`?access_token=`, signed URLs), only the parameters that they ask for (`matched-names.ts`). Paths are, cut at 2,048
 * characters. Of a client's certificate whether it was verified, and only if
 * so its subject, cut at 256 characters, and its fingerprint.
 */
import {
  type BackendKey,
  type GatewayId,
  gatewayKey,
  type Listener,
  type RouteRule,
} from '../../snapshot/snapshot.ts';
import type { ClientIdentity } from '../client-certificates.ts';
import type { ClientConnection, Exchange, ExchangeTotals } from '../exchange.ts';
import type { TlsConnection } from '../tls-routes/tls-connection.ts';
import type { MatchedNames } from './matched-names.ts';

const LONGEST_PATH = 2_048;
/** Ids of tracing systems, and nothing that could be something else. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** Text that stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** JSON.stringify takes several microseconds for a line. */
export class AccessLogLines {
  readonly #gateway: string;
  readonly #matched: MatchedNames;
  readonly #listeners = new WeakMap<Listener, string>();
  readonly #clients = new WeakMap<ClientIdentity, string>();
  #millisecond = 0;
  #time = '';

  /** `matched` is kept as it is by whoever knows the rules. */
  constructor(gateway: GatewayId, matched: MatchedNames) {
    this.#matched = matched;
    this.#gateway = inOnePiece(`","gateway":${JSON.stringify(gatewayKey(gateway))}`);
  }

  /** Without line end. */
  request(exchange: Exchange, totals: ExchangeTotals): string {
    const { connection, request, outcome } = exchange;
    const { listener, rule, plan, chosen, endpoint, tried, session } = outcome;
    const { failure, authorization, refusal } = outcome;
    const id = request.header('x-request-id');
    const path = request.path.length > LONGEST_PATH ? request.path.slice(0, LONGEST_PATH) : request.path;
    connection.text ??= saidOf(connection);
    let line =
      `{"time":"${this.#now()}${this.#gateway}${listener ? this.#listener(listener) : ''}${connection.text}"protocol":"${exchange.protocol}",` +
      `"method":${quoted(request.method)},"host":${quoted(request.host)},` +
      `"path":${quoted(path)},"status":${totals.status},"bytesReceived":${totals.bytesReceived},` +
      `"bytesSent":${totals.bytesSent},"duration":${durationText(totals.duration)}`;
    if (connection.serverName !== undefined && connection.serverName !== request.host) {
      line += `,"serverName":${quoted(connection.serverName)}`;
    }
    if (listener) line += this.#matched.text(listener.key, request);
    if (connection.client) line += this.#client(connection.client);
    if (refusal) line += `,"refusal":"${refusal}"`;
    if (authorization) line += `,"authorization":"${authorization.result}"`;
    const noted = chosen ?? plan;
    if (noted) line += noted.text ??= inOnePiece(servedBy(rule!, chosen?.backend));
    else if (rule) line += servedBy(rule);
    if (endpoint) line += `,"endpoint":"${endpoint.place}"`;
    if (tried.length > 1) line += `,"attempts":${tried.length}`;
    if (session && endpoint) line += `,"session":"${session.wordFor(endpoint)}"`;
    if (failure !== undefined) line += `,"failure":"${failure}"`;
    if (id !== undefined && REQUEST_ID.test(id)) line += `,"requestId":"${id}"`;
    return `${line}}`;
  }

  /** A connection of a TLSRoute, when it has ended. What was said on it is not known, so there is no method, path or status. */
  tlsConnection({ connection, listener, serverName, outcome, received, sent, begun }: TlsConnection): string {
    const { rule, backend, endpoint, tried, failure } = outcome;
    const duration = Math.round((performance.now() - begun) * 1_000) / 1_000;
    let line =
      `{"time":"${this.#now()}${this.#gateway}${this.#listener(listener)},"port":${connection.port},"client":"${connection.remoteAddress}","protocol":"TLS",` +
      `"scheme":"tls","host":${quoted(serverName)},"bytesReceived":${received},"bytesSent":${sent},"duration":${duration}`;
    if (rule) line += servedBy(rule, backend);
    if (endpoint) line += `,"endpoint":"${endpoint.place}"`;
    if (tried.length > 1) line += `,"attempts":${tried.length}`;
    if (failure !== undefined) line += `,"failure":"${failure}"`;
    return `${line}}`;
  }

  /** What came was no request, so there is little to say. */
  malformed({ remoteAddress, tls }: ClientConnection, status: number): string {
    return (
      `{"time":"${this.#now()}${this.#gateway},"client":"${remoteAddress}","scheme":"${tls ? 'https' : 'http'}",` +
      `"status":${status},"failure":"malformed-request"}`
    );
  }

  #now(): string {
    const now = Date.now();
    if (now !== this.#millisecond) {
      this.#millisecond = now;
      this.#time = new Date(now).toISOString();
    }
    return this.#time;
  }

  #listener(listener: Listener): string {
    let text = this.#listeners.get(listener);
    if (text === undefined) {
      const { kind, namespace, name } = listener.source;
      text = `,"listener":${JSON.stringify(listener.source.listener)}`;
      if (kind === 'ListenerSet') text += `,"listenerSet":${JSON.stringify(`${namespace}/${name}`)}`;
      text = inOnePiece(text);
      this.#listeners.set(listener, text);
    }
    return text;
  }

  #client(client: ClientIdentity): string {
    let text = this.#clients.get(client);
    if (text === undefined) {
      const { state, problem, subject, fingerprint } = client;
      const fields = {
        clientCertificate: state,
        clientCertificateProblem: problem,
        clientSubject: subject,
        clientFingerprint: fingerprint,
      };
      text = `,${JSON.stringify(fields).slice(1, -1)}`;
      this.#clients.set(client, text);
    }
    return text;
  }
}

/** Most of a line is the same for every request of a rule to one of its backends. */
function servedBy({ source }: RouteRule, backend?: BackendKey): string {
  const { team, namespace, name, ruleName, rule } = source;
  const fields = {
    team,
    namespace,
    route: name,
    rule: ruleName ?? rule,
    backend: backend?.slice('backend/'.length),
  };
  return `,${JSON.stringify(fields).slice(1, -1)}`;
}

/** Text that is kept: what was put together is a tree of its parts until it is written, and would be walked through for each line. */
const inOnePiece = (text: string) => Buffer.from(text).toString();

const quoted = (text: string) => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

const saidOf = ({ port, remoteAddress, tls }: ClientConnection) =>
  `,"port":${port},"client":"${remoteAddress}","scheme":"${tls ? 'https' : 'http'}",`;

/** Three digits each. A number with a fraction takes ten times as long to be written as whole ones. */
const THOUSANDTHS = Array.from({ length: 1_000 }, (_, n) => `.${String(n).padStart(3, '0')}`);

function durationText(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1_000);
  const whole = Math.floor(microseconds / 1_000);
  return whole + THOUSANDTHS[microseconds - whole * 1_000]!;
}
