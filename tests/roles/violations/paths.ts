/** Paths that were not delegated, and paths that were. */
import { gatewayApi, grantOf, httpRoute, listenersOf, type Unseen, type Violation } from './violation.ts';

const PAYMENTS = { by: 'payments', role: 'application developer' } as const;
const SHOP = { by: 'shop', role: 'application developer' } as const;
const toPay = [{ name: 'pay', port: 8080 }];
const toCart = [{ name: 'cart', port: 8080 }];
const GRANT = 'grant platform/shared-gw/shop/payments (granted: /checkout and all below)';
const GIVEN = '/checkout, which was delegated to team payments';
const THEIRS = 'nothing: the path was delegated to team payments, and is not that of team shop any more';
const EXPRESSION: Unseen = { stoppedBy: 'synth', why: 'what an expression matches is no matter of types' };

/** A rule of payments, on what shop delegated. */
function outside(name: string, path: string, violates: string): Violation {
  return {
    name,
    ...PAYMENTS,
    violates,
    code: `new TeamRoute(paymentsChart, 'r', { on: checkoutEdge }).rule({ path: prefix('${path}') }).to(service('pay', 8080));`,
    typescript: { at: 'path', words: [`${path} is outside this grant (granted: /checkout and all below)`] },
    javascript: {
      path: 'payments/r',
      words: [`spec.rules[0] (prefix ${path}): matches[0].path: path ${path} is outside ${GRANT}`],
    },
    objects: [
      httpRoute({
        namespace: 'payments',
        rules: [{ matches: [{ path: { type: 'PathPrefix', value: path } }], backendRefs: toPay }],
      }),
    ],
    missing: grantOf(`path ${path}`, 'payments'),
    threatens: `http://shop.example.com${path}`,
  };
}

