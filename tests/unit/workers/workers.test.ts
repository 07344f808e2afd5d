/** Workers of a Gateway as whoever feeds them sees them, on real processes and sockets. */
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AgentResult } from '../../../gateway-runtime/proxy/agent.ts';
import { Metrics } from '../../../gateway-runtime/proxy/telemetry/metrics.ts';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import type { Resource } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { Workers, type WorkersOptions } from '../../../gateway-runtime/workers/workers.ts';
import { Backend } from '../../support/backend.ts';
import { authority, issue } from '../../support/certificates.ts';
import { exchange, RawClient } from '../../support/client.ts';
import { until as untilWithin } from '../../support/distribution.ts';
import { backend, endpoints, GATEWAY, type Serving, to } from '../../support/gateway.ts';
import { clientsOf, isRunning } from '../../support/processes.ts';
import { openTls } from '../../support/tls-client.ts';
import { exact, listener, rule, snapshot } from '../match/snapshots.ts';

/** Milliseconds for processes to start where the machine has other things to do. */
const PATIENCE = 60_000;
jest.setTimeout(2 * PATIENCE);

const onLinux = process.platform === 'linux' ? describe : describe.skip;
const PROGRAM = {
  file: fileURLToPath(new URL('../../../gateway-runtime/data-plane/main.ts', import.meta.url)),
  args: ['worker'],
};

const until = (what: string, holds: () => boolean) => untilWithin(what, holds, PATIENCE);

/** A worker that ends at once. */
const NOTHING = { file: '-e', args: ['process.exit(3)'] };

let a: Backend;
let workers: Workers;
let metrics: Metrics;
let events: string[];
let log: string[];
let readiness: boolean[];
const clients: RawClient[] = [];

beforeEach(async () => {
  a = await Backend.echo('a');
  [events, log, readiness] = [[], [], []];
});
afterEach(async () => {
  for (const each of clients.splice(0)) each.destroy();
  await workers?.close();
  await a.close();
});

function start(options: Partial<WorkersOptions> = {}): void {
  metrics = new Metrics();
  workers = new Workers({
    gateway: GATEWAY,
    count: 2,
    address: '127.0.0.1',
    bindPort: () => 0,
    program: PROGRAM,
    metrics,
    accessLog: (lines) => log.push(...lines.split('\n')),
    onEvent: (message) => events.push(message),
    onReadiness: () => readiness.push(workers.ready),
    ...options,
  });
}

function apply({ resources, endpoints: places = {}, certificates = [] }: Serving): Promise<AgentResult> {
  return workers.apply({
    delta: difference(workers.snapshot, snapshot(...resources)),
    endpoints: endpoints(places),
    certificates: new Map(certificates.map((bundle) => [bundle.id, bundle])),
  });
}

const routes = (...more: Resource[]) => [
  listener('web'),
  backend('a'),
  rule({ matches: [{ path: exact('/') }], rest: { backends: [to('a')] } }),
  ...more,
];

/** Serves `routes()`; gives the port. */
async function serving(options: Partial<WorkersOptions> = {}): Promise<number> {
  start(options);
  const result = await apply({ resources: routes(), endpoints: { a: [a.endpoint] } });
  expect(result).toMatchObject({ accepted: true, diagnostics: [] });
  return workers.boundPort(80)!;
}

async function open(port: number): Promise<RawClient> {
  const client = await RawClient.open(port);
  clients.push(client);
  return client;
}

/** A connection that this process has accepted: the system chooses, so as many are opened as it takes. */
async function openTo(pid: number, port: number): Promise<RawClient> {
  for (;;) {
    const client = await open(port);
    const { localPort } = client.socket;
    await until('somebody has accepted it', () =>
      workers.pids.some((each) => isRunning(each) && clientsOf(each, port).has(localPort!)),
    );
    if (clientsOf(pid, port).has(localPort!)) return client;
  }
}

async function status(client: RawClient, path = '/'): Promise<number> {
  client.received = '';
  client.send(`GET ${path} HTTP/1.1\r\nHost: a.example.com\r\n\r\n`);
  return Number((await client.until(/\r\n\r\n/)).slice(9, 12));
}

