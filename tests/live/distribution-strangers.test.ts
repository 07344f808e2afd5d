/** Connections that do not prove who they are: whom they keep from being served. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import type { DistributionOptions } from '../../gateway-runtime/control/distribution.ts';
import { at, ControlPlane, FAST, TOKEN, until } from '../support/distribution.ts';
import { Wire } from '../support/distribution-wire.ts';
import { GATEWAY } from '../support/gateway.ts';
import { listener } from '../unit/match/snapshots.ts';

/** Nobody is let go for the time that it takes. */
const PATIENT = { ...FAST, handshake: 60_000, hello: 60_000, silence: 60_000 };
/** One address of the loopback network; others are Linux's. */
const ATTACKER = '127.0.0.66';
const onLinux = process.platform === 'linux' ? it : it.skip;

const sockets: Socket[] = [];
let control: ControlPlane | undefined;

afterEach(async () => {
  for (const each of sockets.splice(0)) each.destroy();
  await control?.remove();
});

async function serve(options: Partial<DistributionOptions>): Promise<ControlPlane> {
  control = await ControlPlane.start(options);
  control.publish(at(1), { resources: [listener('web')] });
  return control;
}

/** Has not even begun its handshake. */
async function mute(localAddress?: string): Promise<Socket> {
  const socket = connect({
    host: '127.0.0.1',
    port: control!.port,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  sockets.push(socket);
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

async function open(localAddress?: string): Promise<Wire> {
  const wire = await Wire.open(control!, localAddress);
  sockets.push(wire.socket);
  return wire;
}

const greet = (wire: Wire, replica: string, token = TOKEN) =>
  wire.send({ type: 'hello', gateway: GATEWAY, replica, token, ready: true });

/** From an address of its own. */
async function isServed(): Promise<void> {
  const wire = await open();
  greet(wire, 'served');
  await wire.until('welcome');
}

it('one that does not end its handshake is let go when its time is over', async () => {
  await serve({ limits: { ...PATIENT, handshake: 100 } });
  const socket = await mute();
  await until('it is closed', () => socket.destroyed);
});

onLinux('who holds all places without beginning a handshake keeps out no data plane', async () => {
  await serve({ limits: { ...PATIENT, connections: 16 } });
  for (let i = 0; i < 40; i++) await mute(ATTACKER);
  await isServed();
});

onLinux('nor who says nothing after it, nor are those touched that are served', async () => {
  await serve({ limits: { ...PATIENT, strangers: 16 } });
  const served = await open(ATTACKER);
  greet(served, 'before');
  await served.until('welcome');
  for (let i = 0; i < 40; i++) await open(ATTACKER);
  await isServed();
  expect(served.isClosed).toBe(false);
});

onLinux('nor who shows tokens that nobody can judge; whoever shows one alone waits on', async () => {
  const verify = (token: string) =>
    token === TOKEN
      ? Promise.resolve({ namespace: 'infra', serviceAccount: 'gw-data-plane' })
      : new Promise<undefined>(() => {});
  await serve({ limits: { ...PATIENT, strangers: 16 }, verify });
  const alone = await Promise.all(Array.from({ length: 8 }, (_, i) => open(`127.0.0.${100 + i}`)));
  for (const each of alone) greet(each, 'alone', 'slow');
  for (let i = 0; i < 40; i++) greet(await open(ATTACKER), 'attacker', 'slow');
  await isServed();
  expect(alone.filter(({ isClosed }) => isClosed)).toEqual([]);
});
