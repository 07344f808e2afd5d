/** What is refused at synth, whoever wrote it in whatever language: each with its construct, what was found, and what to do. */
import { describe, expect, it } from '@jest/globals';
import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import {
  Canary,
  canary,
  DedicatedGateway,
  exact,
  http,
  prefix,
  redirect,
  replacePrefix,
  rewrite,
  SharedGateway,
  service,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { storefront } from './storefront.ts';
import { errors } from './synth.ts';

const cart = service('cart', 8080);

describe('what synth refuses', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
  type Any = any;

  it('all at once, each with its construct, what was asked and what is granted', () => {
    const { app, platform, shared, shopEdge, mediaEdge, media, chart } = storefront();
    const grpc = shared.grant(media, { name: 'grpc', hostnames: ['grpc.example.com'], kinds: ['GRPCRoute'] });
    const route = (scope: Any, id: string, props: Any) => new TeamRoute(scope, id, props).rule().to(cart);
    const inside = new Construct(chart, 'nested');
    route(chart, 'foreign-host', { on: shopEdge, hostnames: ['media.example.com'] });
    route(chart, 'wide', { on: shopEdge, hostnames: ['*.example.com'] });
    route(inside, 'foreign-grant', { on: mediaEdge });
    route(chart, 'gateway', { on: shared, hostnames: ['shop.example.com'] });
    route(chart, 'nothing', { hostnames: ['shop.example.com'] });
    route(new TeamChart(app, 'media', { team: media }), 'kind', { on: grpc });
    route(chart, 'listener', { on: shopEdge, listeners: ['lobby'] });
    route(chart, 'number', { on: shopEdge, hostnames: [42] });
    route(platform, 'elsewhere', { on: shopEdge });
    const granted = 'granted: shop.example.com, *.shop.example.com';
    const missing = (what: string, team = 'shop') =>
      `. Missing: a grant of ${what} at gateway infra/shared-gw to team ${team}`;
    expect(errors(app).sort()).toEqual(
      [
        `[shop/foreign-host] hostnames[0]: hostname media.example.com is outside grant platform/shared-gw/shop (${granted})${missing('hostname media.example.com')}`,
        `[shop/wide] hostnames[0]: hostname *.example.com is outside grant platform/shared-gw/shop (${granted})${missing('hostname *.example.com')}`,
        `[shop/nested/foreign-grant] grant platform/shared-gw/media is for team media, this chart belongs to team shop${missing('hostname media.example.com')}`,
        `[shop/gateway] a route attaches to a grant, not to SharedGateway platform/shared-gw: use gateway.grant(team, { hostnames })${missing('hostname shop.example.com')}`,
        '[shop/nothing] a route attaches to a grant, not to undefined: use gateway.grant(team, { hostnames })',
        `[media/kind] grant platform/shared-gw/grpc is not for HTTPRoute (granted: GRPCRoute)${missing('HTTPRoutes for grpc.example.com', 'media')}`,
        `[shop/listener] listeners[0]: listener lobby is outside grant platform/shared-gw/shop (granted: web, secure)${missing('hostnames shop.example.com, *.shop.example.com for listener lobby')}`,
        '[shop/number] TeamRoute takes a list of at least one text as hostnames, and hostnames[0] is 42',
        '[platform/elsewhere] grant platform/shared-gw/shop admits routes of namespace shop, this chart is in namespace infra',
      ].sort(),
    );
    expect(() => app.synthYaml()).toThrow(
      `[shop/foreign-host] hostnames[0]: hostname media.example.com is outside grant platform/shared-gw/shop (${granted})${missing('hostname media.example.com')}`,
    );
  });

  it('keys that are not known, each with the one that was meant', () => {
    const { app, chart, shared, shop, shopEdge } = storefront();
    shared.grant(shop, { name: 'typo', hostnames: ['typo.example.com'], kind: ['GRPCRoute'] } as Any);
    const route = new TeamRoute(chart, 'r', { on: shopEdge, hostname: ['shop.example.com'] } as Any);
    route.rule({ header: { a: '1' } } as Any).to(cart);
    route
      .rule({ pth: exact('/a') } as Any)
      .or({ timeout: 3 } as Any)
      .to(cart);
    const three = { stable: cart, canary: cart, weights: [3, 1, 1] };
    route.rule({ path: exact('/c') }).to(canary(three as Any));
    new Canary(chart, 'c', { ...three, wieghts: [3, 1] } as Any);
    expect(errors(app)).toEqual([
      '[platform/shared-gw/typo] grant() does not know kind: did you mean kinds?',
      '[shop/r] TeamRoute does not know hostname: did you mean hostnames?',
      '[shop/r] spec.rules[0] (prefix /): rule() does not know header: did you mean headers?',
      '[shop/r] spec.rules[1] (prefix / or prefix /): rule() does not know pth: did you mean path?',
      '[shop/r] spec.rules[1] (prefix / or prefix /): or() does not know timeout: it takes path, headers, query, method',
      '[shop/r] spec.rules[2] (/c): canary() takes two numbers, such as [3, 1], as weights, this is [3,1,1]',
      '[shop/c] canary() does not know wieghts: did you mean weights?',
      '[shop/c] canary() takes two numbers, such as [3, 1], as weights, this is [3,1,1]',
    ]);
  });

  it('props that are none, or no lists', () => {
    const { app, chart, shared, shop, shopEdge } = storefront();
    const grant = shared.grant.bind(shared) as Any;
    grant(shop, { name: 'empty' });
    grant(shop, { name: 'text', hostnames: 'a.example.com', kinds: 'HTTPRoute' });
    grant(shop, { name: 'number', hostnames: [42] });
    expect(() => grant(undefined, { hostnames: [] })).toThrow(
      'platform/shared-gw: grant(team, { hostnames: [...] }) takes a team with name and namespace first, this is undefined',
    );
    expect(() => grant(shop)).toThrow('takes an object with hostnames second, this is undefined');
    const route = new TeamRoute(chart, 'r', { on: shopEdge, hostnames: 'shop.example.com' } as Any);
    route.rule({ path: exact('/a') }).to(canary({ stable: cart, canary: cart } as Any));
    route.rule(null as Any).to(canary(undefined as Any));
    new (TeamRoute as Any)(chart, 'bare').rule().to(cart);
    expect(errors(app)).toEqual([
      '[platform/shared-gw/empty] grant() takes a list of at least one text as hostnames, this is undefined',
      '[platform/shared-gw/text] grant() takes a list of at least one text as hostnames, this is "a.example.com"',
      '[platform/shared-gw/text] grant() takes a list of HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute as kinds, this is "HTTPRoute"',
      '[platform/shared-gw/number] grant() takes a list of at least one text as hostnames, and hostnames[0] is 42',
      '[shop/r] TeamRoute takes a list of at least one text as hostnames, this is "shop.example.com"',
      '[shop/r] spec.rules[0] (/a): canary() takes two numbers, such as [3, 1], as weights, this is undefined',
      '[shop/r] spec.rules[1] (prefix /): rule() takes an object with path, headers, query, method, timeouts, retry, name, priority, filters, sessionPersistence, this is null',
      '[shop/r] spec.rules[1] (prefix /): canary() takes an object with stable, canary, weights, this is undefined',
      '[shop/bare] TeamRoute takes an object with on, hostnames, listeners, name, this is undefined',
      '[shop/bare] a route attaches to a grant, not to undefined: use gateway.grant(team, { hostnames })',
    ]);
  });

  it('a route on nothing, and a rule with two rewrites or two redirects', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'nowhere', { on: [] as Any }).rule().to(cart);
    const route = new TeamRoute(chart, 'r', { on: shopEdge });
    const filters = [rewrite({ hostname: 'a.internal' }), rewrite({ hostname: 'b.internal' })];
    route.rule({ path: exact('/a'), filters }).to(cart);
    const toHttps = redirect({ scheme: 'https' });
    route.rule({ path: exact('/b') }).to(...([toHttps, toHttps] as Any));
    route.rule({ path: exact('/c') }).to(service('cart', 8080, { filters }));
    const rewrites = 'it has several rewrite(): write one, with hostname and path';
    expect(errors(app)).toEqual([
      '[shop/nowhere] the route attaches to nothing, so it serves nothing: name a grant in on',
      `[shop/r] spec.rules[0] (/a): ${rewrites}`,
      '[shop/r] spec.rules[1] (/b): it has several redirect(): a request gets one answer',
      `[shop/r] spec.rules[2] (/c): service cart: ${rewrites}`,
    ]);
  });

  it('gateways without what they need', () => {
    const { platform, shop } = storefront();
    expect(() => new (SharedGateway as Any)(platform, 'bare-gw')).toThrow(
      'platform/bare-gw: a gateway takes an object with listeners, { listeners: { web: http(80) } }, this is undefined',
    );
    const listeners = { web: http(80) };
    expect(() => new (SharedGateway as Any)(platform, 'misspelt-gw', { listener: listeners })).toThrow(
      'platform/misspelt-gw: SharedGateway does not know listener: did you mean listeners?',
    );
    expect(() => new (DedicatedGateway as Any)(platform, 'gw', { listeners })).toThrow(
      'platform/gw: a dedicated gateway takes a team with name and namespace, this is undefined',
    );
    const other = new App();
    new (DedicatedGateway as Any)(new Chart(other, 'chart'), 'gw', {
      team: shop,
      hostnames: 'a.example.com',
      kind: [],
      listeners,
    });
    expect(errors(other)).toEqual([
      '[chart/gw] DedicatedGateway does not know kind: did you mean kinds?',
      '[chart/gw] DedicatedGateway takes a list of at least one text as hostnames, this is "a.example.com"',
    ]);
  });

  it('a grant of no kind of route, or of another than can be granted', () => {
    const { app, platform, shared, shop } = storefront();
    const grant = (name: string, props: Any) =>
      shared.grant(shop, { name, hostnames: [`${name}.example.com`], ...props });
    grant('none', { kinds: [] });
    grant('tcp', { kinds: ['HTTPRoute', 'ICMPRoute'] });
    new DedicatedGateway(platform, 'own-gw', {
      team: shop,
      hostnames: ['own.example.com'],
      listeners: { web: http(80) },
      kinds: [],
    });
    const kinds = 'takes a list of HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute as kinds';
    const none = `${kinds}, this is []: leave kinds out for its default`;
    expect(errors(app)).toEqual([
      `[platform/shared-gw/none] grant() ${none}`,
      `[platform/shared-gw/tcp] grant() ${kinds}, and kinds[1] is "ICMPRoute"`,
      `[platform/own-gw] DedicatedGateway ${none}`,
    ]);
  });

  it('a grant that nobody made', () => {
    const { app, chart, mediaEdge, shop } = storefront();
    const own = { team: shop, hostnames: ['media.example.com'] };
    const looks = {
      ...own,
      kinds: ['HTTPRoute'],
      listeners: ['web'],
      title: 'grant',
      wholeObject: true,
      places: () => mediaEdge.places(),
      hostname: (value: string) => value,
    };
    const heir = Object.create(mediaEdge, { team: { value: shop } });
    for (const [id, on] of Object.entries({ looks, heir }))
      new TeamRoute(chart, id, { on: on as Any, hostnames: own.hostnames }).rule().to(cart);
    expect(errors(app)).toEqual(
      ['looks', 'heir'].map(
        (id) =>
          `[shop/${id}] a route attaches to a grant, not to an object that no grant() made: use gateway.grant(team, { hostnames })`,
      ),
    );
  });

  it('a grant that whoever holds it widens', () => {
    const { platform, shop, shopEdge, shared } = storefront();
    const asked = ['data.example.com'];
    const dedicated = new DedicatedGateway(platform, 'dedicated-gw', {
      team: shop,
      hostnames: asked,
      listeners: { web: http(80) },
    });
    asked.push('media.example.com');
    expect(dedicated.hostnames).toEqual(['data.example.com']);
    expect((shopEdge as Any).gateway).toBeUndefined();
    for (const each of [shopEdge, dedicated, shared.listener('lobby')] as Any[]) {
      for (const list of [each.hostnames, each.kinds, each.listeners])
        expect(() => list.push('x')).toThrow(TypeError);
      for (const field of ['hostnames', 'kinds', 'listeners', 'team', 'places']) {
        expect(() => {
          each[field] = ['media.example.com'];
        }).toThrow(TypeError);
      }
    }
  });

  it('rules that lead nowhere, have one name twice, or are too many to keep their order', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'cart', { on: shopEdge });
    route.rule({ path: prefix('/a'), method: 'GET' });
    route.rule({ path: '/b' as Any, headers: { 'x-count': 3 as Any } }).to('cart' as Any);
    const twice = new TeamRoute(chart, 'twice', { on: shopEdge });
    twice.rule({ name: 'same' }).to(cart);
    twice.rule({ name: 'same', path: exact('/b') }).to(cart);
    new TeamRoute(chart, 'empty', { on: shopEdge, name: 'Empty' });
    const many = new TeamRoute(chart, 'many', { on: shopEdge });
    for (let index = 0; index < 17; index++) many.rule({ headers: { [`x-${index}`]: '1' } }).to(cart);
    expect(errors(app)).toEqual([
      '[shop/cart] spec.rules[0] (GET prefix /a): it goes nowhere: end it with .to(service(name, port)) or .to(redirect({ ... }))',
      `[shop/cart] spec.rules[1] (prefix /): rule() takes exact('/...'), prefix('/...') or regex('...') as path, this is "/b"`,
      "[shop/cart] spec.rules[1] (prefix /): rule() takes texts or regex('...') by name as headers, and headers.x-count is 3",
      '[shop/cart] spec.rules[1] (prefix /): .to() takes service(), canary(), a Service construct or redirect(), this is "cart"',
      '[shop/twice] two rules have the name same: give each rule a name of its own',
      expect.stringMatching(
        /^\[shop\/empty\] HTTPRoute "Empty": the name of an object has .*: give it one with name$/,
      ),
      '[shop/empty] the route has no rule: add one with .rule({ ... }).to(...)',
      '[shop/many] 17 rules with 17 matches (prefix / x-0: 1; prefix / x-1: 1; prefix / x-2: 1 and 14 more) could serve the same request with ' +
        'equal precedence, so they must stand in one HTTPRoute in this order, and one holds 16 rules with 128 matches: tell ' +
        'them apart by path, by method, or by different exact values of one header or query parameter',
    ]);
  });

  it('fields that break a rule of the API, with the path of the construct', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'cart', { on: shopEdge });
    route.rule({ path: prefix('/a//b') }).to(service('cart', 0));
    route.rule({ path: exact('/c'), filters: [rewrite({ path: replacePrefix('/') })] }).to(cart);
    expect(errors(app)).toEqual([
      '[shop/cart] HTTPRoute/shop/cart spec.rules[0].matches[0].path.value: found "/a//b", expected a path without "//".',
      '[shop/cart] HTTPRoute/shop/cart spec.rules[0].backendRefs[0].port: found 0, expected a whole number from 1 to 65535.',
      '[shop/cart] HTTPRoute/shop/cart spec.rules[1].matches: found 1 matches, the first of type Exact, expected exactly one match, of type PathPrefix, since a filter uses ReplacePrefixMatch.',
    ]);
  });
});
