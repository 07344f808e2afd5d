/** A proxy whose handler throws in one callback. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import type { Engine, EngineServer } from '../../gateway-runtime/proxy/engine.ts';
import { Http1Engine } from '../../gateway-runtime/proxy/engine-http1/engine.ts';
import { ENGINES } from '../../gateway-runtime/proxy/engines.ts';
import type { Exchange, ExchangeHandler, TargetEndpoint } from '../../gateway-runtime/proxy/exchange.ts';
import { LIMITS, type Limits } from '../../gateway-runtime/proxy/limits.ts';
import type { Backend } from './backend.ts';
import { getText, RawClient, rawExchange } from './client.ts';
import { until } from './distribution.ts';
import { ENGINE } from './engine.ts';

export type Callback = Exclude<keyof ExchangeHandler, 'onInternalError'>;

/** Fields of a request, and its body: of four octets, with the end of the line. */
export const BODY = 'Connection: close\r\nContent-Length: 4\r\n\r\nok';
const CHUNKED = 'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n';

/** Whatever is spoken with the backend: where something is thrown, at which path, with which fields, and what the client gets. */
export const THROWS: readonly (readonly [Callback, string, string, RegExp])[] = [
  ['onRequest', '/broken', '', /^HTTP\/1\.1 500 /],
  ['onResponse', '/broken', '', /^HTTP\/1\.1 500 /],
  ['onFailure', '/broken-reset', '', /^HTTP\/1\.1 500 /],
  ['onBody', '/broken-hold', BODY, /^HTTP\/1\.1 500 /],
  ['onBodyTooLarge', '/broken-bound', CHUNKED, /^HTTP\/1\.1 500 /],
  ['onAuthorizationAnswer', '/broken-ask/fine', '', /^HTTP\/1\.1 500 /],
  ['onAuthorizationFailure', '/broken-ask/reset', '', /^HTTP\/1\.1 500 /],
  ['onAuthorizationFailure', '/broken-ask/cut', '', /^HTTP\/1\.1 500 /],
  ['onEnd', '/broken', '', /^$|^HTTP\/1\.1 200 /],
  ['onEnd', '/broken-cut', '', /^$|^HTTP\/1\.1 200 /],
  ['onEnd', '/broken-reset', '', /^$|^HTTP\/1\.1 502 /],
];

/** Forwards everything, and throws in one callback where the path begins with `/broken`. */
class Fragile implements ExchangeHandler {
  readonly errors: unknown[] = [];
  readonly thrown: Callback[] = [];
  ended = 0;
  readonly #endpoint: TargetEndpoint;
  readonly #in: Callback;
  readonly #mirror: TargetEndpoint;

  constructor(endpoint: TargetEndpoint, fragile: Callback, mirror: TargetEndpoint) {
    this.#endpoint = endpoint;
    this.#in = fragile;
    this.#mirror = mirror;
  }

  #perhaps(callback: Callback, path = '/broken'): void {
    if (callback !== this.#in || !path.startsWith('/broken')) return;
    this.thrown.push(callback);
    throw new Error(`a defect in ${callback}`);
  }

