/** Certificates of clients (GEP-91): which handshakes succeed, what sessions carry on, and how a port changes what it asks. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { CaBundle, ClientCertificates, Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { below, caBundle, root, shows } from '../support/client-certificates.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { openTls, type TlsClient, type TlsOptions } from '../support/tls-client.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const ours = root('Ours');
const theirs = root('Theirs');
const middle = below(ours, 'Ours, for one team');
const good = shows(ours, 'good client');
const strange = shows(theirs, 'good client');
const certificate = issue('infra/any', ['gateway.test', '*.example.com']);
const OURS = caBundle('ours', ours);
const THEIRS = caBundle('theirs', theirs);
const NAMED = { hostname: 'a.example.com' };
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

let whoami: Backend;
let gateway: TestGateway;
const clients: TlsClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await gateway.agent.close();
  await whoami.close();
});

/** An HTTPS listener that asks for certificates of these authorities. */
const asking = (
  bundles: readonly CaBundle[],
  mode: ClientCertificates['mode'] = 'AllowValidOnly',
  fields: { port?: number; name?: string; hostname?: string } = {},
): Resource[] => {
  const { name = 'any', ...rest } = fields;
  const clientCertificates = { mode, authorities: bundles.map(({ key }) => key) };
  return [
    listener(name, {
      port: 443,
      protocol: 'HTTPS',
      certificates: [certificate.id],
      ...(bundles.length > 0 ? { clientCertificates } : {}),
      ...rest,
    }),
    ...bundles,
    backend('whoami'),
    rule({ route: `shop/${name}`, on: [name], rest: { backends: [to('whoami')] } }),
  ];
};

const distinct = (resources: readonly Resource[]) => [
  ...new Map(resources.map((each) => [each.key, each])).values(),
];

async function serve(resources: readonly Resource[], metrics = new Metrics()) {
  whoami = await Backend.echo('whoami');
  gateway = await TestGateway.serving(
    {
      resources: distinct(resources),
      endpoints: { whoami: [whoami.endpoint] },
      certificates: [certificate],
    },
    { metrics },
  );
}

const change = (resources: readonly Resource[]) => gateway.serve({ resources: distinct(resources) });

async function open(options: TlsOptions = {}, port = 443): Promise<TlsClient> {
  const client = await openTls(gateway.port(port), authority, { servername: 'a.example.com', ...options });
  clients.push(client);
  return client;
}

/** The status of a request on a connection of its own; `refused` where there is no answer. */
async function ask(
  options: TlsOptions = {},
  host = 'a.example.com',
  port = 443,
): Promise<number | 'refused'> {
  try {
    const client = await open(options, port);
    // In TLS 1.3 a client has done its part before the server has seen its certificate.
    client.socket.on('close', () => client.socket.emit('error', new Error('closed')));
    return await client.get(host);
  } catch {
    return 'refused';
  }
}

/** A connection that was used, and a session of it. */
async function session(options: TlsOptions): Promise<Buffer> {
  const client = await open(options);
  const sessions: Buffer[] = [];
  client.socket.on('session', (each) => sessions.push(each));
  expect(await client.get('a.example.com')).toBe(200);
  return sessions.at(-1) ?? client.socket.getSession()!;
}

const events = async (metrics: Metrics) =>
  Object.fromEntries(
    [...(await metrics.text()).matchAll(/gatewright_events_total\{.*event="([^"]+)"\} (\d+)/g)].map(
      ([, event, count]) => [event, Number(count)],
    ),
  );

