/**
 * What many requests cost that come at one moment. Run: `node --conditions=gatewright-source tests/bench/burst.ts [requests] [bursts] [nginx|haproxy|Envoy]`.
 * Each is on a connection of its own, which is there before; all are written in one turn, and again half a second after the last was answered. Prints the
 * milliseconds until they were answered, the processor time of the gateway for each, and, on Linux, how many connections the queues of listening sockets had
 * no room for. The first burst finds no connections to the backend. Keep it off the gateway's
 * processor: `taskset -c 1` before it.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startOwn, startPeer } from '../security/slow/gateways.ts';
import { startProgram } from '../security/slow/processes.ts';
import { TARGET } from '../security/slow/target.ts';
import { processorTime } from './proxy/measured.ts';

const REQUESTS = Number(process.argv[2] ?? 1_000);
const BURSTS = Number(process.argv[3] ?? 6);
const peer = process.argv[4];
const REQUEST = `GET ${TARGET.path} HTTP/1.1\r\nHost: ${TARGET.host}\r\n\r\n`;

/** Of the kernel, since it was started. */
function overflows(): number {
  const [names, values] = readFileSync('/proc/net/netstat', 'utf8').split('\n') as [string, string];
  return Number(values.split(' ')[names.split(' ').indexOf('ListenOverflows')]);
}

/** Milliseconds until it is answered, and the status of the answer; 0 where there was none. */
function asked(socket: Socket): Promise<{ time: number; status: number }> {
  const began = performance.now();
  let text = '';
  const { promise, resolve } = Promise.withResolvers<{ time: number; status: number }>();
  const end = (status: number) => {
    socket.removeAllListeners('data').removeAllListeners('close');
    resolve({ time: performance.now() - began, status });
  };
  socket.on('close', () => end(0));
  socket.on('data', (octets: Buffer) => {
    text += octets.toString('latin1');
    // An answer of the gateway's own is small enough to come at once.
    if (text.endsWith('\r\n\r\nok') || !text.startsWith('HTTP/1.1 200 ')) end(Number(text.slice(9, 12)));
  });
  socket.write(REQUEST);
  return promise;
}

const backend = await startProgram('backend', 'backend.ts');
const gateway = peer
  ? await startPeer(peer, Number(backend.said))
  : await startOwn(Number(backend.said), { connections: REQUESTS + 100 });
const sockets: Socket[] = [];
for (let i = 0; i < REQUESTS; i++) {
  sockets.push(
    connect({ port: gateway.plain, host: '127.0.0.1', localAddress: `127.0.5.${i % 128}`, noDelay: true }),
  );
  sockets.at(-1)!.on('error', () => {});
  if (i % 50 === 0) await pause(5);
}
await pause(1_500);
console.log(`${peer ?? 'Gatewright'}: bursts of ${REQUESTS} requests`);
console.log('    p50     p99     max   µs each  overflows  not 200');
for (let burst = 0; burst < BURSTS; burst++) {
  const before = { used: processorTime(gateway.pid), overflows: overflows() };
  const answers = await Promise.all(sockets.map(asked));
  const times = answers.map(({ time }) => time).sort((a, b) => a - b);
  const used = (processorTime(gateway.pid) - before.used) / REQUESTS;
  const at = (share: number) => times[Math.floor(share * (REQUESTS - 1))]!.toFixed(0).padStart(7);
  const others = answers.filter(({ status }) => status !== 200).length;
  const lost = overflows() - before.overflows;
  console.log(
    `${at(0.5)} ${at(0.99)} ${at(1)} ${used.toFixed(0).padStart(9)} ${String(lost).padStart(10)} ${String(others).padStart(8)}`,
  );
  await pause(500);
}
process.exit();
