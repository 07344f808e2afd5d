/** What node:http2 lets one see of how a stream ended. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { endingOf, watchEnding } from '../../../gateway-runtime/proxy/upstream/http2/ending.ts';
import { closedAfterEach } from '../../support/closed-after-each.ts';
import { FRAME, type WirePeer, wireBackend } from '../../support/http2-wire.ts';

const start = closedAfterEach();
let session: ClientHttp2Session;

afterEach(() => session.destroy());

const { NGHTTP2_NO_ERROR } = constants;

const ENDINGS = [
  ['its last data', 'whole', (peer: WirePeer, stream: number) => peer.data(stream, 'end', true)],
  ['data of no octets', 'whole', (peer: WirePeer, stream: number) => peer.data(stream, '', true)],
  ['trailers', 'whole', (peer: WirePeer, stream: number) => peer.headers(stream, [['x-sum', '1']], true)],
  [
    'its last data and a reset without an error',
    'whole',
    (peer: WirePeer, stream: number) => {
      peer.data(stream, 'end', true);
      peer.reset(stream, NGHTTP2_NO_ERROR);
    },
  ],
  [
    'a reset without an error alone',
    'cut',
    (peer: WirePeer, stream: number) => peer.reset(stream, NGHTTP2_NO_ERROR),
  ],
] as const;

describe.each([
  ['GET', 'at once'],
  ['GET', 'late'],
  ['POST', 'at once'],
  ['POST', 'late'],
] as const)('of a %s that is read %s', (method, pace) => {
  it.each(ENDINGS)('an answer that ends with %s is %s', async (_, ending, end) => {
    const closed = Promise.withResolvers<void>();
    const backend = await start(
      wireBackend((peer, { type, stream }) => {
        if (type !== FRAME.headers) return;
        peer.headers(stream, [[':status', '200']]);
        peer.data(stream, 'a'.repeat(10_000));
        end(peer, stream);
        closed.resolve();
      }),
    );
    session = connect(`http://127.0.0.1:${backend.endpoint.port}`);
    session.on('error', () => {});
    await once(session, 'remoteSettings');
    const stream = session.request({ ':method': method }, { endStream: method === 'GET' });
    watchEnding(stream);
    stream.on('error', () => {});
    await once(stream, 'response');
    if (pace === 'late') {
      await closed.promise;
      // Behind all that was sent before.
      await new Promise<unknown>((resolve) => session.ping((_error, _duration, payload) => resolve(payload)));
    }
    stream.resume();
    await once(stream, 'end');
    expect(endingOf(stream)).toBe(ending);
  });
});
