/**
 * Connections to endpoints: kept alive, the most recent used first, and bounded in number. A request for which there is none waits for one of its own, and
 * takes any other that is free before: an endpoint to which many are opened at a time may be slow to accept them, or lose some, and a TCP handshake that
 * was lost begins again after a second (RFC 6298 section 2).
 */
import type { TargetEndpoint } from '../exchange.ts';
import { Http2Sessions } from '../upstream/http2/sessions.ts';
import type { EngineContext } from './engine.ts';
import type { Upstream } from './upstream.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { Http2Upstream } from './upstream-http2.ts';

interface EndpointConnections {
  /** All of them, those that were given away too. */
  open: number;
  /** Those that were used last are last. */
  readonly idle: UpstreamConnection[];
  /** Not connected yet, each with a request that any other could have; the oldest first. */
  readonly wanted: Set<UpstreamConnection>;
  /** Not connected yet, and their request went on with another; the oldest first. */
  readonly unwanted: UpstreamConnection[];
  /** A connection was answered on twice. */
  keepsAlive: boolean;
}

/** Connections that nobody wants any more, beyond which a new request waits for one of them rather than for one more. */
const MOST_UNWANTED = 8;
/** Milliseconds after which one is most probably lost, and a new one is there before it. */
const STALLED = 250;
/** Requests that wait, of which one is looked for that may go on another connection. */
const LOOKED_AT = 8;

export class UpstreamPool {
  readonly #context: EngineContext;
  readonly #most: number;
  readonly #byEndpoint = new Map<string, EndpointConnections>();
  readonly #all = new Set<UpstreamConnection>();
  readonly #http2: Http2Sessions;

  /** @param most connections to one endpoint */
  constructor(context: EngineContext, most: number) {
    this.#context = context;
    this.#most = most;
    this.#http2 = new Http2Sessions(context, most);
  }

  /** For one request: a connection of HTTP/1.1 as `take` gives it, or a place on one of HTTP/2, whichever the endpoint speaks. */
  upstream(endpoint: TargetEndpoint, fresh: boolean, stream: boolean): Upstream | undefined {
    if (!endpoint.isHttp2) return this.take(endpoint, fresh, stream);
    const request = this.#http2.take(endpoint, fresh);
    return request && new Http2Upstream(this.#context, request);
  }

  /**
   * An idle connection, one on its way that nobody wants any more, or a new one; undefined where the endpoint has as many as it may have.
   *
   * @param fresh a connection that no request used before
   * @param stream see UpstreamConnection; always a fresh one
   */
  take(endpoint: TargetEndpoint, fresh: boolean, stream: boolean): UpstreamConnection | undefined {
    const key = keyOf(endpoint);
    let connections = this.#byEndpoint.get(key);
    if (!connections) {
      connections = { open: 0, idle: [], wanted: new Set(), unwanted: [], keepsAlive: false };
      this.#byEndpoint.set(key, connections);
    }
    const { idle, unwanted } = connections;
    const isAnyGood = !fresh && !stream;
    while (isAnyGood && idle.length > 0) {
      const connection = idle.pop()!;
      // One that was reset says so at the end of this turn.
      if (connection.isUsable) return connection;
      connection.destroy();
    }
    const isFull = connections.open >= this.#most;
    if (isAnyGood && (isFull || unwanted.length >= MOST_UNWANTED)) {
      const youngest = unwanted.at(-1);
      if (youngest && (isFull || youngest.age < STALLED)) {
        unwanted.pop();
        connections.wanted.add(youngest);
        return youngest;
      }
      unwanted[0]?.destroy();
    }
    if (isFull) {
      // One that nobody uses makes room for one that has to be new.
      const unused = idle[0] ?? unwanted[0];
      if (!unused) return undefined;
      unused.destroy();
    }
    connections = this.#byEndpoint.get(key) ?? connections;
    this.#byEndpoint.set(key, connections);
    connections.open++;
    const connection = new UpstreamConnection(this.#context, this, endpoint, stream);
    this.#all.add(connection);
    if (isAnyGood) connections.wanted.add(connection);
    return connection;
  }

  /** It is there: whoever waits for it has it, or anybody. */
  connected(connection: UpstreamConnection): void {
    const connections = this.#byEndpoint.get(keyOf(connection.endpoint))!;
    if (connections.wanted.delete(connection)) return;
    const at = connections.unwanted.indexOf(connection);
    if (at < 0) return;
    connections.unwanted.splice(at, 1);
    // Whether the server, and not only its kernel, has it nobody knows yet: those that were used come first.
    if (!this.#takesOver(connection, connections)) connections.idle.unshift(connection);
  }

  /**
   * Takes it back for the next request, or for one that waits.
   *
   * @param isQuiet what comes on it next is the answer to the next request, as far as can be told
   */
  put(connection: UpstreamConnection, isQuiet: boolean): void {
    const connections = this.#byEndpoint.get(keyOf(connection.endpoint))!;
    if (connection.answers > 1) connections.keepsAlive = true;
    if (connections.wanted.size === 0 || !isQuiet || !this.#takesOver(connection, connections)) {
      connections.idle.push(connection);
    }
  }

  /** From the request that has waited longest. */
  #takesOver(connection: UpstreamConnection, { wanted, unwanted, keepsAlive }: EndpointConnections): boolean {
    let looked = 0;
    for (const other of wanted) {
      if (looked++ === LOOKED_AT) break;
      // Who closes after each answer, and does not say so, closes under this one.
      if (!keepsAlive && connection.answers > 0 && !other.isRepeatable) continue;
      wanted.delete(other);
      if (!connection.takeOver(other)) continue;
      unwanted.push(other);
      return true;
    }
    return false;
  }

  /** Whether it is one of more than are to stay idle, or was never used: servers have shorter times for a first request. */
  isSurplus({ endpoint, answers }: UpstreamConnection): boolean {
    const idle = this.#byEndpoint.get(keyOf(endpoint))?.idle;
    return (
      answers === 0 || (idle !== undefined && idle.length > this.#context.limits.idleConnectionsPerEndpoint)
    );
  }

  /** Connections, idle and in use. */
  get size(): number {
    return this.#all.size + this.#http2.size;
  }

  /** Endpoints that there are connections to. */
  get endpoints(): number {
    return this.#byEndpoint.size + this.#http2.endpoints;
  }

  /** It is closed, or will be. */
  forget(connection: UpstreamConnection): void {
    if (!this.#all.delete(connection)) return;
    const key = keyOf(connection.endpoint);
    const connections = this.#byEndpoint.get(key)!;
    const at = connections.idle.indexOf(connection);
    if (at >= 0) connections.idle.splice(at, 1);
    if (!connections.wanted.delete(connection)) {
      const unwantedAt = connections.unwanted.indexOf(connection);
      if (unwantedAt >= 0) connections.unwanted.splice(unwantedAt, 1);
    }
    if (--connections.open === 0) this.#byEndpoint.delete(key);
  }

  close(): void {
    this.#http2.close();
    for (const connection of [...this.#all]) {
      connection.destroy();
      connection.socket.destroy();
    }
  }
}

const keys = new WeakMap<TargetEndpoint, string>();

/** Endpoints are few and the same object for as long as they are. What is encrypted is apart for each trust and name. */
function keyOf(endpoint: TargetEndpoint): string {
  let key = keys.get(endpoint);
  if (key === undefined) {
    key = `${endpoint.address} ${endpoint.port} ${endpoint.tls?.id ?? ''}`;
    keys.set(endpoint, key);
  }
  return key;
}