onLinux('an update', () => {
  it('is served by all workers when it is accepted, also by one that was slow', async () => {
    const port = await serving();
    const [first, second] = workers.pids as [number, number];
    const [ofFirst, ofSecond] = [await openTo(first, port), await openTo(second, port)];
    const added = rule({
      route: 'shop/new',
      matches: [{ path: exact('/new') }],
      rest: { backends: [to('a')] },
    });
    process.kill(first, 'SIGSTOP');
    let isApplied = false;
    const applied = apply({ resources: routes(added) }).then((result) => {
      isApplied = true;
      return result;
    });
    const before = workers.snapshot!.version;
    while ((await status(ofSecond, '/new')) === 404);
    expect([isApplied, workers.snapshot!.version]).toEqual([false, before]);
    process.kill(first, 'SIGCONT');
    expect((await applied).accepted).toBe(true);
    expect(workers.snapshot!.version).not.toBe(before);
    expect([await status(ofFirst, '/new'), await status(ofSecond, '/new')]).toEqual([200, 200]);
    expect(events).toEqual([]);
  });
});

onLinux('ports', () => {
  it('come and go with listeners, the same for all workers', async () => {
    const port = await serving();
    const extra = [
      listener('extra', { port: 81 }),
      rule({ route: 'shop/b', on: ['extra'], rest: { backends: [to('a')] } }),
    ];
    await apply({ resources: routes(...extra) });
    const second = workers.boundPort(81)!;
    for (const pid of workers.pids) expect(await status(await openTo(pid, second))).toBe(200);
    expect(workers.boundPort(80)).toBe(port);
    await apply({ resources: routes() });
    expect(workers.boundPort(81)).toBeUndefined();
    await expect(open(second)).rejects.toThrow('ECONNREFUSED');
    expect((await exchange(port, { host: 'a.example.com', path: '/' })).status).toBe(200);
  });

  it('that another process has are not joined, and are tried again with the next update', async () => {
    const other = createServer();
    const taken = await new Promise<number>((resolve) => {
      other.listen({ port: 0, host: '127.0.0.1', reusePort: true }, () =>
        resolve((other.address() as { port: number }).port),
      );
    });
    start({ bindPort: () => taken });
    const result = await apply({ resources: routes(), endpoints: { a: [a.endpoint] } });
    expect(result.accepted).toBe(true);
    expect(result.diagnostics.map(({ message }) => message)).toEqual([
      `port ${taken} of 127.0.0.1, for the listener port 80, is in use by another process`,
    ]);
    await new Promise((resolve) => other.close(resolve));
    expect(await apply({ resources: routes(rule({ route: 'shop/b' })) })).toMatchObject({ diagnostics: [] });
    expect((await exchange(taken, { host: 'a.example.com', path: '/' })).status).toBe(200);
  });
});

onLinux('what stands in for a backend', () => {
  it('does where it has no endpoint, in workers that come later too', async () => {
    const standIn = await Backend.echo('stand-in');
    const port = await serving({ count: 1, fallbackEndpoints: () => [standIn.endpoint] });
    try {
      const body = async () => (await exchange(port, { host: 'a.example.com', path: '/' })).body;
      const { key } = backend('a');
      expect(await body()).toBe('a\n');
      await workers.apply({ endpoints: new Map([[key, undefined]]) });
      expect(await body()).toBe('stand-in\n');
      process.kill(workers.pids[0]!, 'SIGKILL');
      await until('it has ended', () => workers.serving === 0);
      await until('another one serves', () => workers.serving === 1);
      expect(await body()).toBe('stand-in\n');
      await apply({ resources: routes(), endpoints: { a: [a.endpoint] } });
      expect(await body()).toBe('a\n');
    } finally {
      await standIn.close();
    }
  });
});

