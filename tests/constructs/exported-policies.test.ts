/** What a platform enforces, in a repository of a team: there synth says of its routes what it says where both are in one app. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ApiObject, App } from 'cdk8s';
import {
  type AnyGrant,
  DedicatedGateway,
  type DefaultPolicy,
  type EnforcedPolicy,
  type GrantData,
  http,
  https,
  importGrant,
  PlatformChart,
  prefix,
  RoutePolicy,
  SharedGateway,
  secretRef,
  service,
  setResponseHeaders,
  Team,
  TeamCertificate,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { parseAllDocuments } from 'yaml';
import { storefront } from './storefront.ts';
import { errors, warnings } from './synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'policies-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As JSON, in which nothing has a type that says more. */
function exported(platform: PlatformChart): Readonly<Record<string, GrantData>> {
  platform.exportGrants(join(folder, 'shop.ts'));
  return JSON.parse(readFileSync(join(folder, 'shop.json'), 'utf8')).grants;
}

interface Scope {
  /** The chart of team shop. */
  readonly chart: TeamChart;
  readonly on: AnyGrant;
}

/** What synth says of a program of team shop in a repository of its own. */
function inOwnRepository(data: GrantData, write: (scope: Scope) => unknown): string[] {
  const app = new App();
  const chart = new TeamChart(app, 'shop', { team: { name: 'shop', namespace: 'shop' } }) as TeamChart;
  write({ chart, on: importGrant(data) as AnyGrant });
  return errors(app);
}

/** Of what is in one app, a message says where it is. */
const withoutPlaces = (messages: readonly string[]) =>
  messages.map((each) => each.replace(/ See \S+ \([^)]*\)\./, ''));

/** What synth says of it in one app with the platform, and in a repository of its own. */
function said(
  { enforced, defaults }: { enforced?: EnforcedPolicy; defaults?: DefaultPolicy },
  write: (scope: Scope) => unknown,
): { inOneApp: string[]; inTwo: string[] } {
  const { app, platform, shared, shopEdge, chart } = storefront();
  if (enforced) shared.enforce(enforced);
  if (defaults) shared.defaults(defaults);
  const inTwo = inOwnRepository(exported(platform).shop!, write);
  write({ chart: chart as TeamChart, on: shopEdge as AnyGrant });
  return { inOneApp: withoutPlaces(errors(app)), inTwo };
}

const route = ({ chart, on }: Scope, props: object = {}) => {
  const made = new TeamRoute(chart as never, 'cart', {
    on,
    hostnames: ['shop.example.com'],
    ...props,
  } as never);
  made.rule({ name: 'all' } as never).to(service('cart', 8080) as never);
  return made;
};

const X_FRAME = { set: { 'x-frame-options': 'DENY' } };

