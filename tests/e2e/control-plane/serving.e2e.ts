/** From an object in a real API server to an answer of a data plane, and what the object's status says of it. */

import { describe, expect, it } from '@jest/globals';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { exchange } from '../../support/client.ts';
import {
  gateway,
  gatewayClass,
  namespace,
  put,
  remove,
  route,
  service,
  type TestObject,
} from '../control/objects.ts';
import { settleThousandRoutes } from '../control/thousand-routes.ts';
import { conditionsOf, ROUTE_PROGRAMMED, redirecting, says } from './conditions.ts';
import { Ground } from './ground.ts';

const ground = Ground.forEach();

describe('a route', () => {
  it('is served after it was applied, says so, and is not served after it was deleted', async () => {
    await ground.made(gatewayClass, gateway('edge'), redirecting('shop', 81));
    await ground.system.controlPlane();
    await says(ground.client, gateway('edge'), 'Programmed', { status: 'False', reason: 'NoReplicas' });
    const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const port = await dataPlane.port();
    const ask = () => exchange(port, { host: 'shop.example.com', path: '/' });
    expect((await ask()).status).toBe(302);
    await says(ground.client, gateway('edge'), 'Programmed', { status: 'True', observedGeneration: 1 });
    await says(ground.client, redirecting('shop', 81), ROUTE_PROGRAMMED, {
      status: 'True',
      observedGeneration: 1,
    });
    await put(ground.client, redirecting('shop', 82));
    await says(ground.client, redirecting('shop', 81), ROUTE_PROGRAMMED, {
      status: 'True',
      observedGeneration: 2,
    });
    expect((await ask()).headers.location).toContain(':82/');
    await remove(ground.client, redirecting('shop', 82));
    await eventually(5_000, async () => expect((await ask()).status).toBe(404));
  });
});

describe('a ReferenceGrant', () => {
  it('that is revoked takes its backend from data planes within a second', async () => {
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
    await put(ground.client, namespace('backends'));
    await ground.made(
      { ...service('cart'), metadata: { name: 'cart', namespace: 'backends' } },
      grant,
      gatewayClass,
      gateway('edge'),
      granted,
    );
    await ground.system.controlPlane();
    const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const port = await dataPlane.port();
    const status = async () => (await exchange(port, { host: 'shop.example.com', path: '/' })).status;
    // It may be asked, and has no endpoint.
    await eventually(5_000, async () => expect(await status()).toBe(503));
    await says(ground.client, granted, 'ResolvedRefs', { status: 'True' });
    await remove(ground.client, grant);
    const revoked = performance.now();
    await eventually(1_000, async () => expect(await status()).toBe(500));
    process.stderr.write(`refused ${Math.round(performance.now() - revoked)} ms after the grant was gone\n`);
    await says(ground.client, granted, 'ResolvedRefs', { status: 'False', reason: 'RefNotPermitted' });
    await says(ground.client, granted, ROUTE_PROGRAMMED, { status: 'True' });
  });
});

describe('admin', () => {
  it('tells what a replica does, and no secret', async () => {
    const secret: TestObject = route('shop', [{ name: 'edge' }], {
      rules: [
        {
          matches: [{ headers: [{ name: 'authorization', value: 'Basic c2VjcmV0' }] }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'there.example.com' } }],
        },
      ],
    });
    await ground.made(gatewayClass, gateway('edge'), secret);
    const control = await ground.system.controlPlane();
    const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    await says(ground.client, secret, ROUTE_PROGRAMMED, { status: 'True' });
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
    await ground.made(gatewayClass, gateway('edge'));
    const control = await ground.system.controlPlane();
    const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    await says(ground.client, gateway('edge'), 'Programmed', { status: 'True' });
    await settleThousandRoutes(
      ground.client,
      ground.made,
      (name) => redirecting(name, 81),
      isServed,
      async () => {
        const metrics = await control.ask('/metrics').then(({ body }) => body, String);
        return [control.output, dataPlane.output, metrics.replace(/^(?!gatewright_).*\n/gm, '')].join('\n');
      },
    );
  });
});

const isServed = (object: ApiObject | undefined) =>
  conditionsOf(object).some(({ type, status }) => type === ROUTE_PROGRAMMED && status === 'True');
