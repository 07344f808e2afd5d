/** Copies of requests: complete, in their share, and never at the cost of the request. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { Backend, deafEndpoint, unusedEndpoint } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;
let metrics: Metrics;

async function serve(
  primary: { endpoint: Backend['endpoint'] },
  mirror: { endpoint: Backend['endpoint'] },
  share: readonly [number, number] = [1, 1],
  options: Partial<AgentOptions> = {},
) {
  const config = { name: 'Service shop/shadow:80', backend: backendKey('shadow'), share };
  metrics = new Metrics();
  gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          backend('whoami'),
          backend('shadow'),
          rule({ rest: { backends: [to('whoami')], filters: [{ type: 'RequestMirror', config }] } }),
        ],
        endpoints: { whoami: [primary.endpoint], shadow: [mirror.endpoint] },
      },
      { metrics, ...options },
    ),
  );
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Once it has seen so many. */
async function seen(shadow: Backend, count: number): Promise<Backend['seen']> {
  while (shadow.seen.length < count) await soon();
  return shadow.seen;
}

/** However it ended. */
const ended = (socket: Socket) =>
  new Promise((resolve) => {
    if (socket.destroyed || socket.readableEnded) resolve(undefined);
    for (const event of ['end', 'close']) socket.once(event, resolve);
  });

/** Copies that were given up, as the metrics have it. */
async function dropped(): Promise<number> {
  const [, count] = /event="mirror-dropped"} (\d+)/.exec(await metrics.text()) ?? [];
  return Number(count ?? 0);
}

const LARGE = Buffer.alloc(3 * 1024 * 1024, 'x');

it('a large body arrives whole, at both', async () => {
  const [whoami, shadow] = [await start(Backend.echo('whoami')), await start(Backend.echo('shadow'))];
  await serve(whoami, shadow, undefined, { limits: { mirrorBytes: 8 * LARGE.length } });
  const answer = await gateway.get('a.example.com/x', { method: 'POST', body: LARGE });
  expect(answer).toMatchObject({ status: 200, body: 'whoami\n' });
  const [copy] = await seen(shadow, 1);
  expect(copy!.body.length).toBe(LARGE.length);
  expect(whoami.seen[0]!.body.length).toBe(LARGE.length);
});

it('a chunked body arrives with its trailers', async () => {
  const [whoami, shadow] = [await start(Backend.echo('whoami')), await start(Backend.echo('shadow'))];
  await serve(whoami, shadow);
  const client = await RawClient.open(gateway.port());
  client.send(
    'POST / HTTP/1.1\r\nHost: a.example.com\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n',
  );
  await client.until('whoami\n');
  const [copy] = await seen(shadow, 1);
  expect(copy).toMatchObject({ body: 'abc', trailers: { 'x-sum': '1' } });
  client.destroy();
});

it('a mirror that reads nothing neither slows the request nor fills memory', async () => {
  const whoami = await start(Backend.echo('whoami'));
  const stuck = await start(Backend.tcp((socket) => socket.pause()));
  await serve(whoami, stuck, undefined, { limits: { mirrorBytes: 1024 * 1024 } });
  const accepted = once(stuck.server, 'connection');
  const answer = gateway.get('a.example.com/', { method: 'POST', body: Buffer.alloc(32 * 1024 * 1024) });
  const [socket] = await accepted;
  expect(await answer).toMatchObject({ status: 200, body: 'whoami\n' });
  expect(await dropped()).toBe(1);
  // Given up, not waited for.
  const closed = ended(socket);
  socket.resume();
  await closed;
});

