/** Routes of teams: the objects they become. */
import { describe, expect, it } from '@jest/globals';
import { Chart } from 'cdk8s';
import { Deployment, Service } from 'cdk8s-plus-25';
import { Construct } from 'constructs';
import {
  addHeaders,
  Canary,
  canary,
  exact,
  prefix,
  redirect,
  regex,
  removeHeaders,
  removeResponseHeaders,
  replacePath,
  replacePrefix,
  rewrite,
  service,
  setHeaders,
  setResponseHeaders,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { storefront } from './storefront.ts';
import { errors, named, ofKind } from './synth.ts';

/** The rules of one route on shop.example.com. */
function rulesOf(write: (route: TeamRoute) => void) {
  const { app, chart, shopEdge } = storefront();
  const route = new TeamRoute(chart, 'cart', { on: shopEdge, hostnames: ['shop.example.com'] });
  write(route as TeamRoute);
  return named(app, 'HTTPRoute', 'cart').spec.rules;
}

const cart = service('cart', 8080);
const cartRef = { group: '', kind: 'Service', name: 'cart', port: 8080, weight: 1 };

describe('TeamRoute', () => {
  it('is an HTTPRoute in the namespace of the team, on the ListenerSet of the grant, with every default written out', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'cart', { on: shopEdge, hostnames: ['shop.example.com'] })
      .rule({ path: prefix('/cart'), headers: { 'x-tier': 'gold' } })
      .to(cart);
    expect(named(app, 'HTTPRoute', 'cart')).toEqual({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'cart', namespace: 'shop' },
      spec: {
        parentRefs: [
          {
            group: 'gateway.networking.k8s.io',
            kind: 'ListenerSet',
            name: 'shared-gw-shop',
            namespace: 'infra',
          },
        ],
        hostnames: ['shop.example.com'],
        rules: [
          {
            matches: [
              {
                path: { type: 'PathPrefix', value: '/cart' },
                headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }],
              },
            ],
            backendRefs: [cartRef],
          },
        ],
      },
    });
  });

  it('attaches to what its chart says where it says nothing, written out', () => {
    const { app, shop, shared, shopEdge } = storefront();
    const inner = shared.grant(shop, { name: 'inner', hostnames: ['shop.internal'] });
    const chart = new TeamChart(app, 'more', { team: shop, on: shopEdge });
    new TeamRoute(chart, 'a', { hostnames: ['a.shop.example.com'] }).rule().to(cart);
    new TeamRoute(chart, 'b', { on: inner }).rule().to(cart);
    const parentOf = (name: string) => named(app, 'HTTPRoute', name).spec.parentRefs;
    expect(parentOf('a')).toEqual([
      expect.objectContaining({ kind: 'ListenerSet', name: 'shared-gw-shop', namespace: 'infra' }),
    ]);
    expect(parentOf('b')).toEqual([expect.objectContaining({ name: 'shared-gw-shop-inner' })]);
    // biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
    type Any = any;
    new TeamRoute(new Construct(chart, 'page') as Any, 'c', {
      on: undefined,
      hostnames: ['x.example.com'],
    } as Any)
      .rule()
      .to(cart);
    new TeamRoute(new TeamChart(app, 'none', { team: shop }), 'd', {} as Any).rule().to(cart);
    expect(errors(app)).toEqual([
      expect.stringMatching(/^\[more\/page\/c\] hostnames\[0\]: hostname x\.example\.com is outside grant/),
      '[none/d] a route attaches to a grant, not to undefined: use gateway.grant(team, { hostnames })',
    ]);
    expect(() => Object.assign(chart, { on: inner })).toThrow(TypeError);
  });

  it('serves every hostname of the grant where it names none', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'all', { on: shopEdge }).rule().to(cart);
    expect(named(app, 'HTTPRoute', 'all').spec.hostnames).toEqual(['shop.example.com', '*.shop.example.com']);
  });

  it('leaves the hostnames to the listeners where the grant has more than a route has room for', () => {
    const { app, shop, shared, chart } = storefront();
    const hostnames = Array.from({ length: 17 }, (_, index) => `h${index}.example.com`);
    const many = shared.grant(shop, { name: 'many', hostnames });
    new TeamRoute(chart, 'all', { on: many }).rule().to(cart);
    expect(named(app, 'HTTPRoute', 'all').spec.hostnames).toBeUndefined();
    new TeamRoute(chart, 'named', { on: many, hostnames }).rule({ path: exact('/named') }).to(cart);
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[shop\/named\] HTTPRoute\/shop\/named spec\.hostnames: .*at most 16 entries, this has 17/,
      ),
    ]);
  });

  it('attaches to several grants, each of which has one of its hostnames', () => {
    const { app, shop, shared, shopEdge, chart } = storefront();
    const inner = shared.grant(shop, { name: 'inner', hostnames: ['shop.internal'] });
    new TeamRoute(chart, 'cart', { on: [shopEdge, inner], hostnames: ['shop.example.com', 'shop.internal'] })
      .rule()
      .to(cart);
    const { parentRefs } = named(app, 'HTTPRoute', 'cart').spec;
    expect(parentRefs.map(({ name }: { name: string }) => name)).toEqual([
      'shared-gw-shop',
      'shared-gw-shop-inner',
    ]);
    new TeamRoute(chart, 'half', { on: [shopEdge, inner], hostnames: ['shop.example.com'] }).rule().to(cart);
    expect(errors(app)).toEqual([
      '[shop/half] none of the hostnames shop.example.com is one of grant platform/shared-gw/inner (granted: shop.internal)',
    ]);
  });

  it('attaches to some of the listeners, by section', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'to-https', { on: shopEdge, hostnames: ['shop.example.com'], listeners: ['web'] })
      .rule()
      .to(redirect({ scheme: 'https', status: 301 }));
    expect(named(app, 'HTTPRoute', 'to-https').spec.parentRefs).toEqual([
      expect.objectContaining({ kind: 'ListenerSet', sectionName: 'web.shop.example.com' }),
    ]);
  });

  it('attaches to open listeners from the namespace of its chart', () => {
    const { app, platform, chart, shared } = storefront();
    new TeamRoute(chart, 'lobby', { on: shared.listener('lobby') }).rule().to(cart);
    new TeamRoute(platform, 'house', { on: shared.listener('house') }).rule().to(cart);
    expect(
      ofKind(app, 'HTTPRoute').map(({ metadata, spec }) => [
        metadata,
        spec.hostnames,
        spec.parentRefs[0].sectionName,
      ]),
    ).toEqual([
      [{ name: 'house', namespace: 'infra' }, ['house.example.com'], 'house'],
      [{ name: 'lobby', namespace: 'shop' }, ['lobby.example.com'], 'lobby'],
    ]);
  });

  it('takes a hostname known only at run time, once the grant has seen it', () => {
    const { app, chart, shopEdge } = storefront();
    const host: string = 'a.shop.example.com';
    new TeamRoute(chart, 'cart', { on: shopEdge, hostnames: [shopEdge.hostname(host)] }).rule().to(cart);
    expect(named(app, 'HTTPRoute', 'cart').spec.hostnames).toEqual(['a.shop.example.com']);
    expect(() => shopEdge.hostname('media.example.com')).toThrow(
      'hostname media.example.com is outside grant platform/shared-gw/shop (granted: shop.example.com, *.shop.example.com)',
    );
  });

  it('can stand in a plain chart, in the namespace of the grant', () => {
    const { app, shopEdge } = storefront();
    new TeamRoute(new Chart(app, 'plain'), 'cart', { on: shopEdge }).rule().to(cart);
    expect(named(app, 'HTTPRoute', 'cart').metadata.namespace).toBe('shop');
  });

  it('is made of the same bytes every time', () => {
    const once = () => {
      const { app, chart, shopEdge } = storefront();
      const route = new TeamRoute(chart, 'cart', { on: shopEdge });
      for (let index = 0; index < 40; index++) route.rule({ path: exact(`/${index}`) }).to(cart);
      return [app.synthYaml(), app.synthYaml()];
    };
    const [first, second] = once();
    expect(second).toBe(first);
    expect(once()[0]).toBe(first);
    const headers = (values: Record<string, string>) =>
      rulesOf((route) => route.rule({ headers: values }).to(cart));
    expect(headers({ b: '1', a: '2' })).toEqual(headers({ a: '2', b: '1' }));
  });
});

