/** Routes of teams for gRPC and for TLS that is passed through. */
import { describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import {
  http,
  https,
  mirror,
  PlatformChart,
  ReferenceGrant,
  redirect,
  regex,
  rewrite,
  SharedGateway,
  secretRef,
  service,
  setHeaders,
  Team,
  TeamChart,
  TeamGrpcRoute,
  TeamRoute,
  TeamTlsRoute,
  tls,
} from 'gatewright';
import { errors, named, ofKind, warnings } from './synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
type Any = any;

function start() {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop', { group: 'shop' });
  const media = new Team(platform, 'media');
  const shared = new SharedGateway(platform, 'gw', {
    listeners: { web: http(80), secure: https(443, secretRef('wildcard')), pass: tls(8443) },
  });
  const edge = shared.grant(shop, {
    hostnames: ['shop.example.com'],
    kinds: ['HTTPRoute', 'GRPCRoute', 'TLSRoute'],
  });
  const chart = new TeamChart(app, 'shop', { team: shop, on: edge });
  return { app, platform, shop, media, shared, edge, chart };
}

const db = service('db', 5432);

/** Of the listeners the runtime says itself what it does not serve yet. */
const ofTheTeam = (app: App) => warnings(app).filter((each) => each.startsWith('[shop/'));

describe('a grant of several kinds', () => {
  it('opens at each listener those that its protocol takes', () => {
    const { app } = start();
    const { listeners } = named(app, 'ListenerSet', 'gw-shop').spec;
    expect(
      listeners.map(({ name, protocol, tls: with_, allowedRoutes }: Any) => [
        name,
        protocol,
        with_?.mode,
        allowedRoutes.kinds.map(({ kind }: Any) => kind),
      ]),
    ).toEqual([
      ['web.shop.example.com', 'HTTP', undefined, ['HTTPRoute', 'GRPCRoute']],
      ['secure.shop.example.com', 'HTTPS', 'Terminate', ['HTTPRoute', 'GRPCRoute']],
      ['pass.shop.example.com', 'TLS', 'Passthrough', ['TLSRoute']],
    ]);
    expect(named(app, 'Role', 'gatewright-routes').rules[0].resources).toEqual([
      'grpcroutes',
      'httproutes',
      'referencegrants',
      'tlsroutes',
    ]);
  });

  it('leaves out listeners that take none of them, and is refused where it names one, or none is left', () => {
    const { app, shared, shop, platform } = start();
    shared.grant(shop, { name: 'plain', hostnames: ['plain.example.com'] });
    const names = named(app, 'ListenerSet', 'gw-shop-plain').spec.listeners.map(({ name }: Any) => name);
    expect(names).toEqual(['web.plain.example.com', 'secure.plain.example.com']);
    shared.grant(shop, { name: 'wrong', hostnames: ['wrong.example.com'], listeners: ['pass'] });
    const only = new SharedGateway(platform, 'only-gw', { listeners: { web: http(80) } });
    only.grant(shop, { hostnames: ['only.example.com'], kinds: ['TLSRoute'] });
    expect(errors(app)).toEqual([
      '[platform/gw/wrong] listener pass has protocol TLS, which takes no HTTPRoute: name another listener, or kinds',
      '[platform/only-gw/shop] no listener of platform/only-gw takes TLSRoute: give it one, such as tls(443)',
    ]);
  });
});

describe('TeamTlsRoute', () => {
  it('is a TLSRoute of the team, with every default written out, and the runtime serves it', () => {
    const { app, chart } = start();
    new TeamTlsRoute(chart, 'db', { listeners: ['pass'] }).to(db, service('db-next', 5432, { weight: 3 }));
    expect(named(app, 'TLSRoute', 'db')).toMatchObject({
      apiVersion: 'gateway.networking.k8s.io/v1',
      metadata: { name: 'db', namespace: 'shop' },
      spec: {
        parentRefs: [
          { kind: 'ListenerSet', namespace: 'infra', name: 'gw-shop', sectionName: 'pass.shop.example.com' },
        ],
        hostnames: ['shop.example.com'],
        rules: [
          {
            backendRefs: [
              { group: '', kind: 'Service', name: 'db', port: 5432, weight: 1 },
              { name: 'db-next', weight: 3 },
            ],
          },
        ],
      },
    });
    for (const each of ofTheTeam(app)) expect(each).toContain('does not exist');
  });

  it('is held to the grant, and to what a TLSRoute can do', () => {
    const { app, chart, shared, shop, media } = start();
    const plain = shared.grant(shop, { name: 'plain', hostnames: ['plain.example.com'] });
    const route = (id: string, props: object, ...to: unknown[]) =>
      new TeamTlsRoute(chart as Any, id, props as Any).to(...(to as Any));
    route('kind', { on: plain }, db);
    route('host', { hostnames: ['x.example.com'] }, db);
    route('nowhere', {});
    route('redirect', {}, redirect({ scheme: 'https' }));
    route('filter', {}, service('db', 5432, { filters: [setHeaders({ a: 'b' })] }));
    route('foreign', {}, service('db', 5432, { namespace: 'media' }));
    new TeamTlsRoute(new TeamChart(app, 'media', { team: media }) as Any, 'team', { on: plain } as Any).to(
      db,
    );
    const missing = (what: string, team = 'shop') =>
      `Missing: a grant of ${what} at gateway infra/gw to team ${team}`;
    expect(errors(app)).toEqual([
      `[shop/kind] grant platform/gw/plain is not for TLSRoute (granted: HTTPRoute). ${missing('TLSRoutes for plain.example.com')}`,
      `[shop/host] hostnames[0]: hostname x.example.com is outside grant platform/gw/shop (granted: shop.example.com). ${missing('hostname x.example.com')}`,
      '[shop/nowhere] it goes nowhere: end it with .to(service(name, port))',
      '[shop/redirect] .to() takes service(), canary() or a Service construct, this is {"type":"RequestRedirect","config":{"scheme":"https"}}',
      "[shop/filter] service db: what a TLSRoute passes on can't be filtered: leave filters out",
      '[shop/foreign] service db is in namespace media, which is not of team shop: take it from its owner, referenceGrant.service(name, port). Missing: a ReferenceGrant in namespace media, from TLSRoutes of namespace shop to Service db',
      `[media/team] grant platform/gw/plain is for team shop, this chart belongs to team media. ${missing('hostname plain.example.com', 'media')}`,
      `[media/team] grant platform/gw/plain is not for TLSRoute (granted: HTTPRoute). ${missing('TLSRoutes for plain.example.com')}`,
    ]);
  });
});

describe('TeamGrpcRoute', () => {
  it('is a GRPCRoute of the team, and synth says that the runtime does not serve it', () => {
    const { app, chart } = start();
    new TeamGrpcRoute(chart, 'calls', { hostnames: ['shop.example.com'], listeners: ['web'] })
      .rule({
        name: 'get',
        service: 'shop.Cart',
        method: 'Get',
        headers: { 'x-tier': regex('gold|silver') },
        filters: [setHeaders({ a: 'b' }), mirror(service('shadow', 80))],
      })
      .to(service('cart', 50051, { weight: 2 }))
      .rule({ service: 'shop.Cart' })
      .to(service('cart', 50051))
      .rule()
      .to(service('other', 50051));
    const { spec } = named(app, 'GRPCRoute', 'calls');
    expect(spec.parentRefs).toEqual([
      {
        group: 'gateway.networking.k8s.io',
        kind: 'ListenerSet',
        namespace: 'infra',
        name: 'gw-shop',
        sectionName: 'web.shop.example.com',
      },
    ]);
    const cart = { group: '', kind: 'Service', name: 'cart', port: 50051 };
    expect(spec.rules).toEqual([
      {
        name: 'get',
        matches: [
          {
            method: { type: 'Exact', service: 'shop.Cart', method: 'Get' },
            headers: [{ name: 'x-tier', type: 'RegularExpression', value: 'gold|silver' }],
          },
        ],
        filters: [
          {
            type: 'RequestHeaderModifier',
            requestHeaderModifier: { set: [{ name: 'a', value: 'b' }] },
          },
          {
            type: 'RequestMirror',
            requestMirror: { backendRef: { group: '', kind: 'Service', name: 'shadow', port: 80 } },
          },
        ],
        backendRefs: [{ ...cart, weight: 2 }],
      },
      {
        matches: [{ method: { type: 'Exact', service: 'shop.Cart' } }],
        backendRefs: [{ ...cart, weight: 1 }],
      },
      { backendRefs: [{ ...cart, name: 'other', weight: 1 }] },
    ]);
    expect(warnings(app)).toContain(
      '[shop/calls] Gatewright does not serve GRPCRoutes yet: calls are answered where an HTTPRoute takes them, or by a gateway of another make.',
    );
  });

  it('is held to the grant, and to what a GRPCRoute can do', () => {
    const { app, chart, shared, shop } = start();
    const plain = shared.grant(shop, { name: 'plain', hostnames: ['plain.example.com'] });
    new TeamGrpcRoute(chart as Any, 'kind', { on: plain } as Any).rule().to(db);
    new TeamGrpcRoute(chart as Any, 'none', {});
    new TeamGrpcRoute(chart as Any, 'bad', {})
      .rule({ filters: [rewrite({ hostname: 'a' })] })
      .to(db)
      .rule({ path: '/a' } as Any)
      .to()
      .rule({ filters: [mirror(service('feed', 80, { namespace: 'media' }))] } as Any)
      .to(db);
    const many = new TeamGrpcRoute(chart as Any, 'many', {});
    for (let index = 0; index < 17; index++) many.rule({ method: `m${index}` }).to(db);
    expect(errors(app)).toEqual([
      '[shop/kind] grant platform/gw/plain is not for GRPCRoute (granted: HTTPRoute). Missing: a grant of GRPCRoutes for plain.example.com at gateway infra/gw to team shop',
      '[shop/none] the route has no rule: add one with .rule({ ... }).to(...)',
      expect.stringMatching(
        /^\[shop\/bad\] spec\.rules\[0\] \(\*\/\*\): rule\(\) takes a list of filters of headers, and mirrors, such as .* and filters\[0\] is \{"type":"URLRewrite"/,
      ),
      '[shop/bad] spec.rules[1] (*/*): rule() does not know path: it takes service, method, headers, name, filters',
      '[shop/bad] spec.rules[1] (*/*): it goes nowhere: end it with .to(service(name, port))',
      '[shop/bad] spec.rules[2] (*/*): service feed is in namespace media, which is not of team shop: take it from its owner, referenceGrant.service(name, port). Missing: a ReferenceGrant in namespace media, from GRPCRoutes of namespace shop to Service feed',
      '[shop/many] 17 rules are more than the 16 that a GRPCRoute holds: write some in another TeamGrpcRoute',
    ]);
  });
});

it('a ReferenceGrant is for HTTPRoutes unless it says other kinds', () => {
  const { app, shop, media, chart } = start();
  const mediaChart = new TeamChart(app, 'media', { team: media });
  const lent = new ReferenceGrant(mediaChart, 'lent', { from: shop, to: db, kinds: ['TLSRoute'] });
  new ReferenceGrant(mediaChart, 'usual', { from: shop, to: db });
  new TeamTlsRoute(chart, 'r', {}).to(lent.service('db', 5432));
  const kinds = ofKind(app, 'ReferenceGrant').map(({ spec }) => spec.from.map(({ kind }: Any) => kind));
  expect(kinds).toEqual([['TLSRoute'], ['HTTPRoute']]);
});

it('an HTTPRoute attaches to the listeners for it alone, also where the team has others', () => {
  const { app, chart } = start();
  new TeamRoute(chart, 'site', {}).rule().to(service('site', 80));
  expect(ofTheTeam(app)).toEqual([expect.stringContaining('Service shop/site does not exist')]);
});
