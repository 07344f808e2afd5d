/** What the platform enforces at a gateway, what teams say of their routes, and what is refused. */
import { describe, expect, it } from '@jest/globals';
import { Duration } from 'cdk8s';
import {
  DedicatedGateway,
  type EnforcedPolicy,
  http,
  prefix,
  RoutePolicy,
  service,
  setResponseHeaders,
  TeamRoute,
} from 'gatewright';
import { storefront } from './storefront.ts';
import { errors, named, objects, ofKind } from './synth.ts';

const cart = service('cart', 8080);

function withRoute(enforced: EnforcedPolicy = {}) {
  const made = storefront();
  if (Object.keys(enforced).length > 0) made.shared.enforce(enforced);
  const route = new TeamRoute(made.chart, 'cart', { on: made.shopEdge, hostnames: ['shop.example.com'] });
  route.rule({ name: 'all' }).to(cart);
  return { ...made, route };
}

describe('a gateway', () => {
  it('has one policy with what it enforces and its defaults', () => {
    const { app, shared } = storefront();
    shared
      .enforce({
        httpsRedirect: 301,
        minTlsVersion: 'TLSv1.3',
        maxRequestBytes: 1_048_576,
        requestTimeout: Duration.seconds(90),
        responseHeaders: { set: { 'x-frame-options': 'DENY' }, remove: ['server'] },
        ipAllow: ['10.0.0.0/8'],
      })
      .defaults({ requestTimeout: { default: '10s', max: '1m' }, maxRequestBytes: { default: 1024 } });
    expect(ofKind(app, 'GatewayPolicy')).toEqual([
      {
        apiVersion: 'gatewright.dev/v1alpha1',
        kind: 'GatewayPolicy',
        metadata: { name: 'shared-gw', namespace: 'infra' },
        spec: {
          targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shared-gw' }],
          overrides: {
            httpsRedirect: { enabled: true, statusCode: 301, port: 443 },
            minTlsVersion: 'TLSv1.3',
            maxRequestBytes: 1_048_576,
            requestTimeout: '1m30s',
            responseHeaders: { set: [{ name: 'x-frame-options', value: 'DENY' }], remove: ['server'] },
            ipAllow: ['10.0.0.0/8'],
          },
          defaults: { requestTimeout: { default: '10s', max: '1m' }, maxRequestBytes: { default: 1024 } },
        },
      },
    ]);
  });

  it('has none where it says nothing, and a dedicated one may have its own', () => {
    const { app, platform, media } = storefront();
    expect(ofKind(app, 'GatewayPolicy')).toEqual([]);
    new DedicatedGateway(platform, 'own-gw', {
      team: media,
      hostnames: ['own.example.com'],
      listeners: { web: http(80) },
    }).enforce({ httpsRedirect: { port: 8443 } });
    expect(named(app, 'GatewayPolicy', 'own-gw').spec.overrides).toEqual({
      httpsRedirect: { enabled: true, statusCode: 308, port: 8443 },
    });
  });

  it.each<[string, object, string]>([
    ['an unknown name', { timeout: '1s' }, 'enforce() does not know timeout'],
    ['a value of another type', { maxRequestBytes: '1Mi' }, 'enforce() takes a number as maxRequestBytes'],
    ['no list', { ipAllow: '10.0.0.0/8' }, 'enforce() takes a list of at least one text as ipAllow'],
    ['what no field rule takes', { ipAllow: ['10.0.0.1/8'] }, 'spec.overrides.ipAllow[0]: found 10.0.0.1/8'],
    [
      'a header that frames',
      { responseHeaders: { set: { te: 'x' } } },
      'spec.overrides.responseHeaders.set[0].name',
    ],
    ['no status of a redirect', { httpsRedirect: { statusCode: 302 } }, 'takes 301 or 308 as statusCode'],
  ])('refuses %s', (_, policy, message) => {
    const { app, shared } = storefront();
    shared.enforce(policy as EnforcedPolicy);
    expect(errors(app).join('\n')).toContain(message);
  });

  it('refuses to be told the same twice', () => {
    const { app, shared } = storefront();
    shared.enforce({ requestTimeout: '1s' }).enforce({ requestTimeout: '2s', ipAllow: ['10.0.0.0/8'] });
    expect(errors(app)).toEqual([
      expect.stringContaining('[platform/shared-gw] enforce() was told requestTimeout before: say it once'),
    ]);
  });
});

