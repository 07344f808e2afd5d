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
  type Endpoint,
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

/** JSON.stringify takes several microseconds for a line; most of a line is the same for every request of a rule. */
export class AccessLogLines {
  readonly #gateway: string;
  readonly #matched: MatchedNames;
  readonly #listeners = new WeakMap<Listener, string>();
  readonly #rules = new WeakMap<RouteRule, string>();
  readonly #backends = new Map<BackendKey, string>();
  readonly #clients = new WeakMap<ClientIdentity, string>();
  #millisecond = 0;
  #time = '';

  /** `matched` is kept as it is by whoever knows the rules. */
  constructor(gateway: GatewayId, matched: MatchedNames) {
    this.#matched = matched;
    this.#gateway = `","gateway":${JSON.stringify(gatewayKey(gateway))}`;
  }

  /** Without line end. */
  request(exchange: Exchange, totals: ExchangeTotals): string {
    const { connection, request, outcome } = exchange;
    const { listener, rule, backend, endpoint, tried, session, failure, authorization } = outcome;
    const id = request.header('x-request-id');
    const duration = Math.round(totals.duration * 1_000) / 1_000;
    const path = request.path.length > LONGEST_PATH ? request.path.slice(0, LONGEST_PATH) : request.path;
    let line =
      `{"time":"${this.#now()}${this.#gateway}${listener ? this.#listener(listener) : ''},"port":${connection.port},"client":"${connection.remoteAddress}","protocol":"${exchange.protocol}",` +
      `"scheme":"${connection.tls ? 'https' : 'http'}","method":${quoted(request.method)},"host":${quoted(request.host)},` +
      `"path":${quoted(path)},"status":${totals.status},"bytesReceived":${totals.bytesReceived},` +
      `"bytesSent":${totals.bytesSent},"duration":${duration}`;
    if (connection.serverName !== undefined && connection.serverName !== request.host) {
      line += `,"serverName":${quoted(connection.serverName)}`;
    }
    if (listener) line += this.#matched.text(listener.key, request);
    if (connection.client) line += this.#client(connection.client);
    if (rule) line += this.#rule(rule);
    if (authorization) line += `,"authorization":"${authorization.result}"`;
    if (backend !== undefined) line += this.#backend(backend);
    if (endpoint) line += `,"endpoint":"${addressOf(endpoint)}"`;
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
    if (rule) line += this.#rule(rule);
    if (backend !== undefined) line += this.#backend(backend);
    if (endpoint) line += `,"endpoint":"${addressOf(endpoint)}"`;
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

  #rule(rule: RouteRule): string {
    let text = this.#rules.get(rule);
    if (text === undefined) {
      const { team, namespace, name, ruleName, rule: index } = rule.source;
      text = `,${JSON.stringify({ team, namespace, route: name, rule: ruleName ?? index }).slice(1, -1)}`;
      this.#rules.set(rule, text);
    }
    return text;
  }

  #backend(backend: BackendKey): string {
    let text = this.#backends.get(backend);
    if (text === undefined) {
      // Backends come and go; that of a route which is gone is made anew where it comes back.
      if (this.#backends.size >= 10_000) this.#backends.clear();
      text = `,"backend":${JSON.stringify(backend.slice('backend/'.length))}`;
      this.#backends.set(backend, text);
    }
    return text;
  }
}

const quoted = (text: string) => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

const addressOf = ({ address, port }: Endpoint) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
