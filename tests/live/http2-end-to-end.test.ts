/** HTTP/2 from the client to the backend, as gRPC uses it: `TE: trailers`, both sides at once, and trailers both ways. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { until } from '../support/distribution.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { END_STREAM, FRAME, wireBackend } from '../support/http2-wire.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;
let session: ClientHttp2Session;

afterEach(async () => {
  session.destroy();
  await gateway.agent.close();
});

async function serve(upstream: Backend): Promise<void> {
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('grpc', { appProtocol: 'kubernetes.io/h2c' }),
        rule({ rest: { backends: [to('grpc')] } }),
      ],
      endpoints: { grpc: [upstream.endpoint] },
    },
    { engine: 'http1' },
  );
  session = connect(`http://127.0.0.1:${gateway.port()}`);
}

/** A call as gRPC begins it. */
function call(path = '/pkg.Service/Method', waitForTrailers = false): ClientHttp2Stream {
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': path,
      ':authority': 'grpc.example.com',
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    },
    { waitForTrailers },
  );
  stream.on('error', () => {});
  return stream.setEncoding('latin1');
}

const once = <T>(stream: ClientHttp2Stream, event: string) =>
  new Promise<T>((resolve) => stream.once(event, resolve));

const GRPC = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;

/** A frame of gRPC: not compressed, with its length. */
const message = (text: string) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
};

describe('a call', () => {
  it('goes back and forth before either side has ended, and has trailers both ways', async () => {
    let headers: IncomingHttpHeaders = {};
    let sent: unknown;
    const upstream = await start(
      Backend.http2((stream, received) => {
        headers = received;
        stream.respond(GRPC, { waitForTrailers: true });
        stream.on('trailers', (trailers) => {
          sent = trailers['x-client-sum'];
        });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'well' }));
        stream.on('data', (chunk: Buffer) => stream.write(chunk));
        stream.on('end', () => stream.end());
      }),
    );
    await serve(upstream);
    const stream = call(undefined, true);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-client-sum': '7' }));
    const answered = once<IncomingHttpHeaders>(stream, 'response');
    const trailers = once<IncomingHttpHeaders>(stream, 'trailers');
    const closed = once(stream, 'close');
    expect(await answered).toMatchObject(GRPC);
    for (const text of ['one', 'two', 'three']) {
      let echoed = '';
      const onData = (chunk: string) => {
        echoed += chunk;
      };
      stream.on('data', onData);
      stream.write(message(text));
      await until(`${text} is back`, () => echoed === message(text).toString('latin1'));
      stream.off('data', onData);
    }
    stream.resume();
    stream.end();
    expect(await trailers).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'well' });
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect(sent).toBe('7');
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':path': '/pkg.Service/Method',
      ':authority': 'grpc.example.com',
      te: 'trailers',
      'content-type': 'application/grpc+proto',
    });
    expect(headers).not.toHaveProperty('content-length');
    await until('it is in the log', () => gateway.log.length > 0);
    expect(gateway.lines()).toMatchObject([{ status: 200, bytesReceived: 26, bytesSent: 26 }]);
  });

  it('may fail with nothing but a head ("trailers-only")', async () => {
    const upstream = await start(
      Backend.http2((stream) => {
        stream.respond({ ...GRPC, 'grpc-status': '12' }, { endStream: true });
      }),
    );
    await serve(upstream);
    const stream = call();
    const answered = once<IncomingHttpHeaders>(stream, 'response');
    stream.end(message('x'));
    expect(await answered).toMatchObject({ ...GRPC, 'grpc-status': '12' });
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('shares a connection on both sides with others, of which none waits for another', async () => {
    const open = new Map<string, ServerHttp2Stream>();
    const upstream = await start(
      Backend.http2((stream, headers) => {
        open.set(headers[':path']!, stream);
        stream.respond(GRPC);
      }),
    );
    await serve(upstream);
    const calls = ['/a', '/b', '/c'].map((path) => ({ path, stream: call(path) }));
    await until('all are there', () => open.size === 3);
    for (const { path, stream } of calls.reverse()) {
      const data = once<string>(stream, 'data');
      open.get(path)!.end(path);
      expect(await data).toBe(path);
      stream.end();
    }
    expect(new Set([...open.values()].map((stream) => stream.session)).size).toBe(1);
  });

  it('that its client gives up is cancelled at the backend, and never looks whole there', async () => {
    const ends: number[] = [];
    const resets: number[] = [];
    let received = 0;
    const upstream = await start(
      wireBackend((peer, { type, flags, stream, payload }) => {
        if ((type === FRAME.data || type === FRAME.headers) && flags & END_STREAM) ends.push(stream);
        if (type === FRAME.headers) peer.headers(stream, [[':status', '200']]);
        if (type === FRAME.data) received += payload.length;
        if (type === FRAME.reset) resets.push(payload.readUInt32BE());
      }),
    );
    await serve(upstream);
    for (let turn = 1; turn <= 5; turn++) {
      const stream = call();
      stream.write(message('begun'));
      await until('it is there', () => received === turn * 10);
      // With `close` Node would end it first.
      stream.destroy(new Error('given up'));
      await until('it is cancelled', () => resets.length === turn);
    }
    expect([ends, new Set(resets)]).toEqual([[], new Set([constants.NGHTTP2_CANCEL])]);
  });

  it('that the backend breaks off is reset, and not ended', async () => {
    const upstream = await start(
      wireBackend((peer, { type, stream }) => {
        if (type !== FRAME.headers) return;
        peer.headers(stream, [[':status', '200']]);
        peer.data(stream, 'half');
        peer.reset(stream, constants.NGHTTP2_INTERNAL_ERROR);
      }),
    );
    await serve(upstream);
    const stream = call();
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });
});