describe.each(VERSIONS)('with AllowValidOnly and %s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  it('clients with a valid certificate are let in, and others before they are heard', async () => {
    const metrics = new Metrics();
    await serve(asking([OURS]), metrics);
    expect(await ask({ ...only, ...good })).toBe(200);
    expect(await ask(only)).toBe('refused');
    expect(await ask({ ...only, ...strange })).toBe('refused');
    expect(await ask({ ...only, ...shows(ours, 'too old', { days: -1 }) })).toBe('refused');
    expect(await ask({ ...only, ...shows(ours, 'a server', { purpose: 'server' }) })).toBe('refused');
    expect(whoami.seen).toHaveLength(1);
    expect(gateway.log).toHaveLength(1);
    expect(await events(metrics)).toMatchObject({
      'tls-handshake-failed': 4,
      'client-certificate-missing': 1,
      'client-certificate-not-valid': 3,
    });
  });

  it('clients without a server name are asked the same', async () => {
    await serve(asking([OURS]));
    expect(await ask({ ...only, ...good, servername: '' })).toBe(200);
    expect(await ask({ ...only, servername: '' })).toBe('refused');
    expect(await ask({ ...only, ...strange, servername: '' })).toBe('refused');
  });

  it('the whole chain is verified', async () => {
    await serve(asking([OURS]));
    expect(await ask({ ...only, ...shows(middle, 'one', { chain: [middle] }) })).toBe(200);
    expect(await ask({ ...only, ...shows(middle, 'one') })).toBe('refused');
  });

  it('a session is resumed, and still belongs to the certificate', async () => {
    await serve(asking([OURS]));
    const resumed = await open({ ...only, session: await session({ ...only, ...good }) });
    expect(resumed.socket.isSessionReused()).toBe(true);
    expect(await resumed.get('a.example.com')).toBe(200);
    expect(gateway.lines()).toMatchObject([
      { clientCertificate: 'verified', clientSubject: 'CN=good client' },
      { clientCertificate: 'verified', clientSubject: 'CN=good client' },
    ]);
  });

  it.each([
    ['other authorities', () => asking([THEIRS]), {}],
    ['another content of the same ConfigMap', () => asking([caBundle('ours', theirs)]), {}],
    ['other authorities of a hostname', () => asking([THEIRS], 'AllowValidOnly', NAMED), NAMED],
  ])(
    'a session of before there were %s is worth nothing',
    async (_, after, fields: { hostname?: string }) => {
      await serve(asking([OURS], 'AllowValidOnly', fields));
      const old = await session({ ...only, ...good });
      await change(after());
      expect(await ask({ ...only, session: old })).toBe('refused');
      expect(await ask({ ...only, ...good, session: old })).toBe('refused');
      expect(await ask({ ...only, ...strange, session: old })).toBe(200);
    },
  );

  it.each([
    ['nothing was asked', () => asking([])],
    ['anybody was let in', () => asking([OURS], 'AllowInsecureFallback')],
  ])('a session of before, when %s, is worth nothing', async (_, before) => {
    await serve(before());
    const old = await session(only);
    await change(asking([OURS]));
    expect(await ask({ ...only, session: old })).toBe('refused');
    expect(await ask({ ...only, ...good, session: old })).toBe(200);
  });

  it('a session of another port is worth nothing', async () => {
    const other = asking([THEIRS], 'AllowValidOnly', { port: 8443, name: 'other' });
    await serve([...asking([OURS]), ...other]);
    const old = await session({ ...only, ...good });
    expect(await ask({ ...only, session: old }, 'a.example.com', 8443)).toBe('refused');
    expect(await ask({ ...only, ...good }, 'a.example.com', 8443)).toBe('refused');
    expect(await ask({ ...only, ...strange }, 'a.example.com', 8443)).toBe(200);
  });
});

describe('authorities', () => {
  it('can be several, each of which is enough', async () => {
    await serve(asking([OURS, THEIRS]));
    expect(await ask(good)).toBe(200);
    expect(await ask(strange)).toBe(200);
    expect(await ask(shows(root('Nobody'), 'x'))).toBe('refused');
  });

  it('can be one below a root, which then lets in no others of it', async () => {
    await serve(asking([caBundle('middle', middle)]));
    expect(await ask(shows(middle, 'one'))).toBe(200);
    expect(await ask(good)).toBe('refused');
  });

  it('that change count for new connections, and those that stand go on', async () => {
    await serve(asking([OURS]));
    const before = await open(good);
    expect(await before.get('a.example.com')).toBe(200);
    await change(asking([caBundle('ours', theirs)]));
    expect(await ask(good)).toBe('refused');
    expect(await ask(strange)).toBe(200);
    expect(await before.get('a.example.com')).toBe(200);
    await change(asking([THEIRS]));
    expect(await ask(strange)).toBe(200);
    expect(await before.get('a.example.com')).toBe(200);
  });

  it('that can not be loaded let nobody in, and are reported', async () => {
    const broken = caBundle('ours', {
      ...ours,
      certificate: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
    });
    await serve(asking([OURS]));
    const { accepted, diagnostics } = await change(asking([broken]));
    expect(accepted).toBe(true);
    expect(diagnostics).toMatchObject([
      {
        severity: 'error',
        code: 'certificate/authority-not-loaded',
        object: { kind: 'ConfigMap', namespace: 'infra', name: 'ours' },
      },
    ]);
    expect(await ask(good)).toBe('refused');
    expect(await ask()).toBe('refused');
    expect((await change(asking([OURS]))).diagnostics).toEqual([]);
    expect(await ask(good)).toBe(200);
  });
});