export const PATHS: readonly Violation[] = [
  outside('path-outside-of-a-delegation', '/cart', 'a route on a delegated path serves another path'),
  outside(
    'path-that-begins-alike',
    '/checkouts',
    'a route serves a path that only begins like the delegated one',
  ),
  outside('every-path', '/', 'a route on a delegated path serves all paths'),
  {
    name: 'expression-beyond-a-delegation',
    ...PAYMENTS,
    violates: 'an expression matches more than the delegated path',
    code: `new TeamRoute(paymentsChart, 'r', { on: checkoutEdge }).rule({ path: regex('/(checkout|cart)') }).to(service('pay', 8080));`,
    typescript: EXPRESSION,
    javascript: {
      path: 'payments/r',
      words: [`the expression /(checkout|cart) could match a path outside of ${GRANT}`],
      namesNoGrant: true,
    },
    objects: [
      httpRoute({
        namespace: 'payments',
        rules: [
          {
            matches: [{ path: { type: 'RegularExpression', value: '/(checkout|cart)' } }],
            backendRefs: toPay,
          },
        ],
      }),
    ],
    missing: grantOf('path /', 'payments'),
    threatens: 'http://shop.example.com/cart',
  },
  {
    name: 'delegated-path',
    ...SHOP,
    violates: 'a team goes on using a path that it delegated',
    code: `new TeamRoute(shopChart, 'r', { on: checkoutEdge.remainder }).rule({ path: exact('/checkout/pay') }).to(cart);`,
    typescript: {
      at: 'path',
      words: ['/checkout/pay was delegated to another team (delegated: /checkout and all below)'],
    },
    javascript: {
      path: 'shop/r',
      words: [`matches[0].path: path /checkout/pay lies below ${GIVEN}`],
      namesNoGrant: true,
    },
    objects: [
      httpRoute({
        rules: [{ matches: [{ path: { type: 'Exact', value: '/checkout/pay' } }], backendRefs: toCart }],
      }),
    ],
    missing: THEIRS,
    runtime: { says: [`path /checkout/pay lies below ${GIVEN}`] },
    threatens: 'http://shop.example.com/checkout/pay',
  },
  {
    name: 'delegated-path-in-another-spelling',
    ...SHOP,
    violates: 'a team uses a path that it delegated, in another spelling',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ path: exact('/check%6Fut') }).to(cart);`,
    typescript: { stoppedBy: 'synth', why: 'one path has many spellings' },
    javascript: {
      path: 'shop/r',
      words: [`matches[0].path: path /check%6Fut lies below ${GIVEN}`],
      namesNoGrant: true,
    },
    objects: [
      httpRoute({
        rules: [{ matches: [{ path: { type: 'Exact', value: '/check%6Fut' } }], backendRefs: toCart }],
      }),
    ],
    missing: THEIRS,
    runtime: { says: [`path /check%6Fut lies below ${GIVEN}`] },
    threatens: 'http://shop.example.com/checkout',
  },
  {
    name: 'delegated-path-by-expression',
    ...SHOP,
    violates: 'a team uses a path that it delegated, by an expression',
    code: `new TeamRoute(shopChart, 'r', { on: checkoutEdge.remainder }).rule({ path: regex('/check.*') }).to(cart);`,
    typescript: EXPRESSION,
    javascript: {
      path: 'shop/r',
      words: [`the expression /check.* could match a path below ${GIVEN}`],
      namesNoGrant: true,
    },
    objects: [
      httpRoute({
        rules: [
          {
            matches: [{ path: { type: 'RegularExpression', value: '/check.*' } }],
            backendRefs: toCart,
          },
        ],
      }),
    ],
    missing: THEIRS,
    runtime: { says: [`the expression /check.* could match a path below ${GIVEN}`] },
    threatens: 'http://shop.example.com/checkout',
  },
  {
    name: 'delegated-path-by-hostname',
    ...SHOP,
    violates: 'a team takes a path back that it delegated under a wildcard, by a more specific hostname',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['a.apps.example.com'] }).rule().to(cart);`,
    typescript: { stoppedBy: 'synth', why: 'which hostname goes before which is no matter of types' },
    javascript: {
      path: 'shop/r',
      words: [
        `path / at hostname a.apps.example.com, which goes before *.apps.example.com, would take back ${GIVEN}`,
      ],
      namesNoGrant: true,
    },
    objects: [httpRoute({ hostnames: ['a.apps.example.com'] })],
    missing: THEIRS,
    runtime: {
      says: [
        `path / at hostname a.apps.example.com, which goes before *.apps.example.com, would take back ${GIVEN}`,
      ],
    },
    threatens: 'http://a.apps.example.com/checkout',
  },
  {
    name: 'delegation-widened',
    by: 'payments',
    role: 'application administrator',
    violates: 'a team delegates more than it was delegated',
    code: `checkoutEdge.delegate('/admin', media);`,
    typescript: {
      at: `'/admin'`,
      words: ['/admin is outside this grant (granted: /checkout and all below)'],
    },
    javascript: {
      path: 'platform/shared-gw/shop/payments/media',
      words: ['path /admin is not below that of grant platform/shared-gw/shop/payments', 'can only narrow'],
      namesNoGrant: true,
    },
    objects: [
      gatewayApi(
        'ListenerSet',
        { name: 'shared-gw-shop', namespace: 'infra' },
        {
          parentRef: { name: 'shared-gw' },
          listeners: [
            {
              name: 'web.shop.example.com',
              port: 80,
              protocol: 'HTTP',
              hostname: 'shop.example.com',
              allowedRoutes: { namespaces: { from: 'All' } },
            },
          ],
        },
      ),
      httpRoute({
        namespace: 'media',
        parentRefs: [listenersOf('shop', 'web.shop.example.com')],
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/admin' } }],
            backendRefs: [{ name: 'feed', port: 8080 }],
          },
        ],
      }),
    ],
    admission: { lacks: 'listenersets' },
    missing: grantOf('path /admin', 'media'),
    runtime: {
      unseen: 'who may write the listeners of the platform says by them who is let in',
      changes: true,
    },
    threatens: 'http://shop.example.com/admin',
  },
];
