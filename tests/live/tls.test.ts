/** TLS termination: which certificate, which handshakes, and how certificates change. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { CertificateBundle, Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { rawExchange } from '../support/client.ts';
import { ENGINE } from '../support/engine.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { openTls, type TlsClient, type TlsOptions } from '../support/tls-client.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const shop = issue('infra/shop', ['shop.example.com']);
const wildcard = issue('infra/wildcard', ['*.example.com']);
const any = issue('infra/any', ['gateway.test']);

let whoami: Backend;
let gateway: TestGateway;
const clients: TlsClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await gateway.agent.close();
  await whoami.close();
});

const secure = (name: string, certificates: readonly CertificateBundle[], hostname?: string) =>
  listener(name, {
    port: 443,
    protocol: 'HTTPS',
    certificates: certificates.map(({ id }) => id),
    ...(hostname ? { hostname } : {}),
  });

const routes = (...listeners: string[]): Resource[] => [
  backend('whoami'),
  rule({ on: listeners, rest: { backends: [to('whoami')] } }),
];

async function serve(
  resources: readonly Resource[],
  certificates = [shop, wildcard, any],
  metrics = new Metrics(),
) {
  whoami = await Backend.echo('whoami');
  gateway = await TestGateway.serving(
    { resources, endpoints: { whoami: [whoami.endpoint] }, certificates },
    { metrics },
  );
}

async function open(servername?: string, options: TlsOptions = {}): Promise<TlsClient> {
  const client = await openTls(gateway.port(443), authority, {
    ...options,
    ...(servername === undefined ? {} : { servername }),
  });
  clients.push(client);
  return client;
}

/** Why a handshake failed. */
const refusal = (servername?: string, options: TlsOptions = {}) =>
  open(servername, options).then(
    () => 'connected',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

describe('the server name of a handshake', () => {
  it('chooses the listener, and with it the certificate: exact, then wildcard, then any', async () => {
    await serve([
      secure('exact', [shop], 'shop.example.com'),
      secure('wildcard', [wildcard], '*.example.com'),
      secure('any', [any]),
      ...routes('exact', 'wildcard', 'any'),
    ]);
    const shown = async (name?: string) => (await open(name)).names;
    expect(await shown('shop.example.com')).toBe('DNS:shop.example.com');
    expect(await shown('SHOP.example.com')).toBe('DNS:shop.example.com');
    expect(await shown('a.example.com')).toBe('DNS:*.example.com');
    expect(await shown('a.b.example.com')).toBe('DNS:*.example.com');
    expect(await shown('example.com')).toBe('DNS:gateway.test');
    expect(await shown('example.org')).toBe('DNS:gateway.test');
    expect(await shown()).toBe('DNS:gateway.test');
  });

  it('that no listener has is refused, and so is none at all', async () => {
    await serve([secure('exact', [shop], 'shop.example.com'), ...routes('exact')]);
    for (const name of ['other.example.com', 'xshop.example.com', 'shop.example.com.test', undefined]) {
      expect(await refusal(name)).not.toBe('connected');
    }
    expect(await (await open('shop.example.com')).get('shop.example.com')).toBe(200);
  });

  it('is what a request is logged and forwarded with as https', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    expect(await (await open('shop.example.com')).get('shop.example.com')).toBe(200);
    expect(whoami.seen[0]!.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      'x-forwarded-host': 'shop.example.com',
    });
    expect(gateway.lines()).toMatchObject([{ scheme: 'https', listener: 'any', host: 'shop.example.com' }]);
  });

  it('of a listener whose certificate is missing is refused', async () => {
    await serve([secure('exact', [shop], 'shop.example.com'), secure('any', [any]), ...routes('any')], [any]);
    expect(await refusal('shop.example.com')).not.toBe('connected');
    expect(await refusal('other.example.com')).toBe('connected');
  });
});

describe('several certificates of a listener', () => {
  it('are chosen by name, the first where none has it', async () => {
    await serve([secure('any', [any, shop, wildcard]), ...routes('any')]);
    expect((await open('shop.example.com')).names).toBe('DNS:shop.example.com');
    expect((await open('a.example.com')).names).toBe('DNS:*.example.com');
    expect((await open('example.org')).names).toBe('DNS:gateway.test');
    expect((await open()).names).toBe('DNS:gateway.test');
  });
});

