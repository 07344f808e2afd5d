/**
 * `npm run soak [-- REQUESTS]`: a million requests through one data plane, of all kinds and with faults of clients and backends among them, and
 * whether its sockets, timers and memory are then where they were before. Linux's RSS is printed each 100,000 requests, and judged by nothing:
 * it is the heap's limit for what was made lately (NODE_FLAGS) that it comes up to.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../gateway-runtime/control/provisioner/deployment.ts';
import { residentMemory } from '../bench/proxy/measured.ts';
import type { Held } from './proxy.ts';

const REQUESTS = Number(process.argv[2] ?? 1_000_000);
/** Before the first look: enough for code to be compiled and caches to be filled. */
const WARM_UP = 100_000;
const CONNECTIONS = 64;
/** Requests that are sent at once on a connection. */
const PIPELINED = 16;
/** Requests between looks at RSS. */
const EACH = 100_000;
/** Longer than idle connections to endpoints, and what lingers, are kept. */
const CALM = 8_000;
/** By which memory may differ. */
const TOLERANCE = 0.05;

const HOST = 'Host: a.example.com\r\n';
const KINDS = [
  `GET /small HTTP/1.1\r\n${HOST}\r\n`,
  `POST /small HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  `GET /chunks HTTP/1.1\r\n${HOST}Accept: */*\r\nCookie: a=b\r\n\r\n`,
  `POST /small HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `HEAD /small HTTP/1.1\r\n${HOST}\r\n`,
];
const BATCH = Array.from({ length: PIPELINED }, (_, i) => KINDS[i % KINDS.length]!).join('');

const SMALL = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

/** Answers each request when it is whole; one for a fault gets it. The gateway sends one at a time. */
function serve(socket: Socket): void {
  let request = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text: string) => {
    request += text;
    if (request.includes('chunked\r\n') && !request.endsWith('\r\n0\r\n\r\n')) return;
    if (request.includes('Length: 5\r\n') && !request.endsWith('hello')) return;
    if (request.includes(' /reset ')) socket.resetAndDestroy();
    else if (request.includes(' /cut ')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut');
    else if (request.includes(' /garbage ')) socket.write('garbage\r\n\r\n');
    else if (request.includes(' /chunks ')) socket.write(CHUNKS);
    else if (request.startsWith('HEAD')) socket.write(SMALL.slice(0, -'hello'.length));
    else if (!request.includes('Length: 50\r\n')) socket.write(SMALL);
    request = '';
  });
}

const FAULTS = [
  `GET /reset HTTP/1.1\r\n${HOST}\r\n`,
  `GET /cut HTTP/1.1\r\n${HOST}\r\n`,
  `GET /garbage HTTP/1.1\r\n${HOST}\r\n`,
  `POST /early HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\nbegun`,
  `POST /small HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\ncut`,
  'garbage\r\n\r\n',
  `GET / HTTP/1.1\r\n${HOST}X: `,
  '',
];

/** What a client does that goes without waiting for its answer. */
async function fault(port: number, number: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  socket.write(FAULTS[number % FAULTS.length]!);
  await pause(20);
  if (number % 2 === 0) socket.resetAndDestroy();
  else socket.destroy();
}

/** Sends batches until `left` says that it is enough; a connection is used for a hundred of them. */
async function load(port: number, left: () => boolean): Promise<void> {
  while (left()) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    let batches = 0;
    let heads = 0;
    /** The beginning of a status line, perhaps. */
    let rest = '';
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`the gateway closed a connection after ${heads} answers`)));
      socket.setEncoding('latin1').on('data', (text: string) => {
        const found = (rest + text).split('HTTP/1.1 200 OK');
        heads += found.length - 1;
        rest = found.at(-1)!.slice(1 - 'HTTP/1.1 200 OK'.length);
        if (heads < PIPELINED * batches) return;
        if (batches++ < 100 && left()) socket.write(BATCH);
        else resolve();
      });
      batches++;
      socket.write(BATCH);
    });
    socket.removeAllListeners('close').destroy();
  }
}

async function requests(port: number, count: number): Promise<number> {
  let sent = 0;
  const since = performance.now();
  const left = () => {
    sent += PIPELINED;
    if (sent % EACH < PIPELINED) resident.push(residentMemory(child.pid!));
    return sent <= count;
  };
  const isOver = { value: false };
  const faults = (async () => {
    for (let number = 0; !isOver.value; number++) await fault(port, number);
    return 0;
  })();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => load(port, left)));
  isOver.value = true;
  await faults;
  return count / ((performance.now() - since) / 1_000);
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
/** RSS under load, each 100,000 requests. */
let resident: number[] = [];

const backend = createServer({ noDelay: true }, serve).listen(0, '127.0.0.1');
await once(backend, 'listening');
const child = spawn(
  process.execPath,
  [
    ...NODE_FLAGS,
    '--expose-gc',
    '--conditions=gatewright-source',
    join(import.meta.dirname, 'proxy.ts'),
    String((backend.address() as AddressInfo).port),
  ],
  { env: { ...process.env, ...NODE_ENVIRONMENT }, stdio: ['pipe', 'pipe', 'inherit'] },
);
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const port = Number((await lines.next()).value);

async function look(what: string): Promise<Held> {
  await pause(CALM);
  child.stdin.write('\n');
  const held = JSON.parse((await lines.next()).value as string) as Held;
  console.log(
    `${what}: ${held.sockets} sockets, ${held.timers} timers, ${mib(held.heap)} of heap (${mib(held.committed)} committed, ${mib(held.young)} of it young), ${mib(held.buffers)} of buffers, ${mib(held.rss)} RSS; under load each ${EACH.toLocaleString('en')}: ${resident.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')}`,
  );
  resident = [];
  return held;
}

await requests(port, WARM_UP);
const before = await look(`after ${WARM_UP.toLocaleString('en')} requests`);
const rate = await requests(port, REQUESTS);
const after = await look(
  `after ${REQUESTS.toLocaleString('en')} more, at ${Math.round(rate).toLocaleString('en')} a second`,
);
child.kill();
backend.close();

const grown = (after.heap + after.buffers) / (before.heap + before.buffers) - 1;
console.log(`memory: ${(grown * 100).toFixed(1)} %`);
const isBack = after.sockets <= before.sockets && after.timers <= before.timers && grown <= TOLERANCE;
console.log(isBack ? 'back where it was' : 'NOT back where it was');
process.exit(isBack ? 0 : 1);