describe('in the repository of a team', () => {
  it.each<[string, EnforcedPolicy, DefaultPolicy, (scope: Scope) => unknown, string]>([
    [
      'more time than is enforced',
      { requestTimeout: '10s' },
      {},
      (scope) => route(scope).policy({ requestTimeout: '1m' }),
      '[shop/cart/Policy] RoutePolicy/shop/cart spec.requestTimeout: found 1m, and GatewayPolicy infra/shared-gw does not let it be so (spec.overrides.requestTimeout): 10s holds. Fix: remove it, or stay within what spec.overrides.requestTimeout says; what that is, the platform decides.',
    ],
    [
      'larger bodies than is enforced',
      { maxRequestBytes: 10 },
      {},
      (scope) => route(scope).policy({ maxRequestBytes: 11 }),
      'spec.maxRequestBytes: found 11',
    ],
    [
      'other clients than is enforced',
      { ipAllow: ['10.0.0.0/8'] },
      {},
      (scope) => route(scope).policy({ ipAllow: ['10.1.0.0/16', '192.0.2.0/24'] }),
      'spec.ipAllow: found 192.0.2.0/24',
    ],
    [
      'no redirect where one is enforced',
      { httpsRedirect: true },
      {},
      (scope) => route(scope).policy({ httpsRedirect: false }),
      'spec.httpsRedirect: found no redirect',
    ],
    [
      'another value of a header that is enforced',
      { responseHeaders: X_FRAME },
      {},
      (scope) => route(scope).policy({ responseHeaders: { remove: ['X-Frame-Options'] } }),
      'spec.responseHeaders: found x-frame-options',
    ],
    [
      'more than the bound of a default',
      {},
      { maxRequestBytes: { default: 10, max: 20 } },
      (scope) => route(scope).policy({ maxRequestBytes: 21 }),
      'spec.maxRequestBytes: found 21, and GatewayPolicy infra/shared-gw does not let it be so (spec.defaults.maxRequestBytes.max): 20 holds',
    ],
    [
      'less time than the bound of a default',
      {},
      { requestTimeout: { min: '5s' } },
      (scope) => route(scope).policy({ requestTimeout: '1s' }),
      'spec.requestTimeout: found 1s, and GatewayPolicy infra/shared-gw does not let it be so (spec.defaults.requestTimeout.min): 5s holds',
    ],
    [
      'more time for one rule',
      { requestTimeout: '10s' },
      {},
      (scope) =>
        new RoutePolicy(scope.chart, 'slow', { route: route(scope), rule: 'all', requestTimeout: '1m' }),
      '[shop/slow] RoutePolicy/shop/cart-all spec.requestTimeout: found 1m',
    ],
    [
      'more time in a rule itself',
      { requestTimeout: '10s' },
      {},
      (scope) =>
        route(scope)
          .rule({ path: prefix('/slow'), timeouts: { request: '1m' } } as never)
          .to(service('cart', 8080) as never),
      '[shop/cart] HTTPRoute/shop/cart spec.rules[1].timeouts.request: found 1m',
    ],
    [
      'another value of a header in a rule itself',
      { responseHeaders: X_FRAME },
      {},
      (scope) =>
        route(scope)
          .rule({
            path: prefix('/own'),
            filters: [setResponseHeaders({ 'x-frame-options': 'ALLOW' })],
          } as never)
          .to(service('cart', 8080) as never),
      'spec.rules[1].filters: found x-frame-options',
    ],
  ])('synth refuses %s, in the words that it has in one app', (_, enforced, defaults, write, message) => {
    const { inOneApp, inTwo } = said({ enforced, defaults }, write);
    expect(inTwo.join('\n')).toContain(message);
    expect(inTwo).toEqual(inOneApp);
  });

  it('synth takes what is within', () => {
    const enforced: EnforcedPolicy = {
      httpsRedirect: true,
      requestTimeout: '10s',
      maxRequestBytes: 10,
      ipAllow: ['10.0.0.0/8'],
      responseHeaders: X_FRAME,
    };
    const write = (scope: Scope) =>
      route(scope).policy({
        httpsRedirect: 308,
        requestTimeout: '10s',
        maxRequestBytes: 9,
        ipAllow: ['10.1.0.0/16'],
        responseHeaders: { set: { 'x-frame-options': 'DENY', 'x-own': '1' } },
      });
    expect(said({ enforced }, write)).toEqual({ inOneApp: [], inTwo: [] });
  });

  it('of a redirect is asked only where there is no TLS', () => {
    const write = (scope: Scope) => route(scope, { listeners: ['secure'] }).policy({ httpsRedirect: false });
    expect(said({ enforced: { httpsRedirect: true } }, write)).toEqual({ inOneApp: [], inTwo: [] });
  });

  it('a route written by hand is held to it as well', () => {
    const write = ({ chart, on }: Scope) => {
      route({ chart, on });
      new ApiObject(chart, 'policy', {
        apiVersion: 'gatewright.dev/v1alpha1',
        kind: 'RoutePolicy',
        metadata: { name: 'by-hand' },
        spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'cart' }], maxRequestBytes: 11 },
      } as never);
    };
    const { inOneApp, inTwo } = said({ enforced: { maxRequestBytes: 10 } }, write);
    expect(inTwo).toEqual([
      expect.stringContaining('RoutePolicy/shop/by-hand spec.maxRequestBytes: found 11'),
    ]);
    expect(inTwo).toEqual(inOneApp);
  });

  it('a bound that is narrowed later is an error there', () => {
    const at = (maxRequestBytes: number) => {
      const { platform, shared } = storefront();
      shared.enforce({ maxRequestBytes });
      const data = exported(platform).shop!;
      return inOwnRepository(data, (scope) => route(scope).policy({ maxRequestBytes: 1000 }));
    };
    expect(at(1000)).toEqual([]);
    expect(at(999)).toEqual([expect.stringContaining('found 1000')]);
  });

  it('nothing is said of where the policy holds, or of what is elsewhere', () => {
    const { platform, shared } = storefront();
    shared.enforce({ maxRequestBytes: 10 });
    const app = new App();
    const team = { name: 'shop', namespace: 'shop' } as const;
    const chart = new TeamChart(app, 'shop', { team }) as TeamChart;
    const made = route({ chart, on: importGrant(exported(platform).shop!) as AnyGrant });
    made.policy({ maxRequestBytes: 9 });
    made.rule({ path: prefix('/') } as never).to(service('cart', 8080) as never);
    const told = warnings(app);
    expect(told).toHaveLength(2);
    expect(told[0]).toContain('Service shop/cart does not exist');
    // What is told of rules in one app is told here, too.
    expect(told[1]).toMatch(/^\[shop\/cart\] spec\.rules\[1\] .* is never reached/);
  });

  it('grants that were exported without it are taken, and nothing is known of what they say', () => {
    const { platform, shared } = storefront();
    shared.enforce({ maxRequestBytes: 10 });
    const { policies, places, ...old } = exported(platform).shop!;
    expect(policies).toHaveLength(1);
    const data = { ...old, places: places.map(({ protocol: _, port: __, ...place }) => place) };
    expect(inOwnRepository(data, (scope) => route(scope).policy({ maxRequestBytes: 11 }))).toEqual([]);
  });
});

