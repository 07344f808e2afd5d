/** What a team's code, in plain JavaScript, can make of the grant that it holds: nothing but routes. */
import { describe, expect, it } from '@jest/globals';
import { DedicatedGateway, http, PlatformChart, SharedGateway, service, TeamRoute } from 'gatewright';
import { storefront } from './storefront.ts';
import { errors, named } from './synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
type Any = any;

const cart = service('cart', 8080);

describe('a grant', () => {
  it('leads to no construct, and so not to its gateway', () => {
    const { shopEdge, shared } = storefront();
    for (const each of [shopEdge, shared.listener('lobby')] as Any[]) {
      const reached = new Set<unknown>([each]);
      for (const value of reached) {
        if (typeof value !== 'object' || value === null) continue;
        for (const key of Reflect.ownKeys(value)) reached.add(Reflect.get(value, key));
      }
      expect(
        [...reached].filter((value) => typeof value === 'object' && 'node' in (value as object)),
      ).toEqual([]);
      expect(each.node).toBeUndefined();
    }
  });

  it('is not one that its constructor makes, with whatever gateway', () => {
    const { app, chart, shop, shopEdge, mediaEdge } = storefront();
    const Made = (shopEdge as Any).constructor;
    const forged = new Made({
      team: shop,
      hostnames: ['media.example.com'],
      kinds: ['HTTPRoute'],
      listeners: ['web'],
      title: 'grant platform/shared-gw/shop',
      wholeObject: true,
      places: () => (mediaEdge as Any).places(),
    });
    new TeamRoute(chart, 'r', { on: forged, hostnames: ['media.example.com'] as Any }).rule().to(cart);
    expect(errors(app)).toEqual([
      '[shop/r] a route attaches to a grant, not to an object that no grant() made: use gateway.grant(team, { hostnames })',
    ]);
  });

  it('stays what it is when its methods are replaced', () => {
    const { shopEdge, shared, platform, shop } = storefront();
    const dedicated = new DedicatedGateway(platform, 'own-gw', {
      team: shop,
      hostnames: ['own.example.com'],
      listeners: { web: http(80) },
    });
    for (const each of [shopEdge, dedicated, shared.listener('lobby')] as Any[]) {
      for (const field of ['places', 'hostname', 'team', 'hostnames', 'title'])
        expect(() => Object.assign(each, { [field]: () => [] })).toThrow(TypeError);
      if (each.team) expect(() => Object.assign(each.team, { namespace: 'infra' })).toThrow(TypeError);
    }
    expect(() => Object.assign((dedicated as Any)._specs, { web: http(9) })).toThrow(TypeError);
  });

  it('is nested only in a grant that its gateway made', () => {
    const { app, platform, shared, shop, media, shopEdge } = storefront();
    const other = new SharedGateway(platform, 'other-gw', { listeners: { web: http(81) } });
    const elsewhere = other.grant(shop, { hostnames: ['*.shop.example.com'] });
    const grant = (name: string, nestedIn: Any) =>
      shared.grant(media, { name, hostnames: [`${name}.shop.example.com`], nestedIn });
    grant('forged', { ...shopEdge });
    grant('heir', [Object.create(shopEdge)]);
    grant('elsewhere', elsewhere);
    grant('gateway', shared);
    const overlap = expect.stringContaining('Say nestedIn with the wider grant');
    const takes = 'grant() takes a grant that this gateway made as nestedIn, this is';
    expect(errors(app)).toEqual([
      expect.stringMatching(
        /^\[platform\/shared-gw\/forged\] grant\(\) takes a grant that this gateway made as nestedIn, this is \{/,
      ),
      overlap,
      expect.stringMatching(
        /^\[platform\/shared-gw\/heir\] grant\(\) takes a grant that this gateway made as nestedIn, this is /,
      ),
      overlap,
      `[platform/shared-gw/elsewhere] ${takes} grant platform/other-gw/shop`,
      overlap,
      `[platform/shared-gw/gateway] ${takes} SharedGateway platform/shared-gw`,
      overlap,
    ]);
  });
});

describe('a team', () => {
  it('keeps its name and its namespace, and a chart its team', () => {
    const { app, shop, media, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'r', { on: shopEdge }).rule().to(cart);
    expect(() => Object.assign(shop, { namespace: 'infra' })).toThrow(TypeError);
    expect(() => Object.assign(shop, { name: 'media' })).toThrow(TypeError);
    expect(() => Object.assign(chart, { team: media })).toThrow(TypeError);
    const [listener] = named(app, 'ListenerSet', 'shared-gw-shop').spec.listeners;
    expect(listener.allowedRoutes.namespaces.selector.matchLabels).toEqual({
      'kubernetes.io/metadata.name': 'shop',
    });
  });

  it('given as a mere object is the one that it was when the grant was made', () => {
    const { app } = storefront();
    const gateway = new SharedGateway(new PlatformChart(app, 'p2', { namespace: 'edge' }), 'gw', {
      listeners: { web: http(80) },
    });
    const partner = { name: 'partner', namespace: 'partner' };
    const edge = gateway.grant(partner, { hostnames: ['partner.example.com'] });
    partner.namespace = 'infra';
    expect(edge.team.namespace).toBe('partner');
    const [listener] = named(app, 'ListenerSet', 'gw-partner').spec.listeners;
    expect(listener.allowedRoutes.namespaces.selector.matchLabels).toEqual({
      'kubernetes.io/metadata.name': 'partner',
    });
  });
});
