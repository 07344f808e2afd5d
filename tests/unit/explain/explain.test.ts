import { describe, expect, it } from '@jest/globals';
import { type ExplainedAt, explain } from '../../../gateway-runtime/explain/explain.ts';
import { explanationText } from '../../../gateway-runtime/explain/text.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { FilterConfig, HttpRule, WeightedBackend } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { listener, prefix, request, rule, snapshot } from '../match/snapshots.ts';

const backend = (name: string, weight: number, rest: Partial<WeightedBackend> = {}): WeightedBackend => ({
  name: `Service shop/${name}:80`,
  weight,
  backend: `backend/shop/${name}/80`,
  filters: [],
  ...rest,
});
const unresolved = (name: string, weight: number): WeightedBackend => {
  const { backend: _none, ...rest } = backend(name, weight);
  return { ...rest, unresolved: { reason: 'BackendNotFound', message: `there is no Service ${name}` } };
};
const redirect: FilterConfig = { type: 'RequestRedirect', config: { status: 301, scheme: 'https' } };

/** The explanation of `GET shop.example.com/cart` at a rule that has this. */
const served = (
  rest: Partial<Pick<HttpRule, 'filters' | 'backends' | 'refusal' | 'allow' | 'maxRequestBytes'>>,
  at: Partial<ExplainedAt> = {},
  headers: Record<string, string> = {},
) =>
  explain(
    snapshot(listener('web'), rule({ matches: [{ path: prefix('/cart') }], rest })),
    { port: 80, ...at },
    request('GET shop.example.com/cart/1', headers),
    re2,
  );

describe('backends', () => {
  it('have shares in percent, those that did not resolve too', () => {
    const { backends, status, summary } = served({
      backends: [backend('a', 2), unresolved('b', 1), backend('c', 0)],
    });
    expect(backends).toEqual([
      { name: 'Service shop/a:80', weight: 2, share: 66.7, filters: [] },
      {
        name: 'Service shop/b:80',
        weight: 1,
        share: 33.3,
        unresolved: { reason: 'BackendNotFound', message: 'there is no Service b' },
        filters: [],
      },
      { name: 'Service shop/c:80', weight: 0, share: 0, filters: [] },
    ]);
    expect(status).toBeUndefined();
    expect(summary).toBe('served by HTTPRoute shop/cart spec.rules[0]');
  });

  it.each<[string, Partial<HttpRule>]>([
    ['it has no backend', {}],
    ['all its backends have weight 0', { backends: [backend('a', 0)] }],
    ['none of its backends can be used', { backends: [unresolved('a', 1), backend('b', 0)] }],
    [
      'the filter ExtensionRef is not served',
      { backends: [backend('a', 1)], refusal: 'the filter ExtensionRef is not served' },
    ],
    [
      'the filter Unknown is not known to this version; update the data plane',
      { backends: [backend('a', 1)], filters: [{ type: 'Unknown', config: {} }] },
    ],
  ])('answered 500 because %s', (reason, rest) => {
    const explanation = served(rest);
    expect(explanation.status).toBe(500);
    expect(explanation.summary).toBe(`answered 500 by HTTPRoute shop/cart spec.rules[0]: ${reason}`);
  });
});

