/** What is counted of sessions with endpoints and of requests on them, against endpoints that do what they like: nothing is held when all is over. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Clock } from '../../../gateway-runtime/proxy/engine-http1/clock.ts';
import { LIMITS, type Limits } from '../../../gateway-runtime/proxy/limits.ts';
import type {
  Http2Request,
  RequestEvents,
  RequestOptions,
} from '../../../gateway-runtime/proxy/upstream/http2/request.ts';
import { Http2Sessions } from '../../../gateway-runtime/proxy/upstream/http2/sessions.ts';
import type { Backend } from '../../support/backend.ts';
import { closedAfterEach } from '../../support/closed-after-each.ts';
import { until } from '../../support/distribution.ts';
import { FRAME, type WirePeer, wireBackend } from '../../support/http2-wire.ts';

const start = closedAfterEach();
const errors: unknown[] = [];
let clock: Clock;
let sessions: Http2Sessions;

beforeEach(() => {
  errors.length = 0;
  clock = new Clock(20, (error) => errors.push(error));
});
afterEach(() => {
  sessions.close();
  clock.stop();
  expect(errors).toEqual([]);
});

function allow(most: number, limits: Partial<Limits> = {}): void {
  const handler = { onInternalError: (error: unknown) => void errors.push(error) };
  sessions = new Http2Sessions({ clock, handler, limits: { ...LIMITS, ...limits } }, most);
}

/** Told of each request's head. */
const answering = (
  answer: (peer: WirePeer, stream: number) => void,
  options?: Parameters<typeof wireBackend>[1],
) =>
  start(
    wireBackend((peer, { type, stream }) => {
      if (type === FRAME.headers) answer(peer, stream);
    }, options),
  );

const nothing = () => {};
const ok = (peer: WirePeer, stream: number) => peer.headers(stream, [[':status', '200']], true);

const GET: RequestOptions = {
  fields: [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'],
  hasBody: false,
  isTunnel: false,
  timed: false,
};

/** Begins it; tells how it ended. */
function begin(request: Http2Request, options = GET): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const events: RequestEvents = {
    onReady: nothing,
    onInformation: nothing,
    onResponse: nothing,
    onData: () => true,
    onEnd: () => {
      request.close();
      resolve('ended');
    },
    onTunnel: nothing,
    onFailure: (failure, repeatable) => resolve(`${failure} ${repeatable}`),
    onError: (error) => resolve(String(error)),
  };
  request.begin(options, events);
  return promise;
}

const take = ({ endpoint }: Backend) => sessions.take(endpoint, false);
const held = () => [sessions.size, sessions.endpoints, clock.size];
const nothingIsHeld = () => until('nothing is held', () => held().every((count) => count === 0));

describe('requests to one endpoint', () => {
  it('are as many as they may be, also where one connection would take more', async () => {
    allow(2);
    const backend = await answering(nothing);
    const [first, second] = [take(backend)!, take(backend)!];
    expect(take(backend)).toBeUndefined();
    expect(sessions.size).toBe(1);
    void begin(second);
    first.close();
    const third = take(backend)!;
    expect(third).toBeDefined();
    expect(take(backend)).toBeUndefined();
    third.close();
    second.close();
  });

  it('count for what they are on a connection that takes no more, and no longer when it is lost', async () => {
    allow(2);
    const backend = await answering((peer, stream) => peer.goaway(stream, 0));
    const ended = begin(take(backend)!);
    await until('it takes no more', () => {
      const request = take(backend)!;
      request.close();
      return sessions.size === 2;
    });
    expect(take(backend)).toBeDefined();
    expect(take(backend)).toBeUndefined();
    for (const socket of backend.sockets) socket.destroy();
    expect(await ended).toBe('reset never');
    expect(take(backend)).toBeDefined();
  });

  it('of another endpoint are counted on their own', async () => {
    allow(1);
    const [a, b] = [await answering(nothing), await answering(nothing)];
    expect([take(a), take(b), take(a), take(b)].map((each) => each !== undefined)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(sessions.endpoints).toBe(2);
  });
});

describe('nothing is held', () => {
  it.each([
    ['closes as well', true],
    ['keeps its side open', false],
  ])('of a connection that nobody used for a while, where the endpoint %s', async (_, closes) => {
    allow(4, { upstreamIdle: 20, http2Ping: 40 });
    const backend = await answering(ok, { closes });
    expect(await begin(take(backend)!)).toBe('ended');
    await nothingIsHeld();
    expect(await begin(take(backend)!)).toBe('ended');
    expect(backend.connections).toBe(2);
  });

  it('of a connection that was to end after its requests, where the endpoint keeps its side open', async () => {
    allow(4, { http2Ping: 40 });
    const backend = await answering(
      (peer, stream) => {
        peer.goaway(stream, 0);
        ok(peer, stream);
      },
      { closes: false },
    );
    expect(await begin(take(backend)!)).toBe('ended');
    await nothingIsHeld();
  });

  it('of an endpoint that is silent, and has said before that it leaves', async () => {
    allow(4, { http2Silence: 20, http2Ping: 40 });
    const backend = await answering((peer, stream) => peer.goaway(stream, 0), {
      pongs: false,
      closes: false,
    });
    expect(await begin(take(backend)!)).toBe('reset never');
    await nothingIsHeld();
  });

  it('of a request that can not be sent', async () => {
    allow(4, { upstreamIdle: 20 });
    const backend = await answering(ok);
    expect(await begin(take(backend)!)).toBe('ended');
    const refused = take(backend)!;
    await expect(
      (async () => begin(refused, { ...GET, fields: [...GET.fields, 'te', 'gzip'] }))(),
    ).rejects.toThrow('te');
    await nothingIsHeld();
  });

  it('after all of them were closed', async () => {
    allow(4);
    const backend = await answering(nothing);
    const [first, second] = [begin(take(backend)!), begin(take(backend)!)];
    sessions.close();
    expect([await first, await second]).toEqual(['reset always', 'reset always']);
    await nothingIsHeld();
  });
});

it('what is thrown in a listener of a session ends it, is told, and others go on', async () => {
  const backend = await answering(ok);
  let most = LIMITS.http2Streams;
  const limits = { ...LIMITS };
  Object.defineProperty(limits, 'http2Streams', {
    get() {
      if (most === 0) throw new Error('a defect');
      return most;
    },
  });
  const handler = { onInternalError: (error: unknown) => void errors.push(error) };
  sessions = new Http2Sessions({ clock, handler, limits }, 10);
  const first = begin(take(backend)!);
  most = 0;
  expect(await first).toBe('reset always');
  expect(errors.splice(0)).toEqual([new Error('a defect')]);
  most = LIMITS.http2Streams;
  await nothingIsHeld();
  expect(await begin(take(backend)!)).toBe('ended');
});
