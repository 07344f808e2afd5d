/** What a control plane holds after many routes came and went: what it held before. */
import { expect, it } from '@jest/globals';
import { eventually } from '../../cluster/command.ts';
import { gateway, gatewayClass, namespace, put, read, type TestObject } from '../control/objects.ts';
import { redirecting } from './conditions.ts';
import { Ground } from './ground.ts';
import { Inspector } from './inspector.ts';

const ROUTES = 10_000;
/** The first round fills what stays: code, caches, connections. */
const WARM_UP = 3_000;
const AT_ONCE = 24;
/** Of one namespace, only so many routes are attached. */
const NAMESPACES = ['one', 'two', 'three'];
const collection = (name: string) => `/apis/gateway.networking.k8s.io/v1/namespaces/${name}/httproutes`;

const ground = Ground.forAll();

async function attached(edge: TestObject): Promise<number> {
  const { status } = (await read(ground.client, edge)) as {
    status?: { listeners?: readonly { attachedRoutes: number }[] };
  };
  return status?.listeners?.[0]?.attachedRoutes ?? -1;
}

/** Makes so many routes, has all of them counted, and takes them away again. */
async function comeAndGo(edge: TestObject, count: number, generation: number): Promise<void> {
  const routes = Array.from({ length: count }, (_, i) => {
    const made = redirecting(`r${generation}-${i}`, 8000 + (i % 1000));
    const spec = { ...(made.spec as object), parentRefs: [{ name: 'edge', namespace: 'default' }] };
    return { ...made, spec, metadata: { ...made.metadata, namespace: NAMESPACES[i % NAMESPACES.length]! } };
  });
  const left = routes.values();
  const work = async () => {
    for (const route of left) await put(ground.client, route);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const settled = (wanted: number) =>
    eventually(120_000, async () => {
      const found = await attached(edge);
      if (found !== wanted) throw new Error(`${found} of ${wanted} routes are attached`);
    });
  await settled(count);
  // One call deletes thousands.
  for (const name of NAMESPACES) {
    await ground.client.call('DELETE', collection(name), { timeout: 120_000 });
  }
  await settled(0);
}

it('is back within 5 % after 10,000 routes came and went', async () => {
  const edge = gateway('edge', [
    { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
  ]);
  await put(ground.client, ...NAMESPACES.map(namespace), gatewayClass, edge);
  const control = await ground.system.controlPlane(ground.server.connection, ['--inspect=127.0.0.1:0']);
  const inspector = await Inspector.at(await control.inspector());
  await comeAndGo(edge, WARM_UP, 1);
  const before = await inspector.heap();
  await comeAndGo(edge, ROUTES, 2);
  // Events of the API server that still come, and statuses that are still written, end by themselves.
  let after = 0;
  await eventually(60_000, async () => {
    after = await inspector.heap();
    if (after > before * 1.05) throw new Error(`${after} bytes are held, ${before} before`);
  });
  inspector.close();
  expect(after).toBeLessThanOrEqual(before * 1.05);
}, 600_000);
