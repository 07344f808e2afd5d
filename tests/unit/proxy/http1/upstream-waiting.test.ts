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
  while (!isSo()) await turn();
}

/** Its handshake ends. */
async function connected(connection: UpstreamConnection): Promise<void> {
  if (connection.socket.connecting) await once(connection.socket, 'connect');
  connection.socket.emit('secureConnect');
}

interface Asking {
  fresh?: boolean;
  /** Of the request; undefined where it has none. */
  body?: string;
}

class Asked implements ResponseSink {
  readonly own: UpstreamConnection;
  upstream: Upstream;
  readonly told: string[] = [];
  readonly #body: string | undefined;

  constructor(path: string, { fresh = false, body }: Asking = {}) {
    this.#body = body;
    this.own = client.context.pool.take(endpoint, fresh, false)!;
    this.upstream = this.own;
    const head = `GET ${path} HTTP/1.1\r\n${body === undefined ? '' : `Content-Length: ${body.length}\r\n`}\r\n`;
    this.own.begin(this, head, false, body !== undefined, false, true);
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
  }
  onUpstreamPause(): void {}
  onUpstreamFailure(failure: string, repeatable: string): void {
    this.told.push(`${failure}, ${repeatable}`);
  }
  onUpstreamError(error: unknown): void {
    this.told.push(String(error));
  }
}

const answer = (to: Socket, fields = '') => to.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${fields}\r\n`);

/** The backend has the head of this request. */
const has = (path: string) => () => accepted.some(({ text }) => text.includes(`GET ${path} `));

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

it('with its body', async () => {
  const [first, second] = [new Asked('/1'), new Asked('/2', { body: 'abc' })];
  await connected(first.own);
  await until(has('/1'));
  const backend = accepted.find(({ text }) => text !== '')!;
  answer(backend.socket);
  await until(() => backend.text.endsWith('abc'));
  expect(backend.text).toBe('GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc');
  answer(backend.socket);
  await until(() => second.told.includes('end'));
});

it('leaves the one that it waited for to the next request, or to one that waits', async () => {
  const [first, second] = [new Asked('/1'), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  answer(accepted.find(({ text }) => text !== '')!.socket);
  await until(has('/2'));
  const third = new Asked('/3');
  await connected(second.own);
  await until(has('/3'));
  expect([second.upstream, third.upstream]).toEqual([first.own, second.own]);
  await connected(third.own);
  expect(new Asked('/4').own).toBe(third.own);
});

it('whose connection is closed unused is sent again, as on any that was kept', async () => {
  const [first, second] = [new Asked('/1'), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  answer(accepted.find(({ text }) => text !== '')!.socket);
  await until(has('/2'));
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
  const [first, second] = [new Asked('/1'), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  answer(accepted.find(({ text }) => text !== '')!.socket);
  await until(has('/2'));
  second.upstream.destroy();
  expect(client.context.pool.size).toBe(1);
  client.clock.pass(600);
  expect(client.context.pool.size).toBe(0);
  expect(second.told).toEqual(['moved']);
});

it('takes no room from others, as nobody waits for what it left', async () => {
  const [first, second] = [new Asked('/1'), new Asked('/2')];
  await connected(first.own);
  await until(has('/1'));
  answer(accepted.find(({ text }) => text !== '')!.socket);
  await until(has('/2'));
  const [third, fourth] = [new Asked('/3'), new Asked('/4')];
  expect(third.own).not.toBe(second.own);
  expect(second.own.socket.destroyed).toBe(true);
  expect(fourth.own).not.toBe(third.own);
  expect(client.context.pool.take(endpoint, false, false)).toBeUndefined();
});
