/** Endpoints that can not be reached, with real sockets: one that refuses stands for one that swallows, for which not every machine has an address. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EndpointHealth, HEALTH_TIMES } from '../../../gateway-runtime/proxy/upstream/endpoint-health.ts';
import { Upstreams } from '../../../gateway-runtime/proxy/upstream/upstreams.ts';
import type { Endpoint } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { eventually } from '../../cluster/command.ts';
import { backendKey } from '../../support/gateway.ts';

const KEY = backendKey('a');
const TIMES = { ...HEALTH_TIMES, tick: 5, silence: 20, connect: 2000, slow: 20, again: 20 };

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An endpoint that takes connections, and how many it was asked for. */
async function listening(
  port = 0,
): Promise<{ endpoint: Endpoint; asked: () => number; close: () => Promise<void> }> {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.on('error', () => {}).resume();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return {
    endpoint: { address: '127.0.0.1', port: (server.address() as AddressInfo).port },
    asked: () => count,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

const copy = (endpoint: Endpoint): Endpoint => ({ ...endpoint });

describe('an endpoint', () => {
  it('at which requests wait is asked for a connection, and goes on being used where it gives one', async () => {
    const { endpoint, asked } = await listening();
    const health = new EndpointHealth(TIMES);
    health.sent(endpoint);
    await eventually(5000, async () => expect(asked()).toBeGreaterThan(1));
    expect(health.isAnyUnreachable).toBe(false);
    health.ended(endpoint);
  });

  it('that answers is never asked', async () => {
    const { endpoint, asked } = await listening();
    const slow = await listening();
    const health = new EndpointHealth(TIMES);
    health.sent(slow.endpoint);
    health.sent(endpoint);
    health.ended(endpoint);
    await eventually(5000, async () => expect(slow.asked()).toBeGreaterThan(2));
    expect(asked()).toBe(0);
  });

  it('that gives no connection is passed over until it does, also where it comes again as another object', async () => {
    const gone = await listening();
    const there = await listening();
    await gone.close();
    const health = new EndpointHealth(TIMES);
    const upstreams = new Upstreams({ health });
    const put = () =>
      upstreams.putEndpoints(KEY, { backend: KEY, endpoints: [copy(gone.endpoint), copy(there.endpoint)] });
    const ports = () => [1, 2, 3, 4].map(() => upstreams.next(KEY)!.port);
    put();
    expect(new Set(ports()).size).toBe(2);
    const endpoint = upstreams.next(KEY, 0, [there.endpoint])!;
    health.sent(endpoint);
    await eventually(5000, async () => expect(new Set(ports())).toEqual(new Set([there.endpoint.port])));
    put();
    expect(new Set(ports())).toEqual(new Set([there.endpoint.port]));
    // Tried are all others: better that one than none.
    expect(upstreams.next(KEY, 0, [there.endpoint])?.port).toBe(gone.endpoint.port);
    await listening(gone.endpoint.port);
    await eventually(5000, async () => expect(new Set(ports()).size).toBe(2));
  });

  it('that refuses a connection is passed over at once, and forgotten where nobody wants it', async () => {
    const { endpoint, close } = await listening();
    await close();
    const health = new EndpointHealth({ ...TIMES, forget: 50 });
    health.sent(endpoint);
    health.ended(endpoint, 'connect');
    expect(health.isUnreachable(endpoint)).toBe(true);
    await eventually(5000, async () => expect(health.isAnyUnreachable).toBe(false));
  });

  it('that can not even be asked is told of, and the others are looked after', async () => {
    const errors: unknown[] = [];
    const health = new EndpointHealth(TIMES, (error) => errors.push(error));
    const gone = await listening();
    await gone.close();
    for (const each of [{ address: '127.0.0.1', port: 70_000 }, gone.endpoint]) health.sent(each);
    await eventually(5000, async () => {
      expect(errors.length).toBeGreaterThan(1);
      expect(health.isUnreachable(gone.endpoint)).toBe(true);
    });
    expect(errors[0]).toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' });
  });
});
