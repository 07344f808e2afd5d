/** What a team says of its routes beyond what the platform lets any say. */
import { OWN_GROUP } from '../../../gateway-runtime/api/names.ts';
import { httpRoute, type Violation } from './violation.ts';

const MEDIA = 'http://media.example.com/';

export const BOUNDS: readonly Violation[] = [
  {
    name: 'policy-beyond-what-is-enforced',
    by: 'shop',
    role: 'application developer',
    violates: 'a team has its route take larger bodies than the platform lets any route take',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(cart).policy({ maxRequestBytes: 10_485_760 });`,
    typescript: {
      stoppedBy: 'synth',
      why: 'what a gateway enforces is said to it once its type is made; types of grants that were exported have it',
    },
    javascript: {
      path: 'shop/r/Policy',
      words: [
        'RoutePolicy/shop/r spec.maxRequestBytes: found 10485760, and GatewayPolicy infra/shared-gw does not let it be so (spec.overrides.maxRequestBytes): 1048576 holds',
      ],
      namesNoGrant: true,
    },
    objects: [
      {
        apiVersion: `${OWN_GROUP}/v1alpha1`,
        kind: 'RoutePolicy',
        metadata: { name: 'r', namespace: 'shop' },
        spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'r' }], maxRequestBytes: 10_485_760 },
      },
      httpRoute(),
    ],
    missing: 'a wider bound by GatewayPolicy infra/shared-gw (spec.overrides.maxRequestBytes)',
    runtime: {
      says: [
        'Programmed=False Overridden: ',
        'found 10485760, and GatewayPolicy infra/shared-gw does not let it be so (spec.overrides.maxRequestBytes): 1048576 holds',
      ],
    },
    threatens: MEDIA,
  },
  {
    name: 'time-beyond-what-is-enforced',
    by: 'shop',
    role: 'application developer',
    violates: 'a team has its requests take longer than the platform lets any take',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ timeouts: { request: '10m' } }).to(cart);`,
    typescript: {
      stoppedBy: 'synth',
      why: 'no type compares times without being longer than what it checks',
    },
    javascript: {
      path: 'shop/r',
      words: [
        'HTTPRoute/shop/r spec.rules[0].timeouts.request: found 10m, and GatewayPolicy infra/shared-gw does not let it be so (spec.overrides.requestTimeout): 1m holds',
      ],
      namesNoGrant: true,
    },
    objects: [
      httpRoute({
        rules: [{ timeouts: { request: '10m' }, backendRefs: [{ name: 'cart', port: 8080 }] }],
      }),
    ],
    missing: 'a wider bound by GatewayPolicy infra/shared-gw (spec.overrides.requestTimeout)',
    runtime: {
      says: [
        'gatewright.dev/GatewayPolicyAffected=True Overridden: ',
        'Not as the route says: spec.rules[0].timeouts.request is 10m, and 1m holds by GatewayPolicy infra/shared-gw (spec.overrides.requestTimeout)',
      ],
    },
    threatens: MEDIA,
  },
];