describe('what is exported', () => {
  it('is the policy as the API has it, in the module, the JSON and the objects', () => {
    const { platform, shared } = storefront();
    shared
      .enforce({ maxRequestBytes: 10, httpsRedirect: 301 })
      .defaults({ requestTimeout: { default: '10s', max: '1m' } });
    const spec = {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shared-gw' }],
      overrides: { httpsRedirect: { enabled: true, statusCode: 301, port: 443 }, maxRequestBytes: 10 },
      defaults: { requestTimeout: { default: '10s', max: '1m' } },
    };
    expect(exported(platform).shop!.policies).toEqual([{ name: 'shared-gw', ...spec }]);
    expect(readFileSync(join(folder, 'shop.ts'), 'utf8')).toContain('"maxRequestBytes": 10');
    const objects = parseAllDocuments(readFileSync(join(folder, 'shop.yaml'), 'utf8')).map((each) =>
      each.toJS(),
    );
    expect(objects.filter(({ kind }) => kind === 'GatewayPolicy')).toEqual([
      {
        apiVersion: 'gatewright.dev/v1alpha1',
        kind: 'GatewayPolicy',
        metadata: { name: 'shared-gw', namespace: 'infra' },
        spec,
      },
    ]);
  });

  it('is nothing where nothing is said', () => {
    expect(exported(storefront().platform).shop).not.toHaveProperty('policies');
  });

  it('is also what was written by hand, over listeners of the team, and of nobody else', () => {
    const { platform } = storefront();
    const byHand = (name: string, targetRefs: object[], maxRequestBytes: number) =>
      new ApiObject(platform, `by-hand-${name}`, {
        apiVersion: 'gatewright.dev/v1alpha1',
        kind: 'GatewayPolicy',
        metadata: { name },
        spec: { targetRefs, overrides: { maxRequestBytes } },
      } as never);
    const shopSet = { kind: 'ListenerSet', name: 'shared-gw-shop' };
    const mediaSet = { kind: 'ListenerSet', name: 'shared-gw-media' };
    byHand('both', [shopSet, mediaSet], 1000);
    byHand('web', [{ ...shopSet, sectionName: 'web.shop.example.com' }], 100);
    byHand('media', [mediaSet, { kind: 'Gateway', name: 'shared-gw', sectionName: 'lobby' }], 1);
    const data = exported(platform).shop!;
    expect(data.policies).toMatchObject([
      { name: 'both', targetRefs: [shopSet] },
      { name: 'web', targetRefs: [{ sectionName: 'web.shop.example.com' }] },
    ]);
    expect(readFileSync(join(folder, 'shop.yaml'), 'utf8')).not.toContain('media');
    const asked = (bytes: number, props?: object) =>
      inOwnRepository(data, (scope) => route(scope, props).policy({ maxRequestBytes: bytes }));
    expect(asked(100)).toEqual([]);
    expect(asked(101)).toEqual([expect.stringContaining('GatewayPolicy infra/web does not let it be so')]);
    expect(asked(1000, { listeners: ['secure'] })).toEqual([]);
    expect(asked(1001, { listeners: ['secure'] })).toEqual([expect.stringContaining('infra/both')]);
  });

  it('holds for parts of grants, listeners in the Gateway, dedicated gateways and own certificates', () => {
    const app = new App();
    const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
    const shop = new Team(platform, 'shop');
    const media = new Team(platform, 'media');
    const listeners = { web: http(80), secure: https(443, secretRef('wildcard')) };
    const bound = { maxRequestBytes: 10 };
    const shared = new SharedGateway(platform, 'shared-gw', { listeners }).enforce(bound);
    shared.grant(media, { hostnames: ['media.example.com'] }).delegate('/shop', shop);
    shared.grant(shop, {
      name: 'brand',
      hostnames: ['brand.example.com'],
      listeners: ['secure'],
      ownCertificates: ['brand-tls'],
    });
    new SharedGateway(platform, 'flat-gw', { listeners, teamListeners: 'gateway' })
      .enforce(bound)
      .grant(shop, { name: 'flat', hostnames: ['flat.example.com'] });
    new DedicatedGateway(platform, 'own-gw', {
      team: shop,
      hostnames: ['own.example.com'],
      listeners,
    }).enforce(bound);
    const odd = { secure: https(80, secretRef('wildcard')) };
    new SharedGateway(platform, 'odd-gw', { listeners: odd })
      .enforce(bound)
      .grant(shop, { name: 'odd', hostnames: ['odd.example.com'] });
    const grants = exported(platform);
    expect(Object.keys(grants).sort()).toEqual(['brand', 'flat', 'odd', 'own-gw', 'shop']);
    for (const [name, data] of Object.entries(grants)) {
      const write = (bytes: number) =>
        inOwnRepository(data, ({ chart, on }) => {
          if (name === 'brand') new TeamCertificate(chart as never, 'brand', { on } as never);
          const made = new TeamRoute(chart as never, 'r', { on } as never);
          made.rule().to(service('cart', 8080) as never);
          made.policy({ maxRequestBytes: bytes });
        });
      expect([name, write(10)]).toEqual([name, []]);
      expect([name, write(11)]).toEqual([
        name,
        [expect.stringContaining(`GatewayPolicy ${data.gateway} does not let it be so`)],
      ]);
    }
  });

  it('is refused where it is no policy', () => {
    const data = exported(storefront().platform).shop!;
    for (const policies of [[null], [{ name: 'p' }], [{ name: 'p', targetRefs: [], overrides: {} }]])
      expect(() => importGrant({ ...data, policies } as never)).toThrow(
        /^importGrant\(\) takes a list of GatewayPolicies as policies, and policies\[0\] is /,
      );
  });
});
