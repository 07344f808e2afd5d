/** Configuration that changes while traffic flows: nothing fails, nothing is dropped, and what can't be applied changes nothing. */
import { once } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import type { HttpRule, Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { exchange, RawClient, rawExchange } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { openTls } from '../support/tls-client.ts';
import { exact, listener, prefix, rule, snapshot } from '../unit/match/snapshots.ts';

let a: Backend;
let b: Backend;
let gateway: TestGateway;

beforeEach(async () => {
  [a, b] = await Promise.all([Backend.echo('a'), Backend.echo('b')]);
});
afterEach(async () => {
  await gateway.agent.close();
  await Promise.all([a.close(), b.close()]);
});

const web = listener('web');
const toA = { rest: { backends: [to('a')] } };
const backends = () => ({ a: [a.endpoint], b: [b.endpoint] });

async function start(
  resources: readonly Resource[],
  options: Parameters<typeof TestGateway.serving>[1] = {},
) {
  gateway = await TestGateway.serving(
    { resources: [backend('a'), backend('b'), ...resources], endpoints: backends() },
    options,
  );
}

const change = (...resources: Resource[]) =>
  gateway.serve({ resources: [backend('a'), backend('b'), ...resources], endpoints: backends() });

/** Requests on kept-alive connections until stopped; gives what came back. */
class Load {
  readonly answers = new Map<string, number>();
  readonly errors: unknown[] = [];
  readonly #agent = new HttpAgent({ keepAlive: true, maxSockets: 8 });
  readonly #port: number;
  #running = true;
  readonly #workers: Promise<void>[];

  constructor(port: number, path: string) {
    this.#port = port;
    this.#workers = Array.from({ length: 8 }, (_, i) => this.#work(path, i % 2 ? 'POST' : 'GET'));
  }

  get count(): number {
    return [...this.answers.values()].reduce((sum, each) => sum + each, 0);
  }

  async #work(path: string, method: string): Promise<void> {
    while (this.#running) {
      try {
        const { status, body } = await exchange(this.#port, {
          host: 'a.example.com',
          path,
          method,
          agent: this.#agent,
          ...(method === 'POST' ? { body: 'x'.repeat(20_000) } : {}),
        });
        const key = `${method} ${status} ${status === 200 ? body.trim() : ''}`.trim();
        this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
      } catch (error) {
        this.errors.push(error);
      }
    }
  }

  async answered(more: number): Promise<void> {
    const goal = this.count + more;
    while (this.count < goal && this.errors.length === 0) await new Promise(setImmediate);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }
}

const moving = (step: number): HttpRule[] => [
  rule({ matches: [{ path: prefix('/') }], rest: { backends: [to(step % 2 ? 'b' : 'a', 1 + step)] } }),
  rule({ route: 'shop/other', matches: [{ path: exact(`/other-${step}`) }], ...toA }),
];

describe('routes', () => {
  it('change twenty times under GET and POST load, and no request fails', async () => {
    await start([web, ...moving(0)]);
    const load = new Load(gateway.port(), '/');
    for (let step = 1; step <= 20; step++) {
      await load.answered(20);
      expect(await change(web, ...moving(step))).toMatchObject({ accepted: true, diagnostics: [] });
      // From now on every new request goes the new way.
      const { body } = await gateway.get('a.example.com/');
      expect(body).toBe(step % 2 ? 'b\n' : 'a\n');
    }
    await load.stop();
    expect(load.errors).toEqual([]);
    expect([...load.answers.keys()].sort()).toEqual(['GET 200 a', 'GET 200 b', 'POST 200 a', 'POST 200 b']);
  });

  it('that a request in flight was given are used to its end', async () => {
    let finish = () => {};
    const slow = await Backend.http((_, response) => {
      response.write('begun ');
      finish = () => response.end('done');
    });
    await start([web, rule({ rest: { backends: [to('slow')] } }), backend('slow')], {
      fallbackEndpoints: () => [slow.endpoint],
    });
    const answer = gateway.get('a.example.com/');
    await once(slow.server, 'request');
    await change(web);
    finish();
    expect(await answer).toMatchObject({ status: 200, body: 'begun done' });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 404 });
    await slow.close();
  });
});

