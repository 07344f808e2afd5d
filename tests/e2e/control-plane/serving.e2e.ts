/** From an object in a real API server to an answer of a data plane, and what the object's status says of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { exchange } from '../../support/client.ts';
import { ApiServer } from '../control/api-server.ts';
import {
  gateway,
  gatewayClass,
  installCrds,
  namespace,
  put,
  remove,
  route,
  service,
  type TestObject,
} from '../control/objects.ts';
import { WriteCounts } from '../control/status-counts.ts';
import { conditionsOf, ROUTE_PROGRAMMED, redirecting, says } from './conditions.ts';
import { System } from './system.ts';

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

describe('a route', () => {
  it('is served after it was applied, says so, and is not served after it was deleted', async () => {
    system = await System.on(server);
    await made(gatewayClass, gateway('edge'), redirecting('shop', 81));
    await system.controlPlane();
    await says(server.client, gateway('edge'), 'Programmed', { status: 'False', reason: 'NoReplicas' });
    const dataPlane = await system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const port = await dataPlane.port();
    const ask = () => exchange(port, { host: 'shop.example.com', path: '/' });
    expect((await ask()).status).toBe(302);
    await says(server.client, gateway('edge'), 'Programmed', { status: 'True', observedGeneration: 1 });
    await says(server.client, redirecting('shop', 81), ROUTE_PROGRAMMED, {
      status: 'True',
      observedGeneration: 1,
    });
    await put(server.client, redirecting('shop', 82));
    await says(server.client, redirecting('shop', 81), ROUTE_PROGRAMMED, {
      status: 'True',
      observedGeneration: 2,
    });
    expect((await ask()).headers.location).toContain(':82/');
    await remove(server.client, redirecting('shop', 82));
    await eventually(5_000, async () => expect((await ask()).status).toBe(404));
  });
});

describe('a ReferenceGrant', () => {
  it('that is revoked takes its backend from data planes within a second', async () => {
    system = await System.on(server);
    const grant: TestObject = {
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'shop', namespace: 'backends' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }],
        to: [{ group: '', kind: 'Service' }],
      },
    };
    const granted = route('shop', [{ name: 'edge' }], {
      rules: [{ backendRefs: [{ name: 'cart', namespace: 'backends', port: 80 }] }],
    });
    // Without a controller manager a namespace never goes away, so it is not one of those to be removed.
    await put(server.client, namespace('backends'));
    await made(
      { ...service('cart'), metadata: { name: 'cart', namespace: 'backends' } },
      grant,
      gatewayClass,
      gateway('edge'),
      granted,
    );
    await system.controlPlane();
    const dataPlane = await system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const port = await dataPlane.port();
    const status = async () => (await exchange(port, { host: 'shop.example.com', path: '/' })).status;
    // It may be asked, and has no endpoint.
    await eventually(5_000, async () => expect(await status()).toBe(503));
    await says(server.client, granted, 'ResolvedRefs', { status: 'True' });
    await remove(server.client, grant);
    const revoked = performance.now();
    await eventually(1_000, async () => expect(await status()).toBe(500));
    process.stderr.write(`refused ${Math.round(performance.now() - revoked)} ms after the grant was gone\n`);
    await says(server.client, granted, 'ResolvedRefs', { status: 'False', reason: 'RefNotPermitted' });
    await says(server.client, granted, ROUTE_PROGRAMMED, { status: 'True' });
  });
});

describe('admin', () => {
  it('tells what a replica does, and no secret', async () => {
    system = await System.on(server);
    const secret: TestObject = route('shop', [{ name: 'edge' }], {
      rules: [
        {
          matches: [{ headers: [{ name: 'authorization', value: 'Basic c2VjcmV0' }] }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'there.example.com' } }],
        },
      ],
    });
    await made(gatewayClass, gateway('edge'), secret);
    const control = await system.controlPlane();
    const dataPlane = await system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    await says(server.client, secret, ROUTE_PROGRAMMED, { status: 'True' });
    const { body: metrics } = await control.ask('/metrics');
    for (const line of [
      'gatewright_leader 1',
      'gatewright_streams{gateway="default/edge"} 1',
      'gatewright_informer_synced{kind="HTTPRoute"} 1',
      'gatewright_problems{severity="error"} 0',
    ]) {
      expect(metrics).toContain(`\n${line}\n`);
    }
    expect(Number(/\ngatewright_status_writes_total (\d+)\n/.exec(metrics)![1])).toBeGreaterThanOrEqual(3);
    expect(Number(/gatewright_translate_duration_seconds_count (\d+)/.exec(metrics)![1])).toBeGreaterThan(0);
    const snapshot = await control.ask('/snapshot?gateway=default/edge');
    expect(JSON.parse(snapshot.body).gateway).toEqual({ namespace: 'default', name: 'edge' });
    expect(snapshot.body).not.toContain('c2VjcmV0');
    expect((await control.ask('/snapshot?gateway=default/none')).status).toBe(404);
    expect((await control.ask('/other')).body).toContain('/readyz');
    expect((await control.ask('/healthz')).status).toBe(200);
  });
});

describe('1,000 routes', () => {
  it('settle with one write each that says that they are served, and few writes to their Gateway', async () => {
    system = await System.on(server);
    await made(gatewayClass, gateway('edge'));
    await system.controlPlane();
    const dataPlane = await system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    await says(server.client, gateway('edge'), 'Programmed', { status: 'True' });
    const routes = await WriteCounts.on(server.client, ROUTES);
    const gateways = await WriteCounts.on(server.client, GATEWAYS);
    const names = Array.from({ length: 1_000 }, (_, index) => `route-${index}`);
    const all = names.map((name) => redirecting(name, 81));
    objects.push(...all);
    const created = performance.now();
    await put(server.client, ...all);
    const began = performance.now();
    await eventually(30_000, async () => {
      const { listeners } = gateways.objects.get('edge')!.status as {
        listeners: readonly { attachedRoutes: number }[];
      };
      const missing = names.filter((name) => !isServed(routes.objects.get(name)));
      if (listeners[0]!.attachedRoutes !== names.length || missing.length > 0) {
        throw new Error(`${listeners[0]!.attachedRoutes} attached, ${missing.length} not served`);
      }
    });
    const seconds = (performance.now() - began) / 1000;
    process.stderr.write(
      `1,000 routes were made in ${((began - created) / 1000).toFixed(1)} s and settled ${seconds.toFixed(2)} s later, ` +
        `with ${gateways.of('edge')} writes to the Gateway\n`,
    );
    expect(seconds).toBeLessThan(3);
    await sleep(2_000);
    expect(names.filter((name) => routes.of(name) !== 1)).toEqual([]);
    expect(gateways.of('edge')).toBeLessThan(20);
    await Promise.all([routes.stop(), gateways.stop()]);
  });
});

const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const GATEWAYS = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';

const isServed = (object: ApiObject | undefined) =>
  conditionsOf(object).some(({ type, status }) => type === ROUTE_PROGRAMMED && status === 'True');
