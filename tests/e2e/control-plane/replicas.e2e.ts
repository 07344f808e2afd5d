/** Two replicas of the control plane and their data planes: what each may know, and what the loss of a replica does. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { issueServerCertificate, makeRoot } from '../../../gateway-runtime/control/x509.ts';
import { eventually } from '../../cluster/command.ts';
import { exchange } from '../../support/client.ts';
import type { DataPlaneProcess } from '../../support/data-plane-process.ts';
import { gateway, gatewayClass, put, remove } from '../control/objects.ts';
import { Relay } from '../control/relay.ts';
import { History, ROUTE_PROGRAMMED, redirecting, says } from './conditions.ts';
import { Ground } from './ground.ts';
import type { ControlPlaneProcess } from './system.ts';

const GATEWAYS = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';

const ground = Ground.forEach();

const ask = (port: number, name = 'shop') => exchange(port, { host: `${name}.example.com`, path: '/' });

/** The replica that leads, and the other one. */
const roles = (both: readonly [ControlPlaneProcess, ControlPlaneProcess]) =>
  eventually(10_000, async () => {
    const [first, second] = both;
    if (await first.leads()) return { leader: first, follower: second };
    if (await second.leads()) return { leader: second, follower: first };
    throw new Error('nobody leads');
  });

const streams = async (replica: ControlPlaneProcess): Promise<number> => {
  const { body } = await replica.ask('/metrics');
  return Number(/gatewright_streams\{gateway="default\/edge"\} (\d+)/.exec(body)?.[1]);
};

/** Two replicas with a data plane each. */
async function pair(): Promise<{
  leader: ControlPlaneProcess;
  follower: ControlPlaneProcess;
  dataPlanes: readonly DataPlaneProcess[];
}> {
  await ground.made(gatewayClass, gateway('edge'), redirecting('shop', 81));
  const both = [await ground.system.controlPlane(), await ground.system.controlPlane()] as const;
  const dataPlanes: DataPlaneProcess[] = [];
  const ports = [await both[0].port(), await both[1].port()];
  for (const port of ports) {
    // Taken in turn, both could come to one: a data plane may dial more than once.
    ground.system.service.targets = [port];
    const dataPlane = await ground.system.dataPlane('edge', `edge-${dataPlanes.length + 1}`);
    await dataPlane.untilReady();
    dataPlanes.push(dataPlane);
  }
  ground.system.service.targets = ports;
  const all = await roles(both);
  await eventually(10_000, async () =>
    expect([await streams(all.leader), await streams(all.follower)]).toEqual([1, 1]),
  );
  await says(ground.client, gateway('edge'), 'Programmed', {
    status: 'True',
    message: '2 of 2 data planes serve the newest configuration.',
  });
  return { ...all, dataPlanes };
}

describe('two replicas', () => {
  it('know together what all data planes serve', async () => {
    await pair();
    await put(ground.client, redirecting('shop', 82));
    await says(ground.client, redirecting('shop', 82), ROUTE_PROGRAMMED, {
      status: 'True',
      observedGeneration: 2,
    });
  });

  it('where the leader is killed: streams of the other stay, statuses stay true, and acks land with the new one', async () => {
    const { leader, follower, dataPlanes } = await pair();
    const history = await History.of(ground.client, GATEWAYS, 'Programmed');
    const connected = dataPlanes.map(({ output }) => output.split('not connected').length);
    await leader.end('SIGKILL');
    await eventually(20_000, async () => expect(await follower.leads()).toBe(true));
    await put(ground.client, redirecting('shop', 83));
    await says(ground.client, redirecting('shop', 83), ROUTE_PROGRAMMED, {
      status: 'True',
      observedGeneration: 2,
    });
    await eventually(20_000, async () => expect(await streams(follower)).toBe(2));
    for (const each of dataPlanes) {
      expect((await ask(await each.port())).headers.location).toContain(':83/');
    }
    // The one that was with the follower was never without a control plane.
    const lost = dataPlanes.filter(({ output }, at) => output.split('not connected').length > connected[at]!);
    expect(lost).toHaveLength(1);
    await says(ground.client, gateway('edge'), 'Programmed', {
      status: 'True',
      message: '2 of 2 data planes serve the newest configuration.',
    });
    expect(await history.end()).not.toContain('False');
  });

  it('where one is told to stop, the other leads at once, and every data plane comes to it', async () => {
    const { leader, follower } = await pair();
    const began = performance.now();
    const ended = leader.end('SIGTERM');
    await eventually(10_000, async () => expect(await follower.leads()).toBe(true));
    // Its Lease of 3 s was not waited for.
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await ended).toBe(0);
    await eventually(10_000, async () => expect(await streams(follower)).toBe(2));
  });
});