describe('filters', () => {
  it('are told in order, and run to show what is forwarded', () => {
    const { filters, forwarded } = served({
      backends: [backend('a', 1)],
      filters: [
        {
          type: 'RequestHeaderModifier',
          config: { set: [['x-a', 'b']], add: [['x-b', 'c']], remove: ['x-c'] },
        },
        {
          type: 'URLRewrite',
          config: { hostname: 'cart.internal', path: { type: 'prefix', path: '/basket' } },
        },
      ],
    });
    expect(filters).toEqual([expect.stringContaining('x-a'), expect.stringContaining('/basket')]);
    expect(forwarded).toEqual({ host: 'cart.internal', path: '/basket/1' });
  });

  it('that answer themselves give status and Location, with the port a client sees', () => {
    const config = { status: 302, port: 443, scheme: 'https' };
    const explanation = served(
      { filters: [{ type: 'RequestRedirect', config }], backends: [] },
      { publicPort: (port) => port + 8000 },
    );
    expect(explanation).toMatchObject({
      status: 302,
      reply: { status: 302, location: 'https://shop.example.com:8443/cart/1' },
      backends: [],
    });
  });

  it('that ask a Service first say so, and that one which can not be asked lets nothing through', () => {
    const config = {
      protocol: 'HTTP',
      name: 'Service shop/auth:80',
      backend: 'backend/shop/auth/80',
      prefix: '/check',
      tells: ['cookie'],
      takes: ['x-user'],
      body: 10,
    };
    const asking = { type: 'ExternalAuth', config };
    const { filters, summary } = served({ backends: [backend('a', 1)], filters: [asking] });
    expect(filters).toEqual([
      'asks Service shop/auth:80 whether the request may go on; under /check; tells it cookie; sends it the body, up to 10 bytes; takes x-user from its answer',
    ]);
    expect(summary).toBe('served by HTTPRoute shop/cart spec.rules[0], once Service shop/auth:80 allows it');
    expect(served({ filters: [asking, redirect], backends: [] }).summary).toMatch(
      /^answered 301 by .*, once Service shop\/auth:80 allows it$/,
    );
    const { backend: _, ...unknown } = config;
    expect(
      served({ backends: [backend('a', 1)], filters: [{ type: 'ExternalAuth', config: unknown }] }),
    ).toMatchObject({ status: 500, filters: ["asks nobody: Service shop/auth:80 can't be used"] });
  });

  it('of one backend do not touch another', () => {
    const { backends, status } = served({
      backends: [
        backend('a', 1, {
          filters: [{ type: 'URLRewrite', config: { path: { type: 'full', path: '/x' } } }, redirect],
        }),
        backend('b', 1, { filters: [redirect] }),
      ],
    });
    expect(backends.map((each) => each.reply?.location)).toEqual([
      'https://shop.example.com/x',
      'https://shop.example.com/cart/1',
    ]);
    expect(status).toBeUndefined();
  });
});

it('says by which line of precedence the rule goes before the next one', () => {
  const { decision, matches } = explain(
    snapshot(
      listener('web'),
      rule({ route: 'a/b', matches: [{ path: prefix('/cart') }, { path: prefix('/cart'), method: 'GET' }] }),
      rule({ route: 'a/a', matches: [{ path: prefix('/cart') }] }),
    ),
    { port: 80 },
    request('GET shop.example.com/cart'),
    re2,
  );
  expect(decision).toEqual({
    precedence: 'method',
    sentence: 'a match with a method goes first',
    over: { kind: 'HTTPRoute', namespace: 'a', name: 'a', rule: 0 },
  });
  expect(matches.map(({ name, match, outcome, precedence }) => [name, match, outcome, precedence])).toEqual([
    ['b', 1, 'serves', undefined],
    ['a', 0, 'outranked', 'method'],
    ['b', 0, 'outranked', 'method'],
  ]);
});

describe('before any rule', () => {
  const tls = (name: string, hostname?: string, certificates = ['infra/c']) =>
    listener(name, { port: 443, protocol: 'HTTPS', certificates, ...(hostname ? { hostname } : {}) });
  const gateway = snapshot(
    listener('web', { hostname: '*.example.com' }),
    tls('one', 'one.example.com'),
    tls('two', 'two.example.com'),
    tls('bare', 'bare.example.com', []),
  );
  const said = (at: ExplainedAt, line: string) => {
    const { status, summary } = explain(gateway, at, request(line), re2);
    return `${status}: ${summary}`;
  };

  it.each<[ExplainedAt, string, string]>([
    [{ port: 80 }, 'GET a..b/', '400: answered 400: the host has an empty label'],
    [{ port: 80 }, 'GET a.example.com/..%2f', '400: answered 400: the path hides a'],
    [
      { port: 80 },
      'GET example.org/',
      '404: answered 404: no listener of the port takes the host example.org',
    ],
    [{ port: 80 }, 'GET a.example.com/', '404: answered 404: no rule at the listener web matches'],
    [{ port: 81 }, 'GET a.example.com/', 'undefined: not connected: the Gateway has no listener at port 81'],
    [
      { port: 80, tls: true },
      'GET a.example.com/',
      'undefined: not connected: the listeners at port 80 speak HTTP,',
    ],
    [
      { port: 443, tls: false },
      'GET one.example.com/',
      'undefined: not connected: the listeners at port 443 speak HTTPS',
    ],
    [
      { port: 443 },
      'GET other.example.com/',
      'undefined: not connected: no listener takes a TLS handshake for the server name',
    ],
    [
      { port: 443 },
      'GET 192.0.2.1/',
      'undefined: not connected: no listener takes a TLS handshake without a server name',
    ],
    [
      { port: 443 },
      'GET bare.example.com/',
      'undefined: not connected: the listener bare has no certificate',
    ],
    [
      { port: 443, serverName: 'two.example.com' },
      'GET one.example.com/',
      '421: answered 421: the TLS handshake with the server name two.example.com was with another listener than the one of one.example.com',
    ],
    [
      { port: 443, serverName: 'two.example.com' },
      'GET other.example.com/',
      '404: answered 404: no listener of the port takes the host',
    ],
    [{ port: 443 }, 'GET one.example.com/', '404: answered 404: no rule at the listener one matches'],
    [{ port: 443, serverName: 'ONE.example.com.' }, 'GET one.example.com/', '404: answered 404: no rule'],
  ])('%j %s', (at, line, expected) => {
    expect(said(at, line).slice(0, expected.length)).toBe(expected);
  });
});

