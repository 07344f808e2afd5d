/** Requests that a Service of Envoy's ext_authz protocol has to allow: what it is told, what becomes of its answer, and that nothing goes on without one. */

import type { ServerHttp2Stream } from 'node:http2';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Backend as BackendResource, Endpoint } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, deafEndpoint, unusedEndpoint } from '../support/backend.ts';
import { caBundle, issue, otherAuthority } from '../support/certificates.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { type Asked, checking, framed, header, respond, response } from '../support/ext-authz.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import type { Message } from '../support/protobuf.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const YES: Message = { status: { code: 0 }, ok: {} };

const start = closedAfterEach();
let gateway: TestGateway;
let whoami: Backend;
let metrics: Metrics;
let asked: Asked[];

beforeEach(async () => {
  asked = [];
  whoami = await start(Backend.echo('whoami'));
});
interface Asking {
  readonly tells?: readonly string[];
  readonly body?: number;
  readonly options?: Partial<AgentOptions>;
  readonly auth?: Pick<BackendResource, 'appProtocol' | 'tls'>;
  readonly authorities?: string;
}

async function serve(
  places: readonly Endpoint[],
  { tells = [], body = 0, options, auth = {}, authorities }: Asking = {},
) {
  const config = {
    protocol: 'GRPC',
    name: 'Service shop/auth:80',
    backend: backendKey('auth'),
    tells,
    body,
  };
  metrics = new Metrics();
  gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          backend('whoami'),
          backend('auth', auth),
          caBundle('ca', authorities),
          rule({ rest: { backends: [to('whoami')], filters: [{ type: 'ExternalAuth', config }] } }),
        ],
        endpoints: { whoami: [whoami.endpoint], auth: places },
      },
      { metrics, ...options },
    ),
  );
}

const service = (answer: (asked: Asked, stream: ServerHttp2Stream) => Message | undefined) =>
  start(
    Backend.http2(
      checking((question, stream) => {
        asked.push(question);
        return answer(question, stream);
      }),
    ),
  );

/** One that answers every call with this. */
const saying = async (message: Message, more: Asking = {}) =>
  serve([(await service(() => message)).endpoint], more);

const get = (options = {}) => gateway.get('a.example.com/x?a=1', options);

it('a Service is told of the request, in HTTP/2 whatever its backend is said to speak', async () => {
  await saying(YES);
  const before = Date.now();
  const { status } = await get({ headers: { 'X-Request-ID': 'r-1', 'X-A': ['1', '2'], cookie: 'a=b' } });
  expect([status, asked.length]).toEqual([200, 1]);
  const [{ call, contentType, scheme, source, destination, time, http }] = asked as [Asked];
  expect([call, contentType, scheme]).toEqual([
    'POST /envoy.service.auth.v3.Authorization/Check',
    'application/grpc',
    'http',
  ]);
  expect(source).toEqual({ address: '127.0.0.1', port: expect.any(Number) });
  expect(destination).toEqual({ port: 80 });
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
  expect(http).toMatchObject({
    id: 'r-1',
    method: 'GET',
    path: '/x?a=1',
    host: 'a.example.com',
    scheme: 'http',
    protocol: 'HTTP/1.1',
    size: -1,
  });
  expect(http.headers).toMatchObject({
    host: 'a.example.com',
    'x-a': '1, 2',
    cookie: 'a=b',
    'x-forwarded-for': '127.0.0.1',
  });
  expect(
    Object.keys(http.headers).filter((name) => name === 'connection' || name !== name.toLowerCase()),
  ).toEqual([]);
  expect(http.body ?? http.rawBody).toBeUndefined();
});

