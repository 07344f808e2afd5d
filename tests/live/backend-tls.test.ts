/** Backends that are reached over TLS: who is trusted, who is expected, what is shown, and that nothing ever goes in the clear. */

import { once } from 'node:events';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { contentHash } from '../../gateway-runtime/snapshot/canonical.ts';
import type {
  BackendTls,
  CertificateBundle,
  Endpoint,
  GatewayIdentity,
  HttpRule,
} from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, deafEndpoint } from '../support/backend.ts';
import { authority, caBundle, issue, issueClient, otherAuthority } from '../support/certificates.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, type Serving, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const HOST = 'cart.shop.internal';
const SPIFFE = 'spiffe://cluster.local/ns/shop/sa/cart';
const AUTHORITIES = ['ca-bundle/shop/ca'];

const start = closedAfterEach();
let gateway: TestGateway;

const serverOptions = (names: readonly string[] = [HOST], rest: TlsOptions = {}): TlsOptions => {
  const { certificate, privateKey } = issue('shop/cart', names);
  return { cert: certificate, key: privateKey, ...rest };
};

const expected = (rest: Partial<BackendTls> = {}): BackendTls => ({
  policy: 'shop/cart',
  hostname: HOST,
  authorities: AUTHORITIES,
  ...rest,
});

function gatewayIdentity(certificate: string): GatewayIdentity {
  const fields = { type: 'gateway-identity', key: 'gateway-identity', certificate } as const;
  return { ...fields, hash: contentHash(fields) };
}

interface Options {
  readonly tls?: BackendTls;
  readonly appProtocol?: string;
  readonly authorities?: string;
  readonly client?: CertificateBundle;
  readonly rest?: Partial<HttpRule>;
}

function serving(
  places: readonly Endpoint[],
  { tls = expected(), appProtocol, authorities, client, rest }: Options = {},
): Serving {
  return {
    resources: [
      listener('web'),
      backend('cart', appProtocol === undefined ? { tls } : { tls, appProtocol }),
      caBundle('ca', authorities),
      rule({ rest: { backends: [to('cart')], ...rest } }),
      ...(client ? [gatewayIdentity(client.id)] : []),
    ],
    endpoints: { cart: places },
    ...(client ? { certificates: [client] } : {}),
  };
}

async function serve(places: readonly Endpoint[], options: Options = {}, agent = {}): Promise<void> {
  gateway = await start(TestGateway.serving(serving(places, options), agent));
}

const get = (options = {}) => gateway.get('a.example.com/', options);

/** What the log says of the last request. */
async function failureOf(options = {}): Promise<unknown> {
  const { status } = await get(options);
  const { failure } = gateway.lines().at(-1)!;
  return `${status} ${failure}`;
}

