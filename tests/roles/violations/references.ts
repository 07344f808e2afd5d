/** What is in the namespace of another team, used without its consent. */
import { GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { asObjects, gatewayApi, httpRoute, listenersOf, NO_CONSTRUCT, type Violation } from './violation.ts';

const DEVELOPER = { by: 'shop', role: 'application developer' } as const;
const MEDIA = 'http://media.example.com/';
const FEED = { name: 'feed', namespace: 'media', port: 8080 };
const REFERENCE = 'a ReferenceGrant in namespace media, from HTTPRoutes of namespace shop to Service feed';
const NOT_LET_IN = {
  says: [
    'no ReferenceGrant in namespace media lets HTTPRoute objects of namespace shop refer to Service media/feed',
  ],
};
const FOREIGN = `service feed is in namespace media, which is not of team shop`;

export const REFERENCES: readonly Violation[] = [
  {
    name: 'backend-of-another-team',
    ...DEVELOPER,
    violates: 'a rule sends to a Service of another team, which did not consent',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(service('feed', 8080, { namespace: 'media' }));`,
    typescript: { at: `service('feed', 8080, { namespace: 'media' })`, words: [FOREIGN] },
    javascript: { path: 'shop/r', words: ['spec.rules[0] (prefix /)', FOREIGN] },
    objects: [httpRoute({ rules: [{ backendRefs: [FEED] }] })],
    missing: REFERENCE,
    runtime: NOT_LET_IN,
    threatens: MEDIA,
  },
  {
    name: 'mirror-to-another-team',
    ...DEVELOPER,
    violates: 'a rule sends copies of its requests to a Service of another team',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ filters: [mirror(service('feed', 8080, { namespace: 'media' }))] }).to(cart);`,
    typescript: { at: `mirror(service('feed', 8080, { namespace: 'media' }))`, words: [FOREIGN] },
    javascript: { path: 'shop/r', words: ['spec.rules[0] (prefix /)', FOREIGN] },
    objects: [
      httpRoute({
        rules: [
          {
            filters: [{ type: 'RequestMirror', requestMirror: { backendRef: FEED } }],
            backendRefs: [{ name: 'cart', port: 8080 }],
          },
        ],
      }),
    ],
    missing: REFERENCE,
    runtime: NOT_LET_IN,
    threatens: MEDIA,
  },
  {
    name: 'authorization-by-another-team',
    ...DEVELOPER,
    violates: 'a rule asks a Service of another team about each request',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ filters: [externalAuth(service('feed', 8080, { namespace: 'media' }))] }).to(cart);`,
    typescript: { at: `externalAuth(service('feed', 8080, { namespace: 'media' }))`, words: [FOREIGN] },
    javascript: { path: 'shop/r', words: ['spec.rules[0] (prefix /)', FOREIGN] },
    objects: [
      httpRoute({
        rules: [
          {
            filters: [
              {
                type: 'ExternalAuth',
                externalAuth: { protocol: 'HTTP', backendRef: FEED, http: { path: '/' } },
              },
            ],
            backendRefs: [{ name: 'cart', port: 8080 }],
          },
        ],
      }),
    ],
    missing: REFERENCE,
    runtime: NOT_LET_IN,
    threatens: MEDIA,
  },
  {
    name: 'consent-for-another-team',
    by: 'shop',
    role: 'application administrator',
    violates: 'a team lets itself into the namespace of another one',
    code: `new ReferenceGrant(shopChart, 'in', { from: shop, to: service('feed', 8080), namespace: 'media' });`,
    typescript: {
      at: 'namespace',
      words: [
        'the owner of a namespace says what may be referred to in it, and this chart belongs to team shop',
      ],
    },
    javascript: {
      path: 'shop/in',
      words: ['ReferenceGrant/media/in', 'this chart belongs to team shop in namespace shop'],
    },
    objects: [
      gatewayApi(
        'ReferenceGrant',
        { name: 'in', namespace: 'media' },
        {
          from: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: 'shop' }],
          to: [{ group: '', kind: 'Service', name: 'feed' }],
        },
      ),
      httpRoute({ rules: [{ backendRefs: [FEED] }] }),
    ],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: { unseen: 'who wrote a ReferenceGrant is not in it' },
    threatens: MEDIA,
  },
  {
    name: 'secret-of-another-team',
    by: 'shop',
    role: 'application administrator',
    violates: 'a team serves the certificate of another one at a listener of its own',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['ListenerSet/shop/own', 'made by the platform'] },
    objects: [
      gatewayApi(
        'ListenerSet',
        { name: 'own', namespace: 'shop' },
        {
          parentRef: { name: 'shared-gw', namespace: 'infra' },
          listeners: [
            {
              name: 'secure',
              port: 443,
              protocol: 'HTTPS',
              hostname: 'media.example.com',
              tls: { certificateRefs: [{ name: 'media-certificate', namespace: 'media' }] },
            },
          ],
        },
      ),
    ],
    missing: 'a grant of hostname media.example.com at gateway infra/shared-gw to team shop',
    threatens: MEDIA,
  },
  {
    name: 'tls-policy-for-another-team',
    by: 'shop',
    role: 'application administrator',
    violates: 'a team says how the Service of another one is reached',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['BackendTLSPolicy/media/feed', 'this chart belongs to team shop in namespace shop'],
    },
    objects: [
      gatewayApi(
        'BackendTLSPolicy',
        { name: 'feed', namespace: 'media' },
        {
          targetRefs: [{ group: '', kind: 'Service', name: 'feed' }],
          validation: { hostname: 'feed.evil.net', wellKnownCACertificates: 'System' },
        },
      ),
    ],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: { unseen: 'who wrote a policy is not in it', changes: true },
    threatens: MEDIA,
  },
  {
    name: 'endpoints-of-another-team',
    ...DEVELOPER,
    violates: 'a team puts its own pods behind the Service of another one',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['EndpointSlice/media/feed-x', 'this chart belongs to team shop in namespace shop'],
    },
    objects: [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'feed-x', namespace: 'media', labels: { 'kubernetes.io/service-name': 'feed' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['192.0.2.1'] }],
        ports: [{ port: 8080 }],
      },
    ],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: { unseen: 'who wrote endpoints is not in them', changes: true },
    threatens: MEDIA,
  },
  {
    name: 'route-of-a-route',
    ...DEVELOPER,
    violates: 'a rule sends its requests to the Service of the gateway itself',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(service('shared-gw', 80, { namespace: 'infra' }));`,
    typescript: {
      at: `service('shared-gw', 80, { namespace: 'infra' })`,
      words: ['service shared-gw is in namespace infra, which is not of team shop'],
    },
    javascript: {
      path: 'shop/r',
      words: [
        'spec.rules[0] (prefix /)',
        'service shared-gw is in namespace infra, which is not of team shop',
      ],
    },
    objects: [
      httpRoute({
        parentRefs: [listenersOf('shop')],
        rules: [{ backendRefs: [{ name: 'shared-gw', namespace: 'infra', port: 80 }] }],
      }),
    ],
    missing: 'a ReferenceGrant in namespace infra, from HTTPRoutes of namespace shop to Service shared-gw',
    runtime: {
      says: [
        'no ReferenceGrant in namespace infra lets HTTPRoute objects of namespace shop refer to Service infra/shared-gw',
      ],
    },
    threatens: MEDIA,
  },
];