describe('rules', () => {
  it('match by path, headers, query and method, and by any of several', () => {
    const [rule] = rulesOf((route) =>
      route
        .rule({
          name: 'search',
          path: exact('/search'),
          method: 'GET',
          headers: { 'X-Tier': regex('gold|silver') },
          query: { q: regex('.+'), page: '1' },
        })
        .or({ path: regex('/find/[a-z]+') })
        .to(cart),
    );
    expect(rule).toEqual({
      name: 'search',
      matches: [
        {
          path: { type: 'Exact', value: '/search' },
          method: 'GET',
          headers: [{ name: 'X-Tier', type: 'RegularExpression', value: 'gold|silver' }],
          queryParams: [
            { name: 'page', type: 'Exact', value: '1' },
            { name: 'q', type: 'RegularExpression', value: '.+' },
          ],
        },
        { path: { type: 'RegularExpression', value: '/find/[a-z]+' } },
      ],
      backendRefs: [cartRef],
    });
  });

  it('take every request without conditions', () => {
    expect(rulesOf((route) => route.rule().to(cart))[0].matches).toEqual([
      { path: { type: 'PathPrefix', value: '/' } },
    ]);
  });

  it('send to Services by name and weight, and to Services of cdk8s-plus', () => {
    const { app, chart, shopEdge } = storefront();
    const deployment = new Deployment(chart, 'app', { containers: [{ image: 'app', portNumber: 9000 }] });
    const exposed = deployment.exposeViaService({ name: 'exposed' });
    const other = new Service(chart, 'other', {
      metadata: { name: 'other' },
      ports: [{ port: 81 }, { port: 82, name: 'b' }],
    });
    const route = new TeamRoute(chart, 'cart', { on: shopEdge });
    route.rule().to(service('named', 80, { weight: 3 }), exposed, service(other, { port: 82, weight: 0 }));
    expect(named(app, 'HTTPRoute', 'cart').spec.rules[0].backendRefs).toEqual([
      { group: '', kind: 'Service', name: 'named', port: 80, weight: 3 },
      { group: '', kind: 'Service', name: 'exposed', port: 9000, weight: 1 },
      { group: '', kind: 'Service', name: 'other', port: 82, weight: 0 },
    ]);
  });

  it('name the namespace of a backend only where it is another one', () => {
    const backends = rulesOf((route) =>
      route
        .rule()
        .to(
          service('own', 80, { namespace: 'shop' }),
          service('other', 80, { namespace: 'media', lent: true }),
        ),
    )[0].backendRefs;
    expect(backends.map(({ namespace }: { namespace?: string }) => namespace)).toEqual([undefined, 'media']);
  });

  it('split between stable and canary, inline or declared once', () => {
    const { app, chart, shopEdge } = storefront();
    const whoami = new Canary(chart, 'rollout', {
      stable: service('whoami', 80),
      canary: service('nginx', 80),
      weights: [9, 1],
    });
    const route = new TeamRoute(chart, 'cart', { on: shopEdge });
    route
      .rule({ path: exact('/a') })
      .to(canary({ stable: service('whoami', 80), canary: service('nginx', 80), weights: [3, 1] }));
    route.rule({ path: exact('/b') }).to(whoami);
    route.rule({ path: exact('/c') }).to(whoami);
    const shares = named(app, 'HTTPRoute', 'cart').spec.rules.map(({ backendRefs }: never) =>
      (backendRefs as { name: string; weight: number }[]).map(({ name, weight }) => `${name}:${weight}`),
    );
    expect(shares).toEqual([
      ['whoami:3', 'nginx:1'],
      ['whoami:9', 'nginx:1'],
      ['whoami:9', 'nginx:1'],
    ]);
  });

  it('filter: the header modifiers of one direction become one, as the API wants it', () => {
    const [rule] = rulesOf((route) =>
      route
        .rule({
          path: prefix('/cart'),
          filters: [
            setHeaders({ 'x-b': '1', 'x-a': '2' }),
            addHeaders({ 'x-c': '3' }),
            removeHeaders('x-d', 'x-e'),
            setResponseHeaders({ 'x-f': '4' }),
            removeResponseHeaders('server'),
            rewrite({ hostname: 'cart.internal', path: replacePrefix('/') }),
          ],
        })
        .to(service('cart', 8080, { filters: [setHeaders({ 'x-g': '5' })] })),
    );
    expect(rule.filters).toEqual([
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: {
          set: [
            { name: 'x-a', value: '2' },
            { name: 'x-b', value: '1' },
          ],
          add: [{ name: 'x-c', value: '3' }],
          remove: ['x-d', 'x-e'],
        },
      },
      {
        type: 'ResponseHeaderModifier',
        responseHeaderModifier: { set: [{ name: 'x-f', value: '4' }], remove: ['server'] },
      },
      {
        type: 'URLRewrite',
        urlRewrite: {
          hostname: 'cart.internal',
          path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' },
        },
      },
    ]);
    expect(rule.backendRefs[0].filters).toEqual([
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-g', value: '5' }] } },
    ]);
  });

  it('redirect in place of a backend', () => {
    const [rule] = rulesOf((route) =>
      route.rule().to(redirect({ hostname: 'new.example.com', path: replacePath('/') })),
    );
    expect(rule.backendRefs).toBeUndefined();
    expect(rule.filters).toEqual([
      {
        type: 'RequestRedirect',
        requestRedirect: {
          hostname: 'new.example.com',
          path: { type: 'ReplaceFullPath', replaceFullPath: '/' },
          statusCode: 302,
        },
      },
    ]);
  });

  it('may be any number: the HTTPRoutes that they need come before the one that loses rules to them', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'cart', { on: shopEdge });
    const add = (from: number, to: number) => {
      for (let index = from; index < to; index++) route.rule({ path: exact(`/${index}`) }).to(cart);
    };
    const names = () => ofKind(app, 'HTTPRoute').map(({ metadata }) => metadata.name);
    add(0, 16);
    expect(names()).toEqual(['cart']);
    add(16, 60);
    const all = ofKind(app, 'HTTPRoute');
    expect(all.flatMap(({ spec }) => spec.rules)).toHaveLength(60);
    for (const { metadata, spec } of all) {
      expect(metadata.name).toMatch(/^cart(-[01]+)?$/);
      expect(spec.rules.length).toBeLessThanOrEqual(16);
      expect(spec.parentRefs).toEqual(all[0]!.spec.parentRefs);
    }
    expect(names()).toContain('cart');
    const written = [...app.synthYaml().matchAll(/kind: HTTPRoute\nmetadata:\n {2}name: (\S+)/g)].map(
      ([, name]) => name,
    );
    expect(written.at(-1)).toBe('cart');
    expect([...written].sort()).toEqual([...names()].sort());
  });
});
