import { describe, expect, it } from '@jest/globals';
import {
  brief,
  codes,
  gateway,
  http,
  messageOf,
  namespace,
  parentOf,
  route,
  rulesOf,
  service,
  to,
  translated,
} from './build.ts';

const GATEWAY = gateway('infra/gw', [http('web')]);
const served = [GATEWAY, service('shop/cart')];
const one = (rule: Record<string, unknown>) =>
  rulesOf(
    translated([...served, route('shop/cart', 'infra/gw', [{ ...to('cart:80'), ...rule }])]),
    'infra/gw',
  )[0]!;
const match = (fields: object) => one({ matches: [fields] }).matches[0]!;

describe('matches', () => {
  it.each([
    ['no matches', {}],
    ['an empty list', { matches: [] }],
    ['an empty match', { matches: [{}] }],
  ])('of %s take every request', (_, rule) => {
    expect(one(rule).matches).toEqual([
      { path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] },
    ]);
  });

  it.each([
    [{ value: '/a' }, { type: 'PathPrefix', value: '/a' }],
    [{ value: '/a/' }, { type: 'PathPrefix', value: '/a' }],
    [{ value: '/' }, { type: 'PathPrefix', value: '/' }],
    [
      { type: 'Exact', value: '/a/' },
      { type: 'Exact', value: '/a/' },
    ],
    [
      { type: 'Exact', value: '/%61%2d' },
      { type: 'Exact', value: '/a-' },
    ],
    [
      { type: 'RegularExpression', value: '/%61+' },
      { type: 'RegularExpression', value: '/%61+' },
    ],
  ])('of path %j become %j', (path, expected) => {
    expect(match({ path }).path).toEqual(expected);
  });

  it('of headers have lower-case names, each once, the first of them', () => {
    const headers = [
      { name: 'X-Tier', value: 'gold' },
      { name: 'x-tier', value: 'silver' },
      { name: 'Version', value: 'v[0-9]', type: 'RegularExpression' },
    ];
    expect(match({ headers }).headers).toEqual([
      { name: 'x-tier', type: 'Exact', value: 'gold' },
      { name: 'version', type: 'RegularExpression', value: 'v[0-9]' },
    ]);
  });

  it('of query parameters keep their case', () => {
    expect(match({ queryParams: [{ name: 'Q', value: 'x' }] }).queryParams).toEqual([
      { name: 'Q', type: 'Exact', value: 'x' },
    ]);
  });

  it('keep the method', () => {
    expect(match({ method: 'POST' }).method).toBe('POST');
  });
});

describe('timeouts and retries', () => {
  it('become milliseconds', () => {
    const { timeouts, retry } = one({
      timeouts: { request: '1h2m3s4ms', backendRequest: '0s' },
      retry: { codes: [500, 503], attempts: 3, backoff: '100ms' },
    });
    expect(timeouts).toEqual({ request: 3_723_004, backendRequest: 0 });
    expect(retry).toEqual({ codes: [500, 503], attempts: 3, backoff: 100 });
  });

  it('that leave something open have it filled in, and those that are not there stay away', () => {
    expect(one({ retry: {} }).retry).toEqual({ codes: [], attempts: 1, backoff: 25 });
    expect(one({ timeouts: {} }).timeouts).toEqual({});
    expect(one({})).not.toHaveProperty('retry');
    expect(one({})).not.toHaveProperty('timeouts');
  });
});

describe('sessions', () => {
  it('have what was asked for, and no more', () => {
    expect(one({ sessionPersistence: {} }).session).toEqual({ type: 'Cookie' });
    expect(one({ sessionPersistence: { type: 'Header', sessionName: 'x-s' } }).session).toEqual({
      type: 'Header',
      name: 'x-s',
    });
    expect(
      one({
        sessionPersistence: { absoluteTimeout: '1h', cookieConfig: { lifetimeType: 'Permanent' } },
      }).session,
    ).toEqual({ type: 'Cookie', lifetime: 3_600_000, isPermanent: true });
    expect(one({})).not.toHaveProperty('session');
  });

  it.each(['Content-Type', 'cookie', 'Set-Cookie', 'X-Forwarded-For', 'Upgrade', 'host', 'Authorization'])(
    'are not carried by the header %s',
    (sessionName) => {
      const { refusal } = one({ sessionPersistence: { type: 'Header', sessionName } });
      expect(refusal).toContain(`found the name ${sessionName}`);
    },
  );
});

