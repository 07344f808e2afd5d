/** Backends of HTTP/2 that refuse, break off, stall, or send what no answer is. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { END_STREAM, FRAME, type Frame, type WirePeer, wireBackend } from '../support/http2-wire.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;

afterEach(() => gateway.agent.close());

async function serve(
  upstreams: readonly Backend[],
  options: Parameters<typeof TestGateway.serving>[1] = {},
  rest: Partial<Pick<HttpRule, 'retry' | 'timeouts'>> = {},
) {
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('grpc', { appProtocol: 'kubernetes.io/h2c' }),
        rule({ rest: { backends: [to('grpc')], ...rest } }),
      ],
      endpoints: { grpc: upstreams.map(({ endpoint }) => endpoint) },
    },
    options,
  );
}

/** Told of the head of every request with its number, from 1 on; the connection's, too. */
function onHead(
  answer: (peer: WirePeer, stream: number, request: number, connection: number) => void,
  options?: Parameters<typeof wireBackend>[1],
) {
  let requests = 0;
  return start(
    wireBackend((peer, { type, stream }, connection) => {
      if (type === FRAME.headers) answer(peer, stream, ++requests, connection);
    }, options),
  );
}

const ok = (peer: WirePeer, stream: number) => {
  peer.headers(stream, [[':status', '200']]);
  peer.data(stream, 'ok', true);
};

const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;

describe('a request that the endpoint did nothing about', () => {
  it.each([
    ['a refused stream', (peer: WirePeer, stream: number) => peer.reset(stream, REFUSED_STREAM)],
    ['a GOAWAY', (peer: WirePeer) => peer.goaway(0, NO_ERROR)],
    ['a GOAWAY for an error', (peer: WirePeer) => peer.goaway(0, INTERNAL_ERROR)],
  ])('is sent again, body and all, after %s', async (_, refuse) => {
    const bodies: string[] = [];
    const upstream = await start(
      wireBackend((peer, { type, flags, stream, payload }, connection) => {
        if (type === FRAME.headers && connection === 0 && bodies.length === 0) {
          bodies.push('');
          refuse(peer, stream);
        } else if (type === FRAME.data) {
          bodies.push(payload.toString());
          if (flags & END_STREAM) ok(peer, stream);
        }
      }),
    );
    await serve([upstream]);
    const answer = await gateway.get('a.example.com/', { method: 'POST', body: 'once' });
    expect(answer).toMatchObject({ status: 200, body: 'ok' });
    expect(bodies.join('')).toMatch(/once$/);
    expect(gateway.lines()).toMatchObject([{ attempts: 2, status: 200 }]);
  });

  it('is given up after a few times', async () => {
    let requests = 0;
    const upstream = await onHead((peer, stream, request) => {
      requests = request;
      peer.reset(stream, REFUSED_STREAM);
    });
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 502 });
    expect(requests).toBe(3);
    expect(gateway.lines()).toMatchObject([{ failure: 'reset' }]);
  });

  it('is sent again as its rule says, where it says so', async () => {
    const upstream = await onHead((peer, stream, request) =>
      request < 3 ? peer.reset(stream, REFUSED_STREAM) : ok(peer, stream),
    );
    await serve([upstream], {}, { retry: { codes: [], attempts: 2, backoff: 1 } });
    expect(await gateway.get('a.example.com/', { method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
  });
});

describe('GOAWAY', () => {
  it('lets requests under way end, and new ones take another connection', async () => {
    const first: { peer?: WirePeer; stream?: number } = {};
    const connections: number[] = [];
    const upstream = await onHead((peer, stream, request, connection) => {
      connections.push(connection);
      if (request === 1) {
        Object.assign(first, { peer, stream });
        peer.goaway(stream, NO_ERROR);
      } else ok(peer, stream);
    });
    await serve([upstream]);
    const slow = gateway.get('a.example.com/slow');
    while (!first.peer) await new Promise((resolve) => setTimeout(resolve, 1));
    while (connections.length < 2 || !connections.includes(1)) {
      expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    }
    ok(first.peer, first.stream!);
    expect(await slow).toMatchObject({ status: 200, body: 'ok' });
  });

  it('for an error ends those that it may have worked on', async () => {
    const upstream = await onHead((peer, stream) => peer.goaway(stream, INTERNAL_ERROR));
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 502 });
    expect(gateway.lines()).toMatchObject([{ failure: 'reset' }]);
    expect(gateway.lines()[0]).not.toHaveProperty('attempts');
  });
});

