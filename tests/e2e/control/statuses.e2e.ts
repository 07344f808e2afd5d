/** What ends up in the status of objects in a real API server, and how many writes it takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CONTROLLER_NAME } from '../../../gateway-runtime/api/names.ts';
import { PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import {
  gateway,
  gatewayClass,
  installCrds,
  pathOf,
  put,
  read,
  remove,
  route,
  type TestObject,
} from './objects.ts';
import { Replica } from './replica.ts';
import { WriteCounts } from './status-counts.ts';
import { settleThousandRoutes } from './thousand-routes.ts';

const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const GATEWAYS = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}
interface RouteStatus {
  readonly parents: readonly {
    readonly controllerName: string;
    readonly parentRef: { readonly name: string };
    readonly conditions: readonly Condition[];
  }[];
}
interface GatewayStatus {
  readonly conditions: readonly Condition[];
  readonly listeners: readonly { readonly name: string; readonly attachedRoutes: number }[];
}

let server: ApiServer;
let objects: TestObject[] = [];
const stops: { stop(): Promise<void> }[] = [];

const made = async (...added: TestObject[]) => {
  objects.push(...added);
  await put(server.client, ...added);
};

function replica(): Replica {
  const started = new Replica(server.connection);
  stops.push(started);
  return started;
}

async function counts(path: string): Promise<WriteCounts> {
  const counting = await WriteCounts.on(server.client, path);
  stops.push(counting);
  return counting;
}

const ours = (object: ApiObject | undefined) =>
  (object?.status as RouteStatus | undefined)?.parents.find(
    ({ controllerName }) => controllerName === CONTROLLER_NAME,
  );

/** Waits until the route has our entry with the generation that it is at. */
const settled = (name: string) =>
  eventually(10_000, async () => {
    const found = await read(server.client, route(name, []));
    const entry = ours(found);
    if (entry?.conditions[0]?.observedGeneration !== found.metadata.generation) {
      throw new Error(`${name} is not settled: ${JSON.stringify(found.status)}`);
    }
    return entry!;
  });

const patchStatus = (object: TestObject, operations: readonly object[]) =>
  server.client.call<ApiObject>('PATCH', `${pathOf(object)}/status?fieldManager=other`, {
    contentType: PATCH.json,
    body: operations,
  });

beforeAll(async () => {
  server = await ApiServer.start();
  await installCrds(server.client);
});

afterAll(() => server?.stop());

afterEach(async () => {
  for (const each of stops.splice(0)) await each.stop();
  await remove(server.client, ...objects);
  objects = [];
});

describe('statuses', () => {
  it('are complete for a class, a Gateway and a route, and written once', async () => {
    const [routes, gateways] = [await counts(ROUTES), await counts(GATEWAYS)];
    await made(gatewayClass, gateway('edge'), route('cart', [{ name: 'edge' }]));
    const control = replica();
    const entry = await settled('cart');
    expect(entry.conditions).toMatchObject([
      { type: 'Accepted', status: 'True' },
      { type: 'ResolvedRefs', status: 'True' },
    ]);
    const { status: classStatus } = await eventually(5_000, async () => {
      const found = await read(server.client, gatewayClass);
      expect(JSON.stringify(found.status)).toContain('supportedFeatures');
      return found;
    });
    expect((classStatus as GatewayStatus).conditions).toMatchObject([
      { type: 'Accepted', status: 'True', observedGeneration: 1 },
      { type: 'SupportedVersion', status: 'True', observedGeneration: 1 },
    ]);
    await eventually(5_000, async () => {
      const edge = (await read(server.client, gateway('edge'))).status as GatewayStatus;
      expect(edge.listeners).toMatchObject([{ name: 'http', attachedRoutes: 1 }]);
      expect(edge.conditions).toMatchObject([
        { type: 'Accepted', status: 'True' },
        { type: 'Programmed', status: 'True' },
        { type: 'ResolvedRefs', status: 'True' },
      ]);
    });
    const writes = () => [routes.of('cart'), gateways.of('edge'), control.cluster.statusWrites];
    await eventually(5_000, async () => expect(writes()).toEqual([1, 1, 3]));
    await sleep(500);
    expect(writes()).toEqual([1, 1, 3]);
    expect(control.problems).toEqual([]);
    expect(control.events).toEqual([]);
  });

  it('of a restarted control plane are not written again', async () => {
    await made(gatewayClass, gateway('edge'), route('cart', [{ name: 'edge' }]));
    const first = replica();
    await settled('cart');
    await eventually(5_000, async () => expect(first.cluster.statusWrites).toBe(3));
    await first.stop();
    const second = replica();
    await eventually(5_000, async () => expect(second.cluster.epoch).toBeDefined());
    await made(route('late', [{ name: 'edge' }]));
    await settled('late');
    await eventually(5_000, async () => expect(second.cluster.statusWrites).toBe(2));
  });

  it('follow the generation, and keep the time of what did not turn', async () => {
    await made(gatewayClass, gateway('edge'), route('cart', [{ name: 'edge' }]));
    replica();
    const before = await settled('cart');
    // Times have whole seconds.
    await sleep(1_100);
    await put(server.client, route('cart', [{ name: 'edge' }], { hostnames: ['other.example.com'] }));
    const after = await settled('cart');
    expect(after.conditions[0]).toMatchObject({
      observedGeneration: 2,
      lastTransitionTime: before.conditions[0]!.lastTransitionTime,
    });
    await sleep(1_100);
    await put(server.client, route('cart', [{ name: 'edge', sectionName: 'none' }]));
    const refused = await settled('cart');
    expect(refused.conditions[0]).toMatchObject({ status: 'False', observedGeneration: 3 });
    expect(refused.conditions[0]!.lastTransitionTime > before.conditions[0]!.lastTransitionTime).toBe(true);
  });

  it('lose our entries where the parent is gone, also while nobody looked', async () => {
    await made(
      gatewayClass,
      gateway('edge'),
      route('cart', [{ name: 'edge' }]),
      route('shop', [{ name: 'edge' }]),
    );
    const first = replica();
    await settled('cart');
    await settled('shop');
    await put(server.client, route('cart', [{ name: 'elsewhere' }]));
    const gone = (name: string) =>
      eventually(5_000, async () =>
        expect((await read(server.client, route(name, []))).status).toEqual({ parents: [] }),
      );
    await gone('cart');
    await first.stop();
    await put(server.client, route('shop', [{ name: 'elsewhere' }]));
    replica();
    await gone('shop');
  });

  it('take one write for each of 1,000 routes, and few for their Gateway', async () => {
    await made(gatewayClass, gateway('edge'));
    const control = replica();
    await eventually(5_000, async () => expect(control.cluster.statusWrites).toBe(2));
    const toEdge = (name: string) => route(name, [{ name: 'edge' }]);
    await settleThousandRoutes(server.client, made, toEdge, (object) => ours(object) !== undefined);
    expect(control.events).toEqual([]);
  });
});

