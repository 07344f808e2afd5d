/** Header fields on their way: what belongs to one hop, what a client may say of itself, and what filters make of it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compileFilters } from '../../gateway-runtime/filters/index.ts';
import type { FilterConfig } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { type RequestOptions, rawExchange } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, prefix, rule } from '../unit/match/snapshots.ts';

let whoami: Backend;
let gateway: TestGateway;

beforeEach(async () => {
  whoami = await Backend.echo('whoami');
});
afterEach(async () => {
  await gateway.agent.close();
  await whoami.close();
});

async function serve(
  options: Parameters<typeof TestGateway.serving>[1] = {},
  filters: readonly FilterConfig[] = [],
  backendFilters: readonly FilterConfig[] = [],
) {
  // A filter that is misspelt here would make every test pass on a 500.
  compileFilters([...filters, ...backendFilters], { path: prefix('/'), publicPort: (port) => port });
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('whoami'),
        rule({ rest: { filters, backends: [to('whoami', 1, backendFilters)] } }),
      ],
      endpoints: { whoami: [whoami.endpoint] },
    },
    options,
  );
}

/** The fields that the backend saw. */
async function seen(headers: RequestOptions['headers'], url = 'shop.example.com/') {
  const answer = await gateway.get(url, headers ? { headers } : {});
  expect(answer.status).toBe(200);
  // node:http says keep-alive to backends, where nothing would mean the same.
  const { connection, ...others } = whoami.seen.at(-1)!.headers;
  return connection === 'keep-alive' ? others : whoami.seen.at(-1)!.headers;
}

const FORWARDED = {
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-host': 'shop.example.com',
  'x-forwarded-port': '80',
  'x-forwarded-proto': 'http',
  'x-forwarded-server': 'proxy-1',
  'x-real-ip': '127.0.0.1',
};