describe('what is not served makes its rule answer 500, and says so', () => {
  const fine = { ...to('cart:80'), name: 'fine' };
  it.each<[string, object, string, string]>([
    [
      'a session without time',
      { sessionPersistence: { absoluteTimeout: '0s' } },
      'sessionPersistence.absoluteTimeout',
      'found 0s, after which no session would be left',
    ],
    [
      'a filter with a name that is none',
      {
        filters: [
          {
            type: 'ExternalAuth',
            externalAuth: {
              protocol: 'GRPC',
              backendRef: { name: 'cart', port: 80 },
              grpc: { allowedHeaders: ['x y'] },
            },
          },
        ],
      },
      'filters[0]',
      'found "x y" in allowedHeaders, expected the name of a header',
    ],
    [
      'a filter that can not stand on a backend',
      {
        backendRefs: [
          {
            name: 'cart',
            port: 80,
            filters: [
              {
                type: 'ExternalAuth',
                externalAuth: { protocol: 'HTTP', backendRef: { name: 'cart', port: 80 }, http: {} },
              },
            ],
          },
        ],
      },
      'backendRefs[0].filters[0]',
      "the filter ExternalAuth can't stand on a backend",
    ],
    [
      'an expression of a path',
      { matches: [{ path: { type: 'RegularExpression', value: '/a(' } }] },
      'matches[0].path.value',
      "found a regular expression that can't be used",
    ],
    [
      'an expression of a header',
      { matches: [{}, { headers: [{ name: 'a', type: 'RegularExpression', value: '(' }] }] },
      'matches[1].headers[0].value',
      "found a regular expression that can't be used",
    ],
    [
      'an expression of a query parameter',
      { matches: [{ queryParams: [{ name: 'a', type: 'RegularExpression', value: '(?<=a)' }] }] },
      'matches[0].queryParams[0].value',
      "found a regular expression that can't be used",
    ],
    [
      'a path that no request can have',
      { matches: [{ path: { type: 'Exact', value: '/%00' } }] },
      'matches[0].path.value',
      'found the path /%00, which no request can have',
    ],
  ])('%s', (_, broken, field, message) => {
    const alone = translated([...served, route('shop/alone', 'infra/gw', [{ ...to('cart:80'), ...broken }])]);
    expect(brief(parentOf(alone, 'shop/alone'))).toEqual({
      Accepted: 'False UnsupportedValue',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(messageOf(parentOf(alone, 'shop/alone'), 'Accepted')).toContain(
      `spec.rules[0].${field}: ${message}`,
    );
    expect(rulesOf(alone, 'infra/gw')[0]!.refusal).toContain(message);

    const beside = translated([
      ...served,
      route('shop/beside', 'infra/gw', [fine, { ...to('cart:80'), ...broken, name: 'broken' }]),
    ]);
    expect(brief(parentOf(beside, 'shop/beside'))).toEqual({
      Accepted: 'True Accepted',
      ResolvedRefs: 'True ResolvedRefs',
      PartiallyInvalid: 'True UnsupportedValue',
    });
    expect(messageOf(parentOf(beside, 'shop/beside'), 'PartiallyInvalid')).toMatch(
      /^Dropped Rule spec\.rules\[1\] \(broken\): /,
    );
    expect(rulesOf(beside, 'infra/gw').map(({ refusal }) => refusal !== undefined)).toEqual([false, true]);
    expect(beside.diagnostics).toMatchObject([
      { severity: 'error', code: 'route/unsupported-value', field: `spec.rules[1].${field}` },
    ]);
    expect(beside.diagnostics[0]!.message).toContain(message);
  });

  it('a reference to an extension is a reference that does not resolve, too', () => {
    const extensionRef = { group: 'example.com', kind: 'Thing', name: 'x' };
    const translation = translated([
      ...served,
      route('shop/cart', 'infra/gw', [
        { ...to('cart:80'), filters: [{ type: 'ExtensionRef', extensionRef }] },
      ]),
    ]);
    expect(brief(parentOf(translation, 'shop/cart'))).toEqual({
      Accepted: 'False UnsupportedValue',
      ResolvedRefs: 'False InvalidKind',
    });
    expect(codes(translation)).toEqual(['route/invalid-kind HTTPRoute/cart']);
  });

  it('a route that is not attached is not called partially invalid', () => {
    const translation = translated([
      gateway('infra/gw', [http('web', 80, { allowedRoutes: { namespaces: { from: 'Same' } } })]),
      route('shop/cart', 'infra/gw', [
        fine,
        { ...to('cart:80'), sessionPersistence: { absoluteTimeout: '0s' } },
      ]),
    ]);
    expect(brief(parentOf(translation, 'shop/cart'))).toEqual({
      Accepted: 'False NotAllowedByListeners',
      ResolvedRefs: 'False BackendNotFound',
    });
  });

  it('a rule without backend and redirect answers 500 by itself, which is said', () => {
    const translation = translated([...served, route('shop/cart', 'infra/gw', [{}])]);
    expect(rulesOf(translation, 'infra/gw')[0]).toMatchObject({ backends: [], filters: [] });
    expect(translation.diagnostics).toMatchObject([{ severity: 'warning', code: 'route/no-backends' }]);
    const redirect = { filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }] };
    expect(translated([...served, route('shop/cart', 'infra/gw', [redirect])]).diagnostics).toEqual([]);
  });
});