describe('listeners', () => {
  it('come and go under load of another one, which is not touched', async () => {
    const rules = [rule({ on: ['web', 'extra'], ...toA })];
    await start([web, ...rules]);
    const port = gateway.port();
    const load = new Load(port, '/');
    for (let step = 0; step < 10; step++) {
      await load.answered(10);
      await change(web, listener('extra', { port: 81 }), ...rules);
      expect(await exchange(gateway.port(81), { host: 'a.example.com', path: '/' })).toMatchObject({
        status: 200,
      });
      const extra = gateway.port(81);
      await change(web, ...rules);
      expect(gateway.agent.boundPort(81)).toBeUndefined();
      await expect(exchange(extra, { host: 'a.example.com', path: '/' })).rejects.toThrow('ECONNREFUSED');
      expect(gateway.port()).toBe(port);
    }
    await load.stop();
    expect(load.errors).toEqual([]);
    expect([...load.answers.keys()].sort()).toEqual(['GET 200 a', 'POST 200 a']);
  });

  it('that go let a request in flight finish, and say that the connection closes', async () => {
    let finish = () => {};
    const slow = await Backend.http((_, response) => {
      finish = () => response.end('done');
    });
    await start([web, rule({ rest: { backends: [to('slow')] } }), backend('slow')], {
      fallbackEndpoints: () => [slow.endpoint],
    });
    const client = await RawClient.open(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await once(slow.server, 'request');
    await change();
    finish();
    const answer = await client.untilClosed();
    expect(answer).toMatch(/^HTTP\/1.1 200 OK[\s\S]*Connection: close[\s\S]*done$/);
    await slow.close();
  });

  it('whose port is taken are reported, the others serve, and it is tried again', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    gateway = new TestGateway({ bindPort: (each) => (each === 81 ? port : 0) });
    const resources = [
      backend('a'),
      web,
      listener('extra', { port: 81 }),
      rule({ on: ['web', 'extra'], ...toA }),
    ];
    const result = await gateway.serve({ resources, endpoints: backends() });
    expect(result).toMatchObject({
      accepted: true,
      diagnostics: [
        {
          code: 'listener/port-not-bound',
          object: { kind: 'Gateway', namespace: 'infra', name: 'gw' },
          message: `port ${port} of 127.0.0.1, for the listener port 81, is in use by another process`,
        },
      ],
    });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(gateway.agent.ready).toBe(true);
    taken.close();
    await once(taken, 'close');
    expect(await gateway.serve({ resources, endpoints: backends() })).toMatchObject({ diagnostics: [] });
    expect(await exchange(port, { host: 'a.example.com', path: '/' })).toMatchObject({ status: 200 });
  });
});

describe('certificates', () => {
  it('change under load, and no connection is dropped', async () => {
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/cert'] });
    await start([secure, rule({ on: ['secure'], ...toA })]);
    const renew = (step: number) => {
      const bundle = issue('infra/cert', ['a.example.com', `step-${step}.example.com`]);
      return gateway.agent.apply({ certificates: new Map([[bundle.id, bundle]]) });
    };
    await renew(0);
    const standing = await openTls(gateway.port(443), authority, { servername: 'a.example.com' });
    let running = true;
    let answered = 0;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) {
          const client = await openTls(gateway.port(443), authority, { servername: 'a.example.com' });
          expect(await client.get('a.example.com')).toBe(200);
          expect(await client.get('a.example.com')).toBe(200);
          client.destroy();
          answered++;
        }
      }),
    );
    for (let step = 1; step <= 20; step++) {
      await renew(step);
      expect(await standing.get('a.example.com')).toBe(200);
    }
    running = false;
    await load;
    expect(answered).toBeGreaterThan(4);
    expect(standing.names).toContain('step-0.');
    const fresh = await openTls(gateway.port(443), authority, { servername: 'a.example.com' });
    expect(fresh.names).toContain('step-20.');
    fresh.destroy();
    standing.destroy();
  });
});

describe('a snapshot', () => {
  it('makes the data plane ready', async () => {
    gateway = new TestGateway();
    expect(gateway.agent.ready).toBe(false);
    expect(gateway.agent.snapshot).toBeUndefined();
    await gateway.agent.apply({ endpoints: new Map() });
    expect(gateway.agent.ready).toBe(false);
    await gateway.serve({ resources: [web] });
    expect(gateway.agent.ready).toBe(true);
  });

  it('of another Gateway is refused', async () => {
    await start([web, rule(toA)]);
    const before = gateway.agent.snapshot!;
    const delta = { ...difference(before, snapshot()), gateway: { namespace: 'infra', name: 'other' } };
    expect(await gateway.agent.apply({ delta })).toMatchObject({
      accepted: false,
      version: before.version,
      diagnostics: [{ code: 'snapshot/other-gateway' }],
    });
    expect(gateway.agent.snapshot).toBe(before);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
  });

  it('from another version is refused, and a whole one is taken', async () => {
    await start([web, rule(toA)]);
    const before = gateway.agent.snapshot!;
    const skipped = difference(snapshot(web), snapshot());
    expect(await gateway.agent.apply({ delta: skipped })).toMatchObject({
      accepted: false,
      diagnostics: [
        { code: 'snapshot/out-of-order', object: { kind: 'Gateway', namespace: 'infra', name: 'gw' } },
      ],
    });
    expect(gateway.agent.snapshot).toBe(before);
    const next = snapshot(web, backend('b'), rule({ rest: { backends: [to('b')] } }));
    expect(await gateway.agent.apply({ delta: difference(undefined, next) })).toMatchObject({
      accepted: true,
      version: next.version,
    });
    expect(gateway.agent.snapshot).toEqual(next);
    expect(await gateway.get('a.example.com/')).toMatchObject({ body: 'b\n' });
  });

  it('with a rule that is broken leaves the others alone', async () => {
    await start([web, rule({ matches: [{ path: prefix('/a') }], ...toA })]);
    const { accepted, diagnostics } = await change(
      web,
      rule({ matches: [{ path: prefix('/a') }], ...toA }),
      rule({
        route: 'media/broken',
        matches: [{ path: prefix('/b') }],
        rest: { backends: [to('b')], filters: [{ type: 'Teleport', config: {} }] },
      }),
    );
    expect(accepted).toBe(true);
    expect(diagnostics).toMatchObject([
      { severity: 'error', object: { namespace: 'media', name: 'broken' } },
    ]);
    expect(await gateway.get('a.example.com/a')).toMatchObject({ status: 200 });
    expect(await gateway.get('a.example.com/b')).toMatchObject({ status: 500 });
    expect(await change(web)).toMatchObject({ diagnostics: [] });
  });

  it('is applied after those before it, however they were handed in', async () => {
    await start([web]);
    const versions = [1, 2, 3].map((step) => snapshot(web, ...moving(step), backend('a'), backend('b')));
    const results = await Promise.all(
      versions.map((each, index) =>
        gateway.agent.apply({
          delta: difference(index ? versions[index - 1] : gateway.agent.snapshot, each),
        }),
      ),
    );
    expect(results.map(({ version }) => version)).toEqual(versions.map(({ version }) => version));
  });
});