describe('with AllowInsecureFallback', () => {
  it('everybody is let in, and the log says whose certificate was verified', async () => {
    await serve(asking([OURS], 'AllowInsecureFallback'));
    for (const shown of [good, strange, {}]) expect(await ask(shown)).toBe(200);
    const [verified, other, none] = gateway.lines();
    expect(verified).toMatchObject({
      clientCertificate: 'verified',
      clientSubject: 'CN=good client',
      clientFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(other).toMatchObject({ clientCertificate: 'not-verified' });
    expect(other!.clientCertificateProblem).toMatch(/^[A-Z_]+$/);
    expect(Object.keys(other!)).not.toContain('clientSubject');
    expect(none).toMatchObject({ clientCertificate: 'none' });
    expect(Object.keys(none!)).not.toContain('clientCertificateProblem');
  });

  it.each(VERSIONS)(
    'a resumed session of %s without a certificate is none that was verified',
    async (version) => {
      await serve(asking([OURS], 'AllowInsecureFallback'));
      const only = { minVersion: version, maxVersion: version } as const;
      const resumed = await open({ ...only, session: await session(only) });
      expect(resumed.socket.isSessionReused()).toBe(true);
      expect(await resumed.get('a.example.com')).toBe(200);
      expect(gateway.lines()).toMatchObject([{ clientCertificate: 'none' }, { clientCertificate: 'none' }]);
    },
  );
});

describe('a port', () => {
  it('that begins to ask serves no request on connections of before', async () => {
    await serve(asking([]));
    const before = await open();
    expect(await before.get('a.example.com')).toBe(200);
    const ended = once(before.socket, 'close');
    await change(asking([OURS]));
    await ended;
    expect(await ask()).toBe('refused');
    expect(await ask(good)).toBe(200);
    await change(asking([]));
    expect(await ask()).toBe(200);
    expect(gateway.lines().at(-1)).not.toHaveProperty('clientCertificate');
  });

  it('holds every listener to what it asks, and requests to the listener of their handshake', async () => {
    await serve([
      ...asking([OURS], 'AllowValidOnly', { name: 'one', hostname: 'one.example.com' }),
      ...asking([OURS], 'AllowValidOnly', { name: 'two', hostname: 'two.example.com' }),
    ]);
    const client = await open({ ...good, servername: 'one.example.com' });
    expect(await client.get('one.example.com')).toBe(200);
    expect(await client.get('two.example.com')).toBe(421);
    expect(await client.get('three.example.com')).toBe(404);
    expect(await ask({ servername: 'two.example.com' }, 'two.example.com')).toBe('refused');
  });

  it('is as strict as its strictest listener, should they differ', async () => {
    await serve([
      ...asking([], undefined, { name: 'open', hostname: 'open.example.com' }),
      ...asking([OURS], 'AllowValidOnly', { name: 'strict', hostname: 'strict.example.com' }),
    ]);
    expect(await ask({ servername: 'open.example.com' }, 'open.example.com')).toBe('refused');
    expect(await ask({ ...good, servername: 'strict.example.com' }, 'strict.example.com')).toBe(200);
  });
});

describe('a backend', () => {
  it('is told nothing of the certificate, and nothing that a client says of one', async () => {
    await serve(asking([OURS]));
    const client = await open(good);
    const claims = [
      'Client-Cert: :MII=:',
      'Client-Cert-Chain: :MII=:',
      'client_cert: x',
      'X-Forwarded-Client-Cert: Hash=1',
      'X_Forwarded_Client_Cert: Hash=1',
      'X-Forwarded-Tls-Client-Cert-Info: x',
      'X-SSL-Client-Verify: SUCCESS',
      'X-Client-Cert: x',
      'X-Amzn-Mtls-Clientcert-Subject: x',
      'X-Client-Version: 7',
    ];
    client.send(`GET / HTTP/1.1\r\nHost: a.example.com\r\n${claims.join('\r\n')}\r\n\r\n`);
    await client.until('\r\n\r\n');
    const names = Object.keys(whoami.seen[0]!.headers);
    expect(names.filter((name) => /cert|ssl|mtls/i.test(name))).toEqual([]);
    expect(names).toContain('x-client-version');
    expect(JSON.stringify(whoami.seen[0]!.headers)).not.toContain('good client');
  });
});