describe('an endpoint', () => {
  const withFields =
    (...fields: (readonly [string, string])[]) =>
    (peer: WirePeer, stream: number) =>
      peer.headers(stream, fields, true);
  const OK = [':status', '200'] as const;
  const MANY = Array.from({ length: 200 }, (_, i) => [`a${i}`, 'b'] as const);

  it.each([
    ['no status', withFields(['a', 'b'])],
    ['a status that is none', withFields([':status', '2x0'])],
    ['101', (peer: WirePeer, stream: number) => peer.headers(stream, [[':status', '101']])],
    ['upper case', withFields(OK, ['A', 'b'])],
    ['a field of a connection', withFields(OK, ['connection', 'close'])],
    ['two lengths', withFields(OK, ['content-length', '1'], ['content-length', '2'])],
    ['a length and no body', withFields(OK, ['content-length', '1'])],
    ['too many fields', withFields(OK, ...MANY)],
    ['a body before the head', (peer: WirePeer, stream: number) => peer.data(stream, 'x', true)],
    ['a frame on no stream', (peer: WirePeer) => peer.data(0, 'x')],
  ] as const)('that answers with %s makes it 502', async (_, answer) => {
    const upstream = await onHead((peer, stream) => answer(peer, stream));
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 502 });
    expect(gateway.lines()).toMatchObject([{ failure: 'malformed' }]);
  });

  it('that sends a field with characters that must not be in one has it left out', async () => {
    const upstream = await onHead(withFields(OK, ['x-a', 'b\0'], ['x-b', 'c\r\nx-d: e']));
    await serve([upstream]);
    const { status, headers } = await gateway.get('a.example.com/');
    expect(status).toBe(200);
    expect(Object.keys(headers).filter((name) => name.startsWith('x-'))).toEqual([]);
  });

  it('may send so many interim responses and no more', async () => {
    const upstream = await onHead((peer, stream) => {
      for (let i = 0; i < 1_000; i++)
        peer.headers(stream, [
          [':status', '103'],
          ['link', `<${'a'.repeat(90)}>`],
        ]);
    });
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.untilClosed()).toContain('HTTP/1.1 502');
  });

  it.each([
    ['resets', (peer: WirePeer, stream: number) => peer.reset(stream, CANCEL)],
    ['fails', (peer: WirePeer, stream: number) => peer.reset(stream, INTERNAL_ERROR)],
    ['says that there was no error', (peer: WirePeer, stream: number) => peer.reset(stream, NO_ERROR)],
  ] as const)('that %s before its answer makes it 502', async (_, end) => {
    const upstream = await onHead((peer, stream) => end(peer, stream));
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 502 });
    expect(gateway.lines()).toMatchObject([{ failure: 'reset' }]);
  });

  it.each([
    ['is cut', (peer: WirePeer, stream: number) => peer.reset(stream, CANCEL)],
    ['fails', (peer: WirePeer, stream: number) => peer.reset(stream, INTERNAL_ERROR)],
    ['is shorter than it was to be', (peer: WirePeer, stream: number) => peer.data(stream, '', true)],
    ['is broken off without an error', (peer: WirePeer, stream: number) => peer.reset(stream, NO_ERROR)],
  ] as const)('whose answer %s has it cut for the client, too', async (_, end) => {
    const upstream = await onHead((peer, stream) => {
      peer.headers(stream, [
        [':status', '200'],
        ['content-length', '9'],
      ]);
      peer.data(stream, 'abc');
      end(peer, stream);
    });
    await serve([upstream]);
    await expect(gateway.get('a.example.com/')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    while (gateway.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(gateway.lines()).toMatchObject([{ status: 200, failure: 'malformed' }]);
  });

  it.each([
    ['is reset', (peer: WirePeer, stream: number) => peer.reset(stream, CANCEL)],
    ['is broken off without an error', (peer: WirePeer, stream: number) => peer.reset(stream, NO_ERROR)],
  ] as const)('whose answer of no known length %s has it cut for the client, too', async (_, end) => {
    const upstream = await onHead((peer, stream) => {
      peer.headers(stream, [[':status', '200']]);
      peer.data(stream, 'abc');
      end(peer, stream);
    });
    await serve([upstream]);
    for (const options of [{}, { method: 'POST', body: 'all of it' }]) {
      await expect(gateway.get('a.example.com/', options)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    }
    while (gateway.log.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    const cut = { status: 200, failure: 'malformed' };
    expect(gateway.lines()).toMatchObject([cut, cut]);
  });

  it.each([
    ['with the end of its body', (peer: WirePeer, stream: number) => peer.data(stream, 'c', true)],
    ['with trailers', (peer: WirePeer, stream: number) => peer.headers(stream, [['x-sum', '3']], true)],
    ['after its body', (peer: WirePeer, stream: number) => peer.data(stream, '', true)],
  ] as const)('whose answer ends %s, and that wants no more of the request, has answered', async (_, end) => {
    const upstream = await onHead((peer, stream) => {
      peer.headers(stream, [[':status', '200']]);
      peer.data(stream, 'ab');
      end(peer, stream);
      peer.reset(stream, NO_ERROR);
    });
    await serve([upstream]);
    for (const options of [{}, { method: 'POST', body: 'x'.repeat(100_000) }]) {
      const { status, body } = await gateway.get('a.example.com/', options);
      expect([status, body.slice(0, 2)]).toEqual([200, 'ab']);
    }
    expect(gateway.lines().map(({ failure }) => failure)).toEqual([undefined, undefined]);
  });

  it('that answers nothing makes it 504, and others on its connection go on', async () => {
    const upstream = await onHead((peer, stream, request) => {
      if (request > 1) ok(peer, stream);
    });
    await serve([upstream], { limits: { response: 60 } });
    const silent = gateway.get('a.example.com/');
    while (upstream.connections === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await silent).toMatchObject({ status: 504 });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(upstream.used).toBe(1);
    expect(gateway.lines()[0]).toMatchObject({ failure: 'timeout' });
  });

  it('has the time that the rule gives it', async () => {
    const upstream = await onHead(() => {});
    await serve([upstream], {}, { timeouts: { backendRequest: 30 } });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 504 });
  });

  it('that never sends SETTINGS makes it 504', async () => {
    const upstream = await start(Backend.tcp((socket) => void socket.on('end', () => socket.end()).resume()));
    await serve([upstream], { limits: { connect: 40 } });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 504 });
    expect(gateway.lines()).toMatchObject([{ failure: 'connect-timeout' }]);
  });

  it('that leaves without a word, under a connection used before, is asked again on another', async () => {
    let sockets = 0;
    const upstream = await onHead((peer, stream, request) => {
      if (request !== 2) ok(peer, stream);
      else for (const socket of upstream.sockets) socket.destroy();
      sockets = upstream.connections;
    });
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(sockets).toBe(2);
  });

  it('that has gone silent gets a PING, and its connection is given up when it answers none', async () => {
    const upstream = await onHead((peer, stream, request) => request > 1 && ok(peer, stream), {
      settings: [],
      pongs: false,
    });
    await serve([upstream], { limits: { http2Silence: 20, http2Ping: 20 } });
    expect(await gateway.get('a.example.com/', { method: 'POST', body: 'x' })).toMatchObject({ status: 502 });
    expect(gateway.lines()).toMatchObject([{ failure: 'reset' }]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(upstream.used).toBe(2);
  });

  it('that is slow and answers PINGs keeps its connection', async () => {
    const waiting: (() => void)[] = [];
    const answered = Promise.withResolvers<void>();
    const upstream = await onHead(
      (peer, stream, request) => {
        if (request === 1) waiting.push(() => ok(peer, stream));
        else ok(peer, stream);
      },
      { settings: [], onPing: answered.resolve },
    );
    await serve([upstream], { limits: { http2Silence: 20, http2Ping: 2_000 } });
    const slow = gateway.get('a.example.com/');
    await answered.promise;
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    waiting[0]!();
    expect(await slow).toMatchObject({ status: 200 });
    expect(upstream.used).toBe(1);
  });

  it('that takes no requests at all makes it 503', async () => {
    const upstream = await onHead(() => {}, { settings: [[3, 0]] });
    await serve([upstream]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503 });
    expect(gateway.lines()).toMatchObject([{ failure: 'overloaded' }]);
  });

  it('that lets no body through keeps the client waiting, and no more of the body than it may have', async () => {
    const frames: Frame[] = [];
    const upstream = await start(wireBackend((_, frame) => void frames.push(frame), { settings: [[4, 0]] }));
    await serve([upstream]);
    const client = await RawClient.open(gateway.port());
    const size = 64 * 1024 * 1024;
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    while (sent < size && client.socket.write(chunk)) sent += chunk.length;
    while (!frames.some(({ type }) => type === FRAME.headers))
      await new Promise((resolve) => setTimeout(resolve, 1));
    expect(sent).toBeLessThan(size);
    expect(frames.filter(({ type, payload }) => type === FRAME.data && payload.length > 0)).toEqual([]);
    client.destroy();
  });
});
