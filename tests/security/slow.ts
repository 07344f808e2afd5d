/**
 * `npm run slow [-- --connections N --seconds N]`: what a client notices of slow ones. A request a few times in a hundredth of a second, over kept and
 * new connections, first alone and then under each attack; the ratio of the 99th percentiles. Own generators, and slowhttptest where it is
 * installed. The limits of the gateway are its own, but for fewer connections than the attackers have.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { exchange } from '../support/client.ts';

const { values } = parseArgs({ options: { connections: { type: 'string' }, seconds: { type: 'string' } } });
const CONNECTIONS = Number(values.connections ?? 5_000);
const SECONDS = Number(values.seconds ?? 8);
/** Milliseconds between requests of the client that is measured. */
const EVERY = 5;
const HOST = 'Host: a.example.com\r\n';
const LARGE = 8 * 1024 * 1024;

/** The attacker has a thread of its own, or what is measured would wait for it. */
const role = workerData as { readonly name: string; readonly port: number } | undefined;

/** Answers GET / at once, takes every body, and has an answer that is large. */
const backend = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text: string) => {
    if (text.startsWith('GET /large')) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
      socket.write(Buffer.alloc(LARGE));
    } else if (text.startsWith('GET ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
});

interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  readonly count: number;
}

/** A request that takes so many milliseconds has failed. */
const PATIENCE = 10_000;

async function late(): Promise<never> {
  await pause(PATIENCE, undefined, { ref: false });
  throw new Error('no answer');
}

async function measure(port: number, seconds: number): Promise<Latency> {
  const kept = new HttpAgent({ keepAlive: true });
  const times: number[] = [];
  const waiting: Promise<void>[] = [];
  let failed = 0;
  const until = performance.now() + seconds * 1_000;
  for (let number = 0; performance.now() < until; number++) {
    const since = performance.now();
    const options = { host: 'a.example.com', path: '/', ...(number % 4 === 0 ? {} : { agent: kept }) };
    waiting.push(
      Promise.race([exchange(port, options), late()]).then(
        ({ status }) => {
          if (status !== 200) failed++;
          times.push(performance.now() - since);
        },
        () => {
          failed++;
        },
      ),
    );
    await pause(EVERY);
  }
  await Promise.all(waiting);
  kept.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), failed, count: waiting.length };
}

/** Keeps so many connections open, each begun by `begin` and moved by `move` once a second; those that are closed come again. */
function attack(
  port: number,
  count: number,
  begin: (socket: Socket) => void,
  move: (socket: Socket) => void,
): () => void {
  const sockets = new Set<Socket>();
  let isOver = false;
  const open = () => {
    if (isOver) return;
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.66' });
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('connect', () => begin(socket));
    socket.on('close', () => {
      sockets.delete(socket);
      setTimeout(open, 500);
    });
  };
  for (let i = 0; i < count; i++) setTimeout(open, i / 10);
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) move(socket);
  }, 1_000);
  return () => {
    isOver = true;
    clearInterval(timer);
    for (const socket of sockets) socket.resetAndDestroy();
  };
}

type Attack = readonly [name: string, start: (port: number) => () => void];

const own = (name: string, begin: string, move: string, reads = true): Attack => [
  name,
  (port) =>
    attack(
      port,
      CONNECTIONS,
      (socket) => {
        if (reads) socket.resume();
        else socket.pause();
        socket.write(begin);
      },
      (socket) => move && socket.write(move),
    ),
];

const tool = (name: string, path: string, ...options: readonly string[]): Attack => [
  `slowhttptest ${name}`,
  (port) => {
    const url = `http://127.0.0.1:${port}${path}`;
    const child = spawn(
      'slowhttptest',
      ['-c', String(CONNECTIONS), '-r', '2000', '-l', '60', '-i', '1', '-u', url, ...options],
      { stdio: 'ignore' },
    );
    return () => child.kill();
  },
];

const ATTACKS: readonly Attack[] = [
  own('nothing said', '', ''),
  own('slow head', `GET / HTTP/1.1\r\n${HOST}`, 'X: a\r\n'),
  own('slow body', `POST / HTTP/1.1\r\n${HOST}Content-Length: 100000\r\n\r\n`, 'a'),
  own('slow chunks', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n'),
  own('slow read', `GET /large HTTP/1.1\r\n${HOST}\r\n`, '', false),
  own(
    'many ranges',
    `GET / HTTP/1.1\r\n${HOST}Range: bytes=0-${',5-0'.repeat(1_300)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}\r\n`,
  ),
  ...(spawnSync('which', ['slowhttptest']).status === 0
    ? [
        tool('-H', '/', '-H'),
        tool('-B', '/', '-B', '-s', '100000'),
        tool('-R', '/', '-R'),
        tool('-X', '/large', '-X', '-w', '1', '-y', '5', '-n', '5'),
      ]
    : []),
];

if (role) {
  const stop = ATTACKS.find(([name]) => name === role.name)![1](role.port);
  parentPort!.once('message', () => {
    stop();
    process.exit();
  });
} else await compare();

async function compare(): Promise<void> {
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--conditions=gatewright-source',
      join(import.meta.dirname, '..', 'soak', 'proxy.ts'),
      String((backend.address() as AddressInfo).port),
      JSON.stringify({ connections: Math.floor(CONNECTIONS * 0.8) }),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  await measure(port, 3);
  console.log(`${CONNECTIONS} slow connections, room for ${Math.floor(CONNECTIONS * 0.8)}; milliseconds`);
  for (const [name] of ATTACKS) {
    const alone = await measure(port, SECONDS);
    const attacker = new Worker(new URL(import.meta.url), {
      workerData: { name, port },
      argv: process.argv.slice(2),
    });
    await pause(2_000);
    const under = await measure(port, SECONDS);
    attacker.postMessage('stop');
    await once(attacker, 'exit');
    console.log(
      `${name.padEnd(18)} alone p50 ${alone.p50.toFixed(1)} p99 ${alone.p99.toFixed(1)}; under it p50 ${under.p50.toFixed(1)} p99 ${under.p99.toFixed(1)}: ${(under.p99 / alone.p99).toFixed(2)} x; failed ${under.failed} of ${under.count}`,
    );
    await pause(2_000);
  }
  child.kill();
  backend.close();
  process.exit();
}
