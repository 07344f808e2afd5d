/**
 * The engine on bare sockets: HTTP/1.1 as in RFC 9112, read strictly and in one pass, without streams, promises or closures per request.
 * Made of connections from clients (`client-stream.ts`), exchanges on them and connections to endpoints.
 */
import type { TlsOptions } from 'node:tls';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Engine, EngineServer } from '../engine.ts';
import type { ExchangeHandler } from '../exchange.ts';
import type { Limits } from '../limits.ts';
import type { TlsGate } from '../tls-routes/gate.ts';
import { Bulk } from './bulk.ts';
import type { Client } from './client-side.ts';
import { Clock } from './clock.ts';
import { Relief } from './relief.ts';
import { Http1Server } from './server.ts';
import { PUBLIC, type Transport } from './transport.ts';
import { Unsent } from './unsent.ts';
import { UpstreamPool } from './upstream-pool.ts';

/** What everything of an engine shares. */
export interface EngineContext {
  readonly handler: ExchangeHandler;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly bulk: Bulk;
  readonly unsent: Unsent;
  readonly transport: Transport;
  readonly pool: UpstreamPool;
  /** Apart, so that copies of requests take no connection from a request. */
  readonly mirrors: UpstreamPool;
  /** Apart, so that a slow authorization service takes none from a request either. */
  readonly inquiries: UpstreamPool;
}

export class Http1Engine implements Engine {
  readonly protocols = ['h2', 'http/1.1'];
  readonly #context: EngineContext;
  readonly #servers = new Set<Http1Server>();
  readonly #relief: Relief;

  constructor(handler: ExchangeHandler, limits: Limits, transport = PUBLIC) {
    const { headTime, clientIdle, clientStall, connect, response, upstreamStall, upstreamIdle } = limits;
    const { http2Silence, http2Ping, tlsHandshake } = limits;
    const shortest = Math.min(
      headTime,
      clientIdle,
      clientStall,
      connect,
      response,
      upstreamStall,
      upstreamIdle,
      http2Silence,
      http2Ping,
      tlsHandshake,
    );
    const onError = (error: unknown) => handler.onInternalError(error);
    const clock = new Clock(shortest, onError);
    const [bulk, unsent] = [new Bulk(onError), new Unsent(limits.unsent, onError)];
    this.#relief = new Relief({
      connections: () => this.#clients(),
      count: () => [...this.#servers].reduce((sum, { clients }) => sum + clients.size, 0),
      onError,
    });
    const context = { handler, limits, clock, bulk, unsent, transport } as {
      -readonly [Key in keyof EngineContext]: EngineContext[Key];
    };
    context.pool = new UpstreamPool(context, limits.connectionsPerEndpoint);
    context.mirrors = new UpstreamPool(context, limits.mirrorsPerEndpoint);
    context.inquiries = new UpstreamPool(context, limits.connectionsPerEndpoint);
    this.#context = context;
  }

  serve(port: number, tls?: TlsOptions, gate?: TlsGate): EngineServer {
    const server = new Http1Server(this.#context, port, tls, gate);
    this.#servers.add(server);
    server.server.on('close', () => this.#servers.delete(server));
    return server;
  }

  *#clients(): Generator<Client> {
    for (const { clients } of this.#servers) yield* clients;
  }

  relieve(backend: BackendKey, count: number, connections: number): void {
    this.#relief.give(backend, count, connections);
  }

  /** What is held: what has a time (connections of clients and to endpoints), connections to endpoints, and those endpoints. */
  get held(): { readonly timed: number; readonly upstreams: number; readonly endpoints: number } {
    const { clock, pool, mirrors, inquiries } = this.#context;
    return {
      timed: clock.size,
      upstreams: pool.size + mirrors.size + inquiries.size,
      endpoints: pool.endpoints + mirrors.endpoints + inquiries.endpoints,
    };
  }

  close(): void {
    this.#context.pool.close();
    this.#context.mirrors.close();
    this.#context.inquiries.close();
    this.#context.clock.stop();
  }
}