it('it is told the fields that are listed and no others, and every request has an id of its own', async () => {
  await saying(YES, { tells: ['x-a', 'authorization'] });
  for (let i = 0; i < 2; i++) await get({ headers: { 'x-a': '1', 'x-b': '2', authorization: 'Basic a' } });
  const [first, second] = asked as [Asked, Asked];
  expect(first.http.headers).toEqual({ 'x-a': '1', authorization: 'Basic a' });
  expect(first.http.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(second.http.id).not.toBe(first.http.id);
});

it('what is no UTF-8 in a field is replaced, and what is goes as it is', async () => {
  await saying(YES);
  await get({ headers: { 'x-a': Buffer.from('zoë').toString('latin1'), 'x-b': 'a\xffb' } });
  expect(asked[0]!.http.headers).toMatchObject({ 'x-a': 'zoë', 'x-b': 'a\ufffdb' });
});

describe('the body', () => {
  const post = (body: string | Buffer) => get({ method: 'POST', body });

  it('is sent along as text and as octets, and goes on as it came', async () => {
    await saying(YES, { body: 100 });
    expect((await post('sömé')).status).toBe(200);
    expect(asked[0]!.http).toMatchObject({ body: 'sömé', rawBody: Buffer.from('sömé'), size: 6 });
    expect(whoami.seen).toMatchObject([{ body: 'sömé' }]);
  });

  it('that is no text is sent as octets alone', async () => {
    await saying(YES, { body: 100 });
    const content = Buffer.from([0, 255, 0xc3]);
    await post(content);
    expect(asked[0]!.http).toMatchObject({ rawBody: content, size: 3 });
    expect(asked[0]!.http.body).toBeUndefined();
  });

  it('may be as large as the filter says', async () => {
    await saying(YES, { body: 65_535 });
    expect((await post('x'.repeat(65_535))).status).toBe(200);
    expect(asked[0]!.http).toMatchObject({ size: 65_535, body: 'x'.repeat(65_535) });
    expect((await post('x'.repeat(65_536))).status).toBe(413);
    expect(asked).toHaveLength(1);
  });

  it('that there is none of is none', async () => {
    await saying(YES, { body: 100 });
    await get();
    expect(asked[0]!.http.size ?? 0).toBe(0);
    expect(asked[0]!.http.rawBody).toBeUndefined();
  });
});

describe('a yes', () => {
  it('sets, adds and removes fields of the request, under every spelling', async () => {
    const headers = [
      header('X-User', 'alice'),
      header('x-group', 'b', { append: { value: true } }),
      header('x-set', '2', { append: { value: false }, action: 0 }),
      header('host', 'evil.example'),
      header('content-length', '7'),
    ];
    await saying({ status: { code: 0 }, ok: { headers, remove: ['Authorization', ':path', 'host'] } });
    const sent = { 'x-user': 'root', x_user: 'root', 'x-group': 'a', 'x-set': '1', authorization: 'Basic a' };
    expect((await get({ headers: sent })).status).toBe(200);
    const { headers: seen, url } = whoami.seen[0]!;
    expect(seen).toMatchObject({ 'x-user': 'alice', 'x-group': 'a, b', 'x-set': '2', host: 'a.example.com' });
    for (const gone of ['x_user', 'authorization', 'content-length']) expect(seen[gone]).toBeUndefined();
    expect(url).toBe('/x?a=1');
    expect(gateway.lines()).toMatchObject([{ authorization: 'allowed' }]);
  });

  it('has its say about the response', async () => {
    const responseHeaders = [
      header('set-cookie', 'a=1'),
      header('set-cookie', 'b=2'),
      header('x-backend', 'auth', { action: 2 }),
      header('content-type', 'text/html', { action: 1 }),
      header('x-none', 'a', { action: 3 }),
      header('x-new', 'a', { append: { value: false } }),
      header('content-length', '1'),
    ];
    await saying({ ok: { responseHeaders } });
    const { status, body, headers } = await get();
    expect([status, body]).toEqual([200, 'whoami\n']);
    expect(headers).toMatchObject({
      'set-cookie': ['a=1', 'b=2'],
      'x-backend': 'auth',
      'content-type': 'text/plain',
      'x-new': 'a',
    });
    expect(headers['x-none']).toBeUndefined();
  });

  it.each<[string, Message]>([
    ['is the status alone', { status: { code: 0 } }],
    ['is an ok alone', { ok: {} }],
    ['has metadata for somebody else', { ...YES, metadata: Buffer.from([0x0a, 0]) }],
  ])('that %s counts', async (_, message) => {
    await saying(message);
    expect((await get()).status).toBe(200);
  });
});

describe('a no', () => {
  it('goes to the client as the Service wants it', async () => {
    const headers = [header('www-authenticate', 'Basic'), header('x-a', '1'), header('x-a', '2')];
    const cookies = ['a=1', 'b=2'].map((value) => header('set-cookie', value, { append: { value: true } }));
    const denied = {
      status: { code: 401 },
      headers: [...headers, ...cookies],
      body: Buffer.from('who are you'),
    };
    await saying({ status: { code: 16 }, denied });
    expect(await get()).toMatchObject({
      status: 401,
      body: 'who are you',
      headers: {
        'www-authenticate': 'Basic',
        'x-a': '2',
        'set-cookie': ['a=1', 'b=2'],
        'content-length': '11',
      },
    });
    expect(whoami.seen).toEqual([]);
    expect(gateway.lines()).toMatchObject([{ authorization: 'denied' }]);
  });

  it.each<[string, Message, number]>([
    ['without more', { status: { code: 7 } }, 403],
    ['that has an ok beside it', { status: { code: 7 }, ok: {} }, 403],
    ['without a code', { denied: {} }, 403],
    ['that would be taken for a yes', { status: { code: 7 }, denied: { status: { code: 200 } } }, 403],
    ['of a code below zero', { status: { code: -1 } }, 403],
    ['of its own status', { denied: { status: { code: 429 } } }, 429],
  ])('%s is %d', async (_, message, status) => {
    await saying(message);
    expect((await get()).status).toBe(status);
    expect(whoami.seen).toEqual([]);
  });
});

const UNANSWERED = '503: the service that has to authorize this request gave no answer; try again\n';
const quickly = { options: { limits: { authorization: 150, connect: 100 } } };

async function expectUnanswered(): Promise<void> {
  expect(await get({ method: 'POST', body: 'some' })).toMatchObject({ status: 503, body: UNANSWERED });
  expect(whoami.seen).toEqual([]);
  expect(gateway.lines()).toMatchObject([{ status: 503, authorization: 'failed' }]);
  expect(await metrics.text()).toMatch(/event="authorization-failed"} 1\n/);
}