it('shows host and path as given where they were not canonical', () => {
  const { request: asked } = explain(
    snapshot(listener('web')),
    { port: 80 },
    request('GET SHOP.example.com:80/a/../%63art'),
    re2,
  );
  expect(asked).toMatchObject({
    host: 'shop.example.com',
    path: '/cart',
    given: { host: 'SHOP.example.com:80', path: '/a/../%63art' },
  });
});

describe('what a rule asks before its filters', () => {
  const backends = [backend('a', 1)];
  const by = 'by HTTPRoute shop/cart spec.rules[0]';

  it('is said of requests that it serves, and of redirects', () => {
    const bounds = { allow: ['10.0.0.0/8', 'fd00::/8'], maxRequestBytes: 1024 };
    const limits = [
      'clients from 10.0.0.0/8 and fd00::/8; others get 403',
      'a body of at most 1024 bytes, or 413',
    ];
    expect(served({ backends, ...bounds })).toMatchObject({ limits, summary: `served ${by}` });
    expect(served({ filters: [redirect], ...bounds })).toMatchObject({ limits, status: 301 });
    const text = explanationText(served({ backends, ...bounds }));
    expect(text).toContain('Limits      clients from 10.0.0.0/8 and fd00::/8; others get 403\n');
  });

  it('of clients is 403 where it is known that they come from elsewhere', () => {
    const allow = ['10.0.0.0/8'];
    for (const rest of [{ backends }, { filters: [redirect] }]) {
      const { status, summary, backends: none } = served({ ...rest, allow }, { client: '11.0.0.1' });
      expect([status, summary, none]).toEqual([
        403,
        `answered 403 ${by}: it takes no requests from 11.0.0.1`,
        [],
      ]);
    }
    expect(served({ backends, allow }, { client: '10.1.2.3' }).status).toBeUndefined();
    expect(served({ backends, allow }, { client: '::ffff:10.1.2.3' }).status).toBeUndefined();
  });

  it('of clients is 403 for all where there is no network', () => {
    expect(served({ backends, allow: [] }).summary).toBe(
      `answered 403 ${by}: it takes no requests from anywhere`,
    );
  });

  it('of bodies is 413 where a larger one is announced', () => {
    const rest = { backends, maxRequestBytes: 10 };
    const { status, summary } = served(rest, {}, { 'content-length': '11' });
    expect([status, summary]).toEqual([413, `answered 413 ${by}: a body of 11 bytes is more than it takes`]);
    expect(served(rest, {}, { 'content-length': '10' }).status).toBeUndefined();
  });

  it('names a few networks and counts the others', () => {
    const allow = Array.from({ length: 20 }, (_, i) => `10.${i}.0.0/16`);
    const [line] = served({ backends, allow }).limits!;
    expect(line).toMatch(
      /^clients from 10\.0\.0\.0\/16, .*, 10\.7\.0\.0\/16 and 12 more networks; others get 403$/,
    );
  });

  it('of TLS is said of the listener', () => {
    const secure = listener('web', {
      port: 443,
      protocol: 'HTTPS',
      certificates: ['a/b'],
      minTlsVersion: 'TLSv1.3',
    });
    const explained = explain(
      snapshot(secure, rule({ rest: { backends } })),
      { port: 443 },
      request('GET a.b/'),
      re2,
    );
    expect(explained.listeners).toMatchObject([{ tls: 'TLS 1.3 or newer' }]);
    expect(explanationText(explained)).toContain('it takes TLS 1.3 or newer');
  });
});