describe('a request on a connection', () => {
  /** Listeners that overlap, as in Gateway API's example of coalesced connections. */
  const overlapping = () =>
    serve([
      secure('exact', [shop], 'shop.example.com'),
      secure('wildcard', [wildcard], '*.example.com'),
      secure('org', [any], 'example.org'),
      ...routes('exact', 'wildcard', 'org'),
    ]);

  it('that was opened for another listener is misdirected', async () => {
    await overlapping();
    const client = await open('a.example.com');
    expect(await client.get('a.example.com')).toBe(200);
    expect(await client.get('b.example.com')).toBe(200);
    expect(await client.get('shop.example.com')).toBe(421);
    expect(await client.get('example.org')).toBe(421);
    const narrow = await open('shop.example.com');
    expect(await narrow.get('a.example.com')).toBe(421);
    expect(await narrow.get('shop.example.com:443')).toBe(200);
  });

  it('for a host of no listener is 404', async () => {
    await overlapping();
    expect(await (await open('a.example.com')).get('example.net')).toBe(404);
  });

  it('without server name is held to the listener for any host', async () => {
    await serve([
      secure('exact', [shop], 'shop.example.com'),
      secure('any', [any]),
      ...routes('exact', 'any'),
    ]);
    const client = await open();
    expect(await client.get('example.net')).toBe(200);
    expect(await client.get('shop.example.com')).toBe(421);
  });
});

describe('the protocol', () => {
  it('is TLS 1.2 or newer', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await open('a', { minVersion: version, maxVersion: version });
      expect(client.socket.getProtocol()).toBe(version);
    }
    expect(
      await refusal('a', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).not.toBe('connected');
  });

  it('has no ciphers without forward secrecy or authentication', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    for (const ciphers of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'AES256-GCM-SHA384']) {
      expect(await refusal('a', { maxVersion: 'TLSv1.2', ciphers })).not.toBe('connected');
    }
    expect(await refusal('a', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe(
      'connected',
    );
  });

  it('on top is one that both speak', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    const chosen = async (...offered: string[]) =>
      (await open('a', { ALPNProtocols: offered })).socket.alpnProtocol;
    expect(await chosen('h2', 'http/1.1')).toBe(ENGINE === 'node' ? 'http/1.1' : 'h2');
    expect(await chosen('http/1.1')).toBe('http/1.1');
    expect(await refusal('a', { ALPNProtocols: ['spdy/3'] })).toBe(
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    );
    const none = await open('a', { ALPNProtocols: [] });
    expect(await none.get('a')).toBe(200);
  });

  it('is not what plain HTTP speaks, and the port lives on', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    for (const bytes of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\xff\xff', '\x00'.repeat(100)]) {
      expect(await rawExchange(gateway.port(443), bytes)).not.toMatch(/200/);
    }
    expect(await (await open('a')).get('a')).toBe(200);
  });
});

describe('a new certificate', () => {
  it('is shown to new connections, and those that stand go on', async () => {
    await serve([
      secure('exact', [shop], 'shop.example.com'),
      secure('any', [any]),
      ...routes('exact', 'any'),
    ]);
    const before = await open('shop.example.com');
    const nameless = await open();
    expect(await before.get('shop.example.com')).toBe(200);
    const renewed = [
      issue('infra/shop', ['shop.example.com', 'renewed.example.com']),
      issue('infra/any', ['gateway.test', 'renewed.test']),
    ];
    const result = await gateway.agent.apply({
      certificates: new Map(renewed.map((each) => [each.id, each])),
    });
    expect(result).toMatchObject({ accepted: true, diagnostics: [] });
    expect((await open('shop.example.com')).names).toBe('DNS:shop.example.com, DNS:renewed.example.com');
    expect((await open()).names).toBe('DNS:gateway.test, DNS:renewed.test');
    expect(await before.get('shop.example.com')).toBe(200);
    expect(await nameless.get('example.net')).toBe(200);
  });

  const broken: [string, (good: CertificateBundle) => Partial<CertificateBundle>, string][] = [
    ['is no PEM', () => ({ certificate: 's3cret-certificate' }), 'certificate/not-loaded'],
    ['has a key that is none', () => ({ privateKey: 's3cret-key' }), 'certificate/not-loaded'],
    ['is cut', ({ certificate }) => ({ certificate: certificate.slice(0, 200) }), 'certificate/not-loaded'],
    ['has the key of another', () => ({ privateKey: wildcard.privateKey }), 'certificate/key-does-not-match'],
  ];
  it.each(broken)(
    'that %s is reported by the name of its Secret, and the old one stays',
    async (_, change, code) => {
      await serve([secure('any', [any]), ...routes('any')]);
      const { accepted, diagnostics } = await gateway.agent.apply({
        certificates: new Map([[any.id, { ...any, ...change(any), hash: 'broken' }]]),
      });
      expect(accepted).toBe(true);
      expect(diagnostics).toMatchObject([
        { severity: 'error', code, object: { kind: 'Secret', namespace: 'infra', name: 'any' } },
      ]);
      expect(JSON.stringify(diagnostics)).not.toMatch(/s3cret|BEGIN/);
      expect(await (await open('a')).get('a')).toBe(200);
      const again = await gateway.agent.apply({ certificates: new Map([[any.id, any]]) });
      expect(again.diagnostics).toEqual([]);
    },
  );

  it('that is gone refuses new connections', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    const before = await open('a');
    await gateway.agent.apply({ certificates: new Map([[any.id, undefined]]) });
    expect(await refusal('a')).not.toBe('connected');
    expect(await refusal()).not.toBe('connected');
    expect(await before.get('a')).toBe(200);
  });
});

