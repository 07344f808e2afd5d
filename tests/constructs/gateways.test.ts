/** Shared and dedicated gateways: which listeners they have, and who is let in. */
import { describe, expect, it } from '@jest/globals';
import { App, Chart } from 'cdk8s';
import {
  allNamespaces,
  DedicatedGateway,
  GatewayRuntime,
  http,
  https,
  namespacesWith,
  PlatformChart,
  SharedGateway,
  sameNamespace,
  secretRef,
  service,
  Team,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { errors, named, objects, ofKind, warnings } from './synth.ts';

function platformOf() {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  return { app, platform, shop: new Team(platform, 'shop'), media: new Team(platform, 'media') };
}
const web = { listeners: { web: http(80) } };
const both = { listeners: { web: http(80), secure: https(443, secretRef('wildcard')) } };

const onlyNamespace = (name: string) => ({
  from: 'Selector',
  selector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

describe('SharedGateway', () => {
  it('admits nobody but its own namespace at its own listeners', () => {
    const { app, platform } = platformOf();
    new SharedGateway(platform, 'shared-gw', both);
    const { metadata, spec } = named(app, 'Gateway', 'shared-gw');
    expect(metadata.namespace).toBe('infra');
    expect(spec.gatewayClassName).toBe('gatewright');
    expect(spec.allowedListeners).toBeUndefined();
    expect(spec.listeners.map(({ name, allowedRoutes }: never) => ({ name, allowedRoutes }))).toEqual([
      { name: 'web', allowedRoutes: { namespaces: { from: 'Same' } } },
      { name: 'secure', allowedRoutes: { namespaces: { from: 'Same' } } },
    ]);
  });

  it('gives each team a ListenerSet with one listener for each hostname, open to that team and kind alone', () => {
    const { app, platform, shop, media } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', both);
    shared.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
    shared.grant(media, {
      hostnames: ['media.example.com'],
      kinds: ['HTTPRoute', 'GRPCRoute'],
      listeners: ['secure'],
    });

    expect(named(app, 'Gateway', 'shared-gw').spec.allowedListeners).toEqual({
      namespaces: { from: 'Same' },
    });
    const { metadata, spec } = named(app, 'ListenerSet', 'shared-gw-shop');
    expect(metadata).toEqual({
      name: 'shared-gw-shop',
      namespace: 'infra',
      labels: { 'gatewright.dev/team': 'shop' },
      annotations: { 'gatewright.dev/granted-listeners': '*' },
    });
    expect(spec.parentRef).toMatchObject({ kind: 'Gateway', name: 'shared-gw' });
    expect(spec.listeners.map(({ name, hostname, port }: never) => [name, hostname, port])).toEqual([
      ['web.shop.example.com', 'shop.example.com', 80],
      ['web-any.shop.example.com', '*.shop.example.com', 80],
      ['secure.shop.example.com', 'shop.example.com', 443],
      ['secure-any.shop.example.com', '*.shop.example.com', 443],
    ]);
    for (const { allowedRoutes } of spec.listeners) {
      expect(allowedRoutes).toEqual({
        namespaces: onlyNamespace('shop'),
        kinds: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }],
      });
    }
    const [secure, ...others] = named(app, 'ListenerSet', 'shared-gw-media').spec.listeners;
    expect(others).toEqual([]);
    expect(secure.tls).toEqual({
      mode: 'Terminate',
      certificateRefs: [{ group: '', kind: 'Secret', name: 'wildcard' }],
    });
    expect(secure.allowedRoutes.kinds.map((each: { kind: string }) => each.kind)).toEqual([
      'HTTPRoute',
      'GRPCRoute',
    ]);
    expect(warnings(app).join()).toContain('found GRPCRoute');
  });

  it('leaves the objects of others as they are when a team is added', () => {
    const build = (withMedia: boolean) => {
      const { app, platform, shop, media } = platformOf();
      const shared = new SharedGateway(platform, 'shared-gw', both);
      shared.grant(shop, { hostnames: ['shop.example.com'] });
      if (withMedia) shared.grant(media, { hostnames: ['media.example.com'] });
      return objects(app).map((object) => JSON.stringify(object));
    };
    const [before, after] = [build(false), build(true)];
    expect(after.filter((each) => before.includes(each))).toEqual(before);
    // The ListenerSet, the Grant, its binding to the policy of the gateway, and the right to attach.
    expect(after).toHaveLength(before.length + 4);
  });

  it('writes the listeners of teams into the Gateway where it is told to, and names them in parentRefs', () => {
    const { app, platform, shop } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', { ...both, teamListeners: 'gateway' });
    const edge = shared.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
    const chart = new TeamChart(app, 'shop', { team: shop });
    new TeamRoute(chart, 'cart', { on: edge, hostnames: ['shop.example.com'] })
      .rule()
      .to(service('cart', 80));

    expect(ofKind(app, 'ListenerSet')).toEqual([]);
    const { spec } = named(app, 'Gateway', 'shared-gw');
    expect(spec.allowedListeners).toBeUndefined();
    expect(spec.listeners.map(({ name }: { name: string }) => name)).toEqual([
      'web',
      'secure',
      'web.shop.example.com',
      'web-any.shop.example.com',
      'secure.shop.example.com',
      'secure-any.shop.example.com',
    ]);
    expect(named(app, 'HTTPRoute', 'cart').spec.parentRefs).toEqual(
      ['web.shop.example.com', 'secure.shop.example.com'].map((sectionName) => ({
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        name: 'shared-gw',
        namespace: 'infra',
        sectionName,
      })),
    );
  });

  it('refuses a 65th listener in the Gateway, and in a ListenerSet', () => {
    const hostnames = (count: number) => Array.from({ length: count }, (_, index) => `h${index}.example.com`);
    const inGateway = platformOf();
    const one = new SharedGateway(inGateway.platform, 'one', { ...web, teamListeners: 'gateway' });
    one.grant(inGateway.shop, { hostnames: hostnames(63) });
    expect(errors(inGateway.app)).toEqual([]);
    one.grant(inGateway.media, { hostnames: ['media.example.com'] });
    expect(errors(inGateway.app)).toEqual([
      "[platform/one] the Gateway would have 65 listeners, and an object holds 64: leave teamListeners at 'listener-set', so that each team gets an object of its own",
    ]);
    const inSet = platformOf();
    new SharedGateway(inSet.platform, 'two', both).grant(inSet.shop, { hostnames: hostnames(33) });
    expect(errors(inSet.app)).toEqual([
      '[platform/two/shop] 33 hostnames at 2 listeners are 66 entries, and a ListenerSet holds 64: grant them in several grants, each with a name',
    ]);
  });

  it('opens listeners to namespaces without a grant', () => {
    const { app, platform } = platformOf();
    new SharedGateway(platform, 'shared-gw', {
      listeners: {
        all: http(80, { routes: allNamespaces() }),
        some: http(80, { hostname: 'some.example.com', routes: namespacesWith({ partner: 'yes' }) }),
        own: http(80, { hostname: 'own.example.com', routes: sameNamespace() }),
      },
    });
    const { listeners } = named(app, 'Gateway', 'shared-gw').spec;
    expect(
      listeners.map(({ allowedRoutes }: never) => (allowedRoutes as { namespaces: object }).namespaces),
    ).toEqual([
      { from: 'All' },
      { from: 'Selector', selector: { matchLabels: { partner: 'yes' } } },
      { from: 'Same' },
    ]);
  });

  it('asks for a name where a team gets a second grant', () => {
    const { app, platform, shop } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', web);
    shared.grant(shop, { hostnames: ['shop.example.com'] });
    expect(() => shared.grant(shop, { hostnames: ['store.example.com'] })).toThrow(
      "platform/shared-gw has a grant shop already: give this one a name, grant(team, { name: 'store', hostnames: [...] })",
    );
    shared.grant(shop, { name: 'store', hostnames: ['store.example.com'] });
    expect(ofKind(app, 'ListenerSet').map(({ metadata }) => metadata.name)).toEqual([
      'shared-gw-shop',
      'shared-gw-shop-store',
    ]);
  });

  it('keeps names of objects within 253 characters, and tells long ones apart', () => {
    const { app, platform, shop } = platformOf();
    const long = `g${'o'.repeat(245)}gle`;
    const shared = new SharedGateway(platform, long, web);
    shared.grant(shop, { name: 'one', hostnames: ['one.example.com'] });
    shared.grant(shop, { name: 'two', hostnames: ['two.example.com'] });
    const names = ofKind(app, 'ListenerSet').map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^goo[a-z0-9-]{200,250}$/);
  });

  it('takes a class by name, from a runtime, or one of several of a runtime', () => {
    const { app, platform } = platformOf();
    const runtime = new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
      image: 'gatewright:1',
      classes: { fast: {}, internal: {} },
    });
    new SharedGateway(platform, 'a', { ...web, class: 'other' });
    new SharedGateway(platform, 'b', { ...web, class: runtime });
    new SharedGateway(platform, 'c', { ...web, class: runtime.class('internal') });
    expect(ofKind(app, 'Gateway').map(({ spec }) => spec.gatewayClassName)).toEqual([
      'other',
      'fast',
      'internal',
    ]);
  });

  it('shares its namespace with no team, since its own listeners admit that namespace', () => {
    const { app, platform, shop } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', { ...web, namespace: 'shop' });
    const problem = (team: string) =>
      `[platform/shared-gw] team ${team} lives in namespace shop, which the gateway's own listeners admit at every hostname: put the gateway into a namespace without teams`;
    expect(errors(app)).toEqual([problem('shop')]);
    shared.grant({ name: 'elsewhere', namespace: 'shop' }, { hostnames: ['e.example.com'] });
    shared.grant(shop, { hostnames: ['shop.example.com'] });
    expect(errors(app)).toEqual([problem('shop'), problem('elsewhere')]);
  });

  it('has a name that an object can have', () => {
    const { app, platform } = platformOf();
    new SharedGateway(platform, 'Shared GW', web);
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[platform\/Shared GW\] Gateway "Shared GW": the name of an object has lower-case/,
      ),
    ]);
  });

  it('refuses in plain JavaScript what the compiler refuses', () => {
    const { app, platform, shop } = platformOf();
    const chart = new TeamChart(app, 'shop-chart', { team: shop });
    new SharedGateway(chart as never, 'mine', web);
    const shared = new SharedGateway(platform, 'shared-gw', {
      listeners: { ...web.listeners, 'not.a.label': http(81), lobby: http(82, { routes: allNamespaces() }) },
    });
    shared.grant(shop, { hostnames: ['shop.example.com'], listeners: ['lobby', '__proto__'] as never });
    for (const name of ['web', '__proto__']) {
      expect(() => shared.listener(name as never)).toThrow(
        `listener ${name} of platform/shared-gw is not open to namespaces: use grant(team, { hostnames }), or give it routes`,
      );
    }
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[platform\/shared-gw\] listener "not\.a\.label": a name has lower-case letters/,
      ),
      '[platform/shared-gw/shop] listener lobby is not one that platform/shared-gw grants (it has: web, not.a.label)',
      '[platform/shared-gw/shop] listener __proto__ is not one that platform/shared-gw grants (it has: web, not.a.label)',
      '[shop-chart/mine] a gateway is made by the platform, and this chart belongs to team shop: make it in another chart and grant the team its hostnames',
    ]);
  });
});

