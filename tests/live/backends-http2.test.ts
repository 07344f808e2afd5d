/** Backends that speak HTTP/2: what they are sent, and what becomes of what they answer. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { ENGINE } from '../support/engine.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { END_STREAM, FRAME, wireBackend } from '../support/http2-wire.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;

afterEach(() => gateway.agent.close());

const H2C = { appProtocol: 'kubernetes.io/h2c' };

async function serve(
  upstreams: readonly { readonly endpoint: Backend['endpoint'] }[],
  options: Parameters<typeof TestGateway.serving>[1] = {},
  rest: Partial<Pick<HttpRule, 'retry' | 'timeouts' | 'filters'>> = {},
) {
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('grpc', H2C),
        backend('shadow', H2C),
        rule({ rest: { backends: [to('grpc')], ...rest } }),
      ],
      endpoints: {
        grpc: upstreams.map(({ endpoint }) => endpoint),
        shadow: upstreams.slice(0, 1).map(({ endpoint }) => endpoint),
      },
    },
    options,
  );
}

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
  body: string;
  trailers: unknown;
}

/** Reads all of the request, then answers. */
function reading(
  seen: Seen[],
  answer: (stream: ServerHttp2Stream, each: Seen) => void = (stream) => {
    stream.respond({ ':status': 200, 'x-backend': 'grpc' });
    stream.end('grpc\n');
  },
  settings: Parameters<typeof Backend.http2>[1] = {},
) {
  return start(
    Backend.http2((stream, headers) => {
      const each: Seen = { headers, raw: [], body: '', trailers: undefined };
      stream.on('data', (chunk: Buffer) => {
        each.body += chunk;
      });
      stream.on('trailers', (trailers) => {
        each.trailers = { ...trailers };
      });
      stream.on('end', () => {
        seen.push(each);
        answer(stream, each);
      });
    }, settings),
  );
}