describe('a backend of a BackendTLSPolicy', () => {
  it('is reached over TLS, with its hostname as the server name', async () => {
    const names: unknown[] = [];
    const cart = await start(
      Backend.https(serverOptions(), (message, response) => {
        const { servername, alpnProtocol } = message.socket as TLSSocket & { servername: string };
        names.push([servername, alpnProtocol, message.headers.host]);
        response.end('over TLS');
      }),
    );
    await serve([cart.endpoint]);
    expect(await get()).toMatchObject({ status: 200, body: 'over TLS' });
    expect(names).toEqual([[HOST, 'http/1.1', 'a.example.com']]);
  });

  it('is sent bodies, and sends them, whole and with backpressure', async () => {
    const cart = await start(Backend.https(serverOptions(), (message, response) => message.pipe(response)));
    await serve([cart.endpoint]);
    const body = Buffer.alloc(3_000_000, 'abcdefghijklmnopqrstuvwxyz0123456789');
    for (let i = 0; i < 2; i++) {
      const answer = await get({ method: 'POST', body });
      expect(answer.status).toBe(200);
      expect(answer.body === body.toString()).toBe(true);
    }
    expect(cart.connections).toBe(1);
  });

  it('keeps connections, and resumes the session of one that is gone', async () => {
    const reused: boolean[] = [];
    const cart = await start(
      Backend.https(serverOptions(), (message, response) => {
        reused.push((message.socket as TLSSocket).isSessionReused());
        if (message.url === '/last') response.setHeader('connection', 'close');
        response.end('ok');
      }),
    );
    await serve([cart.endpoint]);
    for (const path of ['/', '/', '/last', '/']) {
      expect((await gateway.get(`a.example.com${path}`)).status).toBe(200);
    }
    expect(reused).toEqual([false, false, false, true]);
    expect(cart.connections).toBe(2);
  });

  it('is not used in the clear, also where that is all it speaks', async () => {
    const cart = await start(Backend.echo('cart'));
    await serve([cart.endpoint]);
    expect(await failureOf()).toBe('502 tls-handshake');
    expect(cart.seen).toEqual([]);
  });

  it('must speak TLS 1.2 or newer', async () => {
    const old = serverOptions([HOST], {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const cart = await start(Backend.echo('cart', old));
    await serve([cart.endpoint]);
    expect(await failureOf()).toBe('502 tls-handshake');
    const newer = await start(Backend.echo('cart', serverOptions([HOST], { maxVersion: 'TLSv1.2' })));
    await gateway.serve(serving([newer.endpoint]));
    expect((await get()).status).toBe(200);
  });

  it('gets so long for the handshake', async () => {
    const silent = await start(Backend.tcp(() => {}));
    await serve([silent.endpoint], {}, { limits: { tlsHandshake: 100 } });
    expect(await failureOf()).toBe('504 connect-timeout');
  });

  it('may be tried at another endpoint, since nothing was sent', async () => {
    const [wrong, right] = [
      await start(Backend.echo('wrong', serverOptions(['other.internal']))),
      await start(Backend.echo('right', serverOptions())),
    ];
    await serve([wrong.endpoint, right.endpoint]);
    for (let i = 0; i < 4; i++) expect((await get({ method: 'POST', body: 'x' })).body).toBe('right\n');
    expect(wrong.seen).toEqual([]);
  });

  it('is refused where its policy can not be served', async () => {
    const cart = await start(Backend.echo('cart'));
    await serve([cart.endpoint], { tls: expected({ authorities: [], refusal: 'no certificate' }) });
    const answer = await get();
    expect(answer.status).toBe(500);
    expect(answer.body).toMatch(/BackendTLSPolicy can't be served/);
    expect(cart.connections).toBe(0);
  });

  it('is not replaced by what stands in for it, where its policy can not be served', async () => {
    const standIn = await start(Backend.echo('stand-in'));
    const fallback = { fallbackEndpoints: () => [standIn.endpoint] };
    await serve([], {}, fallback);
    expect((await get()).body).toBe('stand-in\n');
    await gateway.serve(serving([], { tls: expected({ refusal: 'no certificate' }) }));
    expect((await get()).status).toBe(500);
  });

  it.each([undefined, 'kubernetes.io/wss'])(
    'takes WebSocket over TLS, on a port of %s',
    async (appProtocol) => {
      const cart = await start(Backend.https(serverOptions(), (_, response) => response.end()));
      cart.server.on('upgrade', (_message, socket: TLSSocket) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello ',
        );
        socket.pipe(socket);
      });
      await serve([cart.endpoint], appProtocol === undefined ? {} : { appProtocol });
      const client = await RawClient.open(gateway.port());
      client.send(
        'GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      await client.until('hello ');
      client.send('and back');
      await client.until('and back');
      client.socket.destroy();
    },
  );
});

describe('the certificate of a backend', () => {
  it.each<[string, readonly string[], Partial<BackendTls>, string]>([
    ['for its hostname', [HOST], {}, '200 undefined'],
    ['for a wildcard over its hostname', ['*.shop.internal'], {}, '200 undefined'],
    ['for another name', ['other.internal'], {}, '502 tls-name'],
    ['for a name in the common name alone', [SPIFFE], { hostname: 'spiffe' }, '502 tls-name'],
    [
      'for one of the names',
      [SPIFFE, HOST],
      { subjectAltNames: [uri('spiffe://a/b'), dns(HOST)] },
      '200 undefined',
    ],
    ['for the URI', [SPIFFE], { subjectAltNames: [uri(SPIFFE)] }, '200 undefined'],
    ['for another URI', [`${SPIFFE}2`], { subjectAltNames: [uri(SPIFFE)] }, '502 tls-name'],
    ['for the URI in a DNS name', ['cart.spiffe'], { subjectAltNames: [uri('cart.spiffe')] }, '502 tls-name'],
    [
      'for the hostname, where other names are listed',
      [HOST],
      { subjectAltNames: [dns('b.internal')] },
      '502 tls-name',
    ],
    [
      'for the wildcard that is listed',
      ['*.b.internal'],
      { subjectAltNames: [dns('*.b.internal')] },
      '200 undefined',
    ],
    [
      'for a name below the wildcard that is listed',
      ['a.b.internal'],
      { subjectAltNames: [dns('*.b.internal')] },
      '502 tls-name',
    ],
  ])('%s', async (_, names, tls, result) => {
    const cart = await start(Backend.echo('cart', serverOptions(names)));
    await serve([cart.endpoint], { tls: expected(tls) });
    expect(await failureOf()).toBe(result);
    // Nor where a session could be resumed.
    expect(await failureOf()).toBe(result);
    expect(cart.seen).toHaveLength(result.startsWith('200') ? 2 : 0);
  });

  it('must be of an authority that is trusted', async () => {
    const cart = await start(Backend.echo('cart', serverOptions()));
    await serve([cart.endpoint], { authorities: otherAuthority });
    expect(await failureOf()).toBe('502 tls-untrusted');
    await gateway.serve(serving([cart.endpoint], { authorities: `${otherAuthority}${authority}` }));
    expect(await failureOf()).toBe('200 undefined');
    await gateway.serve(serving([cart.endpoint], { tls: expected({ authorities: 'System' }) }));
    expect(await failureOf()).toBe('502 tls-untrusted');
  });

  it('must be valid now', async () => {
    const { certificate, privateKey } = issue('shop/cart', [HOST], Date.now() - 3 * 86_400_000);
    const cart = await start(Backend.echo('cart', { cert: certificate, key: privateKey }));
    await serve([cart.endpoint]);
    expect(await failureOf()).toBe('502 tls-untrusted');
  });

  it('is counted by what is wrong with it', async () => {
    const cart = await start(Backend.echo('cart', serverOptions(['other.internal'])));
    const metrics = new Metrics();
    await serve([cart.endpoint], {}, { metrics });
    await get();
    expect(await metrics.text()).toMatch(/failures_total\{[^}]*tls-name[^}]*\} 1/);
  });

  it('is verified with what can be loaded of the bundle, and what can not is told', async () => {
    const cart = await start(Backend.echo('cart', serverOptions()));
    const broken = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
    gateway = await start(Promise.resolve(new TestGateway()));
    const { diagnostics } = await gateway.serve(
      serving([cart.endpoint], { authorities: broken + authority }),
    );
    expect(diagnostics).toEqual([expect.objectContaining({ code: 'certificate/authority-not-loaded' })]);
    expect(diagnostics[0]!.message).toMatch(/found 1 of 2 certificates/);
    expect(await failureOf()).toBe('200 undefined');
    await gateway.serve(serving([cart.endpoint], { authorities: broken }));
    expect(await failureOf()).toBe('500 undefined');
  });
});