describe('DedicatedGateway', () => {
  it('has the listeners of one team alone', () => {
    const { app, platform, shop } = platformOf();
    new DedicatedGateway(platform, 'dedicated-gw', { ...both, team: shop, hostnames: ['shop.example.com'] });
    const { spec } = named(app, 'Gateway', 'dedicated-gw');
    expect(spec.allowedListeners).toBeUndefined();
    expect(spec.listeners.map(({ name, hostname }: never) => [name, hostname])).toEqual([
      ['web.shop.example.com', 'shop.example.com'],
      ['secure.shop.example.com', 'shop.example.com'],
    ]);
    for (const { allowedRoutes } of spec.listeners)
      expect(allowedRoutes.namespaces).toEqual(onlyNamespace('shop'));
  });

  it('refuses a route of another team, and another host, in plain JavaScript', () => {
    const { app, platform, shop, media } = platformOf();
    const edge = new DedicatedGateway(platform, 'dedicated-gw', {
      ...web,
      team: shop,
      hostnames: ['shop.example.com'],
    });
    const other = new TeamRoute(new TeamChart(app, 'media', { team: media }), 'site', { on: edge as never });
    other.rule().to(service('site', 80));
    const own = new TeamRoute(new TeamChart(app, 'shop', { team: shop }), 'cart', {
      on: edge,
      hostnames: ['media.example.com'] as never,
    });
    own.rule().to(service('cart', 80));
    expect(errors(app)).toEqual([
      '[media/site] dedicated gateway platform/dedicated-gw is for team shop, this chart belongs to team media. Missing: a grant of hostname shop.example.com at gateway infra/dedicated-gw to team media',
      '[shop/cart] hostnames[0]: hostname media.example.com is outside dedicated gateway platform/dedicated-gw (granted: shop.example.com). Missing: a grant of hostname media.example.com at gateway infra/dedicated-gw to team shop',
    ]);
  });
});