describe('nothing goes on', () => {
  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['nothing', () => {}],
    ['the end of the stream', (stream) => stream.close(2)],
    ['the end of the connection', (stream) => stream.session!.destroy()],
    ['a failure of the call', (stream) => respond(stream, Buffer.alloc(0), '14')],
    ['a yes, and that the call has failed', (stream) => respond(stream, response(YES), '13')],
    [
      'trailers alone',
      (stream) =>
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' },
          { endStream: true },
        ),
    ],
    [
      'a yes without a status of the call',
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.end(response(YES));
      },
    ],
    [
      'another status of HTTP',
      (stream) => {
        stream.respond({ ':status': 403, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(response(YES));
      },
    ],
    [
      'another type of content',
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/json' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(response(YES));
      },
    ],
    ['no message', (stream) => respond(stream, Buffer.alloc(0))],
    ['half a message', (stream) => respond(stream, response(YES).subarray(0, -1))],
    ['two messages', (stream) => respond(stream, Buffer.concat([response(YES), response(YES)]))],
    ['a compressed message', (stream) => respond(stream, framed(response(YES).subarray(5), true))],
    ['what is no message', (stream) => respond(stream, framed(Buffer.from([0x0a, 0xff])))],
    ['neither yes nor no', (stream) => respond(stream, response({}))],
    [
      'a yes and a no',
      (stream) => respond(stream, response({ status: { code: 0 }, denied: { status: { code: 401 } } })),
    ],
    ['an ok and a denial', (stream) => respond(stream, response({ ok: {}, denied: {} }))],
    ['that it has failed', (stream) => respond(stream, response({ error: {} }))],
    [
      'a yes to another query',
      (stream) => respond(stream, response({ ok: { setQuery: [{ key: 'a', value: '2' }] } })),
    ],
    ['a yes to less of the query', (stream) => respond(stream, response({ ok: { removeQuery: ['a'] } }))],
    [
      'a yes to another path',
      (stream) => respond(stream, response({ ok: { headers: [header(':path', '/admin')] } })),
    ],
    [
      'a yes with a line end in a header',
      (stream) => respond(stream, response({ ok: { headers: [header('x-a', '1\r\nx-b: 2')] } })),
    ],
    [
      'a yes with a header that has no name',
      (stream) => respond(stream, response({ ok: { headers: [header('', '1')] } })),
    ],
    [
      'a yes of any length',
      (stream) => respond(stream, response({ ...YES, metadata: Buffer.alloc(200_000) })),
    ],
  ])('where the Service says %s', async (_, answer) => {
    const auth = await service((_asked, stream) => {
      answer(stream);
      return undefined;
    });
    await serve([auth.endpoint], quickly);
    await expectUnanswered();
  });

  it.each<[string, () => Promise<Endpoint>]>([
    ['nobody listens', unusedEndpoint],
    [
      'no connection is taken',
      async () => {
        const deaf = await start(deafEndpoint());
        return deaf.endpoint;
      },
    ],
    [
      'HTTP/1.1 is spoken',
      async () => (await start(Backend.http((_message, answer) => answer.end('yes')))).endpoint,
    ],
  ])('where %s', async (_, place) => {
    await serve([await place()], quickly);
    await expectUnanswered();
  });
});