onLinux('a worker', () => {
  it('that is stuck is replaced, and what was to be applied is served without it', async () => {
    const port = await serving({ times: { answer: 300 } });
    const [first, second] = workers.pids as [number, number];
    const client = await openTo(second, port);
    process.kill(first, 'SIGSTOP');
    const added = rule({
      route: 'shop/new',
      matches: [{ path: exact('/new') }],
      rest: { backends: [to('a')] },
    });
    expect((await apply({ resources: routes(added) })).accepted).toBe(true);
    expect(await status(client, '/new')).toBe(200);
    expect(isRunning(first)).toBe(false);
    expect(events.join()).toContain(
      'SIGKILL (it did not answer within 0.3 s); another one is started in its place now',
    );
    await until('another one serves', () => workers.pids.length === 2 && !workers.pids.includes(first));
    const replacement = workers.pids.find((pid) => pid !== second)!;
    expect(await status(await openTo(replacement, port), '/new')).toBe(200);
  });

  it('that is silent is replaced without an update', async () => {
    await serving({ times: { silence: { beat: 500, silence: 2_000 } } });
    // On a busy machine we are silent ourselves at times, so that a worker ends before it is stopped: then it is the turn of the next.
    while (!events.join().includes('the other side was silent for 2 s')) {
      await until('one runs', () => workers.pids.some(isRunning));
      const first = workers.pids.find(isRunning)!;
      process.kill(first, 'SIGSTOP');
      await until('it has ended', () => !isRunning(first));
    }
    await until('one serves', () => workers.ready);
  });

  it('that ends again and again is started ever later', async () => {
    start({ program: NOTHING, times: { backoff: { first: 20, longest: 60_000 } } });
    await until('some have ended', () => events.filter((each) => each.startsWith('worker 1')).length >= 5);
    const waits = events
      .filter((each) => each.startsWith('worker 1'))
      .map((each) => / place (.+)/.exec(each)![1]);
    expect(waits.slice(0, 5)).toEqual(['now', 'in 0.02 s', 'in 0.04 s', 'in 0.08 s', 'in 0.16 s']);
  });

  it('is not the last one: without any, it is unready until one serves again', async () => {
    const port = await serving();
    for (const pid of workers.pids) process.kill(pid, 'SIGKILL');
    await until('it is ready again', () => readiness.length === 3);
    expect(readiness).toEqual([true, false, true]);
    expect((await exchange(port, { host: 'a.example.com', path: '/' })).status).toBe(200);
  });
});

onLinux('an update that no worker can apply', () => {
  it('is refused, with what served before still serving', async () => {
    start({
      program: NOTHING,
      times: { answer: 200, backoff: { first: 10_000, longest: 10_000 } },
    });
    const result = await apply({ resources: routes() });
    expect(result).toMatchObject({ accepted: false, version: '' });
    expect(result.diagnostics[0]!.message).toBe(
      'none of 2 workers could apply it: they ended or did not answer within 0.2 s; what served before goes on serving',
    );
    expect([workers.ready, workers.snapshot]).toEqual([false, undefined]);
  });

  it('is refused as the workers refuse it', async () => {
    await serving();
    const to = snapshot(...routes(rule({ route: 'shop/b' })));
    const { version } = workers.snapshot!;
    const result = await workers.apply({ delta: { ...difference(undefined, to), from: 'another' } });
    expect(result).toMatchObject({ accepted: false, version });
    expect(result.diagnostics[0]!.code).toBe('snapshot/out-of-order');
    expect(workers.snapshot!.version).toBe(version);
    expect((await apply({ resources: routes(rule({ route: 'shop/b' })) })).accepted).toBe(true);
  });
});

onLinux('a TLS session', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s is resumed by every worker, and by one that came later',
    async (version) => {
      const certificate = issue('infra/shop', ['shop.example.com']);
      const secure = (name: string, hostname?: string) =>
        listener(name, {
          port: 443,
          protocol: 'HTTPS',
          certificates: [certificate.id],
          ...(hostname ? { hostname } : {}),
        });
      start();
      const resources = [
        secure('named', 'shop.example.com'),
        secure('any'),
        backend('a'),
        rule({ on: ['named', 'any'], rest: { backends: [to('a')] } }),
      ];
      await apply({ resources, endpoints: { a: [a.endpoint] }, certificates: [certificate] });
      const port = workers.boundPort(443)!;
      const protocol = { minVersion: version, maxVersion: version, servername: 'shop.example.com' };
      const first = await openTls(port, authority, protocol);
      clients.push(first);
      const sessions: Buffer[] = [];
      first.socket.on('session', (session) => sessions.push(session));
      await first.get('shop.example.com');
      const session = sessions.at(-1) ?? first.socket.getSession()!;
      const resumedBy = async (pid: number) => {
        for (;;) {
          const client = await openTls(port, authority, { ...protocol, session });
          clients.push(client);
          expect(client.socket.isSessionReused()).toBe(true);
          expect(await client.get('shop.example.com')).toBe(200);
          if (clientsOf(pid, port).has(client.socket.localPort!)) return;
        }
      };
      for (const pid of workers.pids) await resumedBy(pid);
      const [killed, other] = workers.pids as [number, number];
      process.kill(killed, 'SIGKILL');
      await until('another one is there', () => workers.pids.length === 2 && !workers.pids.includes(killed));
      const later = workers.pids.find((pid) => pid !== other)!;
      await until('it serves', () => workers.serving === 2);
      await resumedBy(later);
    },
  );
});