describe('retire', () => {
  it('has clients leave their connections, takes new ones, and drops none that is idle', async () => {
    await start([web, rule(toA)]);
    const port = gateway.port();
    const [idle, active] = await Promise.all([1, 2].map(() => RawClient.open(port)));
    const request = 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n';
    active!.send(request);
    expect(await active!.until('a\n')).not.toContain('Connection: close');
    gateway.agent.retire();
    expect(gateway.agent.ready).toBe(true);
    active!.send(request);
    expect(await active!.untilClosed()).toMatch(/Connection: close[\s\S]*a\n$/);
    idle!.send(request);
    expect(await idle!.untilClosed()).toMatch(/^HTTP\/1.1 200[\s\S]*Connection: close/);
    expect(await exchange(port, { host: 'a.example.com', path: '/' })).toMatchObject({
      status: 200,
      headers: { connection: 'close' },
    });
    await change(web, listener('extra', { port: 81 }), rule({ on: ['extra'], ...toA }));
    expect(await exchange(gateway.port(81), { host: 'a.example.com', path: '/' })).toMatchObject({
      headers: { connection: 'close' },
    });
  });
});

describe('drain', () => {
  it('finishes what is in flight, closes what is idle and takes nothing new', async () => {
    let finish = () => {};
    const slow = await Backend.http((_, response) => {
      finish = () => response.end('done');
    });
    await start([web, rule({ rest: { backends: [to('slow')] } }), backend('slow')], {
      fallbackEndpoints: () => [slow.endpoint],
    });
    const port = gateway.port();
    const [busy, idle, fresh] = await Promise.all([1, 2, 3].map(() => RawClient.open(port)));
    idle!.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await once(slow.server, 'request');
    finish();
    await idle!.until('done');
    busy!.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await once(slow.server, 'request');
    const drained = gateway.agent.drain();
    expect(gateway.agent.ready).toBe(false);
    await Promise.all([idle!.untilClosed(), fresh!.untilClosed()]);
    expect(busy!.closed).toBe(false);
    await expect(exchange(port, { host: 'a.example.com', path: '/' })).rejects.toThrow('ECONNREFUSED');
    finish();
    expect(await busy!.untilClosed()).toMatch(/Connection: close[\s\S]*done$/);
    await drained;
    expect(await gateway.serve({ resources: [] })).toMatchObject({
      accepted: false,
      diagnostics: [{ code: 'agent/draining' }],
    });
    await slow.close();
  });

  it('closes a connection whose response had begun before, once that has ended', async () => {
    let finish = () => {};
    const slow = await Backend.http((_, response) => {
      response.write('begun ');
      finish = () => response.end('done');
    });
    await start([web, rule({ rest: { backends: [to('slow')] } }), backend('slow')], {
      fallbackEndpoints: () => [slow.endpoint],
    });
    const client = await RawClient.open(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await client.until('begun');
    const drained = gateway.agent.drain();
    finish();
    expect(await client.untilClosed()).toContain('done');
    await drained;
    await slow.close();
  });

  it('cuts at its deadline what does not finish', async () => {
    const silent = await Backend.http(() => {});
    await start([web, rule({ rest: { backends: [to('silent')] } }), backend('silent')], {
      fallbackEndpoints: () => [silent.endpoint],
      limits: { drain: 100 },
    });
    const pending = rawExchange(gateway.port(), 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await once(silent.server, 'request');
    await gateway.agent.drain();
    expect(await pending).toBe('');
    await silent.close();
  });

  it('of a TLS port closes connections that never carried a request', async () => {
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/cert'] });
    await start([secure, rule({ on: ['secure'], ...toA })]);
    const bundle = issue('infra/cert', ['a.example.com']);
    await gateway.agent.apply({ certificates: new Map([[bundle.id, bundle]]) });
    const fresh = await openTls(gateway.port(443), authority);
    const used = await openTls(gateway.port(443), authority);
    await used.get('a.example.com');
    await gateway.agent.drain();
    await Promise.all([fresh.untilClosed(), used.untilClosed()]);
  });
});