describe('a request to a backend of HTTP/2', () => {
  it('has the fields of its own version, and none of a connection', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    await serve([upstream]);
    const answer = await gateway.get('a.example.com/a?b=c', {
      headers: {
        connection: 'x-hop',
        'x-hop': '1',
        'x-kept': '2',
        'keep-alive': 'timeout=3',
        cookie: 'a=1; b=2',
        'content-type': ['text/plain', 'text/html'],
      },
    });
    expect(answer).toMatchObject({ status: 200, body: 'grpc\n', headers: { 'x-backend': 'grpc' } });
    expect(seen[0]!.headers).toMatchObject({
      ':method': 'GET',
      ':scheme': 'http',
      ':path': '/a?b=c',
      ':authority': 'a.example.com',
      'x-kept': '2',
      cookie: 'a=1; b=2',
      'x-forwarded-for': '127.0.0.1',
    });
    for (const name of ['connection', 'x-hop', 'keep-alive', 'host', 'transfer-encoding', 'te', 'upgrade']) {
      expect(seen[0]!.headers).not.toHaveProperty(name);
    }
    expect(gateway.lines()).toMatchObject([{ status: 200, backend: 'shop/grpc/80' }]);
  });

  it('without a body ends with its head', async () => {
    const upstream = await start(
      Backend.http2((stream, headers) => {
        stream.respond({ ':status': 200 });
        stream.end(`${headers[':method']} ${stream.endAfterHeaders}`);
      }),
    );
    await serve([upstream]);
    expect((await gateway.get('a.example.com/')).body).toBe('GET true');
    expect((await gateway.get('a.example.com/', { method: 'POST' })).body).toBe('POST true');
  });

  it('has its body, with trailers', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\nhost: b\r\n\r\n',
    );
    await client.untilClosed();
    expect(client.received).toContain('grpc');
    expect(seen[0]).toMatchObject({ body: 'hello', headers: { te: 'trailers' }, trailers: { 'x-sum': '7' } });
    expect(seen[0]!.trailers).not.toHaveProperty('host');
  });

  it('of 3 MB arrives whole, and its answer too, at the pace of the slower side', async () => {
    const size = 3 * 1024 * 1024;
    const seen: Seen[] = [];
    const upstream = await reading(seen, (stream, { body }) => {
      stream.respond({ ':status': 200, 'content-length': String(body.length) });
      stream.end(body);
    });
    await serve([upstream]);
    const { status, body } = await gateway.get('a.example.com/', { method: 'POST', body: 'x'.repeat(size) });
    expect([status, body.length, seen[0]!.body.length]).toEqual([200, size, size]);
  });

  it('goes on after the answer has begun', async () => {
    const upstream = await start(
      Backend.http2((stream) => {
        stream.respond({ ':status': 200 });
        stream.pipe(stream);
      }),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.until('200 OK');
    client.send('4\r\nping\r\n');
    await client.until('ping');
    client.send('4\r\npong\r\n0\r\n\r\n');
    expect(await client.untilClosed()).toMatch(/ping[\s\S]*pong[\s\S]*0\r\n\r\n$/);
  });

  it('is answered before it has ended, and cancelled then', async () => {
    const resets: string[] = [];
    let ended = false;
    const upstream = await start(
      wireBackend((peer, { type, flags, stream, payload }) => {
        if (type === FRAME.headers) {
          peer.headers(stream, [[':status', '413']]);
          peer.data(stream, 'too much', true);
        } else if (type === FRAME.data) ended ||= (flags & END_STREAM) !== 0;
        else if (type === FRAME.reset) resets.push(payload.toString('hex'));
      }),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    await client.until('too much');
    while (resets.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(resets).toEqual(['00000000']);
    expect(ended).toBe(false);
    client.destroy();
  });

  it('waits for 100 Continue where the client does', async () => {
    const upstream = await start(
      Backend.http2((stream, headers) => {
        if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
        stream.on('data', () => {});
        stream.on('end', () => {
          stream.respond({ ':status': 200 });
          stream.end('done');
        });
      }),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n',
    );
    await client.until('100 Continue');
    client.send('ok');
    expect(await client.untilClosed()).toContain('done');
  });

  it('is given up when its client goes', async () => {
    const closed = Promise.withResolvers<number>();
    const arrived = Promise.withResolvers<void>();
    const upstream = await start(
      Backend.http2((stream) => {
        stream.on('aborted', () => closed.resolve(stream.rstCode));
        arrived.resolve();
      }),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived.promise;
    client.socket.resetAndDestroy();
    expect(await closed.promise).toBe(8);
  });

  it('is mirrored', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    const config = { name: 'Service shop/shadow:80', backend: backendKey('shadow'), share: [1, 1] };
    await serve([upstream], {}, { filters: [{ type: 'RequestMirror', config }] });
    await gateway.get('a.example.com/', { method: 'POST', body: 'twice' });
    while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(seen.map(({ body }) => body)).toEqual(['twice', 'twice']);
  });
});

describe('an answer over HTTP/2', () => {
  it('has several fields of one name, and trailers', async () => {
    const upstream = await start(
      Backend.http2((stream) => {
        stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-b': ['1', '2'] }));
        stream.end('x');
      }),
    );
    await serve([upstream]);
    const answer = await gateway.get('a.example.com/');
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.trailers).toMatchObject({ 'grpc-status': '0' });
  });

  it('may have no body: HEAD, 204, 304', async () => {
    const upstream = await start(
      Backend.http2((stream, headers) => {
        const status = Number(headers[':path']!.slice(1));
        stream.respond({
          ':status': status,
          'x-own': 'y',
          ...(status === 200 ? { 'content-length': '9' } : {}),
        });
        stream.end();
      }),
    );
    await serve([upstream]);
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      expect(await gateway.get(`a.example.com/${status}`, { method })).toMatchObject({
        status,
        body: '',
        headers: { 'x-own': 'y' },
      });
    }
  });

  it('may follow early hints', async () => {
    const upstream = await start(
      Backend.http2((stream) => {
        stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
        stream.respond({ ':status': 200 });
        stream.end('x');
      }),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.untilClosed()).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nlink: [\s\S]*HTTP\/1.1 200 OK/i,
    );
  });

  it('is read no faster than the client takes it', async () => {
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    const full = Promise.withResolvers<void>();
    const upstream = await start(
      Backend.http2((stream) => {
        stream.respond({ ':status': 200 });
        const more = () => {
          while (sent < 200 * chunk.length) {
            sent += chunk.length;
            if (!stream.write(chunk)) return void stream.once('drain', more);
          }
          stream.end();
        };
        more();
        const watch = (before: number): unknown =>
          setTimeout(() => (sent === before ? full.resolve() : watch(sent)), 100);
        watch(-1);
      }),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await full.promise;
    expect(sent).toBeLessThan(150 * chunk.length);
    client.socket.resume();
    const received = await client.untilClosed();
    expect(received.length).toBeGreaterThan(200 * chunk.length);
  });
});

