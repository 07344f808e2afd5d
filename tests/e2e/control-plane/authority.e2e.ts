/** The authority of data planes is replaced, in seconds here, while they dial again and again. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import { ControlPlane } from '../../../gateway-runtime/control-plane/control-plane.ts';
import type { ProvisionerPort } from '../../../gateway-runtime/control-plane/provisioner-port.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { eventually } from '../../cluster/command.ts';
import { exchange } from '../../support/client.ts';
import { gateway, gatewayClass, put } from '../control/objects.ts';
import { ROUTE_PROGRAMMED, redirecting, says } from './conditions.ts';
import { Ground } from './ground.ts';

/** A root lasts 20 s, is succeeded after 10 s, and told for 3 s before it is used. */
const TIMES = { root: 20_000, told: 3_000, serving: 6_000, look: 200 };
/** Milliseconds after which a data plane has to dial again. */
const AGE = 500;

const ground = Ground.forAll();
const folder = mkdtempSync(join(tmpdir(), 'gatewright-authority-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the authority of data planes', () => {
  it('is replaced by another without one dial that fails, and without its keys shown anywhere', async () => {
    await put(ground.client, gatewayClass, gateway('edge'), redirecting('shop', 81));
    const events: string[] = [];
    const bundles: string[] = [];
    const provisioner: ProvisionerPort = {
      want: () => {},
      trust: (bundle) => {
        bundles.push(bundle);
        // As the kubelet replaces a file.
        writeFileSync(`${ground.system.caFile}.new`, bundle);
        renameSync(`${ground.system.caFile}.new`, ground.system.caFile);
      },
      observe: () => {},
      lead: () => {},
      follow: () => {},
      stop: async () => {},
      stateOf: () => ({ pods: [] }),
      accountOf: ({ name }) => `${name}-gatewright`,
    };
    const client = new ApiClient(ground.server.connection);
    const control = new ControlPlane({
      client,
      regex: re2,
      namespace: 'default',
      identity: randomUUID(),
      listen: { address: '127.0.0.1', port: 0 },
      admin: { address: '127.0.0.1', port: 0 },
      names: ['gatewright-control-plane.default.svc', '127.0.0.1'],
      provisioner: () => provisioner,
      onEvent: (message) => events.push(message),
      election: { duration: 3_000, deadline: 1_500, period: 200 },
      authorityTimes: TIMES,
      limits: { age: AGE },
    });
    try {
      await control.start();
      await eventually(10_000, async () => expect(control.port).toBeGreaterThan(0));
      ground.system.service.targets = [control.port];
      const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
      await dataPlane.untilReady();
      const [first] = bundles;
      // Until nothing of the first root is trusted any more.
      await eventually(40_000, async () => expect(bundles.at(-1)).not.toContain(first));
      expect(bundles.length).toBeGreaterThanOrEqual(3);
      await put(ground.client, redirecting('shop', 82));
      await says(ground.client, redirecting('shop', 82), ROUTE_PROGRAMMED, {
        status: 'True',
        observedGeneration: 2,
      });
      const answer = await exchange(await dataPlane.port(), { host: 'shop.example.com', path: '/' });
      expect(answer.headers.location).toContain(':82/');
      const lost = [...dataPlane.output.matchAll(/not connected to the control plane: (.*)/g)].map(
        ([, why]) => why,
      );
      expect(lost.length).toBeGreaterThan(10);
      expect(lost.filter((why) => why !== 'dial again with the token of now')).toEqual([]);
      expect([...events, dataPlane.output, ...bundles].join()).not.toContain('PRIVATE KEY');
    } finally {
      await control.stop();
      client.close();
    }
  });
});
