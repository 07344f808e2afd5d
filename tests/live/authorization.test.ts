/** Requests that a Service has to allow: what is asked, what becomes of the exchange meanwhile, and that nothing goes on where no answer comes. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Endpoint, HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, deafEndpoint, unusedEndpoint } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { asking, backend, TestGateway, to } from '../support/gateway.ts';
import { FRAME, wireBackend } from '../support/http2-wire.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;
let whoami: Backend;
let metrics: Metrics;

beforeEach(async () => {
  whoami = await start(Backend.echo('whoami'));
});
interface Asking {
  readonly takes?: readonly string[];
  readonly body?: number;
  readonly rest?: Pick<Partial<HttpRule>, 'timeouts' | 'retry'>;
  readonly options?: Partial<AgentOptions>;
  /** Of the Service that is asked. */
  readonly appProtocol?: string;
}

async function serve(
  asked: readonly Endpoint[],
  { takes = [], body = 0, rest, options, appProtocol }: Asking = {},
) {
  metrics = new Metrics();
  gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          backend('whoami'),
          backend('auth', appProtocol === undefined ? {} : { appProtocol }),
          rule({ rest: { backends: [to('whoami')], filters: [asking({ body, takes })], ...rest } }),
        ],
        endpoints: { whoami: [whoami.endpoint], auth: asked },
      },
      { metrics, ...options },
    ),
  );
}

/** Reads the request, then answers. */
const answering = (answer: (response: ServerResponse, body: string, message: IncomingMessage) => void) =>
  start(
    Backend.http((message, response) => {
      let body = '';
      message.on('data', (chunk: Buffer) => {
        body += chunk;
      });
      message.on('end', () => answer(response, body, message));
    }),
  );

const octets = (...parts: string[]) =>
  start(Backend.tcp((socket) => socket.once('data', () => socket.end(parts.join('')))));

const UNANSWERED = '503: the service that has to authorize this request gave no answer; try again\n';

/** However it ended. */
const ended = (socket: Socket) =>
  new Promise((resolve) => {
    if (socket.destroyed || socket.readableEnded) resolve(undefined);
    for (const event of ['end', 'close']) socket.once(event, resolve);
  });

const quickly = { options: { limits: { authorization: 150, connect: 100 } } };

