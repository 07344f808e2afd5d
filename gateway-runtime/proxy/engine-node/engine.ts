/**
 * The engine on node:http and http.request: strict and well known, so it is what other engines are compared with. Slower than
 * one on bare sockets.
 */
import type { TlsOptions } from 'node:tls';
import type { Engine, EngineServer } from '../engine.ts';
import { Clock } from '../engine-http1/clock.ts';
import type { ExchangeHandler } from '../exchange.ts';
import type { Limits } from '../limits.ts';
import type { TlsGate } from '../tls-routes/gate.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { ExchangeContext } from './exchange.ts';
import { NodeServer } from './server.ts';

export class NodeEngine implements Engine {
  readonly protocols = ['http/1.1'];
  readonly #context: ExchangeContext;

  readonly #clock: Clock;

  constructor(handler: ExchangeHandler, limits: Limits) {
    const { connect, response, upstreamStall, upstreamIdle, http2Silence, http2Ping } = limits;
    const shortest = Math.min(connect, response, upstreamStall, upstreamIdle, http2Silence, http2Ping);
    this.#clock = new Clock(shortest, (error) => handler.onInternalError(error));
    this.#context = {
      handler,
      limits,
      pool: new ConnectionPool(handler, limits, this.#clock, limits.connectionsPerEndpoint),
      mirrors: new ConnectionPool(handler, limits, this.#clock, limits.mirrorsPerEndpoint),
      inquiries: new ConnectionPool(handler, limits, this.#clock, limits.connectionsPerEndpoint),
    };
  }

  serve(port: number, tls?: TlsOptions, gate?: TlsGate): EngineServer {
    return new NodeServer(this.#context, port, tls, gate);
  }

  close(): void {
    this.#context.pool.close();
    this.#context.mirrors.close();
    this.#context.inquiries.close();
    this.#clock.stop();
  }
}
