/** What synth finds in the objects of an app together: by construct path, with both sides and an example request. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { ApiObject, App, Chart, Include, Testing } from 'cdk8s';
import { Service } from 'cdk8s-plus-25';
import {
  allNamespaces,
  exact,
  http,
  https,
  objectsOf,
  PlatformChart,
  prefix,
  ReferenceGrant,
  regex,
  SharedGateway,
  SynthError,
  sameNamespace,
  secretRef,
  service,
  strict,
  synthesize,
  Team,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { errors, named, warnings } from './synth.ts';

const scratch = mkdtempSync(join(tmpdir(), 'gatewright-checks-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function storefront(app = new App()) {
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop');
  const media = new Team(platform, 'media');
  const shared = new SharedGateway(platform, 'shared-gw', {
    listeners: {
      web: http(80),
      lobby: http(80, { hostname: 'lobby.example.com', routes: allNamespaces() }),
      house: http(80, { hostname: 'house.example.com', routes: sameNamespace() }),
    },
  });
  const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  const mediaChart = new TeamChart(app, 'media', { team: media });
  const serviceOf = (scope: Chart, name: string) =>
    new Service(scope, `${name}-service`, { metadata: { name }, ports: [{ port: 80 }] });
  return {
    app,
    platform,
    shop,
    media,
    shared,
    shopEdge,
    chart,
    mediaChart,
    cart: serviceOf(chart, 'cart'),
    page: serviceOf(mediaChart, 'page'),
  };
}

describe('references', () => {
  it('to a Service that is nowhere in the app are a warning: it may be in the cluster', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'r', { on: shopEdge });
    route.rule({ path: exact('/a') }).to(service('elsewhere', 80));
    route.rule({ path: exact('/b') }).to(service('elsewhere', 80));
    expect(warnings(app)).toEqual([
      '[shop/r] HTTPRoute/shop/r spec.rules[0].backendRefs[0] and 1 more: Service shop/elsewhere does not exist. ' +
        'Fix: create it, or correct the name or namespace, unless the cluster has it already. Example: GET http://shop.example.com/a.',
    ]);
  });

  it('to a port that a Service of the app does not have are an error that names both', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'r', { on: shopEdge }).rule().to(service('cart', 81));
    expect(errors(app)).toEqual([
      '[shop/r] HTTPRoute/shop/r spec.rules[0].backendRefs[0]: Service shop/cart has no TCP port 81; it has 80/TCP. ' +
        'Fix: set port to 80. See Service/shop/cart (shop/cart-service). Example: GET http://shop.example.com/.',
    ]);
  });

  it('to a Service of another team need its ReferenceGrant', () => {
    const { app, chart, shopEdge, page, mediaChart, shop } = storefront();
    new TeamRoute(chart, 'r', { on: shopEdge }).rule().to(page);
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[shop\/r\] HTTPRoute\/shop\/r .*ReferenceGrant.* See Service\/media\/page \(media\/page-service\)\. Example: GET http:\/\/shop\.example\.com\/\.$/,
      ),
    ]);
    new ReferenceGrant(mediaChart, 'page-for-shop', { from: shop, to: page });
    expect(errors(app)).toEqual([]);
    expect(named(app, 'ReferenceGrant', 'page-for-shop')).toMatchObject({
      metadata: { namespace: 'media' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
        to: [{ group: '', kind: 'Service', name: 'page' }],
      },
    });
  });

  it('to certificates are no finding, and those of another namespace need a ReferenceGrant for gateway and grants', () => {
    const { app, platform, shop, media } = storefront();
    const wildcard = secretRef('wildcard', { namespace: 'certificates' });
    const secure = new SharedGateway(platform, 'secure-gw', {
      listeners: { own: https(443, secretRef('own')), other: https(8443, wildcard) },
    });
    secure.grant(shop, { hostnames: ['shop.example.com'] });
    expect(warnings(app).filter((line) => !line.includes('ReferenceGrant'))).toEqual([]);
    expect(warnings(app).map((line) => line.split(' ')[0])).toEqual([
      '[platform/secure-gw]',
      '[platform/secure-gw/shop]',
    ]);
    new ReferenceGrant(platform, 'certificates', {
      namespace: 'certificates',
      from: [secure, media],
      to: wildcard,
    });
    expect(warnings(app)).toEqual([]);
    expect(
      named(app, 'ReferenceGrant', 'certificates').spec.from.map(({ kind, namespace }: never) => [
        kind,
        namespace,
      ]),
    ).toEqual([
      ['Gateway', 'infra'],
      ['ListenerSet', 'infra'],
      ['HTTPRoute', 'media'],
    ]);
  });
});

describe('attachment', () => {
  it('to a listener that does not admit the namespace is a warning with the reason', () => {
    const { app, mediaChart, shared, page } = storefront();
    new TeamRoute(mediaChart, 'r', { on: shared.listener('house') }).rule().to(page);
    expect(warnings(app)).toEqual([
      expect.stringMatching(
        /^\[media\/r\] HTTPRoute\/media\/r spec\.parentRefs\[0\]: no listener of Gateway infra\/shared-gw takes routes of namespace media \(house takes namespace infra only\)\. Fix: .* See Gateway\/infra\/shared-gw \(platform\/shared-gw\)\. Example: GET http:\/\/house\.example\.com\/\.$/,
      ),
    ]);
  });

  it('of objects that no construct of ours made is checked too', () => {
    const { app, chart } = storefront();
    new ApiObject(chart, 'by-hand', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'by-hand' },
      spec: {
        parentRefs: [{ kind: 'ListenerSet', namespace: 'infra', name: 'shared-gw-shop' }],
        hostnames: ['media.example.com'],
        rules: [{ backendRefs: [{ name: 'cart', port: 80 }] }],
      },
    });
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[shop\/by-hand\] HTTPRoute\/shop\/by-hand spec\.hostnames\[0\]: hostname media\.example\.com is outside grant platform\/shared-gw\/shop/,
      ),
    ]);
  });
});

describe('what serves nothing', () => {
  it('is a warning: a route by hand without parentRefs, and a rule whose weights sum to 0', () => {
    const { app, chart, shopEdge } = storefront();
    new ApiObject(chart, 'by-hand', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'by-hand' },
      spec: { rules: [{ backendRefs: [{ name: 'cart', port: 80 }] }] },
    });
    const off = service('cart', 80, { weight: 0 });
    new TeamRoute(chart, 'off', { on: shopEdge }).rule().to(off, off);
    expect(warnings(app)).toEqual([
      '[shop/off] spec.rules[0] (prefix /): the weights of its backends sum to 0, so every request gets a 500: give one of them a weight',
      '[shop/by-hand] HTTPRoute/shop/by-hand spec.parentRefs: found no parentRef, so the route attaches to nothing. Fix: name the Gateway or ListenerSet that it attaches to. Example: GET http://any.example/.',
    ]);
  });
});

describe('rules that are never reached', () => {
  it('are told with both constructs, the reason, and a request', () => {
    const { app, chart, shopEdge, cart } = storefront();
    const first = new TeamRoute(chart, 'a', { on: shopEdge, hostnames: ['shop.example.com'] });
    first.rule({ name: 'gold', path: prefix('/cart'), headers: { 'x-tier': 'gold' } }).to(cart);
    const second = new TeamRoute(chart, 'b', { on: shopEdge, hostnames: ['shop.example.com'] });
    second.rule({ path: exact('/other') }).to(cart);
    second.rule({ path: prefix('/cart'), headers: { 'x-tier': 'gold' } }).to(cart);
    expect(warnings(app)).toEqual([
      '[shop/b] spec.rules[1] of HTTPRoute/shop/b (shop/b) is never reached: spec.rules[0] (gold) of HTTPRoute/shop/a (shop/a) matches the same requests ' +
        `and goes first (the route that comes first by "namespace/name" goes first). Example: GET http://shop.example.com/cart -H 'x-tier: gold'. ` +
        'Fix: remove one of them, or tell them apart.',
    ]);
  });

  it('are told once for each pair, and under an expression for every path', () => {
    const { app, chart, shopEdge, cart } = storefront();
    const route = new TeamRoute(chart, 'a', { on: shopEdge });
    route.rule({ path: regex('/.*') }).to(cart);
    route
      .rule({ path: prefix('/a') })
      .or({ path: prefix('/b') })
      .to(cart);
    expect(warnings(app)).toEqual([
      expect.stringMatching(
        /^\[shop\/a\] spec\.rules\[1\]\.matches\[0\] of .* takes all of its requests and goes first .* Example: GET http:\/\/\S+\/a\./,
      ),
    ]);
  });

  it('between teams are an error', () => {
    const { app, chart, mediaChart, shared, cart, page } = storefront();
    new TeamRoute(chart, 'r', { on: shared.listener('lobby') }).rule().to(cart);
    new TeamRoute(mediaChart, 'r', { on: shared.listener('lobby') }).rule().to(page);
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[shop\/r\] spec\.rules\[0\] of HTTPRoute\/shop\/r \(shop\/r\) is never reached: spec\.rules\[0\] of HTTPRoute\/media\/r \(media\/r\)/,
      ),
    ]);
  });

  it('at a listener that a narrower one hides', () => {
    const { app, chart, mediaChart, shop, media, shared, cart, page } = storefront();
    const outer = shared.grant(shop, { name: 'outer', hostnames: ['*.wide.example.com'] });
    const inner = shared.grant(media, { hostnames: ['media.wide.example.com'], nestedIn: outer });
    new TeamRoute(mediaChart, 'r', { on: inner }).rule().to(page);
    new TeamRoute(chart, 'r', { on: outer, hostnames: ['media.wide.example.com'] }).rule().to(cart);
    expect(warnings(app)).toEqual([
      '[shop/r] spec.rules[0] of HTTPRoute/shop/r (shop/r) is never reached: listener web.media.wide.example.com of ListenerSet/infra/shared-gw-media ' +
        '(platform/shared-gw/media) takes hostname media.wide.example.com, and the route is not attached to it. ' +
        'Example: GET http://media.wide.example.com/. Fix: attach to that listener or drop the hostname.',
    ]);
  });
});

describe('objects', () => {
  it('that two constructs make are refused', () => {
    const { app, chart, shopEdge, cart } = storefront();
    new TeamRoute(chart, 'one', { on: shopEdge, hostnames: ['a.shop.example.com'], name: 'cart' })
      .rule()
      .to(cart);
    new TeamRoute(chart, 'two', { on: shopEdge, hostnames: ['b.shop.example.com'], name: 'cart' })
      .rule()
      .to(cart);
    expect(errors(app)).toEqual([
      '[shop/two] HTTPRoute/shop/cart is made by shop/one already. Fix: give one of them another name.',
    ]);
  });

  it('are those of nested charts and includes too, each with the path that people wrote', () => {
    const { app, chart, shopEdge, cart } = storefront();
    const file = join(scratch, 'more.yaml');
    writeFileSync(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n');
    new Include(chart, 'included', { url: file });
    new TeamRoute(new Chart(chart, 'nested', { namespace: 'shop' }), 'r', { on: shopEdge }).rule().to(cart);
    const paths = objectsOf(app).map(({ object, path }) => `${object.kind} ${path}`);
    expect(paths).toContain('HTTPRoute shop/nested/r');
    expect(paths).toContain('ListenerSet platform/shared-gw/shop');
    expect(paths).toContain('Service shop/cart-service');
    expect(paths).toContain('ConfigMap shop/included/more-configmap');
  });
});

describe('synth', () => {
  it('fails with every error, before a file is written, and prints each warning once', () => {
    const outdir = join(scratch, 'written');
    const { app, chart, shopEdge, cart } = storefront(new App({ outdir }));
    const print = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      new TeamRoute(chart, 'fine', { on: shopEdge }).rule({ path: exact('/a') }).to(service('elsewhere', 80));
      app.synthYaml();
      Testing.synth(chart);
      expect(print.mock.calls.map(([text]) => text)).toEqual([
        expect.stringMatching(/^warning \[shop\/fine\] HTTPRoute.*\n$/),
      ]);
      new TeamRoute(chart, 'port', { on: shopEdge }).rule({ path: exact('/b') }).to(service('cart', 81));
      new TeamRoute(chart, 'path', { on: shopEdge }).rule({ path: prefix('/a//b') }).to(cart);
      for (const synth of [() => app.synth(), () => app.synthYaml(), () => Testing.synth(chart)]) {
        expect(synth).toThrow(
          /Validation failed.*\n {2}\[shop\/port\] HTTPRoute.*\n {2}\[shop\/path\] HTTPRoute/,
        );
      }
      expect(readdirSync(outdir)).toEqual([]);
    } finally {
      print.mockRestore();
    }
  });

  it('forgets errors that are no more', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'r', { on: shopEdge });
    const rule = route.rule();
    rule.to(service('cart', 81));
    expect(() => app.synthYaml()).toThrow('has no TCP port 81');
    rule.to(service('cart', 80));
    expect(app.synthYaml()).toContain('port: 80');
  });

  it('takes warnings for errors where it is told to be strict', () => {
    const missing = () => {
      const { app, chart, shopEdge } = storefront();
      new TeamRoute(chart, 'r', { on: shopEdge }).rule().to(service('elsewhere', 80));
      return app;
    };
    expect(synthesize(missing()).warnings).toHaveLength(1);
    expect(() => synthesize(missing(), { strict: true })).toThrow(SynthError);
    const app = missing();
    strict(app);
    expect(() => app.synthYaml()).toThrow('[shop/r] HTTPRoute/shop/r');
  });

  it('says how many errors there are, and each with its construct', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'r', { on: shopEdge });
    expect(() => synthesize(app)).toThrow(
      new SynthError([
        {
          severity: 'error',
          path: 'shop/r',
          message: 'the route has no rule: add one with .rule({ ... }).to(...)',
        },
      ]),
    );
    expect(() => synthesize(app)).toThrow(
      'one error in the app:\n  [shop/r] the route has no rule: add one with .rule({ ... }).to(...)',
    );
  });
});
