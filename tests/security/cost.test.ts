/** What a connection makes the gateway hold, beside what its client has sent, in a process of its own: a bound for each way to attack. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ATTACKS, type Attack, titleOf } from './slow/attacks.ts';
import { get } from './slow/messages.ts';

const CONNECTIONS = 200;
/** Octets for a connection; a client in Node has about as much for it. Both ways, what waits in the gateway is at most twice as much. */
const OF_A_CONNECTION = 24 * 1024;
const WAITING = 2 * 128 * 1024;

const start = (name: string, ...args: string[]) => {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--conditions=gatewright-source', join(import.meta.dirname, 'slow', name), ...args],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async () => (await lines.next()).value as string };
};

let backend: ReturnType<typeof start>;
let gateway: ReturnType<typeof start>;
let ports: readonly string[];

beforeAll(async () => {
  backend = start('backend.ts');
  gateway = start('gateway.ts', await backend.next(), JSON.stringify({ upstreamIdle: 200 }));
  ports = (await gateway.next()).split(' ');
});
afterAll(() => {
  backend.child.kill();
  gateway.child.kill();
});

async function seen(): Promise<{ readonly sockets: number; readonly held: number }> {
  gateway.child.stdin.write('\n');
  return JSON.parse(await gateway.next());
}

/** What is held once that does not change any more. */
async function settled(areThere: (sockets: number) => boolean): Promise<number> {
  let before = Number.NaN;
  for (;;) {
    const { sockets, held } = await seen();
    if (areThere(sockets) && Math.abs(held - before) < 100_000) return held;
    before = held;
  }
}

async function open({ hold, tls }: Attack): Promise<Socket> {
  const socket = connect({ port: Number(ports[tls ? 1 : 0]), host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (hold!.reads) socket.resume();
  else socket.pause();
  if (hold!.begin) socket.write(hold!.begin, 'latin1');
  return socket;
}

const LARGE_HEAD: Attack = {
  name: 'large head',
  hold: { begin: get(`X: ${'a'.repeat(60_000)}`).trimEnd(), move: '', reads: true },
};
const attacks = [LARGE_HEAD, ...ATTACKS].filter(
  ({ hold, overfull, tls }) => hold && !hold.scattered && !overfull && (!tls || hold.bare),
);

it.each(attacks.map((attack) => [titleOf(attack), attack] as const))('is bounded: %s', async (_, attack) => {
  const before = await settled((count) => count < 10);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(attack)));
  const held = (await settled((count) => count >= CONNECTIONS)) - before;
  const most = OF_A_CONNECTION + 2 * attack.hold!.begin.length + (attack.hold!.reads ? 0 : WAITING);
  expect(held / CONNECTIONS).toBeLessThan(most);
  for (const socket of sockets) socket.resetAndDestroy();
});