describe('filters', () => {
  it('stand in the order in which they run', () => {
    const filters = [
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['server'] } },
      { type: 'URLRewrite', urlRewrite: { hostname: 'a.com' } },
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b' }] } },
    ];
    expect(one({ filters }).filters.map(({ type }) => type)).toEqual([
      'RequestHeaderModifier',
      'URLRewrite',
      'ResponseHeaderModifier',
    ]);
    const backendRefs = [{ name: 'cart', port: 80, filters: filters.slice(0, 1) }];
    expect(one({ backendRefs }).backends[0]!.filters.map(({ type }) => type)).toEqual([
      'ResponseHeaderModifier',
    ]);
  });
});

describe('the source of a rule', () => {
  const source = (
    labels: Record<string, string> | undefined,
    created?: string,
    ns: Record<string, string> = {},
  ) =>
    rulesOf(
      translated([
        ...served,
        namespace('shop', ns),
        route(
          'shop/cart',
          'infra/gw',
          [{ name: 'first', ...to('cart:80') }],
          {},
          {
            generation: 7,
            ...(labels ? { labels } : {}),
            ...(created ? { creationTimestamp: created } : {}),
          },
        ),
      ]),
      'infra/gw',
    )[0]!.source;

  it('names route, rule, generation and time', () => {
    expect(source(undefined, '2024-05-06T07:08:09Z')).toEqual({
      kind: 'HTTPRoute',
      namespace: 'shop',
      name: 'cart',
      rule: 0,
      ruleName: 'first',
      generation: 7,
      created: '2024-05-06T07:08:09.000Z',
    });
  });

  it('has one form of a time, and none of what is no time', () => {
    expect(source(undefined, '2024-05-06T09:08:09+02:00').created).toBe('2024-05-06T07:08:09.000Z');
    expect(source(undefined, 'yesterday').created).toBe('');
    expect(source(undefined).created).toBe('');
  });

  it("has the team of the route's namespace, which the platform sets, else that of the route", () => {
    const team = (name: string) => ({ 'gatewright.dev/team': name });
    expect(source(team('cart-team'), undefined, team('shop-team')).team).toBe('shop-team');
    expect(source(team('cart-team')).team).toBe('cart-team');
    expect(source(undefined, undefined, team('shop-team')).team).toBe('shop-team');
    expect(source(undefined)).not.toHaveProperty('team');
  });
});
