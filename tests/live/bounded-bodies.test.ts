/** Rules that say how large a request's body may be: what has more is 413, and no backend ever takes it for a whole request. */
import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { RawClient, rawExchange } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { until } from '../support/distribution.ts';
import { asking, backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { watchedBackend } from '../support/watched-backend.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;
let metrics: Metrics;

interface Bounded extends Partial<Pick<HttpRule, 'filters' | 'retry'>> {
  readonly most?: number;
  readonly mirror?: Backend;
  readonly authorization?: Backend;
}

async function serve(
  whoami: Pick<Backend, 'endpoint'>,
  { most = 10, mirror, authorization, ...rest }: Bounded = {},
) {
  metrics = new Metrics();
  const bounded = rule({ rest: { backends: [to('whoami')], maxRequestBytes: most, ...rest } });
  gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          backend('whoami'),
          ...(mirror ? [backend('shadow')] : []),
          ...(authorization ? [backend('auth')] : []),
          bounded,
        ],
        endpoints: {
          whoami: [whoami.endpoint],
          ...(mirror ? { shadow: [mirror.endpoint] } : {}),
          ...(authorization ? { auth: [authorization.endpoint] } : {}),
        },
      },
      { metrics },
    ),
  );
}

const HEAD = 'POST / HTTP/1.1\r\nHost: a.example.com\r\n';
const announced = (length: number, fields = '') => `${HEAD}${fields}Content-Length: ${length}\r\n\r\n`;
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const chunk = (length: number) => `${length.toString(16)}\r\n${'x'.repeat(length)}\r\n`;
const END = '0\r\n\r\n';

async function refusals(): Promise<number> {
  const [, count] = /event="request-too-large"} (\d+)/.exec(await metrics.text()) ?? [];
  return Number(count ?? 0);
}

