/**
 * Requests at a steady pace, whether or not earlier ones were answered, so that a slow answer counts for all that it delayed:
 * `node paced-load.ts PORT ROUTES RATE SECONDS` prints the microseconds from when each was due to its answer, p50 and p99.
 */
import { connect, type Socket } from 'node:net';

const [port, routes, rate, seconds] = process.argv.slice(2).map(Number) as [number, number, number, number];
const CONNECTIONS = 64;
const ANSWER = 1024;
const total = rate * seconds;
const times = new Float64Array(total);
const due: number[] = [];
const idle: Socket[] = [];
let begun = 0;
let answered = 0;
let next = 0;

const done = Promise.withResolvers<void>();

function send(socket: Socket, dueAt: number): void {
  const n = (begun++ * 7) % routes;
  let left = -1;
  let head = '';
  const onData = (chunk: Buffer) => {
    if (left < 0) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!head.startsWith('HTTP/1.1 200')) done.reject(new Error(head.slice(0, end)));
      left = ANSWER - (head.length - end - 4);
    } else left -= chunk.length;
    if (left > 0) return;
    socket.off('data', onData);
    times[answered++] = performance.now() - dueAt;
    if (answered === total) done.resolve();
    else if (due.length > 0) send(socket, due.shift()!);
    else idle.push(socket);
  };
  socket.on('data', onData);
  socket.write(`GET /api/v${n}/items HTTP/1.1\r\nHost: h${n}.example.com\r\nUser-Agent: bench/1.0\r\n\r\n`);
}

for (let i = 0; i < CONNECTIONS; i++) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.on('error', done.reject);
  idle.push(socket);
}
const began = performance.now();
const tick = () => {
  const now = performance.now();
  while (next < total && began + (next * 1_000) / rate <= now) {
    const dueAt = began + (next++ * 1_000) / rate;
    const socket = idle.pop();
    if (socket) send(socket, dueAt);
    else due.push(dueAt);
  }
  if (next < total) setImmediate(tick);
};
tick();
await done.promise;
const sorted = times.sort();
const at = (share: number) => Math.round(sorted[Math.floor(share * (total - 1))]! * 1_000);
process.stdout.write(`${JSON.stringify({ p50: at(0.5), p99: at(0.99) })}\n`);
process.exit();
