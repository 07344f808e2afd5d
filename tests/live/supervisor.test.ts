/** What a callback of the engine throws ends the request or connection that it was called for, and nothing else. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Engine, EngineServer } from '../../gateway-runtime/proxy/engine.ts';
import { Http1Engine } from '../../gateway-runtime/proxy/engine-http1/engine.ts';
import { NodeEngine } from '../../gateway-runtime/proxy/engine-node/engine.ts';
import type { Exchange, ExchangeHandler } from '../../gateway-runtime/proxy/exchange.ts';
import { LIMITS } from '../../gateway-runtime/proxy/limits.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Endpoint } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { issue } from '../support/certificates.ts';
import { RawClient, rawExchange } from '../support/client.ts';
import { until } from '../support/distribution.ts';
import { ENGINE } from '../support/engine.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

type Callback = Exclude<keyof ExchangeHandler, 'onInternalError'>;

/** Forwards everything, and throws in one callback where the path begins with `/broken`. */
class Fragile implements ExchangeHandler {
  readonly errors: unknown[] = [];
  readonly thrown: Callback[] = [];
  ended = 0;
  readonly #endpoint: Endpoint;
  readonly #in: Callback;

  constructor(endpoint: Endpoint, fragile: Callback) {
    this.#endpoint = endpoint;
    this.#in = fragile;
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
    } else exchange.forward(this.#endpoint, false, true);
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

let upstream: Backend;
let handler: Fragile;
let engine: Engine;
const servers: EngineServer[] = [];
let port: number;

/** What the path asks for. */
function answer(socket: Socket, path: string): void {
  if (path.includes('reset')) socket.destroy();
  else if (path.includes('cut')) {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut', () => socket.destroy());
  } else if (path.includes('switch')) {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nswitched',
    );
  } else if (!path.includes('silent')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
}

beforeEach(async () => {
  upstream = await Backend.tcp((socket) =>
    socket
      .on('end', () => socket.destroy())
      .on('data', (data: Buffer) => answer(socket, /^\S+ (\S+)/.exec(data.toString())?.[1] ?? '')),
  );
});
afterEach(async () => {
  for (const each of servers.splice(0)) {
    each.server.close();
    each.destroy();
  }
  engine?.close();
  await upstream.close();
});

async function serve(
  fragile: Callback,
  tls?: Parameters<Engine['serve']>[1],
  connections = LIMITS.connections,
) {
  handler = new Fragile(upstream.endpoint, fragile);
  const limits = { ...LIMITS, upstreamIdle: 200, connections };
  engine = ENGINE === 'node' ? new NodeEngine(handler, limits) : new Http1Engine(handler, limits);
  const made = engine.serve(80, tls);
  servers.push(made);
  made.server.listen(0, '127.0.0.1');
  await once(made.server, 'listening');
  port = (made.server.address() as AddressInfo).port;
}

const get = (path: string, fields = 'Connection: close\r\n') =>
  `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\n${fields}\r\n`;
/** Of four octets, with the end of the line. */
const BODY = 'Connection: close\r\nContent-Length: 4\r\n\r\nok';
const CHUNKED = 'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n';
const SWITCH = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

/** A request of somebody else, over connections that are kept and ones that are new. */
async function othersAreServed(): Promise<void> {
  const kept = await RawClient.open(port);
  kept.send(get('/fine', ''));
  await kept.until('\r\n\r\nok');
  expect(await rawExchange(port, get('/fine'))).toMatch(/^HTTP\/1\.1 200 /);
  kept.send(get('/fine'));
  expect((await kept.untilClosed()).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
}

async function nothingIsLeft(): Promise<void> {
  if (engine instanceof Http1Engine) {
    const own = engine;
    const none = { timed: 0, upstreams: 0, endpoints: 0 };
    await until(
      `nothing is held: ${JSON.stringify(own.held)}`,
      () => JSON.stringify(own.held) === JSON.stringify(none),
    );
  }
  await until('the backend has no connection', () => upstream.sockets.size === 0);
}

describe('what is thrown', () => {
  const requests: [Callback, string, string, RegExp][] = [
    ['onRequest', '/broken', '', /^HTTP\/1\.1 500 /],
    ['onResponse', '/broken', '', /^HTTP\/1\.1 500 /],
    ['onResponse', '/broken-switch', SWITCH, /^HTTP\/1\.1 500 |^$/],
    ['onFailure', '/broken-reset', '', /^HTTP\/1\.1 500 /],
    ['onBody', '/broken-hold', BODY, /^HTTP\/1\.1 500 /],
    ['onBodyTooLarge', '/broken-bound', CHUNKED, /^HTTP\/1\.1 500 /],
    ['onAuthorizationAnswer', '/broken-ask/fine', '', /^HTTP\/1\.1 500 /],
    ['onAuthorizationFailure', '/broken-ask/reset', '', /^HTTP\/1\.1 500 /],
    ['onAuthorizationFailure', '/broken-ask/switch', '', /^HTTP\/1\.1 500 /],
    ['onAuthorizationFailure', '/broken-ask/cut', '', /^HTTP\/1\.1 500 /],
    ['onEnd', '/broken', '', /^$|^HTTP\/1\.1 200 /],
    ['onEnd', '/broken-cut', '', /^$|^HTTP\/1\.1 200 /],
    ['onEnd', '/broken-reset', '', /^$|^HTTP\/1\.1 502 /],
  ];
  it.each(requests)('in %s (%s) ends that request', async (callback, path, fields, expected) => {
    await serve(callback);
    const before = await RawClient.open(port);
    before.send(get('/fine', ''));
    await before.until('ok');
    const client = await RawClient.open(port);
    client.send(get(path, fields || 'Connection: close\r\n'));
    expect(await client.untilClosed()).toMatch(expected);
    await until('it was told', () => handler.errors.length > 0);
    expect(handler.thrown).toEqual([callback]);
    expect(handler.errors).toMatchObject([{ message: `a defect in ${callback}` }]);
    before.send(get('/fine'));
    expect((await before.untilClosed()).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    await othersAreServed();
    await nothingIsLeft();
    expect(handler.ended).toBe(6);
  });

  it.each(['onFailure', 'onEnd'] as const)('in %s ends with a client that goes', async (callback) => {
    await serve(callback);
    const client = await RawClient.open(port);
    client.send(get('/broken-silent'));
    await until('it is asked', () => upstream.sockets.size === 1);
    // An end alone might be that of one who still reads.
    client.socket.resetAndDestroy();
    await until('it was told', () => handler.errors.length > 0);
    await othersAreServed();
    await nothingIsLeft();
    expect(handler.ended).toBe(4);
  });

  it('in onEnd ends a tunnel', async () => {
    await serve('onEnd');
    const client = await RawClient.open(port);
    client.send(get('/broken-switch', SWITCH));
    await client.until('switched');
    client.destroy();
    await until('it was told', () => handler.errors.length > 0);
    await othersAreServed();
    await nothingIsLeft();
  });

  it('in onMalformed ends that connection', async () => {
    await serve('onMalformed');
    await rawExchange(port, 'no request\r\n\r\n');
    expect(handler.errors).toHaveLength(1);
    await othersAreServed();
    await nothingIsLeft();
  });

  it('in onConnectionDropped does no harm', async () => {
    await serve('onConnectionDropped', undefined, 2);
    const held: RawClient[] = [];
    for (const _ of [1, 2]) {
      const client = await RawClient.open(port);
      held.push(client);
      const forwarded = once(upstream.server, 'connection');
      client.send(get('/silent'));
      await forwarded;
    }
    const third = await RawClient.open(port);
    await third.untilClosed();
    expect(handler.errors).toHaveLength(1);
    for (const { socket } of held) socket.resetAndDestroy();
    await nothingIsLeft();
  });

  it('in onConnectionDropped for an idle connection does no harm either', async () => {
    await serve('onConnectionDropped', undefined, 2);
    const idle = await RawClient.open(port);
    const client = await RawClient.open(port);
    if (ENGINE !== 'node') {
      await idle.untilClosed();
      expect(handler.errors).toHaveLength(1);
    }
    client.send(get('/fine'));
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
    idle.destroy();
    await nothingIsLeft();
  });

  it('in onHandshakeFailure does no harm', async () => {
    const { certificate, privateKey } = issue('shop/cert', ['a.example.com']);
    await serve('onHandshakeFailure', { cert: certificate, key: privateKey });
    for (let i = 0; i < 2; i++) {
      const socket = connectTcp(port, '127.0.0.1');
      const closed = once(
        socket.on('error', () => {}),
        'close',
      );
      socket.write('not TLS');
      await closed;
    }
    await until('it was told', () => handler.errors.length === 2);
    await nothingIsLeft();
  });
});

describe('a defect', () => {
  it('in the access log and in what is told of defects is counted, and requests go on', async () => {
    const metrics = new Metrics();
    const fail = () => {
      throw new Error('full');
    };
    const gateway = await TestGateway.serving(
      {
        resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
        endpoints: { whoami: [upstream.endpoint] },
      },
      { metrics, accessLog: fail, onDefect: fail },
    );
    try {
      for (let i = 0; i < 3; i++) {
        expect(await rawExchange(gateway.port(), get('/fine'))).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok$/s);
        expect(await rawExchange(gateway.port(), 'no request\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
      }
      expect(await metrics.text()).toMatch(/event="internal-error"} 6/);
    } finally {
      await gateway.agent.close();
    }
  });
});
