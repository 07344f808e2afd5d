/** A control plane and data planes over real sockets and TLS: what is sent, what is refused, and what goes on serving meanwhile. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataPlane, type DataPlaneOptions } from '../../gateway-runtime/data-plane/data-plane.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference, snapshotOf } from '../../gateway-runtime/snapshot/difference.ts';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { Change } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { exchange } from '../support/client.ts';
import { at, ControlPlane, FAST, root, serving, until } from '../support/distribution.ts';
import { FakeControl } from '../support/distribution-wire.ts';
import { backend, GATEWAY, to } from '../support/gateway.ts';
import { openTls } from '../support/tls-client.ts';
import { exact, listener, rule } from '../unit/match/snapshots.ts';

let control: ControlPlane;
let a: Backend;
let b: Backend;
const planes: DataPlane[] = [];

beforeEach(async () => {
  [control, a, b] = await Promise.all([
    ControlPlane.start({ limits: FAST }),
    Backend.echo('a'),
    Backend.echo('b'),
  ]);
});
afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.close()));
  await Promise.all([control.remove(), a.close(), b.close()]);
});

const web = listener('web');
const toBackend = (name: string): Resource[] => [
  web,
  backend(name),
  rule({ rest: { backends: [to(name)] } }),
];
const endpoints = () => ({ a: [a.endpoint], b: [b.endpoint] });
const publish = (sequence: number, name: string, epoch = 1) =>
  control.publish(at(sequence, epoch), { resources: toBackend(name), endpoints: endpoints() })[0]!;

interface Started {
  readonly plane: DataPlane;
  readonly events: readonly string[];
  readonly folder: string;
  readonly admin: number;
}

async function start(options: Partial<DataPlaneOptions> = {}): Promise<Started> {
  const given = control.options();
  const plane = new DataPlane({ ...given, limits: FAST, ...options });
  planes.push(plane);
  return { plane, events: given.events, folder: given.folder, admin: await plane.start() };
}

const get = ({ plane }: Started, port = 80) =>
  exchange(plane.boundPort(port)!, { host: 'a.example.com', path: '/' });

const readiness = async ({ admin }: Started) =>
  (await exchange(admin, { host: 'localhost', path: '/readyz' })).status;

describe('a data plane', () => {
  it('is brought to what there is, and from there by differences', async () => {
    const started = await start();
    expect(await readiness(started)).toBe(503);
    const first = publish(1, 'a');
    await control.serves(first);
    expect(await readiness(started)).toBe(200);
    expect(await get(started)).toMatchObject({ status: 200, body: 'a\n' });
    const second = publish(2, 'b');
    await control.serves(second);
    expect(await get(started)).toMatchObject({ status: 200, body: 'b\n' });
    expect(control.distribution.replicas(GATEWAY)).toMatchObject([
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
    const [snapshot] = control.publish(at(1), {
      resources,
      endpoints: { a: [a.endpoint] },
      certificates: cert('first.example.com'),
    });
    const started = await start();
    await control.serves(snapshot!);
    const open = () => openTls(started.plane.boundPort(443)!, authority, { servername: 'a.example.com' });
    const before = await open();
    expect(await before.get('a.example.com')).toBe(200);
    expect(before.names).toContain('first.example.com');
    control.publish(at(2), {
      resources,
      endpoints: { a: [b.endpoint] },
      certificates: cert('second.example.com'),
    });
    await until('the other endpoint is used', () => {
      if (b.seen.length === 0) void before.get('a.example.com');
      return b.seen.length > 0;
    });
    const after = await open();
    expect(after.names).toContain('second.example.com');
    for (const client of [before, after]) client.destroy();
  });

  it('has the keys for sessions of its Gateway, new ones after it dialled again, and the last ones after a restart without a control plane', async () => {
    let keys = [Buffer.alloc(32, 1).toString('base64url')];
    const asked: string[] = [];
    await control.remove();
    control = await ControlPlane.start({
      limits: FAST,
      sessionKeys: ({ name }) => {
        asked.push(name);
        return keys;
      },
    });
    const persistent = rule({ rest: { backends: [to('a')], session: { type: 'Header', name: 'x-s' } } });
    const places = { a: [a.endpoint, b.endpoint] };
    const [snapshot] = control.publish(at(1), {
      resources: [web, backend('a'), persistent],
      endpoints: places,
    });
    const first = await start();
    await control.serves(snapshot!);
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
    await control.down();
    await control.up();
    control.publish(at(1), { resources: [web, backend('a'), persistent], endpoints: places });
    let renewed: string | undefined;
    for (const patience = performance.now() + 10_000; !renewed && performance.now() < patience; ) {
      const { headers, body } = await ask(first, token);
      expect(body).toBe(begun.body);
      renewed = headers['x-s'] as string | undefined;
    }
    expect(renewed).toMatch(/^[\w-]{64}$/);
    await control.down();
    await first.plane.close();
    const second = await start({ folder: first.folder });
    expect((await ask(second, renewed)).headers).not.toHaveProperty('x-s');
    await isAt(second, begun.body);
    expect(new Set(asked)).toEqual(new Set([GATEWAY.name]));
    expect([...first.events, ...second.events].join()).not.toContain(keys[0]);
  });

  it('refuses what it does not understand, goes on serving, and takes what comes after', async () => {
    publish(1, 'a');
    const started = await start();
    await until('it is ready', () => started.plane.isReady);
    const strange = { ...rule({ route: 'shop/strange' }), teleport: true } as unknown as Resource;
    const [refused] = control.publish(at(2), { resources: [...toBackend('b'), strange] });
    await until('it is refused', () => control.view?.refused === refused!.version);
    expect(control.view).toMatchObject({
      acked: { order: at(1) },
      diagnostics: [{ code: 'snapshot/not-sound', object: { kind: 'Gateway', ...GATEWAY } }],
    });
    expect(control.view!.diagnostics[0]!.message).toContain('http-rule.teleport');
    // What was refused has no use for this backend, what serves has.
    expect(await get(started)).toMatchObject({ status: 200, body: 'a\n' });
    const also = rule({
      route: 'shop/also',
      matches: [{ path: exact('/also') }],
      rest: { backends: [to('a')] },
    });
    const [still] = control.publish(at(3), { resources: [...toBackend('b'), strange, backend('a'), also] });
    await until('it is refused', () => control.view?.refused === still!.version);
    // Endpoints move on beneath it.
    control.publish(at(4), {
      resources: [...toBackend('b'), strange, backend('a'), also],
      endpoints: { a: [b.endpoint] },
    });
    await until('the other endpoint is used', () => {
      void get(started);
      return b.seen.length > 0;
    });
    expect(control.view!.refused).toBe(still!.version);
    await control.serves(publish(5, 'b'));
    expect(control.view!.refused).toBeUndefined();
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('serves on while the control plane is away, and has what changed meanwhile when it is back', async () => {
    const first = publish(1, 'a');
    const started = await start();
    await control.serves(first);
    let running = true;
    const answers = new Set<string>();
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) answers.add((await get(started)).body);
      }),
    );
    for (let epoch = 2; epoch <= 4; epoch++) {
      await control.down();
      await until('it knows', () => !started.plane.isConnected);
      expect(started.plane.isReady).toBe(true);
      await control.up();
      await control.serves(publish(1, epoch % 2 ? 'a' : 'b', epoch));
    }
    running = false;
    await load;
    expect([...answers].sort()).toEqual(['a\n', 'b\n']);
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('is not led back by a control plane that knows less, and takes a newer epoch', async () => {
    const first = publish(5, 'a', 7);
    const started = await start();
    await control.serves(first);
    await control.down();
    await control.up();
    control.views.length = 0;
    publish(900, 'b', 6);
    await until('it is sent elsewhere', () =>
      control.events.some((each) => each.includes('has older objects')),
    );
    expect(await get(started)).toMatchObject({ body: 'a\n' });
    expect(control.views.filter(({ connected, acked }) => connected && acked)).toEqual([]);
    await control.serves(publish(1, 'b', 8));
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('counts with a control plane whose state is older by its number and the same by its content', async () => {
    const first = publish(5, 'a', 7);
    await start();
    await control.serves(first);
    await control.down();
    await control.up();
    control.views.length = 0;
    await control.serves(publish(4, 'a', 7));
    // As long as it takes to be sent elsewhere.
    await new Promise((resolve) => setTimeout(resolve, 4 * FAST.behind!));
    expect(control.view).toMatchObject({ connected: true, acked: { version: first.version } });
    await control.serves(publish(6, 'b', 7));
  });

  it('refuses an older version itself, whoever sends it', async () => {
    await control.down();
    const fake = await FakeControl.listen(control);
    const started = await start();
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
      control.change(at(++sequence), translator.apply(changes));
      await control.serves(translator.current.snapshots.get('infra/gw')!);
    };
    const started = await start();
    await edit(
      ...service('a', a),
      ...service('b', b),
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

describe('last-known-good', () => {
  const restart = async (started: Started, options: Partial<DataPlaneOptions> = {}) => {
    await started.plane.close();
    return start(options);
  };

  it('serves after a restart without a control plane, keys and endpoints too', async () => {
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/cert'] });
    const [snapshot] = control.publish(at(1), {
      resources: [
        ...toBackend('a'),
        secure,
        rule({ route: 'shop/x', on: ['secure'], rest: { backends: [to('a')] } }),
      ],
      endpoints: endpoints(),
      certificates: [issue('infra/cert', ['a.example.com'])],
    });
    const first = await start();
    await control.serves(snapshot!);
    await control.down();
    const second = await restart(first);
    expect(await readiness(second)).toBe(200);
    expect(await get(second)).toMatchObject({ status: 200, body: 'a\n' });
    const client = await openTls(second.plane.boundPort(443)!, authority, { servername: 'a.example.com' });
    expect(await client.get('a.example.com')).toBe(200);
    client.destroy();
    expect(second.events[0]).toBe('serving what was served last, version 1.1');
    const files = readdirSync(second.folder);
    expect(files).toHaveLength(4);
    for (const file of files) expect(statSync(join(second.folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(second.folder).mode & 0o777).toBe(0o700);
    // What it has it need not be sent again.
    await control.up();
    control.views.length = 0;
    control.publish(at(1, 2), {
      resources: [
        ...toBackend('a'),
        secure,
        rule({ route: 'shop/x', on: ['secure'], rest: { backends: [to('a')] } }),
      ],
      endpoints: { a: [a.endpoint] },
    });
    await control.serves(snapshot!);
  });

  it('keeps the newest of many changes, and no file of those before', async () => {
    const started = await start();
    for (let step = 1; step <= 30; step++) await control.serves(publish(step, step % 2 ? 'a' : 'b'));
    await control.down();
    const second = await restart(started);
    expect(second.events[0]).toContain('version 1.30');
    expect(await get(second)).toMatchObject({ body: 'b\n' });
    expect(readdirSync(second.folder)).toHaveLength(4);
  });

  it('that was damaged is not used: it stays unready until the control plane is back', async () => {
    const started = await start();
    await control.serves(publish(1, 'a'));
    await control.down();
    await started.plane.close();
    const { folder } = started;
    const whole = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
    expect(whole.size).toBe(4);
    let damaged: Started | undefined;
    for (const [file, content] of whole) {
      for (const bytes of [content.subarray(0, content.length - 3), swapped(content), Buffer.from('{}')]) {
        for (const [name, good] of whole) writeFileSync(join(folder, name), name === file ? bytes : good);
        await damaged?.plane.close();
        damaged = await start();
        expect(damaged.events[0]).toMatch(/^what was served last is not used: /);
        expect(damaged.events[0]).not.toContain('PRIVATE');
        expect(await readiness(damaged)).toBe(503);
      }
    }
    await control.up();
    await control.serves(publish(2, 'b'));
    expect(await readiness(damaged!)).toBe(200);
    expect(await get(damaged!)).toMatchObject({ body: 'b\n' });
  });

  it('that can not be written is reported once, and all else goes on', async () => {
    const folder = join(control.caFile, 'state');
    const started = await start({ folder });
    await control.serves(publish(1, 'a'));
    await until('it is told', () => started.events.includes(`${folder} can't be written (ENOTDIR)`));
    await control.serves(publish(2, 'b'));
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('of another Gateway is not used', async () => {
    const started = await start();
    await control.serves(publish(1, 'a'));
    await control.down();
    const other = await restart(started, { gateway: { namespace: 'infra', name: 'other' } });
    expect(other.events[0]).toBe(
      'what was served last is not used: found the Gateway infra/gw, expected infra/other',
    );
    expect(other.plane.isReady).toBe(false);
  });
});

/** The last digit is another one. */
function swapped(content: Buffer): Buffer {
  const text = content.toString();
  const at = text.search(/[0-9](?=[^0-9]*$)/);
  if (at < 0) return Buffer.from(`${text} `);
  return Buffer.from(`${text.slice(0, at)}${(Number(text[at]) + 1) % 10}${text.slice(at + 1)}`);
}