describe('foreign controllers', () => {
  const foreignEntry = (controllerName: string, turn: number) => ({
    parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'theirs', port: 80 },
    controllerName,
    conditions: [
      {
        type: 'Accepted',
        status: turn % 2 === 0 ? 'True' : 'False',
        reason: 'Accepted',
        message: `Turn ${turn}: "é" < &`,
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  });

  /** Writes its own entry of every route again and again, by read, modify and write of the whole status. */
  async function interfere(controllerName: string, names: readonly string[], turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      for (const name of names) {
        await eventually(10_000, async () => {
          const found = await read(server.client, route(name, []));
          const parents = (found.status as RouteStatus | undefined)?.parents ?? [];
          const others = parents.filter((each) => each.controllerName !== controllerName);
          await server.client.call('PUT', `${pathOf(route(name, []))}/status`, {
            body: { ...found, status: { parents: [...others, foreignEntry(controllerName, turn)] } },
          });
        });
      }
    }
  }

  it('and ours write the statuses of the same routes without a fight', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `shared-${index}`);
    const routes = await counts(ROUTES);
    await made(gatewayClass, gateway('edge'));
    const control = replica();
    await made(...names.map((name) => route(name, [{ name: 'edge' }])));
    const [turns, edits] = [8, 4];
    const others = ['example.com/one', 'example.com/two'];
    await Promise.all([
      ...others.map((each) => interfere(each, names, turns)),
      (async () => {
        for (let edit = 0; edit < edits; edit++) {
          for (const name of names) {
            await put(
              server.client,
              route(name, [{ name: 'edge' }], { hostnames: [`e${edit}.example.com`] }),
            );
          }
        }
      })(),
    ]);
    for (const name of names) {
      await settled(name);
      const { status } = await read(server.client, route(name, []));
      const entries = (status as RouteStatus).parents.filter(
        ({ controllerName }) => controllerName !== CONTROLLER_NAME,
      );
      expect(entries.map((each) => JSON.stringify(each, Object.keys(each).sort())).length).toBe(2);
      for (const other of others) expect(entries).toContainEqual(foreignEntry(other, turns - 1));
    }
    const writes = await eventually(10_000, async () => {
      // A write counts when its answer is there, which may be after others see what was written.
      const before = control.cluster.statusWrites;
      await sleep(300);
      expect(control.cluster.statusWrites).toBe(before);
      return before;
    });
    // Nothing goes on once the others are quiet.
    await sleep(1_500);
    expect(control.cluster.statusWrites).toBe(writes);
    // One write for each state of the spec, at the most; not one for each write of the others.
    const ofRoutes = names.length * (1 + edits);
    expect(writes).toBeLessThanOrEqual(ofRoutes + 10);
    expect(routes.total).toBeLessThanOrEqual(ofRoutes + names.length * (edits + turns * others.length));
  });

  it('leave their bytes as they are, whatever we write beside them', async () => {
    await made(gatewayClass, gateway('edge'), route('cart', [{ name: 'elsewhere' }]));
    await patchStatus(route('cart', []), [
      { op: 'add', path: '/status', value: { parents: [foreignEntry('example.com/one', 1)] } },
    ]);
    const bytes = async () => {
      const { status } = await read(server.client, route('cart', []));
      return JSON.stringify((status as RouteStatus).parents[0]);
    };
    const before = await bytes();
    replica();
    await put(server.client, route('cart', [{ name: 'edge' }]));
    await settled('cart');
    expect(await bytes()).toBe(before);
    await put(server.client, route('cart', [{ name: 'elsewhere' }]));
    await eventually(5_000, async () => {
      const { status } = await read(server.client, route('cart', []));
      expect((status as RouteStatus).parents).toHaveLength(1);
    });
    expect(await bytes()).toBe(before);
  });

  it('that take our entries away again and again get them back ever more slowly', async () => {
    await made(gatewayClass, gateway('edge'), route('cart', [{ name: 'edge' }]));
    const control = replica();
    await settled('cart');
    await eventually(5_000, async () => expect(control.cluster.statusWrites).toBe(3));
    const until = performance.now() + 6_000;
    while (performance.now() < until) {
      await patchStatus(route('cart', []), [{ op: 'add', path: '/status', value: { parents: [] } }]);
      await sleep(20);
    }
    // After 1, 2 and 4 seconds, and not after each of some two hundred times.
    expect(control.cluster.statusWrites - 3).toBeLessThanOrEqual(3);
    expect(control.cluster.statusWrites - 3).toBeGreaterThanOrEqual(1);
    await settled('cart');
  });
});
