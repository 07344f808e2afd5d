/** A request that waits for a connection of its own takes any other that is free before: what happens to it, and to the one that it waited for. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ResponseSink, Upstream } from '../../../../gateway-runtime/proxy/engine-http1/upstream.ts';
import type { UpstreamConnection } from '../../../../gateway-runtime/proxy/engine-http1/upstream-connection.ts';
import type { TargetEndpoint } from '../../../../gateway-runtime/proxy/exchange.ts';
import type { UpstreamTls } from '../../../../gateway-runtime/proxy/upstream/upstream-tls.ts';
import { ManualClient, turn } from './client.ts';

let server: Server;
/** What came on each connection, and the socket to answer on. */
const accepted: { socket: Socket; text: string }[] = [];
let endpoint: TargetEndpoint;
let client: ManualClient;

beforeEach(async () => {
  accepted.length = 0;
  server = createServer((socket) => {
    const connection = { socket, text: '' };
    accepted.push(connection);
    socket.on('error', () => {}).setEncoding('latin1');
    socket.on('data', (text: string) => {
      connection.text += text;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // A connection over TLS is there once its handshake has ended, and here a test says when that is.
  const tls = { id: 'by hand', connect: () => connect(port, '127.0.0.1') } as unknown as UpstreamTls;
  endpoint = { address: '127.0.0.1', port, tls };
  client = new ManualClient({
    limits: { connectionsPerEndpoint: 3, upstreamIdle: 1_000, tlsHandshake: 500 },
  });
});
afterEach(async () => {
  client.context.pool.close();
  expect(client.context.pool).toMatchObject({ size: 0, endpoints: 0 });
  // That of the client.
  expect(client.clock.timed.size).toBe(1);
  server.close();
  for (const { socket } of accepted) socket.destroy();
  await once(server, 'close');
});

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !isSo(); await turn()) {
    if (performance.now() > end) throw new Error(`it never is so: ${isSo}`);
  }
}

/** Its handshake ends. */
async function connected(connection: UpstreamConnection): Promise<void> {
  if (connection.socket.connecting) await once(connection.socket, 'connect');
  connection.socket.emit('secureConnect');
}

interface Asking {
  fresh?: boolean;
  method?: string;
  /** Thrown once its answer has ended. */
  error?: Error;
  /** Of the request; undefined where it has none. */
  body?: string;
}

class Asked implements ResponseSink {
  readonly own: UpstreamConnection;
  upstream: Upstream;
  readonly told: string[] = [];
  readonly #body: string | undefined;
  readonly #error: Error | undefined;

  constructor(path: string, { fresh = false, method = 'GET', body, error }: Asking = {}) {
    this.#body = body;
    this.#error = error;
    this.own = client.context.pool.take(endpoint, fresh, false)!;
    this.upstream = this.own;
    const head = `${method} ${path} HTTP/1.1\r\n${body === undefined ? '' : `Content-Length: ${body.length}\r\n`}\r\n`;
    this.own.begin(this, head, method === 'HEAD', body !== undefined, false, true);
  }

  onUpstreamMoved(upstream: Upstream): void {
    this.told.push('moved');
    this.upstream = upstream;
  }
  onUpstreamReady(): void {
    if (this.#body === undefined) return;
    this.upstream.sendBody(Buffer.from(this.#body), 0, this.#body.length, true);
    this.upstream.endBody('');
  }
  onInformation(): void {}
  onUpstreamHead({ head }: Upstream): void {
    this.told.push(String(head.status));
  }
  onSwitch(): void {}
  onUpstreamBody(): boolean {
    return true;
  }
  onUpstreamEnd(): void {
    this.told.push('end');
    this.upstream.release();
    if (this.#error) throw this.#error;
  }
  onUpstreamPause(): void {}
  onUpstreamFailure(failure: string, repeatable: string): void {
    this.told.push(`${failure}, ${repeatable}`);
  }
  fail(error: unknown): void {
    this.told.push(String(error));
  }
}

const answer = (to: Socket, fields = '') => to.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${fields}\r\n`);

/** The backend has the head of this request. */
const has = (path: string) => () => accepted.some(({ text }) => text.includes(` ${path} `));
/** The backend's end of the connection that has this request. */
const backendOf = (path: string) => accepted.find(({ text }) => text.includes(` ${path} `))!;

/** Asks for something on a connection of its own, and has the answer. */
async function answered(path: string, asking: Asking = {}): Promise<Asked> {
  const asked = new Asked(path, asking);
  await connected(asked.own);
  await until(has(path));
  answer(backendOf(path).socket);
  await until(() => asked.told.includes('end'));
  return asked;
}

/** Two requests: the first is answered, and the second went on with its connection, the only one that is there. */
async function moved(): Promise<readonly [Asked, Asked]> {
  const [first, second] = [new Asked('/1'), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  answer(backendOf('/1').socket);
  await until(has('/2'));
  return [first, second];
}

it('is sent on one whose answer has ended, the oldest first, and one by one', async () => {
  const [first, second, third] = [new Asked('/1'), new Asked('/2'), new Asked('/3')];
  await connected(first.own);
  await until(has('/1'));
  const { socket } = accepted.find(({ text }) => text !== '')!;
  answer(socket);
  await until(has('/2'));
  expect([second.upstream, third.upstream]).toEqual([first.own, third.own]);
  answer(socket);
  await until(has('/3'));
  answer(socket);
  await until(() => third.told.includes('end'));
  expect([first.told, second.told, third.told]).toEqual([
    ['200', 'end'],
    ['moved', '200', 'end'],
    ['moved', '200', 'end'],
  ]);
});

it('with its body, where the endpoint is known to keep connections', async () => {
  const { own } = await answered('/0');
  const [first, second] = [new Asked('/1'), new Asked('/2', { method: 'POST', body: 'abc' })];
  expect(first.own).toBe(own);
  await until(has('/1'));
  const backend = backendOf('/1');
  answer(backend.socket);
  await until(() => backend.text.endsWith('abc'));
  expect(backend.text.slice(backend.text.indexOf('POST'))).toBe(
    'POST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc',
  );
  answer(backend.socket);
  await until(() => second.told.includes('end'));
});

it('leaves the one that it waited for to the next request, or to one that waits', async () => {
  const [first, second] = await moved();
  const third = new Asked('/3');
  await connected(second.own);
  await until(has('/3'));
  expect([second.upstream, third.upstream]).toEqual([first.own, second.own]);
  await connected(third.own);
  expect(new Asked('/4').own).toBe(third.own);
});

it('whose connection is closed unused is sent again, as on any that was kept', async () => {
  const [, second] = await moved();
  await connected(second.own);
  const third = new Asked('/3');
  expect(third.own).toBe(second.own);
  await until(has('/3'));
  accepted.find(({ text }) => text.includes('/3'))!.socket.resetAndDestroy();
  await until(() => third.told.length > 0);
  expect(third.told).toEqual(['reset, idempotent']);
});

it('is not one that has to be on a new connection, nor one that has begun', async () => {
  const [first, fresh, begun] = [
    new Asked('/1'),
    new Asked('/2', { fresh: true }),
    new Asked('/3', { body: '' }),
  ];
  begun.own.sendBody(Buffer.from('x'), 0, 1, true);
  await connected(first.own);
  await until(has('/1'));
  answer(accepted.find(({ text }) => text.includes('/1'))!.socket);
  await until(() => first.told.includes('end'));
  expect([fresh.told, begun.told]).toEqual([[], []]);
  expect(new Asked('/4').own).toBe(first.own);
});

it('is given up once: what it waited for goes on without it, and goes after its time', async () => {
  const [, second] = await moved();
  second.upstream.destroy();
  expect(client.context.pool.size).toBe(1);
  client.clock.pass(600);
  expect(client.context.pool.size).toBe(0);
  expect(second.told).toEqual(['moved']);
});

it('waits for its own where it must not be repeated, and the endpoint may close connections after each answer', async () => {
  const [first, second, third] = [
    new Asked('/1'),
    new Asked('/2', { method: 'POST' }),
    new Asked('/3', { method: 'PUT', body: 'abc' }),
  ];
  await connected(first.own);
  await until(has('/1'));
  answer(backendOf('/1').socket);
  backendOf('/1').socket.end();
  await until(() => first.told.includes('end'));
  for (const each of [second, third]) await connected(each.own);
  await until(() => has('/2')() && has('/3')());
  expect([second.told, third.told]).toEqual([[], []]);
});

it('takes no room from others: what it left is theirs where there may be no more', async () => {
  const [, second] = await moved();
  const [third, fourth] = [new Asked('/3'), new Asked('/4')];
  expect(third.own).not.toBe(second.own);
  expect(fourth.own).toBe(second.own);
  expect(client.context.pool.take(endpoint, false, false)).toBeUndefined();
  await connected(second.own);
  await until(has('/4'));
  answer(backendOf('/4').socket);
  await until(has('/3'));
  expect(third.upstream).toBe(second.own);
});

it('makes room for one that has to be on a new connection', async () => {
  const [first, second] = await moved();
  const fresh = [new Asked('/3', { fresh: true }), new Asked('/4', { fresh: true })];
  expect(second.own.socket.destroyed).toBe(true);
  expect(new Set([first, ...fresh].map(({ own }) => own)).size).toBe(3);
});

it('opens few connections that nobody wants, however slow they come to be', async () => {
  client = new ManualClient();
  const first = await answered('/first');
  for (let number = 0; number < 40; number++) {
    const [busy, waiting] = [new Asked(`/a${number}`), new Asked(`/b${number}`)];
    expect(busy.own).toBe(first.own);
    await until(has(`/a${number}`));
    answer(backendOf('/first').socket);
    await until(has(`/b${number}`));
    answer(backendOf('/first').socket);
    await until(() => waiting.told.includes('end'));
  }
  expect(client.context.pool.size).toBeLessThan(12);
  // Those are lost, most probably: one that is new may be there before them.
  client.clock.pass(300);
  const [busy, waiting] = [new Asked('/busy'), new Asked('/waiting')];
  expect(busy.own).toBe(first.own);
  expect(waiting.own.age).toBe(0);
  expect(client.context.pool.size).toBeLessThan(12);
});

it('leaves one that nobody has used below those that were', async () => {
  const [first, second] = await moved();
  answer(backendOf('/2').socket);
  await until(() => second.told.includes('end'));
  await connected(second.own);
  expect([new Asked('/3').own, new Asked('/4').own]).toEqual([first.own, second.own]);
});

it('leaves one that nobody has used for a short time', async () => {
  const [, second] = await moved();
  await connected(second.own);
  client.clock.pass(600);
  expect(second.own.socket.destroyed).toBe(true);
  expect(client.context.pool.size).toBe(1);
});

it('is not sent where a body may follow that belongs to the answer before', async () => {
  const [first, second] = [new Asked('/1', { method: 'HEAD' }), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  backendOf('/1').socket.write('HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n');
  await until(() => first.told.includes('end'));
  backendOf('/1').socket.write('HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n');
  await once(first.own.socket, 'close');
  expect(second.told).toEqual([]);
});

it('has nothing of what goes wrong after the answer before', async () => {
  const error = new Error('after its end');
  const [first, second] = [new Asked('/1', { error }), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  answer(backendOf('/1').socket);
  await until(has('/2'));
  answer(backendOf('/2').socket);
  await until(() => second.told.includes('end'));
  expect([second.told, first.told.at(-1)]).toEqual([['moved', '200', 'end'], String(error)]);
});

it('of a client goes on there with all that the client sends, and is answered', async () => {
  const busy = await answered('/0');
  const holder = new Asked('/1');
  expect(holder.own).toBe(busy.own);
  const { context } = client;
  const sender = new ManualClient({
    handler: { onRequest: (each) => each.forward(endpoint, false, true), onResponse: () => true },
  });
  Object.assign(sender.context, { pool: context.pool, mirrors: context.mirrors });
  await sender.send(
    'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n',
  );
  await until(has('/1'));
  const backend = backendOf('/1');
  answer(backend.socket);
  await until(has('/2'));
  backend.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  await until(() => sender.socket.sent.includes('100 Continue'));
  await sender.send('3\r\nabc\r\n0\r\n\r\n');
  await until(() => backend.text.endsWith('3\r\nabc\r\n0\r\n\r\n'));
  answer(backend.socket);
  await until(() => sender.statuses.includes(200));
  expect(sender.errors).toEqual([]);
  // It is back where it came from.
  expect(new Asked('/3').own).toBe(busy.own);
});