describe.each<[string, () => Promise<{ endpoint: Endpoint }>]>([
  ['that nobody listens on', async () => ({ endpoint: await unusedEndpoint() })],
  [
    'that takes no connection',
    async () => {
      const deaf = await start(deafEndpoint());
      return deaf;
    },
  ],
  ['that answers nothing', () => start(Backend.http(() => {}))],
  [
    'that sends half a head',
    () =>
      start(Backend.tcp((socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nx-user')))),
  ],
  ['that closes', () => start(Backend.tcp((socket) => socket.destroy()))],
  ['that dies in its head', () => octets('HTTP/1.1 200 OK\r\nx-user: a')],
  ['that dies in its body', () => octets('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')],
  [
    'that dies between chunks',
    () => octets('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
  ],
  ['that answers no HTTP', () => octets('200 yes\r\n\r\n')],
  [
    'with a head that is too large',
    () => octets(`HTTP/1.1 200 OK\r\nx-user: ${'a'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`),
  ],
  ['with two lengths', () => octets('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\nok')],
  [
    'that switches protocols',
    () => octets('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
  ],
])('a Service %s', (_, make) => {
  it('allows nothing', async () => {
    await serve([(await make()).endpoint], quickly);
    expect(await gateway.get('a.example.com/', { method: 'POST', body: 'some' })).toMatchObject({
      status: 503,
      body: UNANSWERED,
    });
    expect(whoami.seen).toEqual([]);
    expect(gateway.lines()).toMatchObject([{ status: 503, authorization: 'failed' }]);
    expect(await metrics.text()).toMatch(/event="authorization-failed"} 1\n/);
  });
});

describe('a Service that speaks HTTP/2', () => {
  it.each<[string, Parameters<typeof Backend.http2>[0]]>([
    ['and answers nothing', () => {}],
    ['and resets the stream', (stream) => stream.close(2)],
    [
      'and dies in its body',
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('a', () => stream.session!.destroy());
      },
    ],
    [
      'and announces more than it sends',
      (stream) => {
        stream.respond({ ':status': 200, 'content-length': '10' });
        stream.end('a');
      },
    ],
    ['and drops the connection', (stream) => stream.session!.destroy()],
  ])('%s allows nothing', async (_, handle) => {
    const auth = await start(Backend.http2(handle));
    await serve([auth.endpoint], { ...quickly, appProtocol: 'kubernetes.io/h2c', body: 10 });
    expect(await gateway.get('a.example.com/', { method: 'POST', body: 'some' })).toMatchObject({
      status: 503,
      body: UNANSWERED,
    });
    expect(whoami.seen).toEqual([]);
  });
});

it('what stands in for a Service without endpoints is not asked', async () => {
  await serve([], { options: { fallbackEndpoints: () => [whoami.endpoint] } });
  expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503, body: UNANSWERED });
  expect(whoami.seen).toEqual([]);
});

it('another endpoint is asked where one gives no connection', async () => {
  const auth = await answering((response) => response.end());
  await serve([await unusedEndpoint(), auth.endpoint]);
  for (let i = 0; i < 3; i++) expect((await gateway.get('a.example.com/')).status).toBe(200);
});

it('connections are kept, and one that was closed meanwhile costs nothing', async () => {
  let asked = 0;
  const auth = await answering((response) => {
    // Without the gateway having been told when the next request comes.
    if (++asked === 6) response.socket!.destroy();
    else response.end();
  });
  await serve([auth.endpoint], { body: 100 });
  const send = () => gateway.get('a.example.com/', { method: 'POST', body: 'some' });
  for (let i = 0; i < 5; i++) expect((await send()).status).toBe(200);
  expect(auth.connections).toBe(1);
  expect((await send()).status).toBe(200);
  expect(whoami.seen).toHaveLength(6);
  expect(asked).toBe(7);
});

const H2C = 'kubernetes.io/h2c';

describe('a Service of HTTP/2', () => {
  /** Reads the question, then answers. */
  const answeringHttp2 = (
    answer: (stream: ServerHttp2Stream, body: string, headers: IncomingHttpHeaders) => void,
  ) =>
    start(
      Backend.http2((stream, headers) => {
        let body = '';
        stream.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        stream.on('end', () => answer(stream, body, headers));
      }),
    );

  it('is asked in HTTP/2, with the body where it wants it, and its answer decides', async () => {
    const asked: unknown[] = [];
    const auth = await answeringHttp2((stream, body, headers) => {
      asked.push([headers[':method'], headers[':path'], headers[':authority'], body]);
      const isAllowed = headers[':path'] !== '/no';
      stream.respond(
        isAllowed ? { ':status': 200, 'x-user': 'anna' } : { ':status': 401, 'www-authenticate': 'Basic' },
      );
      stream.end(isAllowed ? '' : 'who are you');
    });
    await serve([auth.endpoint], { takes: ['x-user'], body: 100, appProtocol: H2C });
    const send = (path: string) => gateway.get(`a.example.com${path}`, { method: 'POST', body: 'some' });
    expect(await send('/yes?a=b')).toMatchObject({ status: 200, body: 'whoami\n' });
    expect(await send('/no')).toMatchObject({ status: 401, body: 'who are you' });
    expect(asked).toEqual([
      ['POST', '/yes?a=b', 'a.example.com', 'some'],
      ['POST', '/no', 'a.example.com', 'some'],
    ]);
    expect(whoami.seen).toMatchObject([{ url: '/yes?a=b', body: 'some', headers: { 'x-user': 'anna' } }]);
  });

  it('that says no at length has no body passed on', async () => {
    const auth = await answeringHttp2((stream) => {
      stream.respond({ ':status': 403 });
      stream.end('x'.repeat(200));
    });
    await serve([auth.endpoint], { appProtocol: H2C, options: { limits: { authorizationBody: 100 } } });
    for (let turn = 0; turn < 3; turn++) {
      const { status, body } = await gateway.get('a.example.com/');
      expect([status, body.includes('xxx')]).toEqual([403, false]);
    }
    expect(whoami.seen).toEqual([]);
  });

  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['answers nothing', () => {}],
    ['resets', (stream) => stream.close(2)],
    ['ends the connection', (stream) => stream.session!.destroy()],
  ])('that %s allows nothing', async (_, answer) => {
    const auth = await answeringHttp2(answer);
    await serve([auth.endpoint], { appProtocol: H2C, ...quickly });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503, body: UNANSWERED });
    expect(whoami.seen).toEqual([]);
  });

  it('that breaks off within its answer allows nothing', async () => {
    const auth = await start(
      wireBackend((peer, { type, stream }) => {
        if (type !== FRAME.headers) return;
        peer.headers(stream, [[':status', '200']]);
        peer.data(stream, 'half');
        peer.reset(stream, 2);
      }),
    );
    await serve([auth.endpoint], { appProtocol: H2C, ...quickly });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503, body: UNANSWERED });
    expect(whoami.seen).toEqual([]);
  });

  it('that speaks HTTP/1.1 after all allows nothing', async () => {
    const auth = await answering((response) => response.end());
    await serve([auth.endpoint], { appProtocol: H2C, ...quickly });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503, body: UNANSWERED });
    expect(whoami.seen).toEqual([]);
  });
});