  onRequest(exchange: Exchange): void {
    const { path } = exchange.request;
    this.#perhaps('onRequest', path);
    if (path === '/broken-bound') exchange.boundBody(1);
    if (path === '/broken-hold') exchange.holdBody(10);
    else if (path.startsWith('/broken-ask')) {
      const target = path.slice('/broken-ask'.length);
      const asked = { method: 'GET', target, authority: 'a', fields: [], content: [] };
      exchange.authorize(this.#endpoint, asked, false);
    } else {
      if (path.startsWith('/broken-mirror')) exchange.mirror(this.#mirror);
      if (path === '/broken-mirrors') exchange.mirror(this.#mirror);
      exchange.forward(this.#endpoint, false, true);
    }
  }

  onResponse(exchange: Exchange): boolean {
    this.#perhaps('onResponse', exchange.request.path);
    return true;
  }

  onFailure(exchange: Exchange, failure: string): void {
    this.#perhaps('onFailure', exchange.request.path);
    if (failure !== 'client-gone') exchange.reply({ status: 502, headers: [], body: '' });
  }

  onEnd(exchange: Exchange): void {
    this.ended++;
    this.#perhaps('onEnd', exchange.request.path);
  }

  onMalformed(): void {
    this.#perhaps('onMalformed');
  }

  onConnectionDropped(): void {
    this.#perhaps('onConnectionDropped');
  }

  onBody(exchange: Exchange): void {
    this.#perhaps('onBody', exchange.request.path);
  }

  onBodyTooLarge(exchange: Exchange): void {
    this.#perhaps('onBodyTooLarge', exchange.request.path);
  }

  onAuthorizationAnswer(exchange: Exchange): void {
    this.#perhaps('onAuthorizationAnswer', exchange.request.path);
  }

  onAuthorizationFailure(exchange: Exchange): void {
    this.#perhaps('onAuthorizationFailure', exchange.request.path);
  }

  onMirrorDropped(): void {
    this.#perhaps('onMirrorDropped');
  }

  onHandshakeFailure(): void {
    this.#perhaps('onHandshakeFailure');
  }

  onInternalError(error: unknown): void {
    this.errors.push(error);
  }
}

export interface FragileOptions {
  readonly tls?: Parameters<Engine['serve']>[1];
  readonly limits?: Partial<Limits>;
  /** Requests to `/broken-mirror` are copied to it, those to `/broken-mirrors` twice. Default: the backend itself. */
  readonly mirror?: TargetEndpoint;
  /** The backend speaks HTTP/2. */
  readonly isHttp2?: boolean;
}

export class FragileProxy {
  readonly handler: Fragile;
  readonly port: number;
  readonly #engine: Engine;
  readonly #server: EngineServer;
  readonly #upstream: Backend;

  private constructor(
    handler: Fragile,
    engine: Engine,
    server: EngineServer,
    upstream: Backend,
    port: number,
  ) {
    this.handler = handler;
    this.#engine = engine;
    this.#server = server;
    this.#upstream = upstream;
    this.port = port;
  }

  static async serving(
    upstream: Backend,
    fragile: Callback,
    { tls, limits, mirror, isHttp2 = false }: FragileOptions = {},
  ): Promise<FragileProxy> {
    const endpoint = { ...upstream.endpoint, isHttp2 };
    const handler = new Fragile(endpoint, fragile, mirror ?? endpoint);
    const all = { ...LIMITS, upstreamIdle: 200, ...limits };
    const engine = ENGINES[ENGINE](handler, all);
    const made = engine.serve(80, tls);
    made.server.listen(0, '127.0.0.1');
    await once(made.server, 'listening');
    const { port } = made.server.address() as AddressInfo;
    return new FragileProxy(handler, engine, made, upstream, port);
  }

  async close(): Promise<void> {
    this.#server.server.close();
    this.#server.destroy();
    this.#engine.close();
  }

  /** A client that goes while the backend has its request, and is silent. */
  async clientGoes(): Promise<void> {
    const client = await RawClient.open(this.port);
    client.send(getText('/broken-silent'));
    await until('it is asked', () => this.#upstream.sockets.size === 1);
    // An end alone might be that of one who still reads.
    client.socket.resetAndDestroy();
  }

  /** What was thrown was told of, once. */
  async toldOf(callback: Callback): Promise<void> {
    await until('it was told', () => this.handler.errors.length > 0);
    expect(this.handler.thrown).toEqual([callback]);
    expect(this.handler.errors).toMatchObject([{ message: `a defect in ${callback}` }]);
  }

  /** Requests of somebody else, over connections that are kept and ones that are new. */
  async othersAreServed(): Promise<void> {
    const kept = await RawClient.open(this.port);
    kept.send(getText('/fine', ''));
    await kept.until('\r\n\r\nok');
    expect(await rawExchange(this.port, getText('/fine'))).toMatch(/^HTTP\/1\.1 200 /);
    kept.send(getText('/fine'));
    expect((await kept.untilClosed()).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  }

  async nothingIsLeft(): Promise<void> {
    const engine = this.#engine;
    if (engine instanceof Http1Engine) {
      const none = JSON.stringify({ timed: 0, upstreams: 0, endpoints: 0 });
      await until('nothing is held', () => JSON.stringify(engine.held) === none);
    }
    await until('the backend has no connection', () => this.#upstream.sockets.size === 0);
  }
}