it('several calls go on one connection, and another endpoint is asked where one gives none', async () => {
  const auth = await service(() => YES);
  await serve([await unusedEndpoint(), auth.endpoint]);
  await Promise.all(Array.from({ length: 8 }, () => get()));
  expect(whoami.seen).toHaveLength(8);
  expect(auth.used).toBe(1);
});

describe('a Service of a BackendTLSPolicy', () => {
  const HOST = 'auth.shop.internal';
  const tls = { policy: 'shop/auth', hostname: HOST, authorities: ['ca-bundle/shop/ca'] };
  const shown = () => {
    const { certificate, privateKey } = issue('shop/auth', [HOST]);
    return { cert: certificate, key: privateKey };
  };

  it('is asked over TLS', async () => {
    const auth = await start(
      Backend.http2(
        checking((question) => {
          asked.push(question);
          return YES;
        }),
        {},
        shown(),
      ),
    );
    await serve([auth.endpoint], { auth: { tls } });
    for (let i = 0; i < 3; i++) expect((await get()).status).toBe(200);
    expect(asked.map(({ scheme }) => scheme)).toEqual(['https', 'https', 'https']);
    expect(auth.used).toBe(1);
  });

  it('that is not trusted is told nothing', async () => {
    const auth = await start(
      Backend.http2(
        checking(() => YES),
        {},
        shown(),
      ),
    );
    await serve([auth.endpoint], { auth: { tls }, authorities: otherAuthority, ...quickly });
    await expectUnanswered();
  });

  it('that offers no HTTP/2 is told nothing', async () => {
    const auth = await start(Backend.https(shown(), (_message, answer) => answer.end('yes')));
    await serve([auth.endpoint], { auth: { tls }, ...quickly });
    await expectUnanswered();
  });

  it('is never asked in the clear', async () => {
    const auth = await service(() => YES);
    await serve([auth.endpoint], { auth: { tls, appProtocol: 'kubernetes.io/h2c' }, ...quickly });
    await expectUnanswered();
    expect(asked).toEqual([]);
  });
});
