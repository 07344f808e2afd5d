/** HTTP/2 from clients, in the clear and under TLS; backends speak HTTP/1.1. The engine on node:http has none of it. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { RawClient } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

let gateway: TestGateway;
let whoami: Backend;
let session: ClientHttp2Session;

afterEach(async () => {
  session.destroy();
  await gateway.agent.close();
  await whoami.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
  readonly trailers: Record<string, unknown>;
  readonly code: number | undefined;
}

async function serve(
  started: Promise<Backend>,
  { resources, ...options }: { resources?: Resource[] } & Parameters<typeof TestGateway.serving>[1] = {},
): Promise<void> {
  whoami = await started;
  gateway = await TestGateway.serving(
    {
      resources: resources ?? [
        listener('web'),
        backend('whoami'),
        rule({ rest: { backends: [to('whoami')] } }),
      ],
      endpoints: { whoami: [whoami.endpoint] },
    },
    { engine: 'http1', ...options },
  );
}

function open(): ClientHttp2Session {
  session = connectHttp2(`http://127.0.0.1:${gateway.port()}`);
  session.on('error', () => {});
  return session;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  let body = '';
  stream.on('response', (fields) => {
    headers = { ...fields };
  });
  stream.on('trailers', (fields) => {
    trailers = { ...fields };
  });
  stream.on('data', (chunk: Buffer) => {
    body += chunk;
  });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  return { status: Number(headers[':status']), headers, body, trailers, code: stream.rstCode };
}

const get = (path: string, fields: OutgoingHttpHeaders = {}) =>
  answerOf(session.request({ ':path': path, ':authority': 'a.example.com', ...fields }));

describe('HTTP/2 in the clear, by prior knowledge', () => {
  it('is served beside HTTP/1.1 on the same port', async () => {
    await serve(Backend.echo('whoami'));
    open();
    expect(await get('/a?b=c')).toMatchObject({ status: 200, headers: { 'x-backend': 'whoami' } });
    expect(whoami.seen[0]).toMatchObject({ method: 'GET', url: '/a?b=c' });
    expect(whoami.seen[0]!.headers).toMatchObject({
      host: 'a.example.com',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example.com',
    });
    expect(gateway.lines()).toMatchObject([{ protocol: 'HTTP/2.0', path: '/a', status: 200 }]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
  });

  it('carries many requests at once over one connection', async () => {
    await serve(Backend.echo('whoami'));
    open();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => get(`/${i}`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(new Set(whoami.seen.map(({ url }) => url)).size).toBe(100);
  });

  it('begins also where the preface comes octet by octet', async () => {
    await serve(Backend.echo('whoami'));
    const client = await RawClient.open(gateway.port());
    for (const octet of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0') {
      client.send(octet);
      await new Promise(setImmediate);
    }
    // Type 4: its own SETTINGS are the first frame of a server.
    await client.until('\x04');
    expect(client.received.charCodeAt(3)).toBe(4);
    client.socket.destroy();
    open();
  });
});

describe('a request of HTTP/2', () => {
  it('has its body and trailers passed on, with a length or without', async () => {
    const trailers: unknown[] = [];
    await serve(
      Backend.http((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        request.on('end', () => {
          trailers.push({ ...request.trailers });
          response.end(`${request.headers['content-length']} ${body}`);
        });
      }),
    );
    open();
    const fields = { ':method': 'POST', ':path': '/', ':authority': 'a.example.com' };
    const plain = session.request({ ...fields, 'content-length': 5 });
    plain.end('hello');
    expect(await answerOf(plain)).toMatchObject({ status: 200, body: '5 hello' });
    const chunked = session.request(fields, { waitForTrailers: true });
    chunked.on('wantTrailers', () => chunked.sendTrailers({ 'x-sum': '1', host: 'b' }));
    chunked.end('hello');
    expect(await answerOf(chunked)).toMatchObject({ status: 200, body: 'undefined hello' });
    expect(trailers[1]).toEqual({ 'x-sum': '1' });
  });

  it('has its cookies joined, and keeps no field of its connection', async () => {
    await serve(Backend.echo('whoami'));
    open();
    await get('/', { cookie: ['a=1', 'b=2'], te: 'trailers' });
    expect(whoami.seen[0]!.headers).toMatchObject({ cookie: 'a=1; b=2', te: 'trailers' });
    expect(whoami.seen[0]!.headers).not.toHaveProperty('transfer-encoding');
  });

  it('is refused where it has two hosts, or is none that HTTP/1.1 could carry', async () => {
    await serve(Backend.echo('whoami'));
    open();
    expect(await get('/', { host: 'b.example.com' })).toMatchObject({ status: 400 });
    // By the library, before it is a request.
    expect(await get('/a b')).toMatchObject({ status: Number.NaN, code: constants.NGHTTP2_PROTOCOL_ERROR });
    const tunnel = session.request({ ':method': 'CONNECT', ':authority': 'a.example.com:80' });
    expect(await answerOf(tunnel)).toMatchObject({ status: 400 });
    expect(await get('/', { ':method': 'BREW' })).toMatchObject({ status: 501 });
    expect(
      await get('/', Object.fromEntries(Array.from({ length: 110 }, (_, i) => [`x-${i}`, '1']))),
    ).toMatchObject({
      status: 431,
    });
    expect(await get('/', { host: 'A.example.com' })).toMatchObject({ status: 200 });
    expect(whoami.seen).toHaveLength(1);
  });

  it('that the client gives up is not asked for any longer', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await serve(
      Backend.http((_, response) => {
        closed = once(response, 'close');
        response.write('begun');
      }),
    );
    open();
    const stream = session.request({ ':path': '/', ':authority': 'a.example.com' });
    stream.on('error', () => {});
    await once(stream, 'data');
    stream.close(constants.NGHTTP2_CANCEL);
    await closed;
    expect(await get('/none', { ':method': 'BREW' })).toMatchObject({ status: 501 });
    expect(gateway.lines()[0]).toMatchObject({ status: 200, failure: 'client-gone' });
  });

  it('is held back where the backend does not read it', async () => {
    await serve(Backend.tcp((socket) => socket.pause()));
    open();
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'a.example.com' });
    stream.on('error', () => {});
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    while (sent < 64 * 1024 * 1024) {
      sent += chunk.length;
      if (stream.write(chunk)) continue;
      const drained = await Promise.race([
        once(stream, 'drain').then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
      ]);
      if (!drained) break;
    }
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    stream.close(constants.NGHTTP2_CANCEL);
  });
});

describe('a response over HTTP/2', () => {
  it('has its fields, body and trailers, and none of its connection', async () => {
    await serve(
      Backend.tcp((socket) =>
        socket.on('data', () =>
          socket.write(
            'HTTP/1.1 203 Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-A: 1\r\nX-A: 2\r\nKeep-Alive: timeout=9\r\nTrailer: x-sum\r\n' +
              'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n',
          ),
        ),
      ),
    );
    open();
    const answer = await get('/');
    expect(answer).toMatchObject({ status: 203, body: 'abc', trailers: { 'x-sum': '6' } });
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-a': '1, 2' });
    for (const name of ['keep-alive', 'transfer-encoding', 'connection'])
      expect(answer.headers).not.toHaveProperty(name);
  });

  it('loses what HTTP/2 forbids, in its head and after it, and nothing else comes of that', async () => {
    const forbidden = 'HTTP2-Settings: AAMAAABk\r\nTE: gzip\r\n';
    await serve(
      Backend.tcp((socket) =>
        socket.on('data', () =>
          socket.write(
            `HTTP/1.1 200 OK\r\n${forbidden}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n${forbidden}constructor: 1\r\nX-Sum: 6\r\n\r\n`,
          ),
        ),
      ),
    );
    open();
    for (let turn = 0; turn < 2; turn++) {
      const { status, body, headers, trailers } = await get('/');
      expect([status, body, Object.entries(trailers)]).toEqual([
        200,
        'abc',
        [
          ['constructor', '1'],
          ['x-sum', '6'],
        ],
      ]);
      for (const name of ['http2-settings', 'te']) expect(headers).not.toHaveProperty(name);
    }
  });

  it('may have no body', async () => {
    await serve(Backend.http((_, response) => response.writeHead(204).end()));
    open();
    expect(await get('/')).toMatchObject({ status: 204, body: '' });
    expect(await get('/', { ':method': 'HEAD' })).toMatchObject({ status: 204, body: '' });
  });

  it('arrives whole, however large and slowly read', async () => {
    const total = 20 * 1024 * 1024;
    await serve(Backend.http((_, response) => response.end(Buffer.alloc(total, 'x'))));
    open();
    const stream = session.request({ ':path': '/', ':authority': 'a.example.com' });
    let read = 0;
    await once(stream, 'response');
    await new Promise((resolve) => setTimeout(resolve, 100));
    for await (const chunk of stream as AsyncIterable<Buffer>) read += chunk.length;
    expect(read).toBe(total);
  });

  it('that is cut short is reset', async () => {
    await serve(
      Backend.tcp((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun')),
      ),
    );
    open();
    expect(await get('/')).toMatchObject({ status: 200, code: constants.NGHTTP2_INTERNAL_ERROR });
    expect(gateway.lines()).toMatchObject([{ failure: 'malformed' }]);
  });

  it.each([600, 999])('of status %d, which HTTP/2 clients are to take for 500, is 500', async (status) => {
    const defects: unknown[] = [];
    const text = `HTTP/1.1 ${status} No\r\nContent-Length: 5\r\n\r\nhello`;
    await serve(Backend.bytes({ '/no': text }), { onDefect: (error) => defects.push(error) });
    open();
    expect(await get('/no')).toMatchObject({ status: 500, body: 'hello', code: constants.NGHTTP2_NO_ERROR });
    expect(gateway.lines()).toMatchObject([{ status: 500 }]);
    expect(defects).toEqual([]);
  });

  it('to a route that is not there is 404, and the connection goes on', async () => {
    await serve(Backend.echo('whoami'), { resources: [listener('web', { hostname: 'b.example.com' })] });
    open();
    expect(await get('/')).toMatchObject({ status: 404 });
    expect(await get('/', { ':method': 'POST' })).toMatchObject({ status: 404 });
  });
});

describe('a client that waits for its backend', () => {
  it('keeps its connection for as long as the rule says, and one that holds up its request does not', async () => {
    let answer = () => {};
    const asked = Promise.withResolvers<void>();
    await serve(
      Backend.http((message, response) => {
        if (message.url !== '/slow') return;
        answer = () => response.end('late');
        asked.resolve();
      }),
      {
        resources: [
          listener('web'),
          backend('whoami'),
          rule({ rest: { backends: [to('whoami')], timeouts: { request: 0 } } }),
        ],
        limits: { clientStall: 200 },
      },
    );
    const other = connectHttp2(`http://127.0.0.1:${gateway.port()}`);
    other.on('error', () => {});
    open();
    const late = get('/slow');
    await asked.promise;
    // Both begin later than the one that waits, on its connection and on one of their own.
    const held = [session, other].map((each) => {
      const stream = each.request({ ':method': 'POST', ':path': '/held', ':authority': 'a.example.com' });
      stream.write('begun');
      return answerOf(stream);
    });
    for (const { status } of await Promise.all(held)) expect(status).toBe(Number.NaN);
    if (!other.destroyed) await once(other, 'close');
    answer();
    expect(await late).toMatchObject({ status: 200, body: 'late' });
  });
});

describe('a client that goes while its window has no room for the answer', () => {
  it('has its request given up', async () => {
    const taken: Socket[] = [];
    await serve(
      Backend.http((_, response) => {
        taken.push(response.socket!);
        response.end(Buffer.alloc(4 * 1024 * 1024));
      }),
    );
    const socket = connect(gateway.port(), '127.0.0.1');
    socket.on('error', () => {});
    session = connectHttp2('http://a.example.com', { createConnection: () => socket });
    session.on('error', () => {});
    // Who reads nothing opens no window, and says nothing of the stream when it goes.
    const stream = session.request({ ':path': '/large' });
    stream.on('error', () => {});
    await once(stream, 'response');
    socket.end();
    const closed = Promise.withResolvers<void>();
    taken[0]!.on('close', () => closed.resolve());
    await closed.promise;
    while (gateway.log.length === 0) await new Promise(setImmediate);
    expect(gateway.lines()).toMatchObject([{ status: 200, failure: 'client-gone' }]);
  }, 30_000);
});

describe('a drain', () => {
  it('lets the streams that are open finish, and takes no more', async () => {
    let finish = () => {};
    await serve(
      Backend.http((_, response) => {
        response.write('begun ');
        finish = () => response.end('done');
      }),
    );
    open();
    const stream = session.request({ ':path': '/', ':authority': 'a.example.com' });
    const answer = answerOf(stream);
    await once(stream, 'data');
    const goaway = once(session, 'goaway');
    gateway.agent.retire();
    await goaway;
    const drained = gateway.agent.drain();
    finish();
    expect(await answer).toMatchObject({ status: 200, code: constants.NGHTTP2_NO_ERROR });
    await drained;
  });
});

describe('HTTP/2 under TLS', () => {
  it('is chosen by ALPN, and 421 where the host belongs to another listener', async () => {
    const [shop, media] = [
      issue('infra/shop', ['shop.example.com']),
      issue('infra/media', ['media.example.com']),
    ];
    const on = (name: string, id: string) =>
      listener(name, { port: 443, protocol: 'HTTPS', hostname: `${name}.example.com`, certificates: [id] });
    await serve(Backend.echo('whoami'), {
      resources: [
        on('shop', shop.id),
        on('media', media.id),
        backend('whoami'),
        rule({ on: ['shop', 'media'], rest: { backends: [to('whoami')] } }),
      ],
    });
    await gateway.agent.apply({ certificates: new Map([shop, media].map((bundle) => [bundle.id, bundle])) });
    session = connectHttp2(`https://127.0.0.1:${gateway.port(443)}`, {
      ca: authority,
      servername: 'shop.example.com',
      checkServerIdentity: () => undefined,
    });
    session.on('error', () => {});
    expect(await get('/', { ':authority': 'shop.example.com' })).toMatchObject({ status: 200 });
    expect(await get('/', { ':authority': 'media.example.com' })).toMatchObject({ status: 421 });
    expect(whoami.seen[0]!.headers).toMatchObject({ 'x-forwarded-proto': 'https' });
  });
});
