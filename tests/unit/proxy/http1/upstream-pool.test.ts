/** How many connections there are to an endpoint, which of them is used, and what is left of those that go. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { UpstreamConnection } from '../../../../gateway-runtime/proxy/engine-http1/upstream-connection.ts';
import type { Endpoint } from '../../../../gateway-runtime/snapshot/snapshot.ts';
import { ManualClient } from './client.ts';

let server: Server;
const accepted = new Set<Socket>();
let endpoint: Endpoint;
let client: ManualClient;

const LIMITS = { connectionsPerEndpoint: 3, upstreamIdle: 1_000 };

beforeEach(async () => {
  server = createServer((socket) => {
    accepted.add(socket);
    socket.on('error', () => {}).on('close', () => accepted.delete(socket));
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  client = new ManualClient({ limits: LIMITS });
});
afterEach(async () => {
  client.context.pool.close();
  expect(client.context.pool).toMatchObject({ size: 0, endpoints: 0 });
  server.close();
  await once(server, 'close');
});

const take = (fresh = false, stream = false) => client.context.pool.take(endpoint, fresh, stream);

/** Sends a request on it and waits for the whole answer. */
function used(connection: UpstreamConnection): Promise<UpstreamConnection> {
  return new Promise((resolve, reject) => {
    connection.begin(
      {
        onUpstreamReady: () => {},
        onUpstreamMoved: () => {},
        onInformation: () => {},
        onUpstreamHead: () => true,
        onSwitch: () => {},
        onUpstreamBody: () => true,
        onUpstreamEnd: () => {
          connection.release();
          resolve(connection);
        },
        onUpstreamPause: () => {},
        onUpstreamFailure: (failure: string) => reject(new Error(failure)),
        fail: reject,
      },
      'GET / HTTP/1.1\r\n\r\n',
      false,
      false,
      false,
      true,
    );
  });
}

it('is used again, the one that was used last first', async () => {
  const [first, second] = [take()!, take()!];
  await used(first);
  await used(second);
  expect(take()).toBe(second);
  expect(take()).toBe(first);
  expect(take()).not.toBe(first);
});

it('is not one that has broken, which tells so a turn later', async () => {
  const [first, second] = [take()!, take()!];
  await used(first);
  await used(second);
  second.socket.destroy(new Error('reset'));
  expect(take()).toBe(first);
  await used(take()!);
});

it('is new where that is asked for', async () => {
  const first = await used(take()!);
  expect(take(true)).not.toBe(first);
  expect(take(false, true)).not.toBe(first);
  expect(take()).toBe(first);
});

it('is one of at most so many, and an idle one makes room for a new one', async () => {
  const [a, b, c] = [take()!, take()!, take()!];
  expect(take()).toBeUndefined();
  await Promise.all([used(a), used(b), used(c)]);
  expect(client.context.pool.size).toBe(3);
  const [d, e, f] = [take(true), take(true), take(true)];
  expect([d, e, f].every((each) => each && ![a, b, c].includes(each))).toBe(true);
  expect(client.context.pool.size).toBe(3);
  expect(take(true)).toBeUndefined();
});

it('goes after its time, and leaves nothing', async () => {
  await used(take()!);
  client.clock.pass(900);
  expect(client.context.pool.size).toBe(1);
  client.clock.pass(200);
  expect(client.context.pool).toMatchObject({ size: 0, endpoints: 0 });
});

it('is not one that has been idle for too long, also where nobody has looked yet', async () => {
  const first = await used(take()!);
  client.clock.now += 1_100;
  expect(take()).not.toBe(first);
  expect(first.socket.destroyed).toBe(true);
});

it('goes soon where many are idle: a server may have a thread for each', async () => {
  client = new ManualClient({ limits: { ...LIMITS, idleConnectionsPerEndpoint: 2, surplusIdle: 500 } });
  const [a, b, c] = [take()!, take()!, take()!];
  await used(a);
  await used(b);
  await used(c);
  client.clock.pass(400);
  expect(client.context.pool.size).toBe(3);
  client.clock.pass(200);
  expect([a, b, c].map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
});

it('goes when the other side closes it or says something unasked', async () => {
  for (const act of [
    (socket: Socket) => socket.end(),
    (socket: Socket) => socket.write('HTTP/1.1 408 x\r\n\r\n'),
  ]) {
    const { socket } = await used(take()!);
    const closed = once(socket, 'close');
    for (const each of accepted) act(each);
    await closed;
    expect(client.context.pool).toMatchObject({ size: 0, endpoints: 0 });
  }
});