describe('the authority', () => {
  it('changes under a live stream, which stays, and new ones are made under the new one', async () => {
    publish(1, 'a');
    const started = await start();
    await until('it is ready', () => started.plane.isReady);
    const connections = () =>
      started.events.filter((each) => each === 'connected to the control plane').length;
    const next = root();
    writeFileSync(control.caFile, control.issuer.certificate + next.certificate);
    control.distribution.certificate = serving(next);
    await control.serves(publish(2, 'b'));
    expect(connections()).toBe(1);
    // Dials again, and finds the certificate of the new root.
    writeFileSync(control.caFile, next.certificate);
    control.change(at(3), { removedGateways: ['infra/gw'] });
    await until('it dialled again', () => connections() === 2);
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('that is not known is not believed, until the file says otherwise', async () => {
    const stranger = root();
    control.distribution.certificate = serving(stranger);
    publish(1, 'a');
    const started = await start();
    await until('it was told', () => started.events.length > 0);
    expect(started.events[0]).toMatch(/^not connected to the control plane: .*(certificate|signature)/);
    expect(started.plane.isReady).toBe(false);
    writeFileSync(control.caFile, stranger.certificate);
    await until('it is ready', () => started.plane.isReady);
  });

  it('must be for the name that was dialled', async () => {
    publish(1, 'a');
    const started = await start({ serverName: 'elsewhere.example.com' });
    await until('it was told', () => started.events.length > 0);
    expect(started.events[0]).toContain("does not match certificate's altnames");
    expect(started.plane.isReady).toBe(false);
  });
});