describe('a policy of a team', () => {
  it('is for all rules of a route, or for one by name', () => {
    const { app, chart, route } = withRoute();
    route.policy({ requestTimeout: '5s' });
    new RoutePolicy(chart, 'upload', { route, rule: 'all', maxRequestBytes: 10 });
    expect(ofKind(app, 'RoutePolicy').map(({ metadata, spec }) => [metadata, spec])).toEqual([
      [
        { name: 'cart', namespace: 'shop' },
        {
          targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'cart' }],
          requestTimeout: '5s',
        },
      ],
      [
        { name: 'cart-all', namespace: 'shop' },
        {
          targetRefs: [
            { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'cart', sectionName: 'all' },
          ],
          maxRequestBytes: 10,
        },
      ],
    ]);
  });

  it('names every HTTPRoute that a route is written as', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'many', { on: shopEdge, hostnames: ['shop.example.com'] });
    for (let index = 0; index < 40; index++) {
      route.rule({ name: `r${index}`, path: prefix(`/p${index}`) }).to(cart);
    }
    route.policy({ requestTimeout: '5s' });
    new RoutePolicy(chart, 'one', { route, rule: 'r7', requestTimeout: '4s' });
    const all = objects(app);
    const routes = all.filter(({ kind }) => kind === 'HTTPRoute');
    const targets = (name: string) =>
      named(app, 'RoutePolicy', name)
        .spec.targetRefs.map((each: { name: string }) => each.name)
        .sort();
    expect(routes.length).toBeGreaterThan(2);
    expect(targets('many')).toEqual(routes.map(({ metadata }) => metadata.name).sort());
    const holding = routes.find(({ spec }) =>
      spec.rules.some((rule: { name: string }) => rule.name === 'r7'),
    )!;
    expect(targets('many-r7')).toEqual([holding.metadata.name]);
  });

  it.each<[string, EnforcedPolicy, (made: ReturnType<typeof withRoute>) => unknown, string]>([
    [
      'asks for more time than is enforced',
      { requestTimeout: '10s' },
      ({ route }) => route.policy({ requestTimeout: '1m' }),
      '[shop/cart/Policy] RoutePolicy/shop/cart spec.requestTimeout: found 1m, and GatewayPolicy infra/shared-gw does not let it be so',
    ],
    [
      'takes larger bodies than is enforced',
      { maxRequestBytes: 10 },
      ({ route }) => route.policy({ maxRequestBytes: 11 }),
      'spec.maxRequestBytes: found 11',
    ],
    [
      'lets in other clients than is enforced',
      { ipAllow: ['10.0.0.0/8'] },
      ({ route }) => route.policy({ ipAllow: ['10.1.0.0/16', '192.0.2.0/24'] }),
      'spec.ipAllow: found 192.0.2.0/24',
    ],
    [
      'serves without TLS where a redirect is enforced',
      { httpsRedirect: true },
      ({ route }) => route.policy({ httpsRedirect: false }),
      'spec.httpsRedirect: found no redirect',
    ],
    [
      'edits a header that is enforced',
      { responseHeaders: { set: { 'x-frame-options': 'DENY' } } },
      ({ route }) => route.policy({ responseHeaders: { remove: ['X-Frame-Options'] } }),
      'spec.responseHeaders: found x-frame-options',
    ],
    [
      'asks for more time in a rule',
      { requestTimeout: '10s' },
      ({ route }) => route.rule({ path: prefix('/slow'), timeouts: { request: '1m' } }).to(cart),
      'spec.rules[1].timeouts.request: found 1m',
    ],
    [
      'edits a header in a rule',
      { responseHeaders: { set: { 'x-frame-options': 'DENY' } } },
      ({ route }) =>
        route
          .rule({ path: prefix('/own'), filters: [setResponseHeaders({ 'x-frame-options': 'ALLOW' })] })
          .to(cart),
      'spec.rules[1].filters: found x-frame-options',
    ],
    [
      'is for no rule',
      {},
      ({ chart, route }) => new RoutePolicy(chart, 'p', { route, rule: 'none', requestTimeout: '1s' }),
      '[shop/p] route cart has no rule named none',
    ],
    ['says nothing', {}, ({ route }) => route.policy({}), 'it says nothing: give it at least one of'],
    [
      'stands elsewhere',
      {},
      ({ platform, route }) => new RoutePolicy(platform, 'p', { route, requestTimeout: '1s' }),
      'put it into the chart of the route',
    ],
  ])('is refused where it %s', (_, enforced, write, message) => {
    const made = withRoute(enforced);
    write(made);
    expect(errors(made.app).join('\n')).toContain(message);
  });

  it('is taken where it is stricter', () => {
    const made = withRoute({
      requestTimeout: '10s',
      maxRequestBytes: 10,
      ipAllow: ['10.0.0.0/8'],
      httpsRedirect: true,
    });
    made.route.policy({ requestTimeout: '10s', maxRequestBytes: 9, ipAllow: ['10.1.0.0/16'] });
    expect(errors(made.app)).toEqual([]);
  });

  it('throws where it is given no route', () => {
    const { chart } = storefront();
    expect(() => new RoutePolicy(chart, 'p', { requestTimeout: '1s' } as never)).toThrow(
      'shop/p: RoutePolicy takes a TeamRoute as route, this is undefined',
    );
  });
});
