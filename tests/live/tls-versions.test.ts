/** Listeners that take TLS 1.3 only, beside others on one port: what is older fails in its handshake, with the alert that says why. */
import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Listener, Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { RawClient } from '../support/client.ts';
import { helloMessage, inRecords, serverNameExtension } from '../support/client-hello.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { openTls, type TlsOptions } from '../support/tls-client.ts';
import { listener, rule, tlsRule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
const certificate = issue('infra/any', ['*.example.com']);
let gateway: TestGateway;
let metrics: Metrics;

const secure = (name: string, fields: Partial<Listener> = {}) =>
  listener(name, {
    port: 443,
    protocol: 'HTTPS',
    hostname: `${name}.example.com`,
    certificates: [certificate.id],
    ...fields,
  });
const STRICT = { minTlsVersion: 'TLSv1.3' } as const;

const both = (strict: Partial<Listener> = STRICT): Resource[] => [
  secure('strict', strict),
  secure('lax'),
  backend('whoami'),
  rule({ on: ['strict', 'lax'], rest: { backends: [to('whoami')] } }),
];

async function serve(resources: readonly Resource[]) {
  const whoami = await start(Backend.echo('whoami'));
  metrics = new Metrics();
  gateway = await start(
    TestGateway.serving(
      { resources, endpoints: { whoami: [whoami.endpoint] }, certificates: [certificate] },
      { metrics },
    ),
  );
}

const clients = closedAfterEach();

async function open(servername: string, options: TlsOptions = {}) {
  const client = await openTls(gateway.port(443), authority, { ...options, servername });
  await clients(Promise.resolve({ close: async () => client.destroy() }));
  return client;
}

/** Why the handshake failed, as OpenSSL has it. */
const failure = (servername: string, options: TlsOptions = {}): Promise<string> =>
  open(servername, options).then(
    () => 'connected',
    (error: NodeJS.ErrnoException) => error.code ?? '',
  );

const OLD = { maxVersion: 'TLSv1.2' } as const;
const ALERT = 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION';

async function failedHandshakes(): Promise<number> {
  const [, count] = /event="tls-handshake-failed"} (\d+)/.exec(await metrics.text()) ?? [];
  return Number(count ?? 0);
}

describe('a listener for TLS 1.3 only', () => {
  it('refuses TLS 1.2 with the alert for it, and its neighbour on the port does not', async () => {
    await serve(both());
    expect(await failure('strict.example.com', OLD)).toBe(ALERT);
    expect(await failedHandshakes()).toBe(1);
    for (const [name, options] of [
      ['strict', {}],
      ['strict', { minVersion: 'TLSv1.3' }],
      ['lax', OLD],
      ['lax', {}],
    ] as const) {
      const client = await open(`${name}.example.com`, options);
      expect(await client.get(`${name}.example.com`)).toBe(200);
    }
    expect(await failedHandshakes()).toBe(1);
  });

  it('may be the one for clients without a server name', async () => {
    await serve([...both(), secure('any', { ...STRICT, hostname: undefined as never })]);
    expect(await failure('', OLD)).toBe(ALERT);
    expect(await failure('other.example.org', OLD)).toBe(ALERT);
    expect(await failure('lax.example.com', OLD)).toBe('connected');
    expect(await failure('')).toBe('connected');
  });

  it('sends a whole alert and nothing more, however old the client', async () => {
    await serve(both());
    for (const version of [
      [3, 1],
      [3, 3],
    ]) {
      const client = await RawClient.open(gateway.port(443));
      const extensions = [serverNameExtension('strict.example.com')];
      client.socket.write(inRecords(helloMessage({ version, extensions }), 20));
      expect([...Buffer.from(await client.untilClosed(), 'latin1')]).toEqual([21, 3, 1, 0, 2, 2, 70]);
    }
  });

  it('takes no session of TLS 1.2, whoever it was made with', async () => {
    await serve(both({}));
    const sessionOf = async (servername: string) => {
      const client = await open(servername, OLD);
      await client.get(servername);
      return client.socket.getSession()!;
    };
    const own = await sessionOf('strict.example.com');
    const neighbours = await sessionOf('lax.example.com');
    await gateway.serve({ resources: both() });
    for (const session of [own, neighbours]) {
      expect(await failure('strict.example.com', { ...OLD, session })).toBe(ALERT);
      // Who can do more is not held back by what it did before.
      const client = await open('strict.example.com', { session });
      expect([client.socket.getProtocol(), await client.get('strict.example.com')]).toEqual(['TLSv1.3', 200]);
    }
    const resumed = await open('lax.example.com', { ...OLD, session: neighbours });
    expect(resumed.socket.isSessionReused()).toBe(true);
    // OpenSSL does not know the server name of this one: the Host field must not stand for it here.
    expect(await resumed.get('strict.example.com')).toBe(421);
    expect(await resumed.get('lax.example.com')).toBe(421);
    const again = await open('lax.example.com', { ...OLD, session: neighbours });
    expect(await again.get('lax.example.com')).toBe(200);
  });

  it('holds for connections that stand', async () => {
    await serve(both({}));
    const [old, modern] = [await open('strict.example.com', OLD), await open('strict.example.com')];
    expect([await old.get('strict.example.com'), await modern.get('strict.example.com')]).toEqual([200, 200]);
    await gateway.serve({ resources: both() });
    expect([await old.get('strict.example.com'), await modern.get('strict.example.com')]).toEqual([421, 200]);
    await gateway.serve({ resources: both({}) });
    expect(await old.get('strict.example.com')).toBe(200);
    expect(await failure('strict.example.com', OLD)).toBe('connected');
  });

  it('may be one of protocol TLS, where the gateway terminates', async () => {
    const mail = await start(Backend.tcp((socket) => socket.on('data', (data) => socket.write(data))));
    const terminated = (name: string, fields: Partial<Listener>) =>
      secure(name, { protocol: 'TLS', tlsMode: 'Terminate', ...fields });
    const backends = [{ weight: 1, name: 'Service shop/mail:80', backend: backendKey('mail') }];
    metrics = new Metrics();
    gateway = await start(
      TestGateway.serving(
        {
          resources: [
            terminated('strict', STRICT),
            terminated('lax', {}),
            backend('mail'),
            tlsRule({ hostnames: ['*.example.com'], on: ['strict', 'lax'], backends }),
          ],
          endpoints: { mail: [mail.endpoint] },
          certificates: [certificate],
        },
        { metrics },
      ),
    );
    const none = { ALPNProtocols: [] };
    expect(await failure('strict.example.com', { ...OLD, ...none })).toBe(ALERT);
    expect(await failedHandshakes()).toBe(1);
    for (const client of [
      await open('strict.example.com', none),
      await open('lax.example.com', { ...OLD, ...none }),
    ]) {
      client.send('hello');
      await client.until('hello');
    }
    expect(mail.used).toBe(2);
  });
});

describe('a listener for TLS 1.2 and newer', () => {
  it('is as one that says nothing', async () => {
    await serve(both({ minTlsVersion: 'TLSv1.2' }));
    expect(await failure('strict.example.com', OLD)).toBe('connected');
  });
});
