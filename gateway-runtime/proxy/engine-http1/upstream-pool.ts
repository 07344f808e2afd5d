/** Connections to endpoints: kept alive, the most recent used first, and bounded in number. */
import type { TargetEndpoint } from '../exchange.ts';
import { Http2Sessions } from '../upstream/http2/sessions.ts';
import type { EngineContext } from './engine.ts';
import type { Upstream } from './upstream.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { Http2Upstream } from './upstream-http2.ts';

interface EndpointConnections {
  /** All of them, those that were given away too. */
  open: number;
  readonly idle: UpstreamConnection[];
}

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
    return request && new Http2Upstream(request, this.#context.limits.headFields);
  }

  /**
   * An idle connection, or a new one; undefined where the endpoint has as many as it may have.
   *
   * @param fresh a connection that no request used before
   * @param stream see UpstreamConnection; always a fresh one
   */
  take(endpoint: TargetEndpoint, fresh: boolean, stream: boolean): UpstreamConnection | undefined {
    const key = keyOf(endpoint);
    let connections = this.#byEndpoint.get(key);
    if (!connections) {
      connections = { open: 0, idle: [] };
      this.#byEndpoint.set(key, connections);
    }
    const { idle } = connections;
    while (!fresh && !stream && idle.length > 0) {
      const connection = idle.pop()!;
      // One that was reset says so at the end of this turn.
      if (!connection.socket.destroyed) return connection;
    }
    if (connections.open >= this.#most) {
      // An idle one makes room for one that has to be new.
      if (idle.length === 0) return undefined;
      idle[0]!.destroy();
    }
    connections = this.#byEndpoint.get(key) ?? connections;
    this.#byEndpoint.set(key, connections);
    connections.open++;
    const connection = new UpstreamConnection(this.#context, this, endpoint, stream);
    this.#all.add(connection);
    return connection;
  }

  /** Takes it back for the next request. */
  put(connection: UpstreamConnection): void {
    const idle = this.#byEndpoint.get(keyOf(connection.endpoint))?.idle;
    if (idle && idle.length < this.#context.limits.idleConnectionsPerEndpoint) idle.push(connection);
    else connection.destroy();
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
