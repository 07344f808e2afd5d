/** What a callback of the engine throws for a request to a backend of HTTP/2 ends that request; others on the same connection to it go on. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { getText, RawClient } from '../support/client.ts';
import { until } from '../support/distribution.ts';
import { BODY, type Callback, type FragileOptions, FragileProxy, THROWS } from '../support/fragile.ts';

let upstream: Backend;
let proxy: FragileProxy;

/** What the path asks for. */
function answer(stream: ServerHttp2Stream, path: string): void {
  if (path.includes('silent')) return;
  if (path.includes('reset')) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const isCut = path.includes('cut');
  stream.respond({ ':status': 200, 'content-length': isCut ? 9 : 2 });
  if (isCut) stream.write('ok', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  else stream.end('ok');
}

beforeEach(async () => {
  upstream = await Backend.http2((stream, headers) => answer(stream, headers[':path'] ?? ''));
});
afterEach(async () => {
  await proxy?.close();
  await upstream.close();
});

async function serve(callback: Callback, options: FragileOptions = {}): Promise<void> {
  proxy = await FragileProxy.serving(upstream, callback, { ...options, isHttp2: true });
}

describe('what is thrown', () => {
  it.each(THROWS)('in %s (%s) ends that request', async (callback, path, fields, expected) => {
    await serve(callback);
    const other = await RawClient.open(proxy.port);
    other.send(getText('/silent', ''));
    await until('it is asked', () => upstream.sockets.size === 1);
    const client = await RawClient.open(proxy.port);
    client.send(getText(path, fields || undefined));
    expect(await client.untilClosed()).toMatch(expected);
    await proxy.toldOf(callback);
    await proxy.othersAreServed();
    expect([other.closed, other.received]).toEqual([false, '']);
    // An end alone might be that of one who still reads.
    other.socket.resetAndDestroy();
    await proxy.nothingIsLeft();
    expect(proxy.handler.ended).toBe(5);
  });

  it.each(['onFailure', 'onEnd'] as const)('in %s ends with a client that goes', async (callback) => {
    await serve(callback);
    await proxy.clientGoes();
    await proxy.toldOf(callback);
    await proxy.othersAreServed();
    await proxy.nothingIsLeft();
    expect(proxy.handler.ended).toBe(4);
  });

  it('in onMirrorDropped ends the copy, and the request has its answer', async () => {
    await serve('onMirrorDropped', { mirror: { ...(await unusedEndpoint()), isHttp2: true } });
    const client = await RawClient.open(proxy.port);
    client.send(getText('/broken-mirror', BODY));
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok/s);
    await proxy.toldOf('onMirrorDropped');
    await proxy.othersAreServed();
    await proxy.nothingIsLeft();
  });
});
