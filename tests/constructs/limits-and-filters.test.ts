/** Timeouts, retries, mirrors, CORS and external authorization of routes: the objects they become, and what is refused. */
import { describe, expect, it } from '@jest/globals';
import { Duration } from 'cdk8s';
import { Service } from 'cdk8s-plus-25';
import {
  cors,
  exact,
  externalAuth,
  mirror,
  ReferenceGrant,
  type RuleProps,
  redirect,
  service,
  setHeaders,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { storefront } from './storefront.ts';
import { errors, named, warnings } from './synth.ts';

const cart = service('cart', 8080);

function ruleOf(props: RuleProps) {
  const { app, chart, shopEdge } = storefront();
  new Service(chart, 'auth', { metadata: { name: 'auth' }, ports: [{ port: 80 }] });
  new TeamRoute(chart, 'cart', { on: shopEdge }).rule(props).to(cart);
  return named(app, 'HTTPRoute', 'cart').spec.rules[0];
}

function errorsOf(write: (route: TeamRoute, made: ReturnType<typeof storefront>) => void): string[] {
  const made = storefront();
  const route = new TeamRoute(made.chart, 'cart', { on: made.shopEdge });
  write(route as TeamRoute, made);
  return errors(made.app);
}

describe('limits of a rule', () => {
  it('are written as the API has them', () => {
    const rule = ruleOf({
      name: 'cart',
      timeouts: { request: '1m30s', backendRequest: Duration.seconds(10) },
      retry: { attempts: 3, codes: [502, 503], backoff: '100ms' },
    });
    expect(rule).toMatchObject({
      name: 'cart',
      timeouts: { request: '1m30s', backendRequest: '10s' },
      retry: { attempts: 3, codes: [502, 503], backoff: '100ms' },
    });
  });

  it.each([
    [Duration.millis(0), '0s'],
    [Duration.millis(1500), '1s500ms'],
    [Duration.hours(25), '25h'],
    [Duration.minutes(90), '1h30m'],
    ['0s', '0s'],
    ['500ms', '500ms'],
  ] as const)('take the time %s', (request, expected) => {
    expect(ruleOf({ timeouts: { request } }).timeouts).toEqual({ request: expected });
  });

  it('may be left to the defaults of the API', () => {
    expect(ruleOf({ retry: {} }).retry).toEqual({});
    expect(ruleOf({})).not.toHaveProperty('retry');
    expect(ruleOf({})).not.toHaveProperty('timeouts');
  });

  it('are refused where they contradict each other', () => {
    expect(
      errorsOf((route) => route.rule({ timeouts: { request: '1s', backendRequest: '2s' } }).to(cart)),
    ).toEqual([
      expect.stringMatching(/spec\.rules\[0\]\.timeouts\.backendRequest: .*at most the request timeout, 1s/),
    ]);
    expect(errorsOf((route) => route.rule({ retry: { codes: [200] } }).to(cart))).toEqual([
      expect.stringMatching(/spec\.rules\[0\]\.retry\.codes\[0\]: /),
    ]);
  });
});

describe('sessions', () => {
  it('are kept by cookie or header, as the API has it', () => {
    expect(
      ruleOf({
        sessionPersistence: {
          sessionName: 'cart',
          absoluteTimeout: Duration.hours(1),
          cookieLifetime: 'Permanent',
        },
      }).sessionPersistence,
    ).toEqual({
      type: 'Cookie',
      sessionName: 'cart',
      absoluteTimeout: '1h',
      cookieConfig: { lifetimeType: 'Permanent' },
    });
    expect(
      ruleOf({ sessionPersistence: { type: 'Header', sessionName: 'x-cart' } }).sessionPersistence,
    ).toEqual({
      type: 'Header',
      sessionName: 'x-cart',
    });
    expect(ruleOf({ sessionPersistence: {} }).sessionPersistence).toEqual({ type: 'Cookie' });
    expect(ruleOf({})).not.toHaveProperty('sessionPersistence');
  });

  it('are refused where the API or the gateway could not keep them', () => {
    expect(
      errorsOf((route) => {
        route.rule({ path: exact('/a'), sessionPersistence: { cookieLifetime: 'Permanent' } }).to(cart);
      }),
    ).toEqual([
      expect.stringMatching(
        /sessionPersistence\.absoluteTimeout: .*a duration, since the cookie is Permanent/,
      ),
    ]);
    expect(
      errorsOf((route) => {
        route.rule({ sessionPersistence: { type: 'Header', sessionName: 'cookie' } }).to(cart);
      }),
    ).toEqual([expect.stringMatching(/sessionPersistence\.sessionName: found the name cookie/)]);
  });
});

describe('filters', () => {
  it('may be several mirrors, each with its share', () => {
    const { filters } = ruleOf({
      filters: [
        mirror(service('auth', 80)),
        setHeaders({ a: '1' }),
        mirror(service('auth', 80), { percent: 10 }),
        setHeaders({ b: '2' }),
        mirror(service('auth', 80), { fraction: [1, 1000] }),
      ],
    });
    const backendRef = { group: '', kind: 'Service', name: 'auth', port: 80 };
    expect(filters).toEqual([
      { type: 'RequestMirror', requestMirror: { backendRef } },
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: {
          set: [
            { name: 'a', value: '1' },
            { name: 'b', value: '2' },
          ],
        },
      },
      { type: 'RequestMirror', requestMirror: { backendRef, percent: 10 } },
      {
        type: 'RequestMirror',
        requestMirror: { backendRef, fraction: { numerator: 1, denominator: 1000 } },
      },
    ]);
  });

  it('may stand on a backend, and mirror to a Service construct', () => {
    const { app, chart, shopEdge } = storefront();
    const shadow = new Service(chart, 'shadow', { metadata: { name: 'shadow' }, ports: [{ port: 81 }] });
    new TeamRoute(chart, 'cart', { on: shopEdge })
      .rule()
      .to(service('cart', 8080, { filters: [mirror(shadow), cors({ origins: ['*'] })] }));
    const [{ filters }] = named(app, 'HTTPRoute', 'cart').spec.rules[0].backendRefs;
    expect(filters).toMatchObject([
      { type: 'RequestMirror', requestMirror: { backendRef: { name: 'shadow', port: 81 } } },
      { type: 'CORS', cors: { allowOrigins: ['*'] } },
    ]);
  });

  it('say which pages may call', () => {
    const { filters } = ruleOf({
      filters: [
        cors({
          origins: ['https://app.example.com', 'https://*.example.com'],
          credentials: true,
          methods: ['PUT', 'DELETE'],
          headers: ['x-token'],
          exposeHeaders: ['x-total'],
          maxAge: '10m',
        }),
      ],
    });
    expect(filters).toEqual([
      {
        type: 'CORS',
        cors: {
          allowOrigins: ['https://app.example.com', 'https://*.example.com'],
          allowCredentials: true,
          allowMethods: ['PUT', 'DELETE'],
          allowHeaders: ['x-token'],
          exposeHeaders: ['x-total'],
          maxAge: 600,
        },
      },
    ]);
  });

  it('have a Service asked', () => {
    const { filters } = ruleOf({
      filters: [
        externalAuth(service('auth', 80), {
          path: '/check',
          sendHeaders: ['cookie'],
          takeHeaders: ['x-user'],
          maxBody: 1024,
        }),
      ],
    });
    expect(filters).toEqual([
      {
        type: 'ExternalAuth',
        externalAuth: {
          protocol: 'HTTP',
          backendRef: { group: '', kind: 'Service', name: 'auth', port: 80 },
          http: { path: '/check', allowedHeaders: ['cookie'], allowedResponseHeaders: ['x-user'] },
          forwardBody: { maxSize: 1024 },
        },
      },
    ]);
    expect(ruleOf({ filters: [externalAuth(service('auth', 80))] }).filters[0].externalAuth).toEqual({
      protocol: 'HTTP',
      backendRef: { group: '', kind: 'Service', name: 'auth', port: 80 },
      http: {},
    });
  });

  it('have a Service asked by gRPC', () => {
    const filter = externalAuth(service('auth', 80), {
      protocol: 'GRPC',
      sendHeaders: ['cookie'],
      maxBody: 1024,
    });
    expect(ruleOf({ filters: [filter] }).filters[0].externalAuth).toEqual({
      protocol: 'GRPC',
      backendRef: { group: '', kind: 'Service', name: 'auth', port: 80 },
      grpc: { allowedHeaders: ['cookie'] },
      forwardBody: { maxSize: 1024 },
    });
    const { externalAuth: bare } = ruleOf({
      filters: [externalAuth(service('auth', 80), { protocol: 'GRPC' })],
    }).filters[0];
    expect(bare.grpc).toEqual({});
  });

  it.each([['mirror', mirror] as const, ['external authorization', externalAuth] as const])(
    'send to another team with its leave alone: %s',
    (_, filter) => {
      const ask = (isGranted: boolean) => {
        const { app, chart, shopEdge, shop, media } = storefront();
        const mediaChart = new TeamChart(app, 'media', { team: media });
        const other = new Service(mediaChart, 'other', {
          metadata: { name: 'other' },
          ports: [{ port: 80 }],
        });
        if (isGranted) new ReferenceGrant(mediaChart, 'leave', { from: shop, to: other });
        new TeamRoute(chart, 'cart', { on: shopEdge }).rule({ filters: [filter(other)] }).to(cart);
        return { app };
      };
      expect(errors(ask(false).app)).toEqual([
        expect.stringMatching(
          /^\[shop\/cart\] HTTPRoute\/shop\/cart spec\.rules\[0\]\.filters\[0\]\.\w+\.backendRef: no ReferenceGrant in namespace media lets HTTPRoute objects of namespace shop refer to Service media\/other\./,
        ),
      ]);
      const { app } = ask(true);
      expect(named(app, 'HTTPRoute', 'cart').spec.rules[0].filters[0]).toMatchObject({
        [filter === mirror ? 'requestMirror' : 'externalAuth']: { backendRef: { namespace: 'media' } },
      });
      expect(warnings(app)).toEqual([]);
    },
  );

  it('leave out the namespace of the route', () => {
    expect(
      ruleOf({ filters: [mirror(service('auth', 80, { namespace: 'shop' }))] }).filters[0].requestMirror
        .backendRef,
    ).not.toHaveProperty('namespace');
  });

  it('redirect with every status of the API', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'cart', { on: shopEdge });
    for (const status of [301, 302, 303, 307, 308] as const) {
      route.rule({ path: exact(`/${status}`) }).to(redirect({ scheme: 'https', status }));
    }
    expect(
      named(app, 'HTTPRoute', 'cart').spec.rules.map(
        ({ filters }: never) =>
          (filters as { requestRedirect: { statusCode: number } }[])[0]!.requestRedirect.statusCode,
      ),
    ).toEqual([301, 302, 303, 307, 308]);
  });
});

