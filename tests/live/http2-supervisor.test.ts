/** What a callback of the engine throws for a stream of HTTP/2 ends that stream; others on the same connection, and other connections, go on. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { until } from '../support/distribution.ts';
import { type Callback, type FragileOptions, FragileProxy } from '../support/fragile.ts';

let upstream: Backend;
let proxy: FragileProxy;
let session: ClientHttp2Session;

/** What the path asks for. */
function answer(path: string): string | undefined {
  if (path.includes('silent')) return undefined;
  if (path.includes('switch')) return 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';
  if (path.includes('trailers')) {
    return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-checked: yes\r\n\r\n';
  }
  return `HTTP/1.1 200 OK\r\nContent-Length: ${path.includes('cut') ? 9 : 2}\r\n\r\nok`;
}

beforeEach(async () => {
  upstream = await Backend.tcp((socket) =>
    socket
      .on('end', () => socket.destroy())
      .on('data', (data: Buffer) => {
        const path = /^\S+ (\S+)/.exec(data.toString())?.[1] ?? '';
        if (path.includes('reset')) socket.destroy();
        else if (path.includes('cut')) socket.write(answer(path)!, () => socket.destroy());
        else socket.write(answer(path) ?? '');
      }),
  );
});
afterEach(async () => {
  session?.destroy();
  await proxy?.close();
  await upstream.close();
});

async function serve(callback: Callback, options?: FragileOptions): Promise<void> {
  proxy = await FragileProxy.serving(upstream, callback, options);
  session = connect(`http://127.0.0.1:${proxy.port}`);
  session.on('error', () => {});
}

function ask(path: string, body?: string): ClientHttp2Stream {
  const method = body === undefined ? 'GET' : 'POST';
  const stream = session.request({ ':path': path, ':method': method, ':authority': 'a.example.com' });
  stream.on('error', () => {});
  stream.end(body);
  return stream;
}

/** Its status, 0 where none came, and what came of its body; `isWhole`: all of it. */
function ended(stream: ClientHttp2Stream): Promise<{ status: number; body: string; isWhole: boolean }> {
  return new Promise((resolve) => {
    let status = 0;
    let body = '';
    stream.on('response', (fields: IncomingHttpHeaders) => {
      status = Number(fields[':status']);
    });
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    stream.on('close', () =>
      resolve({ status, body, isWhole: stream.rstCode === constants.NGHTTP2_NO_ERROR }),
    );
  });
}

/** On the connection on which it was thrown, and on others. */
async function othersAreServed(): Promise<void> {
  expect(await ended(ask('/fine'))).toEqual({ status: 200, body: 'ok', isWhole: true });
  await proxy.othersAreServed();
  session.close();
  await proxy.nothingIsLeft();
}

describe('what is thrown', () => {
  const requests: [Callback, string, string | undefined][] = [
    ['onRequest', '/broken', undefined],
    ['onResponse', '/broken', undefined],
    ['onResponse', '/broken-trailers', undefined],
    ['onFailure', '/broken-reset', undefined],
    ['onFailure', '/broken-switch', undefined],
    ['onBody', '/broken-hold', 'body'],
    ['onBodyTooLarge', '/broken-bound', 'body'],
    ['onAuthorizationAnswer', '/broken-ask/fine', undefined],
    ['onAuthorizationFailure', '/broken-ask/reset', undefined],
    ['onAuthorizationFailure', '/broken-ask/cut', undefined],
  ];
  it.each(requests)('in %s (%s) ends that stream with 500', async (callback, path, body) => {
    await serve(callback);
    const other = ask('/silent');
    expect(await ended(ask(path, body))).toMatchObject({ status: 500, isWhole: true });
    await proxy.toldOf(callback);
    expect([session.destroyed, other.closed]).toEqual([false, false]);
    other.close(constants.NGHTTP2_CANCEL);
    await othersAreServed();
    expect(proxy.handler.ended).toBe(6);
  });

  it.each([
    ['onEnd', '/broken'],
    ['onEnd', '/broken-trailers'],
    ['onEnd', '/broken-cut'],
    ['onEnd', '/broken-reset'],
  ] as const)('in %s (%s) ends that stream', async (callback, path) => {
    await serve(callback);
    const stream = ask(path);
    expect([0, 200, 502]).toContain((await ended(stream)).status);
    await proxy.toldOf(callback);
    expect(session.destroyed).toBe(false);
    await othersAreServed();
    expect(proxy.handler.ended).toBe(5);
  });

  it.each(['onFailure', 'onEnd'] as const)('in %s ends with a client that goes', async (callback) => {
    await serve(callback);
    const stream = ask('/broken-silent');
    await until('it is asked', () => upstream.sockets.size === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await proxy.toldOf(callback);
    await othersAreServed();
    expect(proxy.handler.ended).toBe(5);
  });

  it('in onMirrorDropped ends the copy, and the request has its answer', async () => {
    await serve('onMirrorDropped', { mirror: await unusedEndpoint() });
    expect(await ended(ask('/broken-mirror', 'body'))).toEqual({ status: 200, body: 'ok', isWhole: true });
    await proxy.toldOf('onMirrorDropped');
    await othersAreServed();
  });
});