it('a mirror that reads and answers late gets all of its copy, long after the request is answered', async () => {
  const whoami = await start(Backend.echo('whoami'));
  const events: string[] = [];
  let read = 0;
  let goOn = () => {};
  const slow = await start(
    Backend.http((message, response) => {
      message.on('data', (chunk: Buffer) => (read += chunk.length));
      message.on('end', () => {
        events.push('the mirror has read all');
        response.end('late');
      });
      message.once('data', () => {
        message.pause();
        events.push('the mirror has read a part');
      });
      goOn = () => message.resume();
    }),
  );
  // More than the buffers of its sockets hold.
  const body = Buffer.alloc(16 * 1024 * 1024, 'x');
  await serve(whoami, slow, undefined, { limits: { mirrorBytes: 2 * body.length } });
  const client = await RawClient.open(gateway.port());
  client.send(`POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: ${body.length}\r\n\r\nxxx`);
  while (read === 0) await soon();
  client.socket.write(body.subarray(3));
  await client.until('whoami\n');
  events.push('the client has its answer');
  const before = read;
  goOn();
  while (events.length < 3) await soon();
  expect(events).toEqual([
    'the mirror has read a part',
    'the client has its answer',
    'the mirror has read all',
  ]);
  expect(before).toBeLessThan(body.length / 4);
  expect([whoami.seen[0]!.body.length, read]).toEqual([body.length, body.length]);
  expect(await dropped()).toBe(0);
  client.destroy();
});

it.each([
  ['that nobody listens on', async () => ({ endpoint: await unusedEndpoint() })],
  ['that takes no connection', () => start(deafEndpoint())],
  ['that answers nothing', () => start(Backend.http(() => {}))],
  ['that closes', () => start(Backend.tcp((socket) => socket.destroy()))],
  ['that answers no HTTP', () => start(Backend.tcp((socket) => socket.end('nonsense\r\n\r\n')))],
  [
    'that answers without end',
    () =>
      start(
        Backend.http((_, response) => {
          const more = () => {
            while (response.write(LARGE));
          };
          response.on('drain', more);
          more();
        }),
      ),
  ],
])('a mirror %s costs the request nothing', async (_, shadow) => {
  const whoami = await start(Backend.echo('whoami'));
  await serve(whoami, await shadow());
  for (let i = 0; i < 3; i++) {
    expect(await gateway.get('a.example.com/', { method: 'POST', body: 'some' })).toMatchObject({
      status: 200,
      body: 'whoami\n',
    });
  }
  expect(gateway.lines().map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
});

it('connections are kept for the next copy', async () => {
  const [whoami, shadow] = [await start(Backend.echo('whoami')), await start(Backend.echo('shadow'))];
  await serve(whoami, shadow);
  for (let i = 1; i <= 5; i++) {
    await gateway.get('a.example.com/');
    await seen(shadow, i);
  }
  expect(shadow.connections).toBeLessThan(5);
});

it('a share is drawn for each request', async () => {
  const [whoami, shadow] = [await start(Backend.echo('whoami')), await start(Backend.echo('shadow'))];
  // One for the backend of the rule, one for the mirror.
  const draws = [0.19, 0.2, 0.5, 0.99, 0, 0.1].flatMap((draw) => [0, draw]);
  await serve(whoami, shadow, [20, 100], { random: () => draws.shift() ?? 0 });
  for (const path of ['a', 'b', 'c', 'd', 'e', 'f']) await gateway.get(`a.example.com/${path}`);
  await gateway.get('a.example.com/last');
  const copies = await seen(shadow, 4);
  expect(copies.map(({ url }) => url).sort()).toEqual(['/a', '/e', '/f', '/last']);
});

it('a copy of a request that its client gives up is given up too', async () => {
  const whoami = await start(Backend.echo('whoami'));
  const shadow = await start(Backend.echo('shadow'));
  await serve(whoami, shadow);
  const accepted = once(shadow.server, 'connection');
  const client = await RawClient.open(gateway.port());
  client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 10\r\n\r\nabc');
  const [socket] = await accepted;
  const closed = ended(socket);
  client.destroy();
  await closed;
  expect(shadow.seen).toEqual([]);
});

it('no more is mirrored to an endpoint than it has connections for', async () => {
  const whoami = await start(Backend.echo('whoami'));
  const silent = await start(Backend.http(() => {}));
  await serve(whoami, silent, undefined, { limits: { mirrorsPerEndpoint: 2 } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => gateway.get('a.example.com/')));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(silent.connections).toBeLessThanOrEqual(2);
  expect(await dropped()).toBe(8);
});

it('an upgraded connection has no copy', async () => {
  const switching = await start(
    Backend.tcp((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
      ),
    ),
  );
  const shadow = await start(Backend.echo('shadow'));
  await serve(switching, shadow);
  const client = await RawClient.open(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await client.until('101 ');
  client.destroy();
  expect(shadow.connections).toBe(0);
});