describe('a Gateway that is deleted and made again', () => {
  it('has none of the data planes that were there before', async () => {
    const { dataPlanes } = await pair();
    await Promise.all(dataPlanes.map((each) => each.kill()));
    await remove(ground.client, gateway('edge'));
    const began = performance.now();
    await put(ground.client, gateway('edge'));
    await says(ground.client, gateway('edge'), 'Programmed', { status: 'False', reason: 'NoReplicas' });
    // Streams that were lost count for 15 s, else.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('a data plane', () => {
  it('gets nothing of another Gateway with its token, neither routes nor certificates', async () => {
    const root = makeRoot('Tests', 1);
    const { certificate, key } = issueServerCertificate(root, ['shop.example.com'], 1);
    const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await ground.made(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'shop-tls', namespace: 'default' },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(certificate), 'tls.key': base64(pem) },
      },
      gatewayClass,
      gateway('other'),
      gateway('edge', [
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          tls: { certificateRefs: [{ name: 'shop-tls' }] },
        },
      ]),
    );
    const control = await ground.system.controlPlane();
    const owner = await ground.system.dataPlane('edge', 'edge-1');
    await owner.untilReady();
    const keyLines = pem.split('\n').slice(1, 3);
    const held = (replica: string) => {
      const folder = join(ground.system.folder, `${replica}-state`);
      if (!existsSync(folder)) return '';
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
        .join();
    };
    await eventually(5_000, async () => expect(held('edge-1')).toContain(keyLines[0]));
    const thief = await ground.system.dataPlane('other', 'other-1', 'edge');
    await eventually(10_000, async () => {
      expect(control.output).toContain(
        'found a token of the service account default/other-gatewright, expected one of default/edge-gatewright',
      );
      expect(thief.output).toContain('not connected to the control plane');
    });
    expect(await thief.readiness()).toBe(503);
    expect(held('other-1')).not.toContain(keyLines[0]);
    for (const { output } of [control, thief, owner])
      for (const each of keyLines) expect(output).not.toContain(each);
    const { body } = await control.ask('/snapshot?gateway=default/edge');
    expect(body).toContain('default/shop-tls');
    expect(body).not.toContain(keyLines[0]);
  });

  it('is refused with a token for another audience', async () => {
    await ground.made(gatewayClass, gateway('edge'));
    const control = await ground.system.controlPlane();
    const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const other = await ground.system.token('default', 'edge-gatewright', 'https://kubernetes.default.svc');
    writeFileSync(join(ground.system.folder, 'edge-1-token'), other);
    const refused = control.output.split('was refused').length;
    // It dials anew, and has lost nothing of what it serves.
    await control.end('SIGTERM');
    ground.system.service.targets = [];
    const next = await ground.system.controlPlane();
    await eventually(20_000, async () => {
      expect(next.output).toContain('found a token that is not valid for distribution.gatewright.dev');
    });
    expect(refused).toBe(1);
    expect(await dataPlane.readiness()).toBe(200);
  });
});

describe('an API server that is away', () => {
  it('stops no traffic, and what changed meanwhile is served after', async () => {
    const relay = await Relay.to(ground.server.port);
    try {
      await ground.made(gatewayClass, gateway('edge'), redirecting('shop', 81));
      const control = await ground.system.controlPlane(ground.server.connectionAt(relay.port));
      const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
      await dataPlane.untilReady();
      const port = await dataPlane.port();
      await relay.cut();
      await put(ground.client, redirecting('shop', 84));
      const until = performance.now() + 6_000;
      // Longer than the Lease.
      while (performance.now() < until) {
        expect((await ask(port)).headers.location).toContain(':81/');
        expect(await dataPlane.readiness()).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect((await control.ask('/readyz')).status).toBe(200);
      expect(await control.leads()).toBe(false);
      await relay.restore();
      await eventually(20_000, async () => expect((await ask(port)).headers.location).toContain(':84/'));
      await says(ground.client, redirecting('shop', 84), ROUTE_PROGRAMMED, {
        status: 'True',
        observedGeneration: 2,
      });
    } finally {
      await ground.system.stop();
      await relay.cut();
    }
  });
});
