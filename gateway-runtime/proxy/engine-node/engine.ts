/**
 * The engine on node:http and http.request: strict and well known, so it is what other engines are compared with. Slower than
 * one on bare sockets.
 */
import type { TlsOptions } from 'node:tls';
import type { Engine, EngineServer } from '../engine.ts';
import type { ExchangeHandler } from '../exchange.ts';
import type { Limits } from '../limits.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { ExchangeContext } from './exchange.ts';
import { NodeServer } from './server.ts';

export class NodeEngine implements Engine {
  readonly protocols = ['http/1.1'];
  readonly #context: ExchangeContext;

  constructor(handler: ExchangeHandler, limits: Limits) {
    this.#context = {
      handler,
      limits,
      pool: new ConnectionPool(limits, limits.connectionsPerEndpoint),
      mirrors: new ConnectionPool(limits, limits.mirrorsPerEndpoint),
      inquiries: new ConnectionPool(limits, limits.connectionsPerEndpoint),
    };
  }

  serve(port: number, tls?: TlsOptions): EngineServer {
    return new NodeServer(this.#context, port, tls);
  }

  close(): void {
    this.#context.pool.close();
    this.#context.mirrors.close();
    this.#context.inquiries.close();
  }
}
