import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference, snapshotOf } from '../../gateway-runtime/snapshot/difference.ts';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { Change } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { exchange } from '../support/client.ts';
import { at, ControlPlane, FAST, until } from '../support/distribution.ts';
import { distributionSite, get, type Started, toBackend, web } from '../support/distribution-site.ts';
import { FakeControl } from '../support/distribution-wire.ts';
import { backend, GATEWAY, to } from '../support/gateway.ts';
import { openTls } from '../support/tls-client.ts';
import { exact, listener, rule } from '../unit/match/snapshots.ts';

const site = distributionSite();

const readiness = async ({ admin }: Started) =>
  (await exchange(admin, { host: 'localhost', path: '/readyz' })).status;

describe('a data plane', () => {
  it('is brought to what there is, and from there by differences', async () => {
    const started = await site.start();
    expect(await readiness(started)).toBe(503);
    const first = site.publish(1, 'a');
    await site.control.serves(first);
    expect(await readiness(started)).toBe(200);
    expect(await get(started)).toMatchObject({ status: 200, body: 'a\n' });
    const second = site.publish(2, 'b');
    await site.control.serves(second);
    expect(await get(started)).toMatchObject({ status: 200, body: 'b\n' });
    expect(site.control.distribution.replicas(GATEWAY)).toMatchObject([
      {
        replica: 'gw-1',
        connected: true,
        ready: true,
        acked: { order: at(2), version: second.version },
        diagnostics: [],
      },
    ]);
  });

  it('follows endpoints and certificates where the snapshot stays as it is', async () => {
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/cert'] });
    const resources = [secure, backend('a'), rule({ on: ['secure'], rest: { backends: [to('a')] } })];
    const cert = (name: string) => [issue('infra/cert', ['a.example.com', name])];
    const [snapshot] = site.control.publish(at(1), {
      resources,
      endpoints: { a: [site.a.endpoint] },
      certificates: cert('first.example.com'),
    });
    const started = await site.start();
    await site.control.serves(snapshot!);
    const open = () => openTls(started.plane.boundPort(443)!, authority, { servername: 'a.example.com' });
    const before = await open();
    expect(await before.get('a.example.com')).toBe(200);
    expect(before.names).toContain('first.example.com');
    site.control.publish(at(2), {
      resources,
      endpoints: { a: [site.b.endpoint] },
      certificates: cert('second.example.com'),
    });
    await until('the other endpoint is used', () => {
      if (site.b.seen.length === 0) void before.get('a.example.com');
      return site.b.seen.length > 0;
    });
    const after = await open();
    expect(after.names).toContain('second.example.com');
    for (const client of [before, after]) client.destroy();
  });

  it('has the keys for sessions of its Gateway, new ones after it dialled again, and the last ones after a restart without a control plane', async () => {
    let keys = [Buffer.alloc(32, 1).toString('base64url')];
    const asked: string[] = [];
    await site.control.remove();
    site.control = await ControlPlane.start({
      limits: FAST,
      sessionKeys: ({ name }) => {
        asked.push(name);
        return keys;
      },
    });
    const persistent = rule({ rest: { backends: [to('a')], session: { type: 'Header', name: 'x-s' } } });
    const places = { a: [site.a.endpoint, site.b.endpoint] };
    const [snapshot] = site.control.publish(at(1), {
      resources: [web, backend('a'), persistent],
      endpoints: places,
    });
    const first = await site.start();
    await site.control.serves(snapshot!);
    const ask = ({ plane }: Started, token?: string) =>
      exchange(plane.boundPort(80)!, {
        host: 'a.example.com',
        path: '/',
        headers: token === undefined ? {} : { 'x-s': token },
      });
    const begun = await ask(first);
    const token = begun.headers['x-s'] as string;
    const isAt = async (started: Started, body: string) => {
      for (let i = 0; i < 2; i++) expect((await ask(started, token)).body).toBe(body);
    };
    await isAt(first, begun.body);
    // Another key comes; what the one before sealed is still good.
    keys = [Buffer.alloc(32, 2).toString('base64url'), keys[0]!];
    await site.control.down();
    await site.control.up();
    site.control.publish(at(1), { resources: [web, backend('a'), persistent], endpoints: places });
    let renewed: string | undefined;
    for (const patience = performance.now() + 10_000; !renewed && performance.now() < patience; ) {
      const { headers, body } = await ask(first, token);
      expect(body).toBe(begun.body);
      renewed = headers['x-s'] as string | undefined;
    }
    expect(renewed).toMatch(/^[\w-]{64}$/);
    await site.control.down();
    await first.plane.close();
    const second = await site.start({ folder: first.folder });
    expect((await ask(second, renewed)).headers).not.toHaveProperty('x-s');
    await isAt(second, begun.body);
    expect(new Set(asked)).toEqual(new Set([GATEWAY.name]));
    expect([...first.events, ...second.events].join()).not.toContain(keys[0]);
  });

  it('refuses what it does not understand, goes on serving, and takes what comes after', async () => {
    site.publish(1, 'a');
    const started = await site.start();
    await until('it is ready', () => started.plane.isReady);
    const strange = { ...rule({ route: 'shop/strange' }), teleport: true } as unknown as Resource;
    const [refused] = site.control.publish(at(2), { resources: [...toBackend('b'), strange] });
    await until('it is refused', () => site.control.view?.refused === refused!.version);
    expect(site.control.view).toMatchObject({
      acked: { order: at(1) },
      diagnostics: [{ code: 'snapshot/not-sound', object: { kind: 'Gateway', ...GATEWAY } }],
    });
    expect(site.control.view!.diagnostics[0]!.message).toContain('http-rule.teleport');
    // What was refused has no use for this backend, what serves has.
    expect(await get(started)).toMatchObject({ status: 200, body: 'a\n' });
    const also = rule({
      route: 'shop/also',
      matches: [{ path: exact('/also') }],
      rest: { backends: [to('a')] },
    });
    const [still] = site.control.publish(at(3), {
      resources: [...toBackend('b'), strange, backend('a'), also],
    });
    await until('it is refused', () => site.control.view?.refused === still!.version);
    // Endpoints move on beneath it.
    site.control.publish(at(4), {
      resources: [...toBackend('b'), strange, backend('a'), also],
      endpoints: { a: [site.b.endpoint] },
    });
    await until('the other endpoint is used', () => {
      void get(started);
      return site.b.seen.length > 0;
    });
    expect(site.control.view!.refused).toBe(still!.version);
    await site.control.serves(site.publish(5, 'b'));
    expect(site.control.view!.refused).toBeUndefined();
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('serves on while the control plane is away, and has what changed meanwhile when it is back', async () => {
    const first = site.publish(1, 'a');
    const started = await site.start();
    await site.control.serves(first);
    let running = true;
    const answers = new Set<string>();
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) answers.add((await get(started)).body);
      }),
    );
    for (let epoch = 2; epoch <= 4; epoch++) {
      await site.control.down();
      await until('it knows', () => !started.plane.isConnected);
      expect(started.plane.isReady).toBe(true);
      await site.control.up();
      await site.control.serves(site.publish(1, epoch % 2 ? 'a' : 'b', epoch));
    }
    running = false;
    await load;
    expect([...answers].sort()).toEqual(['a\n', 'b\n']);
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('that drains refuses nothing: it has said before that it stops', async () => {
    let answer = () => {};
    const slow = await Backend.http((_, response) => {
      answer = () => response.end('late\n');
    });
    const resources = toBackend('slow');
    const [first] = site.control.publish(at(1), { resources, endpoints: { slow: [slow.endpoint] } });
    const started = await site.start();
    await site.control.serves(first!);
    const asked = once(slow.server, 'request');
    const late = get(started);
    await asked;
    const stopped = started.plane.stop({ unready: 0, leave: 0 });
    await until('it takes no more', () => started.plane.boundPort(80) === undefined);
    site.publish(2, 'a');
    await until(
      'it is not heard of any more',
      () => site.control.view?.connected === false || site.control.view?.refused !== undefined,
    );
    answer();
    expect(await late).toMatchObject({ status: 200, body: 'late\n' });
    await stopped;
    expect(site.control.views.filter(({ refused }) => refused !== undefined)).toEqual([]);
    expect(site.control.events.at(-1)).toContain('the data plane stops');
    await slow.close();
  });

  it('is not led back by a control plane that knows less, and takes a newer epoch', async () => {
    const first = site.publish(5, 'a', 7);
    const started = await site.start();
    await site.control.serves(first);
    await site.control.down();
    await site.control.up();
    site.control.views.length = 0;
    site.publish(900, 'b', 6);
    await until('it is sent elsewhere', () =>
      site.control.events.some((each) => each.includes('has older objects')),
    );
    expect(await get(started)).toMatchObject({ body: 'a\n' });
    expect(site.control.views.filter(({ connected, acked }) => connected && acked)).toEqual([]);
    await site.control.serves(site.publish(1, 'b', 8));
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('counts with a control plane whose state is older by its number and the same by its content', async () => {
    const first = site.publish(5, 'a', 7);
    await site.start();
    await site.control.serves(first);
    await site.control.down();
    await site.control.up();
    site.control.views.length = 0;
    await site.control.serves(site.publish(4, 'a', 7));
    // As long as it takes to be sent elsewhere.
    await new Promise((resolve) => setTimeout(resolve, 4 * FAST.behind!));
    expect(site.control.view).toMatchObject({ connected: true, acked: { version: first.version } });
    await site.control.serves(site.publish(6, 'b', 7));
  });

  it('refuses an older version itself, whoever sends it', async () => {
    await site.control.down();
    const fake = await FakeControl.listen(site.control);
    const started = await site.start();
    const wire = await fake.welcome();
    const whole = (name: string, epoch: number, sequence: number) => {
      const { to: version, put } = difference(undefined, snapshotOf(GATEWAY, toBackend(name)));
      wire.send({ type: 'part', section: 'resources', put, remove: [] });
      wire.send({ type: 'commit', order: at(sequence, epoch), snapshot: { to: version }, whole: [] });
      return version;
    };
    const served = whole('a', 3, 10);
    expect(await wire.until('ack')).toMatchObject({ version: served });
    whole('b', 2, 11);
    expect(await wire.until('nack')).toMatchObject({
      order: at(11, 2),
      version: served,
      diagnostics: [{ message: 'found version 2.11, expected none older than 3.10, which is served' }],
    });
    whole('b', 3, 9);
    await wire.until('nack', 2);
    const newer = whole('b', 4, 1);
    expect(await wire.until('ack', 2)).toMatchObject({ version: newer });
    // Nor what is not whole, or does not fit on what it has.
    const order = at(2, 4);
    const none = '0'.repeat(64);
    wire.send({ type: 'commit', order, snapshot: { to: served }, whole: [] });
    expect(await wire.until('nack', 3)).toMatchObject({
      version: newer,
      diagnostics: [{ message: `found resources of version ${none}, expected those of ${served}` }],
    });
    wire.send({ type: 'commit', order, snapshot: { from: none, to: served }, whole: [] });
    expect(await wire.until('nack', 4)).toMatchObject({ version: newer });
    expect(started.plane.isReady).toBe(true);
    await fake.close();
  });
});

describe('what translate says', () => {
  const object = (kind: string, name: string, spec: object, apiVersion = 'gateway.networking.k8s.io/v1') => ({
    set: { apiVersion, kind, metadata: { namespace: 'infra', name, uid: name, generation: 1 }, ...spec },
  });
  const secret = (name: string, hostname: string) => {
    const { certificate, privateKey } = issue(`infra/${name}`, [hostname]);
    const data = { 'tls.crt': btoa(certificate), 'tls.key': btoa(privateKey) };
    return object('Secret', name, { type: 'kubernetes.io/tls', data }, 'v1');
  };
  const gateway = (...secrets: string[]) =>
    object('Gateway', 'gw', {
      spec: {
        gatewayClassName: 'any',
        listeners: [
          { name: 'web', port: 80, protocol: 'HTTP' },
          {
            name: 'secure',
            port: 443,
            protocol: 'HTTPS',
            tls: { certificateRefs: secrets.map((name) => ({ name })) },
          },
        ],
      },
    });
  const route = (backend: string) =>
    object('HTTPRoute', 'route', {
      spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: backend, port: 80 }] }] },
    });
  const service = (name: string, ...backends: Backend[]) => [
    object('Service', name, { spec: { ports: [{ name: 'http', port: 80 }] } }, 'v1'),
    ...backends.map(({ endpoint }, index) => ({
      set: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          namespace: 'infra',
          name: `${name}-${index}`,
          labels: { 'kubernetes.io/service-name': name },
        },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: endpoint.port }],
        endpoints: [{ addresses: [endpoint.address], conditions: { ready: true } }],
      },
    })),
  ];

  it('is what is served, edit by edit', async () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    let sequence = 0;
    const edit = async (...changes: Change[]) => {
      site.control.change(at(++sequence), translator.apply(changes));
      await site.control.serves(translator.current.snapshots.get('infra/gw')!);
    };
    const started = await site.start();
    await edit(
      ...service('a', site.a),
      ...service('b', site.b),
      secret('one', 'one.example.com'),
      gateway('one'),
      route('a'),
    );
    const names = async () => {
      const client = await openTls(started.plane.boundPort(443)!, authority, { servername: 'a.example.com' });
      const { names } = client;
      client.destroy();
      return names;
    };
    expect(await get(started)).toMatchObject({ status: 200, body: 'a\n' });
    expect(await names()).toContain('one.example.com');
    await edit(route('b'));
    expect(await get(started)).toMatchObject({ status: 200, body: 'b\n' });
    await edit(secret('two', 'two.example.com'), gateway('two'));
    expect(await names()).toContain('two.example.com');
    await edit(route('missing'));
    expect(await get(started)).toMatchObject({ status: 500 });
    await edit(route('a'));
    expect(await get(started)).toMatchObject({ status: 200, body: 'a\n' });
    const gone = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'infra', name: 'route' };
    await edit({ remove: gone });
    expect(await get(started)).toMatchObject({ status: 404 });
  });
});
