/** Rules that say how large a request's body may be, for clients and backends of HTTP/2; for HTTP/1.1: bounded-bodies.test.ts. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { afterEach, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { until } from '../support/distribution.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { watchedBackend } from '../support/watched-backend.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
const sessions: ClientHttp2Session[] = [];
let gateway: TestGateway;

afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

/** Bodies of ten octets at most. */
async function serve(whoami: Pick<Backend, 'endpoint'>, appProtocol?: string) {
  gateway = await start(
    TestGateway.serving({
      resources: [
        listener('web'),
        backend('whoami', appProtocol === undefined ? {} : { appProtocol }),
        rule({ rest: { backends: [to('whoami')], maxRequestBytes: 10 } }),
      ],
      endpoints: { whoami: [whoami.endpoint] },
    }),
  );
}

async function open(): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${gateway.port()}`);
  session.on('error', () => {});
  sessions.push(session);
  await once(session, 'connect');
  return session;
}

const post = (session: ClientHttp2Session, fields = {}): ClientHttp2Stream => {
  const head = { ':method': 'POST', ':path': '/', ':authority': 'a.example.com', ...fields };
  return session.request(head, { endStream: false }).on('error', () => {});
};

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return Number(headers[':status']);
}

it.each([undefined, 'kubernetes.io/h2c'])(
  'a larger body is 413, and its connection goes on (%s)',
  async (appProtocol) => {
    const ends: string[] = [];
    let begun = 0;
    const whoami = appProtocol
      ? await start(
          Backend.http2((stream) => {
            begun++;
            stream.on('data', () => {});
            stream.on('close', () => ends.push(stream.aborted ? 'broken' : 'whole'));
          }),
        )
      : undefined;
    const plain = await start(watchedBackend());
    await serve(whoami ?? plain, appProtocol);
    const session = await open();
    const stream = post(session);
    const status = statusOf(stream);
    stream.write('x'.repeat(6));
    await until('the backend has the beginning', () => begun + plain.begun.length === 1);
    stream.end('x'.repeat(5));
    expect(await status).toBe(413);
    if (whoami) await until('the backend knows', () => ends.length === 1);
    else await until('the backend knows', () => plain.broken.length === 1);
    expect([...ends, ...plain.whole]).toEqual(whoami ? ['broken'] : []);
    const next = post(session, { 'content-length': '11' });
    expect(await statusOf(next)).toBe(413);
    expect(gateway.lines().map(({ refusal }) => refusal)).toEqual(['request-too-large', 'request-too-large']);
    expect(session.closed).toBe(false);
  },
);

it('breaks off an answer that has begun', async () => {
  const whoami = await start(watchedBackend(true));
  await serve(whoami);
  const stream = post(await open());
  stream.write('x'.repeat(6));
  expect(await statusOf(stream)).toBe(200);
  stream.end('x'.repeat(5));
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  await until('the backend knows', () => whoami.broken.length === 1);
  expect(whoami.whole).toEqual([]);
});
