/** Rules that say from where their clients may come: by the address of the connection, and by nothing that a client says. */
import { createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { FilterConfig } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { asking, backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;
let whoami: Backend;
let metrics: Metrics;

const resourcesFor = (allow: readonly string[], filters: readonly FilterConfig[] = []) => [
  listener('web'),
  backend('whoami'),
  backend('auth'),
  rule({ rest: { backends: [to('whoami')], allow, filters } }),
];

async function serve(
  allow: readonly string[],
  filters: readonly FilterConfig[] = [],
  options: Parameters<typeof TestGateway.serving>[1] = {},
) {
  whoami = await start(Backend.echo('whoami'));
  metrics = new Metrics();
  gateway = await start(
    TestGateway.serving(
      {
        resources: resourcesFor(allow, filters),
        endpoints: { whoami: [whoami.endpoint], auth: [whoami.endpoint] },
      },
      { metrics, ...options },
    ),
  );
}

const get = (headers: Record<string, string> = {}) => gateway.get('a.example.com/', { headers });

it('lets in who comes from one of the networks', async () => {
  await serve(['10.0.0.0/8', '127.0.0.0/8', 'fd00::/8']);
  const { status, body } = await get();
  expect({ status, body, log: gateway.lines() }).toMatchObject({
    status: 200,
    body: 'whoami\n',
    log: [{ status: 200, path: '/' }],
  });
  expect(await metrics.text()).not.toContain('client-not-allowed');
});

it('answers 403 to who does not, and tells no backend', async () => {
  await serve(['10.0.0.0/8', 'fd00::/8']);
  expect(await get()).toMatchObject({
    status: 403,
    body: '403: this route takes no requests from your address\n',
  });
  expect(whoami.connections).toBe(0);
  expect(gateway.lines()).toMatchObject([
    { status: 403, refusal: 'client-not-allowed', client: '127.0.0.1', route: 'cart' },
  ]);
  expect(gateway.lines()[0]).not.toHaveProperty('backend');
  const text = await metrics.text();
  expect(text).toMatch(/gatewright_events_total\{[^}]*event="client-not-allowed"\} 1/);
  expect(text).toMatch(/gatewright_requests_total\{[^}]*route="shop\/cart"[^}]*code="4xx"\} 1/);
});

it('lets in nobody where there is no network', async () => {
  await serve([]);
  expect(await get()).toMatchObject({ status: 403 });
});

it('believes nothing that a client says of its address, also behind a trusted hop', async () => {
  await serve(['10.0.0.0/8'], [], { trustedHops: ['127.0.0.1'] });
  for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'true-client-ip']) {
    expect(await get({ [name]: name === 'forwarded' ? 'for=10.0.0.1' : '10.0.0.1' })).toMatchObject({
      status: 403,
    });
  }
});

it('goes before redirects and before the Services that have to allow a request', async () => {
  const redirect = { type: 'RequestRedirect', config: { status: 302, hostname: 'b.example.com' } };
  await serve([], [redirect]);
  const refused = await get();
  expect(refused.status).toBe(403);
  expect(refused.headers).not.toHaveProperty('location');
  await gateway.serve({ resources: resourcesFor([], [asking()]) });
  expect(await get()).toMatchObject({ status: 403 });
  expect(whoami.connections).toBe(0);
  await gateway.serve({ resources: resourcesFor(['127.0.0.1/32'], [redirect]) });
  expect(await get()).toMatchObject({ status: 302 });
});

it('holds for the next request of a connection that stands', async () => {
  await serve(['127.0.0.1/32']);
  const client = await RawClient.open(gateway.port());
  const request = 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n';
  client.send(request);
  await client.until('whoami\n');
  await gateway.serve({
    resources: resourcesFor(['127.0.0.2/32']),
    endpoints: { whoami: [whoami.endpoint] },
  });
  client.received = '';
  client.send(request);
  expect(await client.until('address\n')).toMatch(/^HTTP\/1\.1 403 /);
  client.destroy();
});

it('serves nothing where a network can not be read', async () => {
  const made = new TestGateway();
  await start(Promise.resolve(made));
  const { diagnostics } = await made.serve({ resources: resourcesFor(['10.0.0.0/33']) });
  expect(diagnostics).toMatchObject([{ severity: 'error' }]);
  expect(diagnostics[0]!.message).toContain('"10.0.0.0/33" is no network');
  expect(await made.get('a.example.com/')).toMatchObject({ status: 500 });
});

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = createServer().on('error', () => resolve(false));
  server.listen(0, '::', () => server.close(() => resolve(true)));
});

(hasIpv6 ? it : it.skip)('takes an IPv4 address for one where the socket says it as IPv6', async () => {
  await serve(['127.0.0.0/8'], [], { address: '::' });
  expect(await get()).toMatchObject({ status: 200 });
  await gateway.serve({ resources: resourcesFor(['::/0']), endpoints: { whoami: [whoami.endpoint] } });
  expect(await get()).toMatchObject({ status: 403 });
});
