/**
 * The client that is measured: `node client.ts PORT SECONDS TLS` sends a request every two milliseconds whether or not earlier ones were answered, one
 * in four on a new connection (of TLS resumed where it can be), and prints the percentiles of the times until they were answered.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [port, seconds] = [Number(process.argv[2]), Number(process.argv[3])];
const isTls = process.argv[4] === 'true';
/** Milliseconds between requests. */
const EVERY = 2;
/** Milliseconds after which a request has failed. */
const PATIENCE = 10_000;
const REQUEST = 'GET / HTTP/1.1\r\nHost: a.example.com\r\n';
const KEPT = `${REQUEST}\r\n`;
const LAST = `${REQUEST}Connection: close\r\n\r\n`;

const total = (seconds * 1_000) / EVERY;
const times = { kept: [] as number[], fresh: [] as number[] };
const idle: Socket[] = [];
let failed = 0;
let done = 0;
let session: Buffer | undefined;
const { promise, resolve } = Promise.withResolvers<void>();

function open(): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.77', noDelay: true });
  socket.on('error', () => {});
  if (!isTls) return socket;
  const tls = connectTls({ socket, rejectUnauthorized: false, ...(session ? { session } : {}) });
  return tls
    .on('error', () => tls.destroy())
    .on('session', (given) => {
      session = given;
    });
}

function ask(isFresh: boolean): void {
  const since = performance.now();
  let socket = isFresh ? undefined : idle.pop();
  while (socket?.destroyed) socket = idle.pop();
  socket ??= open();
  let received = '';
  const end = (isGood: boolean) => {
    clearTimeout(timer);
    socket.removeAllListeners('data').removeAllListeners('close');
    if (isGood) times[isFresh ? 'fresh' : 'kept'].push(performance.now() - since);
    else failed++;
    if (isGood && !isFresh) idle.push(socket);
    else socket.destroy();
    if (++done === total) resolve();
  };
  const timer = setTimeout(end, PATIENCE, false);
  socket.on('close', () => end(false));
  socket.on('data', (octets: Buffer) => {
    received += octets.toString('latin1');
    if (received.endsWith('\r\n\r\nok')) end(received.startsWith('HTTP/1.1 200 '));
  });
  socket.write(isFresh ? LAST : KEPT);
}

let due = 0;
const began = performance.now();
const timer = setInterval(() => {
  for (; due < total && began + due * EVERY <= performance.now(); due++) {
    ask(due % 4 === 0);
  }
  if (due >= total) clearInterval(timer);
}, 1);
await promise;

function percentiles(found: number[]) {
  const sorted = found.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? null;
  return { p50: at(0.5), p99: at(0.99) };
}
const all = percentiles([...times.kept, ...times.fresh]);
console.log(
  JSON.stringify({ ...all, kept: percentiles(times.kept), fresh: percentiles(times.fresh), failed, total }),
);
process.exit();
