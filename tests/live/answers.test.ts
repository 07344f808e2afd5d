/** Every status that the gateway gives itself, and what of a backend's answer goes through as it is. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, deafEndpoint, unusedEndpoint } from '../support/backend.ts';
import { rawExchange } from '../support/client.ts';
import { backend, TestGateway, to, toNothing } from '../support/gateway.ts';
import { exact, listener, prefix, regex, rule } from '../unit/match/snapshots.ts';

let whoami: Backend;
let gateway: TestGateway;
const others: Backend[] = [];

beforeEach(async () => {
  whoami = await Backend.echo('whoami');
});
afterEach(async () => {
  await gateway.agent.close();
  await Promise.all([whoami, ...others.splice(0)].map((each) => each.close()));
});

async function serve(resources: readonly Resource[], options?: Parameters<typeof TestGateway.serving>[1]) {
  gateway = await TestGateway.serving(
    {
      resources: [listener('web'), backend('whoami'), backend('other'), ...resources],
      endpoints: { whoami: [whoami.endpoint] },
    },
    options,
  );
}

/** One rule for everything, to a backend that does this. */
async function serveBackend(made: Promise<Backend>, options?: Parameters<typeof serve>[1]) {
  others.push(await made);
  await serve([rule({ rest: { backends: [to('other')] } })], options);
  await gateway.agent.apply({
    endpoints: new Map([
      ['backend/shop/other/80', { backend: 'backend/shop/other/80', endpoints: [others[0]!.endpoint] }],
    ]),
  });
}

const toWhoami = { rest: { backends: [to('whoami')] } };