describe('what no compiler has refused, synth refuses', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
  type Any = any;

  it.each<[string, Any, string[]]>([
    ['a typo', { timeouts: { reqest: '1s' } }, ['timeouts does not know reqest: did you mean request?']],
    [
      'a time that is none',
      { timeouts: { request: 10, backendRequest: '10 s' }, retry: { backoff: '1.5s' } },
      [
        "timeouts takes a span of time, such as '500ms', '10s' or Duration.seconds(10), as request, this is 10",
        `timeouts takes a span of time, such as '500ms', '10s' or Duration.seconds(10), as backendRequest, this is "10 s"`,
        `retry takes a span of time, such as '500ms', '10s' or Duration.seconds(10), as backoff, this is "1.5s"`,
      ],
    ],
    [
      'limits that are no object',
      { timeouts: '10s', retry: 3 },
      [
        `rule() takes times, such as { request: '10s' }, as timeouts, this is "10s"`,
        'rule() takes what is tried again, such as { attempts: 2, codes: [503] }, as retry, this is 3',
      ],
    ],
    [
      'sessions',
      { sessionPersistence: { kind: 'Cookie', type: 'cookie', absoluteTimeout: 3600 } },
      [
        'sessionPersistence does not know kind: it takes type, sessionName, absoluteTimeout, cookieLifetime',
        `sessionPersistence takes 'Cookie' or 'Header' as type, this is "cookie"`,
        "sessionPersistence takes a span of time, such as '500ms', '10s' or Duration.seconds(10), as absoluteTimeout, this is 3600",
      ],
    ],
    [
      'mirrors to what is no Service',
      {
        filters: [
          mirror('cart' as Any),
          mirror(service('auth', 80, { weight: 3 })),
          mirror(cart, { percent: 1, fraction: [1, 2] }),
        ],
      },
      [
        'mirror() takes service() or a Service construct, this is "cart"',
        'mirror() takes a service without weight, which it has no use for: leave weight out',
        'mirror() takes percent or fraction, these are both: leave one out',
      ],
    ],
    [
      'authorization by a Service without a port',
      { filters: [(externalAuth as Any)(service('auth', undefined as Any), { takeHeader: ['a'] })] },
      [
        'externalAuth() does not know takeHeader: did you mean takeHeaders?',
        'service() takes a number as port, this is undefined',
      ],
    ],
    [
      'authorization by gRPC with what it has no use for',
      { filters: [(externalAuth as Any)(service('auth', 80), { protocol: 'GRPC', path: '/check' })] },
      ['externalAuth() of protocol GRPC does not know path: it takes sendHeaders, maxBody, protocol'],
    ],
    [
      'authorization by a protocol that there is not',
      { filters: [(externalAuth as Any)(service('auth', 80), { protocol: 'grpc' })] },
      ["externalAuth() takes 'HTTP' or 'GRPC' as protocol, this is \"grpc\""],
    ],
    [
      'CORS',
      { filters: [(cors as Any)({ maxAge: '100ms' }), cors({ origins: ['*'] })] },
      [
        'cors() takes a list of at least one text as origins, this is undefined',
        'cors() takes whole seconds, at least one, as maxAge, this is 0.1 s',
        'it has several cors(): write one, with all origins',
      ],
    ],
  ])('%s', (_, props, expected) => {
    const found = errorsOf((route) => route.rule({ path: exact('/x'), ...props }).to(cart));
    expect(found).toEqual(expected.map((each) => `[shop/cart] spec.rules[0] (/x): ${each}`));
  });

  it('external authorization on a backend', () => {
    const found = errorsOf((route) =>
      route.rule().to(service('cart', 8080, { filters: [externalAuth(service('auth', 80)) as Any] })),
    );
    expect(found).toEqual([
      expect.stringContaining(
        'service cart: service() takes a list of filters that can stand on a backend, such as [setHeaders({ name: value })], as filters, and filters[0] is',
      ),
    ]);
  });
});
