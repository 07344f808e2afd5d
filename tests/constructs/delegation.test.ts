/** A team gives paths of what it was granted to another one. */
import { describe, expect, it } from '@jest/globals';
import {
  exact,
  http,
  prefix,
  regex,
  SharedGateway,
  service,
  Team,
  TeamChart,
  TeamRoute,
  tcp,
  tls,
} from 'gatewright';
import { literalStart } from '../../gateway-runtime/grants/paths.ts';
import { storefront } from './storefront.ts';
import { errors, named, warnings } from './synth.ts';

function delegated(hostnames?: readonly ['shop.example.com']) {
  const made = storefront();
  const payments = new Team(made.platform, 'payments', { group: 'payments' });
  const checkout = made.shopEdge.delegate('/checkout', payments, hostnames ? { hostnames } : {});
  const chart = new TeamChart(made.app, 'payments', { team: payments });
  return { ...made, payments, checkout, shopChart: made.chart, chart };
}

// biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
type Any = any;

const pay = service('pay', 80);

describe('a delegation', () => {
  it('is a plain HTTPRoute of the other team, on listeners that admit both namespaces', () => {
    const { app, checkout, chart } = delegated();
    new TeamRoute(chart, 'pay', { on: checkout })
      .rule()
      .to(pay)
      .rule({ path: exact('/checkout/done') })
      .to(pay);
    const { metadata, spec } = named(app, 'HTTPRoute', 'pay');
    expect(metadata).toEqual({ name: 'pay', namespace: 'payments' });
    expect(spec.parentRefs).toEqual([
      expect.objectContaining({ kind: 'ListenerSet', name: 'shared-gw-shop', namespace: 'infra' }),
    ]);
    expect(spec.hostnames).toEqual(['shop.example.com', '*.shop.example.com']);
    expect(spec.rules.map(({ matches }: Any) => matches[0].path)).toEqual([
      { type: 'PathPrefix', value: '/checkout' },
      { type: 'Exact', value: '/checkout/done' },
    ]);
    for (const { allowedRoutes } of named(app, 'ListenerSet', 'shared-gw-shop').spec.listeners)
      expect(allowedRoutes.namespaces).toEqual({
        from: 'Selector',
        selector: {
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['payments', 'shop'] },
          ],
        },
      });
    expect(named(app, 'Role', 'gatewright-routes').rules[0].resources).toContain('httproutes');
    expect(warnings(app)).toEqual([expect.stringContaining('Service payments/pay does not exist')]);
  });

  it('is of HTTPRoutes, and so of no listener for other kinds', () => {
    const { app, platform, shop } = storefront();
    const payments = new Team(platform, 'payments');
    const shared = new SharedGateway(platform, 'mixed', {
      listeners: { web: http(8080), pass: tls(8443), db: tcp(5432) },
    });
    const edge = shared.grant(shop, {
      hostnames: ['mixed.example.com'],
      kinds: ['HTTPRoute', 'TLSRoute', 'TCPRoute'],
      listeners: ['web', 'pass', 'db'],
    });
    expect(edge.delegate('/checkout', payments).listeners).toEqual(['web']);
    const admitted = (listeners: Any[]) =>
      listeners.map(({ name, allowedRoutes }) => [name, JSON.stringify(allowedRoutes).includes('payments')]);
    expect(admitted(named(app, 'ListenerSet', 'mixed-shop').spec.listeners)).toEqual([
      ['web.mixed.example.com', true],
      ['pass.mixed.example.com', false],
    ]);
    expect(admitted(named(app, 'Gateway', 'mixed').spec.listeners)).toContainEqual(['db', false]);
    edge.delegate('/more', payments, { name: 'more', listeners: ['pass'] });
    expect(errors(app)).toEqual([
      '[platform/mixed/shop/more] listener pass takes no HTTPRoute, and only routes of that kind have paths to delegate',
    ]);
  });

  it('of some hostnames opens those listeners alone, by section', () => {
    const { app, checkout, chart } = delegated(['shop.example.com']);
    new TeamRoute(chart, 'pay', { on: checkout }).rule().to(pay);
    const { parentRefs, hostnames } = named(app, 'HTTPRoute', 'pay').spec;
    expect(parentRefs.map(({ sectionName }: Any) => sectionName)).toEqual([
      'web.shop.example.com',
      'secure.shop.example.com',
    ]);
    expect(hostnames).toEqual(['shop.example.com']);
    const { listeners } = named(app, 'ListenerSet', 'shared-gw-shop').spec;
    const admits = listeners.map(
      ({ allowedRoutes }: Any) => 'matchExpressions' in allowedRoutes.namespaces.selector,
    );
    expect(admits).toEqual([true, false, true, false]);
  });

  it('leaves the rest to the team, and what lies above', () => {
    const { app, checkout, shopEdge, shopChart } = delegated();
    new TeamRoute(shopChart, 'all', { on: checkout.remainder }).rule().to(service('cart', 8080));
    new TeamRoute(shopChart, 'some', { on: shopEdge })
      .rule({ path: prefix('/checkouts') })
      .or({ path: regex('/find/[a-z]+') })
      .to(service('cart', 8080));
    expect(errors(app)).toEqual([]);
    expect(checkout.remainder).toBe(shopEdge);
  });

  it('can be given on, narrower', () => {
    const { app, checkout, media, chart } = delegated();
    const cards = checkout.delegate('/checkout/cards', media);
    new TeamRoute(chart, 'pay', { on: checkout }).rule().to(pay);
    new TeamRoute(new TeamChart(app, 'media', { team: media }), 'cards', { on: cards }).rule().to(pay);
    expect(named(app, 'HTTPRoute', 'cards').spec.rules[0].matches[0].path.value).toBe('/checkout/cards');
    const [listener] = named(app, 'ListenerSet', 'shared-gw-shop').spec.listeners;
    expect(listener.allowedRoutes.namespaces.selector.matchExpressions[0].values).toEqual([
      'media',
      'payments',
      'shop',
    ]);
    new TeamRoute(chart, 'back', { on: checkout }).rule({ path: prefix('/checkout/cards/1') }).to(pay);
    expect(errors(app)).toEqual([
      '[payments/back] spec.rules[0] (prefix /checkout/cards/1): matches[0].path: path /checkout/cards/1 lies below /checkout/cards, which was delegated to team media',
    ]);
  });

  it('is refused where it is none, or no part of the grant', () => {
    const { app, shopEdge, checkout, media, shop, payments } = delegated();
    const give = shopEdge.delegate.bind(shopEdge) as Any;
    give('/Checkout/', media, { name: 'slash' });
    give('/a%2dB', media, { name: 'spelling' });
    give(7, media, { name: 'number' });
    give('/', media, { name: 'all' });
    give('/more', media, {
      name: 'hosts',
      hostnames: ['media.example.com'],
      listeners: ['lobby'],
      kinds: [],
    });
    give('/checkout/x', media, { name: 'twice' });
    give('/own', shop);
    (checkout as Any).delegate('/admin', media);
    const grant = 'grant platform/shared-gw/shop';
    const form =
      'delegate() takes first a path such as /checkout, without "%", "//", "." or ".." segments, or a "/" at its end; this is';
    const missing = (what: string) => `Missing: a grant of ${what} at gateway infra/shared-gw to team shop`;
    expect(errors(app)).toEqual([
      '[platform/shared-gw/shop/payments/media] path /admin is not below that of grant platform/shared-gw/shop/payments (granted: /checkout and all below): a delegation can only narrow',
      `[platform/shared-gw/shop/slash] ${form} "/Checkout/"`,
      `[platform/shared-gw/shop/spelling] ${form} "/a%2dB"`,
      `[platform/shared-gw/shop/number] ${form} 7`,
      `[platform/shared-gw/shop/all] ${form} "/"`,
      '[platform/shared-gw/shop/hosts] delegate() does not know kinds: it takes hostnames, listeners, name',
      `[platform/shared-gw/shop/hosts] hostname media.example.com is outside ${grant} (granted: shop.example.com, *.shop.example.com). ${missing('hostname media.example.com')}`,
      `[platform/shared-gw/shop/hosts] listener lobby is outside ${grant} (granted: web, secure). ${missing('hostname media.example.com for listener lobby')}`,
      '[platform/shared-gw/shop/twice] delegates /checkout/x to team media, and /checkout was delegated to team payments: delegate paths of which none lies below another, or delegate the narrower one from the grant of that team',
      `[platform/shared-gw/shop/shop] ${grant} is for team shop already`,
    ]);
    expect(() => give('/x', 'payments')).toThrow(
      'platform/shared-gw/shop: delegate(path, team) takes a team with name and namespace second, this is "payments"',
    );
    expect(() => give('/x', payments)).toThrow(
      "platform/shared-gw/shop has delegated to payments already: give this one a name, delegate(path, team, { name: 'second' })",
    );
  });
});

it.each([
  ['/find/[a-z]+', '/find/'],
  ['^/find/x$', '/find/x'],
  ['/finds?', '/find'],
  ['/finds*', '/find'],
  ['/finds{2}', '/find'],
  ['/finds+', '/finds'],
  ['/a|/b', ''],
  ['(?i)/a', ''],
  ['/a.b', '/a'],
  ['/a\\.b', '/a'],
  ['.*', ''],
])('of the expression %s every match begins with %j', (expression, start) => {
  expect(literalStart(expression)).toBe(start);
});