describe('the client certificate of the Gateway', () => {
  const demanding = () =>
    serverOptions([HOST], { ca: authority, requestCert: true, rejectUnauthorized: true });
  const shown: unknown[] = [];
  const showing = async (options: TlsOptions) =>
    start(
      Backend.https(options, (message, response) => {
        shown.push((message.socket as TLSSocket).getPeerCertificate().subject?.CN);
        response.end('ok');
      }),
    );
  afterEach(() => {
    shown.length = 0;
  });

  it('is shown to a backend that asks', async () => {
    const cart = await showing(demanding());
    await serve([cart.endpoint], { client: issueClient('infra/client', ['gateway.internal']) });
    expect(await failureOf()).toBe('200 undefined');
    expect(shown).toEqual(['gateway.internal']);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is missed by a backend that demands one, with %s',
    async (version) => {
      const cart = await showing({ ...demanding(), maxVersion: version });
      await serve([cart.endpoint]);
      expect(await failureOf()).toBe('502 tls-handshake');
      expect(shown).toEqual([]);
    },
  );

  it('is changed without a failed request', async () => {
    const cart = await showing(demanding());
    await serve([cart.endpoint], { client: issueClient('infra/client', ['first.internal']) });
    expect(await failureOf()).toBe('200 undefined');
    const second = issueClient('infra/client', ['second.internal']);
    await gateway.agent.apply({ certificates: new Map([[second.id, second]]) });
    expect(await failureOf()).toBe('200 undefined');
    expect(shown).toEqual(['first.internal', 'second.internal']);
  });
});

describe('a change of who is trusted', () => {
  it('holds for the next request, and fails none that is under way', async () => {
    const held: (() => void)[] = [];
    const cart = await start(
      Backend.https(serverOptions(), (message, response) => {
        if (message.url === '/slow') held.push(() => response.end('slow'));
        else response.end('ok');
      }),
    );
    await serve([cart.endpoint]);
    expect((await get()).status).toBe(200);
    const slow = gateway.get('a.example.com/slow');
    await once(cart.server, 'request');
    await gateway.serve(serving([cart.endpoint], { authorities: otherAuthority }));
    expect(await failureOf()).toBe('502 tls-untrusted');
    held[0]!();
    expect(await slow).toMatchObject({ status: 200, body: 'slow' });
    expect(await failureOf()).toBe('502 tls-untrusted');
    await gateway.serve(serving([cart.endpoint]));
    expect(await failureOf()).toBe('200 undefined');
  });

  it('does not touch connections of a backend that it does not concern', async () => {
    const cart = await start(Backend.echo('cart', serverOptions()));
    await serve([cart.endpoint]);
    await get();
    await gateway.serve(serving([cart.endpoint], { rest: { timeouts: { request: 5000 } } }));
    await get();
    expect(cart.connections).toBe(1);
  });

  it('turns TLS on and off', async () => {
    const [plain, encrypted] = [
      await start(Backend.echo('plain')),
      await start(Backend.echo('encrypted', serverOptions())),
    ];
    const inTheClear = {
      resources: [listener('web'), backend('cart'), rule({ rest: { backends: [to('cart')] } })],
      endpoints: { cart: [plain.endpoint] },
    };
    gateway = await start(TestGateway.serving(inTheClear));
    expect((await get()).body).toBe('plain\n');
    await gateway.serve(serving([encrypted.endpoint]));
    expect((await get()).body).toBe('encrypted\n');
    await gateway.serve(inTheClear);
    expect((await get()).body).toBe('plain\n');
  });
});

it('an endpoint that takes no connection is no matter of TLS', async () => {
  const { endpoint } = await start(deafEndpoint());
  await serve([endpoint], {}, { limits: { connect: 100 } });
  expect(await failureOf()).toBe('504 connect-timeout');
});

function dns(value: string) {
  return { type: 'Hostname', value } as const;
}
function uri(value: string) {
  return { type: 'URI', value } as const;
}