describe('a body that its client announces as larger', () => {
  it('is 413 before any backend is touched, and the connection ends', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve(whoami);
    const answer = await rawExchange(gateway.port(), `${announced(11)}${'x'.repeat(11)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\n/);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
    expect(answer).toMatch(/413: the body of this request is larger than its route takes; .*\n$/);
    expect(whoami.connections).toBe(0);
    expect(gateway.lines()).toMatchObject([{ status: 413, refusal: 'request-too-large', route: 'cart' }]);
    expect(gateway.lines()[0]).not.toHaveProperty('endpoint');
    expect(await refusals()).toBe(1);
  });

  it('is served where it has just as much, on one connection', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve(whoami);
    const client = await RawClient.open(gateway.port());
    for (const length of [10, 0, 10]) {
      client.received = '';
      client.send(`${announced(length)}${'x'.repeat(length)}`);
      expect(await client.until('whoami\n')).toMatch(/^HTTP\/1\.1 200 /);
    }
    client.destroy();
    expect(whoami.seen.map(({ body }) => body.length)).toEqual([10, 0, 10]);
    expect(await refusals()).toBe(0);
  });

  it('is not asked for where it waits to be', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve(whoami);
    const answer = await rawExchange(gateway.port(), announced(11, 'Expect: 100-continue\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).not.toContain('100 Continue');
  });

  it('that is none leaves the connection to the next request', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve(whoami, { most: 0 });
    const client = await RawClient.open(gateway.port());
    client.send(announced(0));
    await client.until('whoami\n');
    client.send(announced(1));
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 413 /);
  });

  it('is not read to its end', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve(whoami);
    const client = await RawClient.open(gateway.port());
    client.send(announced(2 ** 40));
    await client.until('413');
    const rest = Buffer.alloc(64 * 1024, 'x');
    const write = () => {
      while (!client.closed && client.socket.write(rest));
      if (!client.closed) client.socket.once('drain', write);
    };
    write();
    if (!client.closed) await new Promise((resolve) => client.socket.once('close', resolve));
    expect(client.received).toMatch(/^HTTP\/1\.1 413 [\s\S]*\n$/);
  });

  it('is refused before a filter or a Service is asked', async () => {
    const whoami = await start(Backend.echo('whoami'));
    const auth = await start(Backend.echo('auth'));
    await serve(whoami, { authorization: auth, filters: [asking({ body: 100 })] });
    expect(await rawExchange(gateway.port(), announced(11))).toMatch(/^HTTP\/1\.1 413 /);
    expect(auth.connections).toBe(0);
    const config = { status: 302, hostname: 'b.example.com' };
    await gateway.serve({
      resources: [
        listener('web'),
        rule({ rest: { maxRequestBytes: 10, filters: [{ type: 'RequestRedirect', config }] } }),
      ],
    });
    expect(await rawExchange(gateway.port(), announced(11))).toMatch(/^HTTP\/1\.1 413 /);
    const redirected = `${announced(2, 'Connection: close\r\n')}xx`;
    expect(await rawExchange(gateway.port(), redirected)).toMatch(/^HTTP\/1\.1 302 /);
  });
});

describe('a body that turns out to be larger', () => {
  it('is 413 while its backend waits for the rest, which never comes', async () => {
    const whoami = await start(watchedBackend());
    await serve(whoami);
    const client = await RawClient.open(gateway.port());
    client.send(`${CHUNKED}${chunk(6)}`);
    await until('the backend has the beginning', () => whoami.begun.length === 1);
    client.send(chunk(5));
    const answer = await client.untilClosed();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
    await until('the backend knows', () => whoami.broken.length === 1);
    expect(whoami.broken).toEqual(['xxxxxx']);
    expect(whoami.whole).toEqual([]);
    expect(gateway.lines()).toMatchObject([{ status: 413, refusal: 'request-too-large', bytesReceived: 11 }]);
    expect(await refusals()).toBe(1);
  });

  it.each([
    ['at once', [`${CHUNKED}${chunk(6)}${chunk(5)}${END}`]],
    ['in one chunk', [`${CHUNKED}${chunk(11)}${END}`]],
    ['chunk by chunk', [CHUNKED, chunk(6), chunk(5) + chunk(3) + END]],
    ['with another request behind it', [`${CHUNKED}${chunk(11)}${END}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`]],
  ])('is 413 where it comes %s, and never whole', async (_, parts) => {
    const whoami = await start(watchedBackend());
    await serve(whoami);
    const client = await RawClient.open(gateway.port());
    client.socket.setNoDelay(true);
    for (const part of parts) client.send(part);
    const answer = await client.untilClosed();
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413']);
    await until('nothing is under way', () => whoami.backend.sockets.size === 0);
    // The engine on node:http reads on while it waits for a connection.
    expect(whoami.whole.filter((body) => body !== '')).toEqual([]);
  });

  it('is served where it has just as much, without the framing', async () => {
    const whoami = await start(watchedBackend());
    await serve(whoami);
    const client = await RawClient.open(gateway.port());
    client.send(
      `${CHUNKED}${'1;ext=12345678901234567890\r\nx\r\n'.repeat(10)}0\r\nX-Trailer: 12345678901\r\n\r\n`,
    );
    expect(await client.until('whole')).toMatch(/^HTTP\/1\.1 200 /);
    client.destroy();
    expect(whoami.whole).toEqual(['x'.repeat(10)]);
  });

  it('breaks off an answer that has begun, and the request with it', async () => {
    const whoami = await start(watchedBackend(true));
    await serve(whoami);
    const client = await RawClient.open(gateway.port());
    client.send(`${CHUNKED}${chunk(6)}`);
    await client.until('begun');
    client.send(`${chunk(5)}${END}`);
    const answer = await client.untilClosed();
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    // The last chunk of the answer never comes.
    expect(answer).not.toContain('\r\n0\r\n');
    await until('the backend knows', () => whoami.broken.length === 1);
    expect(whoami.whole).toEqual([]);
    await until('it is logged', () => gateway.log.length === 1);
    expect(gateway.lines()).toMatchObject([{ status: 200, refusal: 'request-too-large' }]);
  });

  it('is no fault of the endpoint, and not tried again', async () => {
    const whoami = await start(watchedBackend());
    await serve(whoami, { retry: { codes: [413, 500, 503], attempts: 3, backoff: 1 } });
    for (let i = 0; i < 20; i++) {
      const answer = await rawExchange(gateway.port(), `${CHUNKED}${chunk(11)}${END}`);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    }
    const served = `${HEAD}Connection: close\r\nContent-Length: 1\r\n\r\nx`;
    expect(await rawExchange(gateway.port(), served)).toMatch(/^HTTP\/1\.1 200 /);
    expect(gateway.lines().every(({ attempts }) => attempts === undefined)).toBe(true);
    expect(await metrics.text()).not.toMatch(/gatewright_endpoint_ejections_total\{/);
  });

  it('is not whole in a copy of the request either', async () => {
    const [whoami, shadow] = [await start(watchedBackend()), await start(watchedBackend())];
    const config = { name: 'Service shop/shadow:80', backend: backendKey('shadow'), share: [1, 1] };
    await serve(whoami, { mirror: shadow.backend, filters: [{ type: 'RequestMirror', config }] });
    const client = await RawClient.open(gateway.port());
    client.send(`${CHUNKED}${chunk(6)}`);
    await until('both have the beginning', () => whoami.begun.length + shadow.begun.length === 2);
    client.send(`${chunk(5)}${END}`);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 413 /);
    await until('both know', () => whoami.broken.length + shadow.broken.length === 2);
    expect([...whoami.whole, ...shadow.whole]).toEqual([]);
  });

  it('is not shown to a Service that has to allow the request', async () => {
    const whoami = await start(Backend.echo('whoami'));
    const auth = await start(Backend.echo('auth'));
    await serve(whoami, { authorization: auth, filters: [asking({ body: 100 })] });
    const answer = await rawExchange(gateway.port(), `${CHUNKED}${chunk(6)}${chunk(5)}${END}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*larger than its route takes/);
    expect([auth.connections, whoami.connections]).toEqual([0, 0]);
    const allowed = `${CHUNKED.replace('Host', 'Connection: close\r\nHost')}${chunk(10)}${END}`;
    expect(await rawExchange(gateway.port(), allowed)).toMatch(/^HTTP\/1\.1 200 /);
    expect(whoami.seen.map(({ body }) => body.length)).toEqual([10]);
  });

  it('is 413 where no endpoint can be reached as well', async () => {
    await serve({ endpoint: await unusedEndpoint() }, { retry: { codes: [], attempts: 5, backoff: 50 } });
    const larger = `${CHUNKED.replace('Host', 'Connection: close\r\nHost')}${chunk(11)}${END}`;
    const answer = await rawExchange(gateway.port(), larger);
    // Whatever is found first.
    expect(answer).toMatch(/^HTTP\/1\.1 (413|503) /);
  });

  it('lets an answer of the gateway be read by scripts, as its rule says', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve(whoami, { filters: [{ type: 'CORS', config: CORS }] });
    const fields = 'Origin: https://b.example.com\r\n';
    for (const text of [
      announced(11, fields),
      `${CHUNKED.replace('Host', `${fields}Host`)}${chunk(11)}${END}`,
    ]) {
      expect(await rawExchange(gateway.port(), text)).toMatch(
        /^HTTP\/1\.1 413 [\s\S]*access-control-allow-origin: https:\/\/b\.example\.com\r\n/i,
      );
    }
  });
});

const CORS = {
  origins: ['https://b.example.com'],
  credentials: false,
  methods: [],
  headers: [],
  expose: [],
  maxAge: 5,
};