describe('overlapping grants', () => {
  function twoGrants(first: string, second: string) {
    const made = platformOf();
    const shared = new SharedGateway(made.platform, 'shared-gw', web);
    const outer = shared.grant(made.shop, { hostnames: [first] });
    return { ...made, shared, outer, second };
  }

  it('of the same hostname are refused', () => {
    const { app, shared, media, second } = twoGrants('a.example.com', 'a.example.com');
    shared.grant(media, { hostnames: [second] });
    expect(errors(app)).toEqual([
      '[platform/shared-gw/media] grants a.example.com to team media, and platform/shared-gw/shop grants a.example.com to team shop: ' +
        'both would get requests such as GET http://a.example.com/. Grant a hostname once.',
    ]);
  });

  it.each([
    ['*.example.com', 'media.example.com', 'http://media.example.com/'],
    ['media.example.com', '*.example.com', 'http://media.example.com/'],
    ['*.example.com', '*.media.example.com', 'http://www.media.example.com/'],
  ])('of %s and %s are refused unless nested on purpose', (first, second, request) => {
    const { app, shared, media, outer } = twoGrants(first, second);
    shared.grant(media, { hostnames: [second] });
    expect(errors(app)).toEqual([
      expect.stringContaining(`both would get requests such as GET ${request}. Say nestedIn`),
    ]);
    const nested = twoGrants(first, second);
    nested.shared.grant(nested.media, { hostnames: [second], nestedIn: nested.outer });
    expect(errors(nested.app)).toEqual([]);
    expect(outer.hostnames).toEqual([first]);
  });

  it('at different listeners, of one team, or of hostnames that only look alike are taken', () => {
    const { app, platform, shop, media } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', both);
    shared.grant(shop, { hostnames: ['a.example.com'], listeners: ['web'] });
    shared.grant(media, { hostnames: ['a.example.com'], listeners: ['secure'] });
    shared.grant(shop, { name: 'wild', hostnames: ['*.b.example.com'] });
    shared.grant(shop, { name: 'narrow', hostnames: ['c.b.example.com'] });
    shared.grant(media, { name: 'apex', hostnames: ['b.example.com', 'xb.example.com'] });
    expect(errors(app)).toEqual([]);
  });

  it('with an open listener of the same port are a warning: it takes a granted hostname from the team', () => {
    const { app, platform, shop } = platformOf();
    const routes = allNamespaces();
    const shared = new SharedGateway(platform, 'shared-gw', {
      listeners: {
        web: http(80),
        lobby: http(80, { hostname: 'lobby.shop.example.com', routes }),
        other: http(81, { hostname: 'other.shop.example.com', routes }),
        any: http(81, { routes }),
      },
    });
    shared.grant(shop, { hostnames: ['*.shop.example.com'] });
    expect(warnings(app)).toEqual([
      '[platform/shared-gw/shop] grants *.shop.example.com to team shop, and listener lobby of platform/shared-gw takes ' +
        'lobby.shop.example.com out of it for routes of other namespaces. Fix: give that listener a hostname that is granted to nobody.',
    ]);
  });

  it('nested on purpose need listeners that are kept apart, and a class of others may not do that', () => {
    const { app, platform, shop, media } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', { ...web, class: 'nginx' });
    const outer = shared.grant(shop, { hostnames: ['*.example.com'] });
    shared.grant(media, { hostnames: ['media.example.com'], nestedIn: outer });
    expect(warnings(app)).toEqual([
      '[platform/shared-gw/media] lies inside platform/shared-gw/shop, so class nginx must keep listeners apart (feature GatewayHTTPListenerIsolation): ' +
        'else routes of team shop get requests for media.example.com.',
    ]);
  });
});