describe('a request that a rule matches', () => {
  it('is answered by its backend', async () => {
    await serve([rule({ matches: [{ path: exact('/foo') }], ...toWhoami })]);
    expect(await gateway.get('shop.example.com/foo?a=1&a=2')).toMatchObject({
      status: 200,
      body: 'whoami\n',
    });
    expect(whoami.seen).toMatchObject([
      { method: 'GET', url: '/foo?a=1&a=2', headers: { host: 'shop.example.com' } },
    ]);
  });

  it('is forwarded with the path that was matched', async () => {
    await serve([rule({ matches: [{ path: exact('/a/b~c') }], ...toWhoami })]);
    expect(await gateway.get('shop.example.com/x/../a/./b%7Ec')).toMatchObject({ status: 200 });
    expect(whoami.seen[0]!.url).toBe('/a/b~c');
  });

  it('may name its host in the target, which then counts, not the Host header', async () => {
    await serve([rule({ hostnames: ['shop.example.com'], ...toWhoami })]);
    const answer = await rawExchange(
      gateway.port(),
      'GET http://SHOP.example.com:8080?q=1 HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(whoami.seen[0]).toMatchObject({ url: '/?q=1', headers: { host: 'shop.example.com:8080' } });
  });

  it('has that host for rules that match on Host, too', async () => {
    await serve([
      rule({ matches: [{ headers: { host: 'shop.example.com' } }], ...toWhoami }),
      rule({ route: 'shop/rest', rest: { backends: [] } }),
    ]);
    const ask = (target: string, host: string) =>
      rawExchange(gateway.port(), `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await ask('http://Shop.example.com./', 'other.example.com')).toMatch(/^HTTP\/1.1 200 /);
    expect(await ask('http://other.example.com/', 'shop.example.com')).toMatch(/^HTTP\/1.1 500 /);
  });

  it('has the headers that a rule matches on as they came, values of one name joined', async () => {
    await serve([
      rule({ matches: [{ headers: { 'x-tier': 'gold, silver' } }], ...toWhoami }),
      rule({ route: 'shop/rest', rest: { backends: [] } }),
    ]);
    expect(await gateway.get('a.example.com/', { headers: { 'X-Tier': ['gold', 'silver'] } })).toMatchObject({
      status: 200,
    });
    expect(await gateway.get('a.example.com/', { headers: { 'X-Tier': 'gold' } })).toMatchObject({
      status: 500,
    });
  });
});

describe('404', () => {
  it('where no route matches, saying no more than that', async () => {
    await serve([rule({ matches: [{ path: prefix('/foo') }], ...toWhoami })]);
    expect(await gateway.get('shop.example.com/')).toMatchObject({
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: '404: no route of this gateway matches; check host, path, method, headers and query\n',
    });
  });

  it('where no listener has the host', async () => {
    gateway = await TestGateway.serving({ resources: [listener('web', { hostname: '*.example.com' })] });
    expect(await gateway.get('example.org/')).toMatchObject({
      status: 404,
      body: '404: no listener of this gateway serves this host; check the Host header\n',
    });
  });

  it('where a more specific listener has the host but no route, whatever a wider one has', async () => {
    await serve([
      listener('narrow', { hostname: 'shop.example.com' }),
      rule({ on: ['web'], hostnames: ['*'], ...toWhoami }),
    ]);
    expect(await gateway.get('shop.example.com/')).toMatchObject({ status: 404 });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
  });
});

describe('400', () => {
  const bad: [string, string][] = [
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a.example.com\r\nHost: a.example.com\r\n\r\n'],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a.example.com/x\r\n\r\n'],
    ['a Host with a user', 'GET / HTTP/1.1\r\nHost: me@a.example.com\r\n\r\n'],
    ['an empty authority', 'GET http:///x HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
    ['a target of another scheme', 'GET ftp://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
    ['a broken escape', 'GET /%zz HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
    ['hidden dots', 'GET /a/..%2fb HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
    ['a fragment in the query', 'GET /a?b#c HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
    ['the server as a whole', 'OPTIONS * HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
  ];
  it.each(bad)('for %s', async (_, text) => {
    await serve([rule(toWhoami)]);
    const answer = await rawExchange(
      gateway.port(),
      text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(whoami.seen).toEqual([]);
  });

  it('does not echo what came', async () => {
    await serve([rule(toWhoami)]);
    const answer = await rawExchange(
      gateway.port(),
      'GET /%zz<script> HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n',
    );
    expect(answer).not.toContain('script');
  });
});

describe('500', () => {
  const cases: [string, Resource[]][] = [
    [
      'the rule was refused',
      [rule({ rest: { backends: [to('whoami')], refusal: 'a filter is not served' } })],
    ],
    ['the rule has no backend', [rule({ rest: { backends: [] } })]],
    ['every weight is 0', [rule({ rest: { backends: [to('whoami', 0), toNothing(0)] } })]],
    ['the backend did not resolve', [rule({ rest: { backends: [toNothing()] } })]],
    [
      'a filter is not known',
      [rule({ rest: { backends: [to('whoami')], filters: [{ type: 'Teleport', config: {} }] } })],
    ],
  ];
  it.each(cases)('where %s', async (_, resources) => {
    gateway = new TestGateway();
    await gateway.serve({
      resources: [listener('web'), backend('whoami'), ...resources],
      endpoints: { whoami: [whoami.endpoint] },
    });
    const answer = await gateway.get('a.example.com/');
    expect(answer).toMatchObject({ status: 500 });
    expect(answer.body).not.toMatch(/filter is not served|missing|Teleport/);
    expect(whoami.seen).toEqual([]);
  });

  it('where an expression can not be compiled, for the requests that need it, and it is reported', async () => {
    gateway = new TestGateway();
    const result = await gateway.serve({
      resources: [
        listener('web'),
        backend('whoami'),
        rule({ route: 'shop/broken', matches: [{ path: regex('/(') }], ...toWhoami }),
        rule({ route: 'shop/fine', matches: [{ path: exact('/fine') }], ...toWhoami }),
      ],
      endpoints: { whoami: [whoami.endpoint] },
    });
    expect(result).toMatchObject({ accepted: true });
    expect(result.diagnostics).toMatchObject([
      { severity: 'error', object: { namespace: 'shop', name: 'broken' } },
    ]);
    expect(await gateway.get('a.example.com/fine')).toMatchObject({ status: 200 });
  });
});

describe('503', () => {
  it('where the backend has no endpoint', async () => {
    await serve([rule({ rest: { backends: [to('other')] } })]);
    expect(await gateway.get('a.example.com/')).toMatchObject({
      status: 503,
      body: '503: the backend has no ready endpoint; try again\n',
    });
  });

  it('where the endpoint refuses connections, and the log says why', async () => {
    await serve([rule({ rest: { backends: [to('other')] } })], {
      fallbackEndpoints: () => [gone],
    });
    const gone = await unusedEndpoint();
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503 });
    expect(gateway.lines()).toMatchObject([{ status: 503, failure: 'connect', backend: 'shop/other/80' }]);
  });

  it('where the endpoint has as many requests as it may have', async () => {
    const held: (() => void)[] = [];
    await serveBackend(
      Backend.http((_, response) => held.push(() => response.end('done'))),
      { limits: { connectionsPerEndpoint: 1 } },
    );
    const first = gateway.get('a.example.com/');
    while (held.length === 0) await new Promise(setImmediate);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 503 });
    held[0]!();
    expect(await first).toMatchObject({ status: 200 });
    expect(gateway.lines()[0]).toMatchObject({ status: 503, failure: 'overloaded' });
  });
});

describe('504', () => {
  it('where the endpoint does not accept a connection in time', async () => {
    const deaf = await deafEndpoint();
    await serve([rule({ rest: { backends: [to('other')] } })], {
      fallbackEndpoints: () => [deaf.endpoint],
      limits: { connect: 100 },
    });
    const answer = await gateway.get('a.example.com/', { method: 'POST', body: 'hello' });
    await deaf.close();
    expect(answer).toMatchObject({ status: 504 });
    expect(gateway.lines()).toMatchObject([{ failure: 'connect-timeout', bytesReceived: 0 }]);
  });

  it('where the backend does not answer in time', async () => {
    await serveBackend(
      Backend.http(() => {}),
      { limits: { response: 100 } },
    );
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 504 });
    expect(gateway.lines()).toMatchObject([{ status: 504, failure: 'timeout' }]);
  });

  it('where it read a body and does not answer in time', async () => {
    await serveBackend(
      Backend.http((message) => message.resume()),
      { limits: { response: 100 } },
    );
    const answer = await gateway.get('a.example.com/', { method: 'POST', body: 'x'.repeat(100_000) });
    expect(answer).toMatchObject({ status: 504 });
  });
});

describe('502', () => {
  const broken: [string, string, string][] = [
    ['closes', '', 'reset'],
    ['sends something else than HTTP', 'hello\r\n\r\n', 'malformed'],
    [
      'sends a length and a coding',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'malformed',
    ],
    ['sends two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 'malformed'],
    [
      'sends a head beyond every measure',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
      'malformed',
    ],
    [
      'switches protocols unasked',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'malformed',
    ],
    ['sends an impossible status', 'HTTP/1.1 042 What\r\nContent-Length: 0\r\n\r\n', 'malformed'],
  ];
  it.each(broken)('where the backend %s', async (_, text, failure) => {
    await serveBackend(Backend.tcp((socket) => socket.once('data', () => socket.end(text))));
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 502 });
    expect(gateway.lines()).toMatchObject([{ status: 502, failure }]);
  });
});

describe('an answer of a backend', () => {
  it('keeps status, fields in their spelling and number, and body', async () => {
    await serveBackend(
      Backend.tcp((socket) =>
        socket.once('data', () =>
          socket.end(
            'HTTP/1.1 418 Short And Stout\r\nX-One: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 3\r\n\r\ntea',
          ),
        ),
      ),
    );
    const { status, rawHeaders, body } = await gateway.get('a.example.com/');
    expect({ status, body }).toEqual({ status: 418, body: 'tea' });
    expect(rawHeaders.slice(0, 6)).toEqual(['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  });

  it('to HEAD keeps its length and has no body', async () => {
    await serveBackend(
      Backend.http((_, response) => response.writeHead(200, { 'content-length': 1234 }).end()),
    );
    expect(await gateway.get('a.example.com/', { method: 'HEAD' })).toMatchObject({
      status: 200,
      headers: { 'content-length': '1234' },
      body: '',
    });
  });

  it.each([204, 304])('with %d has no body, and the connection is used again', async (status) => {
    await serveBackend(Backend.http((_, response) => response.writeHead(status, { etag: '"1"' }).end()));
    for (let i = 0; i < 3; i++) {
      expect(await gateway.get('a.example.com/')).toMatchObject({
        status,
        headers: { etag: '"1"' },
        body: '',
      });
    }
    expect(others[0]!.connections).toBe(1);
  });

  it('that ends with its connection is whole', async () => {
    await serveBackend(
      Backend.tcp((socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'))),
    );
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200, body: 'until the end' });
  });
});