onLinux('what is told of requests', () => {
  const total = async () => {
    const lines = (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith('gatewright_requests_total'));
    return {
      series: lines.length,
      sum: lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0),
    };
  };

  it('is the sum of all workers, and does not fall when one ends', async () => {
    const port = await serving();
    for (const pid of workers.pids) {
      const client = await openTo(pid, port);
      for (let turn = 0; turn < 5; turn++) expect(await status(client)).toBe(200);
    }
    expect(await total()).toEqual({ series: 1, sum: 10 });
    const [first] = workers.pids as [number];
    process.kill(first, 'SIGKILL');
    await until('another one serves', () => workers.serving === 2 && !workers.pids.includes(first));
    expect(await total()).toEqual({ series: 1, sum: 10 });
    for (const pid of workers.pids) expect(await status(await openTo(pid, port))).toBe(200);
    expect(await total()).toEqual({ series: 1, sum: 12 });
    const text = await metrics.text();
    const backendText = `gateway="infra/gw",backend="${backend('a').key.slice('backend/'.length)}"`;
    expect(text).toContain(`gatewright_backend_endpoints{${backendText},condition="usable"} 1\n`);
    expect(text).toContain('gatewright_workers{gateway="infra/gw"} 2');
    expect(text).toContain('gatewright_worker_restarts_total{gateway="infra/gw"} 1');
    expect(text).toContain('gatewright_events_total{gateway="infra/gw",event="snapshot-accepted"} 1');
    await apply({ resources: routes().slice(0, 1) });
    expect(await total()).toEqual({ series: 0, sum: 0 });
  });

  it('is a whole line of the access log for each', async () => {
    const port = await serving();
    const path = `/${'x'.repeat(1_500)}`;
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        exchange(port, { host: 'a.example.com', path: `${path}/${index}` }),
      ),
    );
    await until('all of them are written', () => log.length >= 200);
    const paths = log.map((line) => (JSON.parse(line) as { path: string }).path);
    expect(new Set(paths).size).toBe(200);
    expect(paths).toHaveLength(200);
  });
});

onLinux('a drain', () => {
  it('answers what is in flight on each worker, writes its line, and ends the processes', async () => {
    const port = await serving();
    const { pids } = workers;
    const waiting = await Promise.all(pids.map((pid) => openTo(pid, port)));
    for (const each of waiting) {
      each.received = '';
      each.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1\r\n\r\n');
    }
    await until('the backend has them', () => a.connections === 2);
    const drained = workers.drain();
    for (const each of waiting) each.send('x');
    for (const each of waiting) expect(await each.untilClosed()).toMatch(/^HTTP\/1.1 200/);
    await drained;
    expect(pids.filter(isRunning)).toEqual([]);
    expect(log.filter((line) => line.includes('POST'))).toHaveLength(2);
    expect(events).toEqual([]);
  });

  it('lets others have its ports once no worker has them', async () => {
    const port = await serving();
    const bind = () =>
      new Promise<boolean>((resolve) => {
        const server = createServer().once('error', () => resolve(false));
        server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
      });
    const waiting = await openTo(workers.pids[0]!, port);
    waiting.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1\r\n\r\n');
    await until('the backend has it', () => a.connections === 1);
    process.kill(workers.pids[1]!, 'SIGSTOP');
    const drained = workers.drain();
    let isUnbound = false;
    const unbound = workers.unbound().then(() => {
      isUnbound = true;
    });
    expect([await bind(), isUnbound]).toEqual([false, false]);
    process.kill(workers.pids[1]!, 'SIGCONT');
    await unbound;
    expect(await bind()).toBe(true);
    waiting.send('x');
    await drained;
    expect(waiting.received).toMatch(/^HTTP\/1.1 200/);
  });
});