describe('what a backend learns of the client', () => {
  it('is where the request came from', async () => {
    await serve();
    expect(await seen({})).toMatchObject(FORWARDED);
  });

  it('has the port that the client addressed', async () => {
    await serve();
    expect(await seen({ host: 'shop.example.com:8080' })).toMatchObject({
      ...FORWARDED,
      'x-forwarded-host': 'shop.example.com:8080',
      'x-forwarded-port': '8080',
    });
  });

  const claims = {
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-host': 'admin.example.com',
    'x-forwarded-port': '1',
    'x-forwarded-proto': 'https',
    'x-forwarded-server': 'evil',
    'x-real-ip': '10.0.0.1',
  };

  it('is not what the client says', async () => {
    await serve();
    expect(
      await seen({
        ...claims,
        'x-forwarded-prefix': '/admin',
        'X-Forwarded': 'a',
        forwarded: 'for=10.0.0.1',
      }),
    ).toEqual({ ...FORWARDED, host: 'shop.example.com' });
  });

  it('is not what the client says in another spelling', async () => {
    await serve();
    const answer = await gateway.get('shop.example.com/', {
      headers: {
        X_Forwarded_For: '10.0.0.1',
        'X-Forwarded_Proto': 'https',
        'X.Forwarded.Host': 'admin.example.com',
        x_real_ip: '10.0.0.1',
        'X-REAL_IP': '10.0.0.1',
        'X-Forwarded-For': ['10.0.0.1', '10.0.0.2'],
      },
    });
    expect(answer.status).toBe(200);
    expect(whoami.seen[0]!.rawHeaders.join()).not.toMatch(/10\.0\.0|https|admin/);
  });

  it('is what a trusted hop says, and the hop itself', async () => {
    await serve({ trustedHops: ['10.0.0.0/8', '127.0.0.0/8'] });
    expect(await seen({ ...claims, forwarded: 'for=10.0.0.1' })).toMatchObject({
      ...claims,
      'x-forwarded-for': '10.0.0.1, 127.0.0.1',
      'x-forwarded-server': 'proxy-1',
      forwarded: 'for=10.0.0.1, for=127.0.0.1;host="shop.example.com";proto=http',
    });
    expect(await seen({})).toMatchObject(FORWARDED);
    expect(await seen({ X_Forwarded_For: '10.0.0.1' })).not.toHaveProperty('x_forwarded_for');
  });

  it('is not what another hop says', async () => {
    await serve({ trustedHops: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'] });
    expect(await seen(claims)).toMatchObject(FORWARDED);
  });

  it('can not be taken away by a Connection field', async () => {
    await serve({ trustedHops: ['127.0.0.1'] });
    const headers = await seen({
      connection: 'close, X-Forwarded-For, X-Real-Ip, Host, Authorization, X-Mine',
      authorization: 'Basic YTpi',
      'x-forwarded-for': '192.0.2.7',
      'x-mine': 'gone',
    });
    expect(headers).toMatchObject({
      host: 'shop.example.com',
      authorization: 'Basic YTpi',
      'x-forwarded-for': '192.0.2.7, 127.0.0.1',
      'x-real-ip': '127.0.0.1',
    });
    expect(headers).not.toHaveProperty('x-mine');
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0/8', 'proxy.example.com', 'fd00::/129', '10.0.0.0/8/8'])(
    'does not begin with a trusted hop like %s',
    (hop) => {
      expect(() => new TestGateway({ trustedHops: [hop] })).toThrow(/trusted hop/);
      gateway = new TestGateway();
    },
  );
});

describe('fields of one hop', () => {
  it('are not forwarded', async () => {
    await serve();
    expect(
      await seen({
        connection: 'close, x-a',
        'keep-alive': 'timeout=5',
        'proxy-connection': 'keep-alive',
        'proxy-authorization': 'Basic YTpi',
        te: 'gzip',
        upgrade: 'h2c',
        'x-a': '1',
        'x-b': '2',
      }),
    ).toEqual({ ...FORWARDED, host: 'shop.example.com', 'x-b': '2' });
  });

  it('but that trailers are welcome is said', async () => {
    await serve();
    expect(await seen({ connection: 'te', te: 'trailers, deflate' })).toMatchObject({
      te: 'trailers',
      connection: 'TE',
    });
  });

  it('do not come back from a backend either', async () => {
    await serve();
    const hop = await Backend.http((_, response) =>
      response
        .writeHead(200, [
          'Connection',
          'x-a',
          'X-A',
          '1',
          'X-B',
          '2',
          'Proxy-Connection',
          'close',
          'Content-Length',
          '0',
        ])
        .end(),
    );
    await gateway.serve({
      resources: gateway.agent.snapshot!.resources,
      endpoints: { whoami: [hop.endpoint] },
    });
    const { headers } = await gateway.get('shop.example.com/');
    await hop.close();
    expect(headers).toMatchObject({ 'x-b': '2' });
    expect(headers).not.toHaveProperty('x-a');
    expect(headers).not.toHaveProperty('proxy-connection');
  });
});

describe('fields as they came', () => {
  it('keep order, spelling, number and bytes', async () => {
    await serve();
    const answer = await rawExchange(
      gateway.port(),
      'GET / HTTP/1.1\r\nX-B: 2\r\nhost: a.example.com\r\nX-A: 1\r\nx-b: \xe9\r\nCookie: a=1\r\nCookie: b=2\r\n' +
        '__proto__: x\r\nconstructor: y\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    const raw = whoami.seen[0]!.rawHeaders;
    expect(raw.slice(0, 16)).toEqual([
      ...['Host', 'a.example.com', 'X-B', '2', 'X-A', '1', 'x-b', '\xe9', 'Cookie', 'a=1', 'Cookie', 'b=2'],
      ...['__proto__', 'x', 'constructor', 'y'],
    ]);
  });

  it('are at most 100, and 64 KiB', async () => {
    await serve();
    const fields = (count: number, value = '1') =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, value]));
    expect((await gateway.get('a.example.com/', { headers: fields(98) })).status).toBe(200);
    expect((await gateway.get('a.example.com/', { headers: fields(99) })).status).toBe(431);
    expect((await gateway.get('a.example.com/', { headers: fields(90, 'x'.repeat(1_000)) })).status).toBe(
      431,
    );
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
  });
});

describe('filters', () => {
  const setHeaders = (
    type: 'RequestHeaderModifier' | 'ResponseHeaderModifier',
    value: string,
  ): FilterConfig => ({
    type,
    config: { set: [['x-by', value]], add: [['x-list', value]], remove: ['x-gone'] },
  });

  it('of the rule come first on the way to the backend, and last on the way back', async () => {
    await serve(
      {},
      [setHeaders('RequestHeaderModifier', 'rule'), setHeaders('ResponseHeaderModifier', 'rule')],
      [setHeaders('RequestHeaderModifier', 'backend'), setHeaders('ResponseHeaderModifier', 'backend')],
    );
    const answer = await gateway.get('shop.example.com/', { headers: { 'x-list': 'client', 'x-gone': '1' } });
    expect(whoami.seen[0]!.headers).toMatchObject({ 'x-by': 'backend', 'x-list': 'client, rule, backend' });
    expect(whoami.seen[0]!.headers).not.toHaveProperty('x-gone');
    expect(answer.headers).toMatchObject({
      'x-by': 'rule',
      'x-list': 'backend, rule',
      'x-backend': 'whoami',
    });
  });

  it('may set what the proxy says of the client', async () => {
    await serve({}, [
      {
        type: 'RequestHeaderModifier',
        config: { set: [['X-Real-Ip', '192.0.2.1']], add: [], remove: ['x-forwarded-for'] },
      },
    ]);
    const headers = await seen({});
    expect(headers).toMatchObject({ 'x-real-ip': '192.0.2.1' });
    expect(headers).not.toHaveProperty('x-forwarded-for');
  });

  it('can not begin a field of their own', async () => {
    const defects: unknown[] = [];
    const options = { onDefect: (error: unknown) => defects.push(error) };
    const split = { set: [['x-a', 'b\r\nInjected: 1']], add: [], remove: [] };
    for (const type of ['RequestHeaderModifier', 'ResponseHeaderModifier']) {
      await serve(options, [{ type, config: split }]);
      const answer = await gateway.get('shop.example.com/');
      expect(answer.status).toBe(500);
      expect(answer.headers).not.toHaveProperty('injected');
      await gateway.agent.close();
    }
    const switching = await Backend.tcp((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
      ),
    );
    await serve(options, [{ type: 'ResponseHeaderModifier', config: split }]);
    await gateway.serve({
      resources: gateway.agent.snapshot!.resources,
      endpoints: { whoami: [switching.endpoint] },
    });
    const answer = await rawExchange(
      gateway.port(),
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 500 /);
    expect(answer).not.toContain('Injected');
    expect(defects).toHaveLength(3);
    expect(whoami.seen.map(({ headers }) => headers.injected)).toEqual([undefined]);
    await switching.close();
  });

  it('redirect without a backend, to the port that is served', async () => {
    await serve({ publicPort: (port) => port + 8_000 }, [
      { type: 'RequestRedirect', config: { status: 302, scheme: 'https' } },
    ]);
    expect(await gateway.get('shop.example.com/cart?a=1')).toMatchObject({
      status: 302,
      headers: { location: 'https://shop.example.com:8443/cart?a=1' },
      body: '',
    });
    expect(whoami.seen).toEqual([]);
    expect(gateway.lines()).toMatchObject([{ status: 302, route: 'cart' }]);
  });

  it('rewrite host and path, and the client is told of the first host', async () => {
    await serve({}, [
      {
        type: 'URLRewrite',
        config: { hostname: 'inner.example.com', path: { type: 'prefix', path: '/v2' } },
      },
    ]);
    const headers = await seen({}, 'shop.example.com/cart?a=1');
    expect(whoami.seen[0]!.url).toBe('/v2/cart?a=1');
    expect(headers).toMatchObject({ host: 'inner.example.com', 'x-forwarded-host': 'shop.example.com' });
  });
});
