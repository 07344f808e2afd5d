/** Sessions at data planes of two replicas of the control plane: the same keys, from nothing but the roots that all replicas have. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, it } from '@jest/globals';
import { exchange } from '../../support/client.ts';
import { gateway, gatewayClass, route, service, type TestObject } from '../control/objects.ts';
import { Ground } from './ground.ts';

const ground = Ground.forEach();
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Not loopback, which no EndpointSlice may have. */
const HERE = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

async function backend(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name)).listen(0, HERE);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Two endpoints at one address, which takes a slice each. */
const slice = (name: string, port: number): TestObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'cart' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [HERE] }],
  ports: [{ name: '', port }],
});

it('are at one endpoint, whichever data plane is asked, and after all were started anew', async () => {
  const [a, b] = [await backend('a'), await backend('b')];
  const kept = route('shop', [{ name: 'edge' }], {
    rules: [{ sessionPersistence: { sessionName: 'S' }, backendRefs: [{ name: 'cart', port: 80 }] }],
  });
  await ground.made(
    service('cart'),
    slice('cart-a', a),
    slice('cart-b', b),
    gatewayClass,
    gateway('edge'),
    kept,
  );
  const start = async () => {
    const controls = [await ground.system.controlPlane(), await ground.system.controlPlane()];
    const planes = [
      await ground.system.dataPlane('edge', 'edge-1'),
      await ground.system.dataPlane('edge', 'edge-2'),
    ];
    for (const each of planes) await each.untilReady();
    return { controls, planes };
  };
  const ask = (port: number, cookie?: string) =>
    exchange(port, { host: 'shop.example.com', path: '/', headers: cookie ? { cookie } : {} });
  const first = await start();
  const begun = await ask(await first.planes[0]!.port());
  const cookie = begun.headers['set-cookie']![0]!.split(';')[0]!;
  expect(cookie).toMatch(/^S=[\w-]{64}$/);
  const isKept = async (planes: typeof first.planes) => {
    for (const plane of planes) {
      for (let i = 0; i < 3; i++) {
        const { status, body, headers } = await ask(await plane.port(), cookie);
        expect([status, body, headers['set-cookie']]).toEqual([200, begun.body, undefined]);
      }
    }
  };
  await isKept(first.planes);
  await Promise.all([
    ...first.controls.map((each) => each.end('SIGKILL')),
    ...first.planes.map((each) => each.kill()),
  ]);
  await isKept((await start()).planes);
});
