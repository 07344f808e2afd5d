/** The access log and the metrics: one line and one count per request, bounded, and nothing in them that is a secret. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { rawExchange } from '../support/client.ts';
import { backend, TestGateway, to, toNothing } from '../support/gateway.ts';
import { exact, listener, prefix, rule } from '../unit/match/snapshots.ts';

let whoami: Backend;
let gateway: TestGateway;
let metrics: Metrics;

const cart: HttpRule = (() => {
  const made = rule({ index: 2, matches: [{ path: prefix('/cart') }], rest: { backends: [to('whoami')] } });
  return { ...made, source: { ...made.source, team: 'team-shop', ruleName: 'items' } };
})();
const missing = rule({
  route: 'media/films',
  matches: [{ path: exact('/films') }],
  rest: { backends: [toNothing()] },
});

beforeEach(async () => {
  whoami = await Backend.echo('whoami');
  metrics = new Metrics();
  gateway = await TestGateway.serving(
    {
      resources: [listener('web'), backend('whoami'), cart, missing],
      endpoints: { whoami: [whoami.endpoint] },
    },
    { metrics },
  );
});
afterEach(async () => {
  await gateway.agent.close();
  await whoami.close();
});

describe('a line of the access log', () => {
  it('says what was asked, who served it and how', async () => {
    await gateway.get('Shop.Example.com/cart?token=s3cret', {
      method: 'POST',
      body: 'hello',
      headers: {
        authorization: 'Bearer s3cret',
        cookie: 'session=s3cret',
        'x-api-key': 's3cret',
        'x-request-id': 'req-1.a:b',
      },
    });
    const [line] = gateway.lines();
    const { time, duration, ...rest } = line!;
    expect(Math.abs(Date.now() - Date.parse(time as string))).toBeLessThan(10_000);
    expect(duration).toBeGreaterThan(0);
    expect(rest).toEqual({
      gateway: 'infra/gw',
      listener: 'web',
      port: 80,
      client: '127.0.0.1',
      protocol: 'HTTP/1.1',
      scheme: 'http',
      method: 'POST',
      host: 'shop.example.com',
      path: '/cart',
      status: 200,
      bytesReceived: 5,
      bytesSent: 7,
      team: 'team-shop',
      namespace: 'shop',
      route: 'cart',
      rule: 'items',
      backend: 'shop/whoami/80',
      endpoint: `127.0.0.1:${whoami.endpoint.port}`,
      requestId: 'req-1.a:b',
    });
    expect(gateway.log[0]).not.toContain('s3cret');
  });

  it('says of headers and parameters what matches of the listener ask for, but no credentials', async () => {
    const match = {
      headers: { 'x-tier': 'gold', 'x-empty': '1', authorization: 'Bearer s3cret' },
      query: { page: '1', access_token: 's3cret', none: '1' },
    };
    const asking = rule({ route: 'shop/gold', matches: [match], rest: { backends: [to('whoami')] } });
    const other = listener('other', { hostname: 'other.example.com' });
    const resources = [listener('web'), other, backend('whoami'), cart];
    await gateway.serve({ resources: [...resources, asking] });
    const headers = { 'x-tier': 'si"lver', 'x-empty': '', authorization: 'Bearer s3cret', 'x-any': 's3cret' };
    await gateway.get('shop.example.com/cart?page=a%20b&access_token=s3cret&any=s3cret', { headers });
    await gateway.get('other.example.com/', { headers });
    await gateway.serve({ resources });
    await gateway.get('shop.example.com/cart', { headers });
    expect(gateway.lines().map(({ matched }) => matched)).toEqual([
      {
        headers: { authorization: true, 'x-empty': '', 'x-tier': 'si"lver' },
        query: { access_token: true, none: null, page: 'a b' },
      },
      undefined,
      undefined,
    ]);
    expect(gateway.log.join()).not.toContain('s3cret');
  });

  it('is there for what the gateway answers itself', async () => {
    await gateway.get('a.example.com/films');
    await gateway.get('a.example.com/nothing');
    await rawExchange(gateway.port(), 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await rawExchange(gateway.port(), 'nonsense\r\n\r\n');
    expect(gateway.lines()).toMatchObject([
      { status: 500, namespace: 'media', route: 'films', rule: 0 },
      { status: 404, listener: 'web', path: '/nothing' },
      { status: 400, host: '', path: '' },
      { status: 400, failure: 'malformed-request' },
    ]);
  });

  it('is one line of JSON whatever the request holds, and not longer than that', async () => {
    const paths = [
      '/%0a%0dinjected',
      `/${'x'.repeat(10_000)}`,
      '/"},{"a":"',
      '/\u2028'.replace('\u2028', '%E2%80%A8'),
    ];
    for (const path of paths) {
      await rawExchange(
        gateway.port(),
        `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\nX-Request-Id: {"a"}\r\nUser-Agent: "\\x\r\nConnection: close\r\n\r\n`,
      );
    }
    expect(gateway.log).toHaveLength(paths.length);
    for (const line of gateway.log) {
      expect(line).not.toMatch(/[\r\n]/);
      expect(line.length).toBeLessThan(3_000);
      expect(JSON.parse(line)).not.toHaveProperty('requestId');
    }
  });

  it('that can not be written costs no request', async () => {
    const defects: unknown[] = [];
    const broken = await TestGateway.serving(
      { resources: [listener('web')] },
      {
        accessLog: () => {
          throw new Error('disk full');
        },
        onDefect: (error) => defects.push(error),
      },
    );
    expect((await broken.get('a.example.com/')).status).toBe(404);
    while (defects.length === 0) await delay(1);
    expect(defects).toMatchObject([{ message: 'disk full' }]);
    await broken.agent.close();
  });
});

describe('metrics', () => {
  const labels = (listenerName: string, route = '', ruleName = '', backendName = '') =>
    `{gateway="infra/gw",listener="${listenerName}",route="${route}",rule="${ruleName}",backend="${backendName}"`;

  it('count requests, time, bytes and failures', async () => {
    await gateway.get('a.example.com/cart', { method: 'POST', body: 'hello' });
    await gateway.get('a.example.com/films');
    await gateway.get('a.example.com/nothing');
    await gateway.agent.apply({ endpoints: new Map([['backend/shop/whoami/80', undefined]]) });
    await gateway.get('a.example.com/cart');
    const text = await metrics.text();
    const toCart = labels('web', 'shop/cart', 'items', 'shop/whoami/80');
    expect(text).toContain(`gatewright_requests_total${toCart},code="2xx"} 1\n`);
    expect(text).toContain(`gatewright_requests_total${toCart},code="5xx"} 1\n`);
    expect(text).toContain(`gatewright_requests_total${labels('web', 'media/films', '0')},code="5xx"} 1\n`);
    expect(text).toContain(`gatewright_requests_total${labels('web')},code="4xx"} 1\n`);
    expect(text).toContain(`gatewright_request_duration_seconds_bucket${toCart},le="+Inf"} 2\n`);
    expect(text).toContain(`gatewright_request_duration_seconds_count${toCart}} 2\n`);
    expect(text).toContain(`gatewright_received_bytes_total${toCart}} 5\n`);
    expect(text).toMatch(/# TYPE gatewright_request_duration_seconds histogram/);
    expect(text).toContain('gatewright_events_total{gateway="infra/gw",event="snapshot-accepted"} 1');
  });

  it('have buckets that add up', async () => {
    for (let i = 0; i < 5; i++) await gateway.get('a.example.com/cart');
    const counts = [...(await metrics.text()).matchAll(/_seconds_bucket\{.*le="([^"]*)"\} (\d+)/g)].map(
      ([, bound, count]) =>
        [Number(bound === '+Inf' ? Number.POSITIVE_INFINITY : bound), Number(count)] as const,
    );
    expect(counts.length).toBeGreaterThan(5);
    for (let i = 1; i < counts.length; i++) {
      expect(counts[i]![0]).toBeGreaterThan(counts[i - 1]![0]);
      expect(counts[i]![1]).toBeGreaterThanOrEqual(counts[i - 1]![1]);
    }
    expect(counts.at(-1)![1]).toBe(5);
  });

  const seriesCount = async () =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('gatewright_requests_total')).length;

  it('have no label that a client chooses', async () => {
    await gateway.get('a.example.com/nothing');
    const before = await seriesCount();
    for (let i = 0; i < 50; i++) {
      await gateway.get(`host-${i}.example.com/path-${i}`, { headers: { 'x-a': String(i) }, method: 'PUT' });
    }
    expect(await seriesCount()).toBe(before);
  });

  it('go with the rule, and with the Gateway', async () => {
    await gateway.get('a.example.com/cart');
    await gateway.serve({ resources: [listener('web'), backend('whoami'), missing] });
    await gateway.get('a.example.com/films');
    expect(await metrics.text()).not.toContain('shop/cart');
    expect(await seriesCount()).toBe(1);
    await gateway.agent.close();
    expect(await metrics.text()).not.toContain('infra/gw');
  });

  it('of a backend that a rule has no more go, and what was under way brings none back', async () => {
    let finish = () => {};
    const slow = await Backend.http((_, response) => {
      finish = () => response.end('done');
    });
    await gateway.agent.apply({
      endpoints: new Map([
        ['backend/shop/whoami/80', { backend: 'backend/shop/whoami/80', endpoints: [slow.endpoint] }],
      ]),
    });
    const pending = gateway.get('a.example.com/cart');
    await once(slow.server, 'request');
    await gateway.serve({ resources: [{ ...cart, hash: 'abc123', backends: [] }] });
    finish();
    await pending;
    const text = await metrics.text();
    expect(text).toContain(`gatewright_requests_total${labels('', 'shop/cart', 'items')},code="2xx"} 1`);
    expect(text).not.toContain('whoami');
    await slow.close();
  });

  it('tell listeners of the same name apart', async () => {
    const ofSet = listener('web', { hostname: 'set.example.com' });
    const source = { ...ofSet.source, kind: 'ListenerSet' as const, namespace: 'shop', name: 'edge' };
    await gateway.serve({
      resources: [listener('web'), { ...ofSet, key: 'listener/ListenerSet/shop/edge/web', source }],
    });
    await gateway.get('a.example.com/');
    await gateway.get('set.example.com/');
    const text = await metrics.text();
    for (const name of ['web', 'shop/edge/web']) {
      expect(text).toContain(`gatewright_requests_total${labels(name)},code="4xx"} 1`);
    }
    expect(gateway.lines().map(({ listener, listenerSet }) => [listener, listenerSet])).toEqual([
      ['web', undefined],
      ['web', 'shop/edge'],
    ]);
  });

  it('of a rule that changes go on', async () => {
    await gateway.get('a.example.com/cart');
    await gateway.serve({
      resources: [
        listener('web'),
        backend('whoami'),
        missing,
        { ...cart, hash: 'abc123', refusal: 'for a test' },
      ],
    });
    await gateway.get('a.example.com/cart');
    const text = await metrics.text();
    expect(text).toContain(`${labels('web', 'shop/cart', 'items', 'shop/whoami/80')},code="2xx"} 1`);
    expect(text).toContain(`${labels('web', 'shop/cart', 'items')},code="5xx"} 1`);
  });
});
