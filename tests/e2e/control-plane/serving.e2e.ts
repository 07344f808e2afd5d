/** From an object in a real API server to an answer of a data plane, and what the object's status says of it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { exchange } from '../../support/client.ts';
import { ApiServer } from '../control/api-server.ts';
import {
  gateway,
  gatewayClass,
  installCrds,
  put,
  read,
  remove,
  route,
  type TestObject,
} from '../control/objects.ts';
import { System } from './system.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly observedGeneration: number;
}

let server: ApiServer;
let system: System;
let objects: TestObject[] = [];

beforeAll(async () => {
  server = await ApiServer.start();
  await installCrds(server.client);
});
afterAll(() => server?.stop());

afterEach(async () => {
  await system?.stop();
  await remove(server.client, ...objects);
  objects = [];
});

async function made(...added: TestObject[]): Promise<void> {
  objects.push(...added);
  await put(server.client, ...added);
}

const conditionsOf = (object: ApiObject): readonly Condition[] => {
  const { parents, conditions } = (object.status ?? {}) as {
    parents?: readonly { conditions: readonly Condition[] }[];
    conditions?: readonly Condition[];
  };
  return conditions ?? parents?.[0]?.conditions ?? [];
};

const condition = async (object: TestObject, type: string) =>
  conditionsOf(await read(server.client, object)).find((each) => each.type === type);

/** Waits until an object has the condition so. */
const says = (object: TestObject, type: string, expected: Partial<Condition>) =>
  eventually(20_000, async () => expect(await condition(object, type)).toMatchObject(expected));

/** A route that answers by itself. */
const redirecting = (name: string, port: number): TestObject =>
  route(name, [{ name: 'edge' }], {
    rules: [
      {
        filters: [
          {
            type: 'RequestRedirect',
            requestRedirect: { hostname: 'there.example.com', port, statusCode: 302 },
          },
        ],
      },
    ],
  });

describe('a route', () => {
  it('is served after it was applied, says so, and is not served after it was deleted', async () => {
    system = await System.on(server);
    await made(gatewayClass, gateway('edge'), redirecting('shop', 81));
    await system.controlPlane();
    await says(gateway('edge'), 'Programmed', { status: 'False', reason: 'NoReplicas' });
    const dataPlane = await system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const port = await dataPlane.port();
    const ask = () => exchange(port, { host: 'shop.example.com', path: '/' });
    expect((await ask()).status).toBe(302);
    await says(gateway('edge'), 'Programmed', { status: 'True', observedGeneration: 1 });
    await says(redirecting('shop', 81), 'gatewright.dev/Programmed', {
      status: 'True',
      observedGeneration: 1,
    });
    await put(server.client, redirecting('shop', 82));
    await says(redirecting('shop', 81), 'gatewright.dev/Programmed', {
      status: 'True',
      observedGeneration: 2,
    });
    expect((await ask()).headers.location).toContain(':82/');
    await remove(server.client, redirecting('shop', 82));
    await eventually(5_000, async () => expect((await ask()).status).toBe(404));
  });
});
