import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Admin } from '../../gateway-runtime/admin/admin.ts';
import type { Explained } from '../../gateway-runtime/explain/explanation.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { type Answer, exchange } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, prefix, rule } from '../unit/match/snapshots.ts';

const metrics = new Metrics({ process: true });
let whoami: Backend;
let gateway: TestGateway;
let starting: TestGateway;
let served: TestGateway[];
let admin: Admin;
let port: number;

beforeAll(async () => {
  whoami = await Backend.echo('whoami');
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('whoami'),
        rule({
          matches: [{ path: prefix('/cart'), headers: { 'x-api-key': 's3cret-match', 'x-tier': 'gold' } }],
          rest: {
            backends: [to('whoami')],
            filters: [
              {
                type: 'RequestHeaderModifier',
                config: {
                  set: [['Authorization', 'Bearer s3cret-set']],
                  add: [['x-tier', 'gold']],
                  remove: [],
                },
              },
            ],
          },
        }),
      ],
      endpoints: { whoami: [whoami.endpoint] },
    },
    { metrics },
  );
  starting = new TestGateway({ gateway: { namespace: 'infra', name: 'starting' }, metrics });
  served = [gateway];
  admin = new Admin({
    gateways: () => served.map(({ agent }) => agent),
    metrics,
    regex: re2,
    refused: (host) => [
      { route: 'HTTPRoute/shop/lost', reason: 'ParentNotFound', message: `not for ${host}` },
    ],
    port: 0,
    hosts: ['gatewright.infra.svc'],
  });
  port = await admin.listen();
});
afterAll(async () => {
  await admin.close();
  await Promise.all([gateway.agent.close(), starting.agent.close(), whoami.close()]);
});

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  exchange(port, { host: `localhost:${port}`, path, method, headers });

describe('health', () => {
  it('is that the process runs', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('and readiness that every Gateway is served', async () => {
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
    served = [gateway, starting];
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: 'not ready: infra/starting\n' });
    served = [];
    expect(await ask('/readyz')).toMatchObject({ status: 503 });
    served = [gateway];
  });
});

describe('/metrics', () => {
  it('counts requests by what the snapshot names', async () => {
    await gateway.get('shop.example.com/cart', {
      headers: { 'x-api-key': 's3cret-match', 'x-tier': 'gold' },
    });
    const { headers, body } = await ask('/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain(
      'gatewright_requests_total{gateway="infra/gw",listener="web",route="shop/cart",rule="0",backend="shop/whoami/80",code="2xx"} 1',
    );
    expect(body).toContain('process_resident_memory_bytes');
  });
});

describe('/snapshot', () => {
  it('is what is served, without credentials', async () => {
    const { headers, body } = await ask('/snapshot?gateway=infra/gw');
    expect(headers['content-type']).toBe('application/json');
    expect((JSON.parse(body) as Snapshot).version).toBe(gateway.agent.snapshot!.version);
    expect(body).not.toContain('s3cret');
    expect(body).toContain('gold');
    expect(JSON.parse((await ask('/snapshot')).body)).toHaveLength(1);
  });

  it('names those there are where there is no such Gateway', async () => {
    expect(await ask('/snapshot?gateway=infra/other')).toMatchObject({
      status: 404,
      body: '404: no such Gateway is served; served are: infra/gw\n',
    });
  });
});

describe('/explain', () => {
  const url = (path: string) => encodeURIComponent(`http://shop.example.com:${gateway.port()}${path}`);

  it('says where a request goes, as text', async () => {
    const { body } = await ask(
      `/explain?url=${url('/cart')}&header=x-api-key:s3cret-match&header=x-tier:gold`,
    );
    expect(body).toMatch(/^Gateway infra\/gw\n/);
    expect(body).toMatch(/shop\/cart/);
    expect(body).toMatch(/100 % {2}Service shop\/whoami:80/);
    expect(body).toMatch(/x-api-key: \[redacted\], header x-tier: gold/);
    expect(body).toMatch(/sets Authorization: \[redacted\]/);
    expect(body).not.toContain('s3cret');
  });

  it.each([
    ['none', ''],
    ['another', '&header=x-api-key:guess'],
  ])('and does not say which credential would match where the request has %s', async (has, header) => {
    const { body } = await ask(`/explain?url=${url('/cart')}&header=x-tier:gold${header}`);
    expect(body.replace(/\s+/g, ' ')).toContain(
      `its header x-api-key must be [redacted], and the request has ${has}`,
    );
    expect(body).not.toContain('s3cret');
  });

  it('and as JSON', async () => {
    const { body } = await ask(`/explain?method=POST&url=${url('/cart')}`, { accept: 'application/json' });
    expect(JSON.parse(body) as Explained).toMatchObject({
      gateway: 'infra/gw',
      status: 404,
      request: { method: 'POST', port: 80, path: '/cart' },
      others: [],
      refused: [{ route: 'HTTPRoute/shop/lost' }],
    });
  });

  it('says which routes for the host are refused, where none serves it', async () => {
    const lost = await ask('/explain?url=http://lost.example.com/');
    expect(lost.body).toMatch(
      /\nRefused {5}HTTPRoute\/shop\/lost \(ParentNotFound\)\n {14}not for lost\.example\.com\.\n/,
    );
    const { body } = await ask(
      `/explain?url=${url('/cart')}&header=x-tier:gold&header=x-api-key:s3cret-match`,
    );
    expect(body).not.toContain('Refused');
  });

  it('takes the port of the Gateway too', async () => {
    const { body } = await ask('/explain?url=http://shop.example.com/cart', { accept: 'application/json' });
    expect(JSON.parse(body)).toMatchObject({ gateway: 'infra/gw', request: { port: 80 } });
  });

  it.each([
    ['/explain', 400, 'found no url'],
    ['/explain?url=shop', 400, 'expected a method and a URL'],
    ['/explain?url=http://a.example.com/&header=nothing', 400, 'the header'],
    ['/explain?url=http://a.example.com:1/', 404, 'served are: infra/gw at'],
    ['/explain?url=http://a.example.com/&gateway=infra/other', 404, 'served are: none'],
  ])('says what is wrong with %s', async (path, status, message) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(message);
  });
});

describe('anything else', () => {
  it('is 404 with what there is', async () => {
    const { status, body } = await ask('/');
    expect(status).toBe(404);
    for (const path of ['/healthz', '/readyz', '/metrics', '/snapshot', '/explain'])
      expect(body).toContain(path);
  });

  it('is not changed from here', async () => {
    expect(await ask('/snapshot', {}, 'POST')).toMatchObject({ status: 405 });
    expect(await ask('/healthz', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it('is not told under a name that someone else may point here', async () => {
    for (const host of ['evil.example.com', 'localhost.example.com', '127.0.0.1.example.com']) {
      expect((await ask('/snapshot', { host })).status).toBe(421);
    }
    for (const host of ['127.0.0.1:1', '[::1]:9902', '[::1]', 'LOCALHOST', 'gatewright.infra.svc:9902']) {
      expect((await ask('/healthz', { host })).status).toBe(200);
    }
  });
});
