/** What the proxies are made to do, and what of it is measured. Goals are of the whole cost of the unit, against a peer in the same run. */
import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Setting } from './contender.ts';
import { handshakes, requests } from './load.ts';
import { processorTime, residentMemory } from './measured.ts';
import { DOWNLOAD } from './origin.ts';

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly setting: Setting;
  /** Answers that it came to in a second at most. */
  rate?: number;
}

export interface Work {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** Default: 100. */
  readonly routes?: number;
  /** On processes that did nothing before: else it is of what earlier works left. */
  readonly fresh?: boolean;
  /** At most this times the peer's figure. */
  readonly goals: {
    readonly [engine in 'Gatewright' | 'Gatewright (http1-internals)']?: Record<string, number>;
  };
  /** In its unit, of Gatewright. */
  readonly atMost?: number;
  /** One figure. */
  measure(running: Running, seconds: number): Promise<number>;
}

/** Microseconds of processor time for each of what `load` did. */
async function cost({ pid }: Running, load: () => Promise<number>): Promise<number> {
  const before = processorTime(pid);
  const count = await load();
  if (count === 0) throw new Error('nothing was answered');
  return (processorTime(pid) - before) / count;
}

const run = promisify(execFile);

async function paced({ setting }: Running, rate: number, seconds: number): Promise<number> {
  const { ports, routes } = setting;
  const program = join(import.meta.dirname, 'paced-load.ts');
  const numbers = [ports.plain, routes, Math.round(rate), seconds].map(String);
  const { stdout } = await run(process.execPath, [program, ...numbers]);
  return JSON.parse(stdout).p99;
}

/** Requests a second; a fifth of what haproxy comes to, where that is measured. */
let sharedRate = 5_000;

async function maximum(running: Running, seconds: number): Promise<number> {
  running.rate ??= (await requests(running.setting, seconds)) / seconds;
  if (running.name === 'haproxy') sharedRate = running.rate * 0.2;
  return running.rate;
}

const IDLE = 2_000;

/** Octets for each of many connections that had a request and wait for the next. */
async function idleMemory({ pid, setting }: Running): Promise<number> {
  const before = residentMemory(pid);
  const sockets: Socket[] = [];
  for (let i = 0; i < IDLE; i++) {
    const socket = connect(setting.ports.plain, '127.0.0.1');
    socket.write('GET /api/v0/items HTTP/1.1\r\nHost: h0.example.com\r\n\r\n');
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (chunk) => chunk.includes('xx') && resolve());
      socket.on('error', reject);
    });
    sockets.push(socket);
  }
  const after = residentMemory(pid);
  for (const socket of sockets) socket.destroy();
  return Math.max(0, after - before) / IDLE;
}

export const WORKS: readonly Work[] = [
  {
    name: 'get',
    title: 'GET 1 KB',
    unit: 'CPU-µs/request',
    goals: {
      Gatewright: { haproxy: 1.35, Envoy: 0.4, Traefik: 0.3 },
      'Gatewright (http1-internals)': { haproxy: 1.05 },
    },
    measure: (running, seconds) => cost(running, () => requests(running.setting, seconds)),
  },
  {
    name: 'get-tls',
    title: 'GET 1 KB over TLS',
    unit: 'CPU-µs/request',
    goals: {
      Gatewright: { haproxy: 1.5, Envoy: 0.55 },
      'Gatewright (http1-internals)': { haproxy: 1.2 },
    },
    measure: (running, seconds) => cost(running, () => requests(running.setting, seconds, { tls: true })),
  },
  {
    name: 'post',
    title: 'POST 16 KB',
    unit: 'CPU-µs/request',
    goals: { Gatewright: { haproxy: 1.1 }, 'Gatewright (http1-internals)': { haproxy: 0.9 } },
    measure: (running, seconds) =>
      cost(running, () => requests(running.setting, seconds, { method: 'POST', body: 16 * 1024 })),
  },
  {
    name: 'download',
    title: '10 MB download',
    unit: 'CPU-ms/download',
    goals: { Gatewright: { haproxy: 2 }, 'Gatewright (http1-internals)': { haproxy: 1 } },
    async measure(running, seconds) {
      const wanted = { path: '/download', connections: 16 };
      const each = await cost(running, () => requests(running.setting, seconds, wanted));
      return (each / 1_000) * ((10 * 1024 * 1024) / DOWNLOAD);
    },
  },
  {
    name: 'connect',
    title: 'new connection for each request',
    unit: 'CPU-µs/request',
    goals: { Gatewright: { Envoy: 1 }, 'Gatewright (http1-internals)': { Envoy: 0.6 } },
    measure: (running, seconds) => cost(running, () => requests(running.setting, seconds, { close: true })),
  },
  {
    name: 'handshake',
    title: 'full TLS handshake',
    unit: 'CPU-µs/handshake',
    goals: { Gatewright: { haproxy: 1.6 }, 'Gatewright (http1-internals)': { haproxy: 1.4 } },
    measure: (running, seconds) => cost(running, () => handshakes(running.setting, seconds)),
  },
  {
    name: 'p99-own',
    title: 'p99 at 60 % of its own maximum',
    unit: 'µs',
    goals: { Gatewright: { Envoy: 1 } },
    measure: async (running, seconds) => paced(running, (await maximum(running, seconds)) * 0.6, seconds),
  },
  {
    name: 'p99-same',
    title: 'p99 at 20 % of the maximum of haproxy',
    unit: 'µs',
    goals: { Gatewright: { Envoy: 1 } },
    measure: (running, seconds) => paced(running, sharedRate, seconds),
  },
  {
    name: 'idle',
    title: 'idle connection',
    unit: 'octets',
    fresh: true,
    goals: { Gatewright: { Envoy: 1 } },
    measure: (running) => idleMemory(running),
  },
  {
    name: 'memory',
    title: 'resident memory with 5,000 routes',
    unit: 'MB',
    routes: 5_000,
    goals: {},
    atMost: 120,
    async measure(running, seconds) {
      await requests(running.setting, seconds);
      return residentMemory(running.pid) / 1e6;
    },
  },
  {
    name: 'get-5000',
    title: 'GET 1 KB, of 5,000 routes in turns',
    unit: 'CPU-µs/request',
    routes: 5_000,
    goals: {},
    measure: (running, seconds) => cost(running, () => requests(running.setting, seconds)),
  },
];