it('the Service has connections of its own', async () => {
  let asked = 0;
  const auth = await start(Backend.http(() => void asked++));
  await serve([auth.endpoint], {
    options: { limits: { connectionsPerEndpoint: 2, authorization: 300 } },
  });
  const answers = await Promise.all(Array.from({ length: 4 }, () => gateway.get('a.example.com/')));
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
  expect(asked).toBe(2);
});

it('a client that goes takes the question along', async () => {
  const auth = await start(Backend.http(() => {}));
  // Longer than this test may take: nothing but the client ends it.
  await serve([auth.endpoint], { options: { limits: { authorization: 600_000 } } });
  const asked = once(auth.server, 'request') as Promise<[IncomingMessage]>;
  const client = await RawClient.open(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  const [{ socket }] = await asked;
  const closed = ended(socket);
  // Reset: a client that only ends its side may still read, and waits for the answer.
  client.socket.resetAndDestroy();
  await closed;
  expect(whoami.seen).toEqual([]);
});

it('an answer that comes after the time of the rule is over changes nothing', async () => {
  const waiting: ServerResponse[] = [];
  const auth = await answering((response) => waiting.push(response));
  await serve([auth.endpoint], { rest: { timeouts: { request: 100 } } });
  expect(await gateway.get('a.example.com/')).toMatchObject({ status: 504 });
  for (const response of waiting) response.end();
  expect(whoami.seen).toEqual([]);
});

it('the time of the rule runs on while the backend is asked', async () => {
  const auth = await answering((response) => response.end());
  whoami = await start(Backend.http(() => {}));
  await serve([auth.endpoint], { rest: { timeouts: { request: 200 } } });
  const before = performance.now();
  expect(await gateway.get('a.example.com/')).toMatchObject({ status: 504 });
  expect(performance.now() - before).toBeGreaterThan(190);
});

describe('an answer', () => {
  it('that says no has a body up to a bound, and none beyond', async () => {
    const auth = await answering((response, _, message) => {
      response.writeHead(403, { 'content-type': 'text/html', 'x-why': 'because' });
      response.end('x'.repeat(message.url === '/small' ? 1000 : 5_000_000));
    });
    await serve([auth.endpoint], { options: { limits: { authorizationBody: 1000 } } });
    const small = await gateway.get('a.example.com/small');
    expect(small).toMatchObject({
      status: 403,
      headers: { 'content-type': 'text/html', 'content-length': '1000' },
    });
    const large = await gateway.get('a.example.com/large');
    expect(large).toMatchObject({
      status: 403,
      body: '',
      headers: { 'x-why': 'because', 'content-length': '0' },
    });
    expect(large.headers['content-type']).toBeUndefined();
    expect(gateway.lines()).toMatchObject([
      { authorization: 'denied' },
      { authorization: 'denied', bytesSent: 0 },
    ]);
  });

  it('is passed on octet by octet', async () => {
    const content = Buffer.from([0, 255, 128, 13, 10, 0xc3, 0x28]);
    const auth = await answering((response) => response.writeHead(401).end(content));
    await serve([auth.endpoint]);
    const client = await RawClient.open(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n');
    const received = await client.untilClosed();
    expect(received.endsWith(`\r\n\r\n${content.toString('latin1')}`)).toBe(true);
  });

  it('that says yes may have a body of any size', async () => {
    const auth = await answering((response) =>
      response.setHeader('x-user', 'alice').end('x'.repeat(5_000_000)),
    );
    await serve([auth.endpoint], { takes: ['x-user'] });
    expect((await gateway.get('a.example.com/', { headers: { 'x-user': 'root' } })).status).toBe(200);
    expect(whoami.seen[0]!.headers['x-user']).toBe('alice');
    expect(gateway.lines()).toMatchObject([{ authorization: 'allowed' }]);
  });
});

describe('the body of the request', () => {
  const chunked = (...chunks: string[]) =>
    `POST / HTTP/1.1\r\nHost: a.example.com\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n${chunks
      .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
      .join('')}0\r\nx-sum: 1\r\n\r\n`;

  it('goes to the backend as it came, with its trailers', async () => {
    const bodies: string[] = [];
    const auth = await answering((response, body, { headers }) => {
      bodies.push(`${headers['content-length']} ${headers['transfer-encoding']} ${body}`);
      response.end();
    });
    await serve([auth.endpoint], { body: 16, rest: { retry: { codes: [500], attempts: 1, backoff: 1 } } });
    const client = await RawClient.open(gateway.port());
    client.send(chunked('abc', 'def'));
    await client.until('whoami\n');
    expect(bodies).toEqual(['6 undefined abcdef']);
    expect(whoami.seen).toMatchObject([
      { body: 'abcdef', headers: { 'transfer-encoding': 'chunked' }, trailers: { 'x-sum': '1' } },
    ]);
    client.destroy();
  });

  it('that turns out too large is refused, and nobody is asked', async () => {
    const auth = await start(Backend.echo('auth'));
    await serve([auth.endpoint], { body: 5 });
    const client = await RawClient.open(gateway.port());
    client.send(chunked('abc', 'def'));
    await client.until(/^HTTP\/1.1 413 .*413: the body/s);
    client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await client.until('whoami\n');
    expect(auth.seen.map(({ method }) => method)).toEqual(['GET']);
    expect(whoami.seen.map(({ method }) => method)).toEqual(['GET']);
    client.destroy();
  });

  it('is asked for where the client waits to be', async () => {
    const auth = await answering((response, body) => response.writeHead(body === 'yes' ? 200 : 403).end());
    await serve([auth.endpoint], { body: 16 });
    const client = await RawClient.open(gateway.port());
    client.send(
      'POST / HTTP/1.1\r\nHost: a.example.com\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('yes');
    await client.until('whoami\n');
    expect(client.received.match(/100 Continue/g)).toHaveLength(1);
    expect(whoami.seen).toMatchObject([{ body: 'yes' }]);
    expect(whoami.seen[0]!.headers.expect).toBeUndefined();
    client.destroy();
  });

  it('that is not sent along waits at the client', async () => {
    const waiting: ServerResponse[] = [];
    const auth = await start(Backend.http((_, response) => void waiting.push(response)));
    await serve([auth.endpoint]);
    const asked = once(auth.server, 'request');
    const body = Buffer.alloc(32 * 1024 * 1024, 'x');
    const client = await RawClient.open(gateway.port());
    client.send(`POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.socket.write(body);
    await asked;
    // More than any socket takes, so that most of it is still with the client.
    expect(client.socket.writableLength).toBeGreaterThan(body.length / 2);
    waiting[0]!.end();
    await client.until('whoami\n');
    expect(whoami.seen[0]!.body.length).toBe(body.length);
    client.destroy();
  });

  it('that breaks off is no request', async () => {
    const auth = await start(Backend.echo('auth'));
    await serve([auth.endpoint], { body: 100 });
    const client = await RawClient.open(gateway.port());
    client.send(
      'POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n',
    );
    await client.until('HTTP/1.1 400 ');
    expect([...auth.seen, ...whoami.seen]).toEqual([]);
    client.destroy();
  });
});

describe('an upgrade', () => {
  const HANDSHAKE =
    'GET /chat HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  it.each([
    [200, /101 Switching Protocols.*hello/s],
    [403, /^HTTP\/1.1 403 /],
  ])('is asked about, too: %d', async (status, expected) => {
    const upgrades: unknown[] = [];
    const auth = await answering((response, _, { url, headers }) => {
      upgrades.push(url, headers.upgrade, headers.connection);
      response.writeHead(status).end();
    });
    let switched = 0;
    whoami = await start(
      Backend.http(
        () => {},
        (server) =>
          server.on('upgrade', (_, socket: Socket) => {
            switched++;
            socket.write(
              'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
            );
            socket.on('data', (data) => socket.write(data));
          }),
      ),
    );
    await serve([auth.endpoint]);
    const client = await RawClient.open(gateway.port());
    client.send(HANDSHAKE);
    if (status === 200) {
      await client.until('101 Switching');
      client.send('hello');
    }
    await client.until(expected);
    expect(switched).toBe(status === 200 ? 1 : 0);
    expect(upgrades[0]).toBe('/chat');
    expect(upgrades[1]).toBeUndefined();
    client.destroy();
  });
});