describe('a certificate that no listener refers to', () => {
  it('is kept no longer', async () => {
    await serve([secure('one', [shop]), ...routes('one')]);
    await gateway.serve({ resources: [secure('one', [wildcard]), ...routes('one')] });
    expect((await open('a')).names).toBe('DNS:*.example.com');
    await gateway.serve({ resources: [secure('one', [shop]), ...routes('one')] });
    expect(await refusal('a')).not.toBe('connected');
    await gateway.serve({ resources: [secure('one', [shop]), ...routes('one')], certificates: [shop] });
    expect((await open('a')).names).toBe('DNS:shop.example.com');
  });
});

describe('a session', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s is resumed after routes and other certificates have changed',
    async (version) => {
      await serve([
        secure('exact', [shop], 'shop.example.com'),
        secure('any', [any]),
        ...routes('exact', 'any'),
      ]);
      const protocol = { minVersion: version, maxVersion: version };
      for (const name of ['shop.example.com', undefined]) {
        const first = await open(name, protocol);
        const sessions: Buffer[] = [];
        first.socket.on('session', (session) => sessions.push(session));
        await first.get(name ?? 'example.net');
        const session = sessions.at(-1) ?? first.socket.getSession()!;
        await gateway.serve({
          resources: [
            secure('exact', [shop], 'shop.example.com'),
            secure('any', [any]),
            ...routes('exact', 'any'),
            rule({ route: `shop/${name}-${version}`, on: ['any'] }),
          ],
        });
        const second = await open(name, { ...protocol, session });
        expect(second.socket.isSessionReused()).toBe(true);
        expect(await second.get(name ?? 'example.net')).toBe(200);
      }
    },
  );
});

describe('a listener', () => {
  it('that changes its hostname counts at once, for connections that stand too', async () => {
    await serve([secure('one', [shop], 'shop.example.com'), ...routes('one')]);
    const before = await open('shop.example.com');
    expect(await before.get('shop.example.com')).toBe(200);
    await gateway.serve({ resources: [secure('one', [wildcard], 'new.example.com'), ...routes('one')] });
    expect((await open('new.example.com')).names).toBe('DNS:*.example.com');
    expect(await refusal('shop.example.com')).not.toBe('connected');
    expect(await before.get('shop.example.com')).toBe(404);
  });

  it('that turns from HTTP to HTTPS keeps its port', async () => {
    await serve([listener('one', { port: 443 }), ...routes('one')]);
    const port = gateway.port(443);
    expect(await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 200/,
    );
    const result = await gateway.serve({
      resources: [secure('one', [any]), ...routes('one')],
      certificates: [any],
    });
    expect(result.diagnostics).toEqual([]);
    expect(gateway.port(443)).toBe(port);
    expect(await (await open('a')).get('a')).toBe(200);
  });
});

describe('a ClientHello', () => {
  it('may come octet by octet', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    const raw = connect(gateway.port(443), '127.0.0.1');
    const slow = new Duplex({
      read() {},
      write(octets: Buffer, _encoding, done) {
        void (async () => {
          for (const octet of octets) {
            raw.write(Buffer.from([octet]));
            await setImmediate();
          }
          done();
        })();
      },
    });
    raw.on('data', (octets) => slow.push(octets));
    expect(await (await open('a', { socket: slow })).get('a')).toBe(200);
    raw.destroy();
  });

  it('is answered where many come at once', async () => {
    await serve([secure('any', [any]), ...routes('any')]);
    const all = await Promise.all(Array.from({ length: 40 }, () => open('a')));
    expect(await Promise.all(all.map((client) => client.get('a')))).toEqual(all.map(() => 200));
  });
});

describe('a failed handshake', () => {
  it('closes the connection, and is counted', async () => {
    const metrics = new Metrics();
    await serve([secure('exact', [shop], 'shop.example.com'), ...routes('exact')], [shop], metrics);
    await rawExchange(gateway.port(443), '\x16\x03\x01\x00\x05hello');
    await refusal('other.example.com');
    const wordless = connect(gateway.port(443), '127.0.0.1');
    await once(wordless.end().resume(), 'close');
    expect(gateway.log).toEqual([]);
    expect(await metrics.text()).toContain(
      'gatewright_events_total{gateway="infra/gw",event="tls-handshake-failed"} 3',
    );
  });
});