describe('connections to a backend of HTTP/2', () => {
  it('are shared by requests', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    await serve([upstream]);
    await Promise.all(Array.from({ length: 50 }, () => gateway.get('a.example.com/')));
    expect([seen.length, upstream.used]).toEqual([50, 1]);
  });

  it('are as many as it takes where each carries one request at a time', async () => {
    const seen: Seen[] = [];
    const all = Promise.withResolvers<void>();
    const upstream = await reading(
      seen,
      (stream) => {
        if (seen.length === 8) all.resolve();
        void all.promise.then(() => {
          stream.respond({ ':status': 200 });
          stream.end();
        });
      },
      { maxConcurrentStreams: 1 },
    );
    await serve([upstream]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.get('a.example.com/')));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(upstream.used).toBe(8);
  });

  it('are bounded: what is beyond waits', async () => {
    const held: ServerHttp2Stream[] = [];
    const upstream = await start(
      Backend.http2((stream) => void held.push(stream), { maxConcurrentStreams: 1 }),
    );
    await serve([upstream], { limits: { connectionsPerEndpoint: 2 } });
    const waiting = [1, 2, 3].map((n) => gateway.get(`a.example.com/${n}`));
    const answer = async (count: number) => {
      while (held.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
      held[count - 1]!.respond({ ':status': 200 });
      held[count - 1]!.end();
    };
    for (const count of [1, 2, 3]) await answer(count);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(upstream.used).toBe(2);
  });

  it('are closed when nobody has used them for a while', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    await serve([upstream], { limits: { upstreamIdle: 20 } });
    await gateway.get('a.example.com/');
    while (upstream.sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(upstream.used).toBe(2);
  });

  it('may fail: another endpoint is asked, and with none left the answer is 503', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    const gone = { endpoint: await unusedEndpoint() };
    await serve([gone, upstream]);
    expect(await gateway.get('a.example.com/', { method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
    expect(seen[0]!.body).toBe('x');
    await gateway.agent.close();
    await serve([gone]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503 });
    expect(gateway.lines().at(-1)).toMatchObject({ failure: 'connect' });
  });

  it('to one that speaks HTTP/1.1 fail', async () => {
    const upstream = await start(Backend.echo('old'));
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 502 });
    expect(gateway.lines()).toMatchObject([{ failure: 'malformed' }]);
    expect(upstream.seen).toEqual([]);
  });
});

describe('an upgrade to a backend of HTTP/2', () => {
  const upgrade =
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  it('is an extended CONNECT where it takes one', async () => {
    let headers: IncomingHttpHeaders = {};
    const upstream = await start(
      Backend.http2(
        (stream, received) => {
          headers = received;
          stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
          stream.pipe(stream);
        },
        { enableConnectProtocol: true },
      ),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send(upgrade);
    await client.until('\r\n\r\n');
    expect(client.received).toMatch(/^HTTP\/1.1 101 /);
    expect(client.received).toMatch(/sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
    expect(client.received).toMatch(/sec-websocket-protocol: chat\r\n/i);
    expect(headers).toMatchObject({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/chat',
      'sec-websocket-version': '13',
    });
    expect(headers).not.toHaveProperty('sec-websocket-key');
    client.send('over and over');
    await client.until('over and over');
    client.socket.end();
    await client.untilClosed();
    while (gateway.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(gateway.lines()).toMatchObject([{ status: 101, bytesReceived: 13, bytesSent: 13 }]);
  });

  it('may be refused by it', async () => {
    const upstream = await start(
      Backend.http2(
        (stream) => {
          stream.respond({ ':status': 403 });
          stream.end('no');
        },
        { enableConnectProtocol: true },
      ),
    );
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send(upgrade);
    expect(await client.until('no')).toMatch(/^HTTP\/1.1 403 /);
    client.destroy();
  });

  it('is 502 where it takes none', async () => {
    const seen: Seen[] = [];
    const upstream = await reading(seen);
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send(upgrade);
    expect(await client.until('502: ')).toMatch(/^HTTP\/1.1 502 /);
    expect(gateway.lines()).toMatchObject([{ failure: 'no-upgrade' }]);
    expect(seen).toEqual([]);
    client.destroy();
  });
});

it(`is served by the engine ${ENGINE} for a backend that has no endpoints in the clear of HTTP/1.1`, async () => {
  const whoami = await start(Backend.echo('echo'));
  gateway = await TestGateway.serving(
    { resources: [listener('web'), backend('grpc', H2C), rule({ rest: { backends: [to('grpc')] } })] },
    { fallbackEndpoints: () => [whoami.endpoint] },
  );
  expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200, body: 'echo\n' });
});
