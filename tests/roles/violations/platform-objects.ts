/** What only the platform makes, made by a team. */
import { CONTROLLER_NAME, OWN_GROUP, TEAM_LABEL } from '../../../gateway-runtime/api/names.ts';
import {
  asObjects,
  GATEWAY,
  gatewayApi,
  grantOf,
  httpRoute,
  NO_CONSTRUCT,
  type Violation,
} from './violation.ts';

const ADMINISTRATOR = { by: 'shop', role: 'application administrator' } as const;
const MEDIA = 'http://media.example.com/';
const ONLY_PLATFORM = (kind: string) => `the right to write ${kind}, which no grant gives`;
const ALL = { namespaces: { from: 'All' } };

const gateway = (name: string, namespace: string, listeners: readonly object[]) =>
  gatewayApi('Gateway', { name, namespace }, { gatewayClassName: 'gatewright', listeners });
const listenerSet = (name: string, namespace: string, listeners: readonly object[]) =>
  gatewayApi(
    'ListenerSet',
    { name, namespace },
    { parentRef: { name: GATEWAY.name, namespace: 'infra' }, listeners },
  );
const gatewayPolicy = (name: string, kind: string, target: string, overrides: object) => ({
  apiVersion: `${OWN_GROUP}/v1alpha1`,
  kind: 'GatewayPolicy',
  metadata: { name, namespace: 'infra' },
  spec: { targetRefs: [{ kind, name: target }], overrides },
});
const web = (hostname: string) => ({ name: 'web', port: 80, protocol: 'HTTP', hostname, allowedRoutes: ALL });

export const PLATFORM_OBJECTS: readonly Violation[] = [
  {
    name: 'shared-gateway',
    ...ADMINISTRATOR,
    violates: 'a team makes a gateway for several teams',
    code: `new SharedGateway(shopChart, 'gw', { listeners: { web: http(80) } });`,
    typescript: {
      at: 'shopChart',
      words: ['a gateway is made by the platform, and this chart belongs to team shop'],
    },
    javascript: {
      path: 'shop/gw',
      words: ['a gateway is made by the platform, and this chart belongs to team shop'],
      namesNoGrant: true,
    },
    objects: [gateway('gw', 'shop', [{ name: 'web', port: 80, protocol: 'HTTP' }])],
    missing: ONLY_PLATFORM('Gateways'),
    runtime: {
      unseen:
        'a Gateway is as good as another; it has a data plane and an address of its own, where nobody else is',
    },
    threatens: MEDIA,
  },
  {
    name: 'dedicated-gateway',
    ...ADMINISTRATOR,
    violates: 'a team makes a gateway of its own, for the hostname of another team',
    code: `new DedicatedGateway(shopChart, 'gw', { team: shop, hostnames: ['media.example.com'], listeners: { web: http(80) } });`,
    typescript: {
      at: 'shopChart',
      words: ['a gateway is made by the platform, and this chart belongs to team shop'],
    },
    javascript: {
      path: 'shop/gw',
      words: ['a gateway is made by the platform, and this chart belongs to team shop'],
      namesNoGrant: true,
    },
    objects: [gateway('gw', 'shop', [web('media.example.com')])],
    missing: ONLY_PLATFORM('Gateways'),
    runtime: {
      unseen:
        'a Gateway is as good as another; it has a data plane and an address of its own, where nobody else is',
    },
    threatens: MEDIA,
  },
  {
    name: 'gateway-edited',
    ...ADMINISTRATOR,
    violates: 'a team adds a listener to the gateway of the platform, which admits everybody',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['Gateway/infra/shared-gw', 'made by the platform'] },
    objects: [
      gateway('shared-gw', 'infra', [
        { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: ALL },
        {
          name: 'secure',
          port: 443,
          protocol: 'HTTPS',
          tls: { certificateRefs: [{ name: 'wildcard' }] },
          allowedRoutes: ALL,
        },
      ]),
    ],
    missing: ONLY_PLATFORM('Gateways'),
    runtime: {
      unseen: 'who may write the Gateway of the platform says by it what is asked of whom',
      changes: true,
    },
    threatens: MEDIA,
  },
  {
    name: 'gateway-class',
    ...ADMINISTRATOR,
    violates: 'a team runs a control plane, with a class of its own',
    code: `new GatewayRuntime(shopChart, 'runtime', { image: 'registry.example.com/own:1' });`,
    typescript: {
      at: 'shopChart',
      words: ['a runtime is made by the platform, and this chart belongs to team shop'],
    },
    javascript: {
      path: 'shop/runtime',
      words: ['a runtime is made by the platform, and this chart belongs to team shop'],
      namesNoGrant: true,
    },
    objects: [gatewayApi('GatewayClass', { name: 'own' }, { controllerName: CONTROLLER_NAME })],
    missing: ONLY_PLATFORM('GatewayClasses'),
    runtime: { unseen: 'a class changes no Gateway of another one' },
    threatens: MEDIA,
  },
  {
    name: 'gateway-parameters',
    ...ADMINISTRATOR,
    violates: 'a team sets how the data planes of the platform run',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['GatewayParameters/infra/shared-gw', 'made by the platform'],
    },
    objects: [
      {
        apiVersion: `${OWN_GROUP}/v1alpha1`,
        kind: 'GatewayParameters',
        metadata: { name: 'shared-gw', namespace: 'infra' },
        spec: { replicas: 1 },
      },
    ],
    missing: ONLY_PLATFORM('GatewayParameters'),
    runtime: { unseen: 'they change no Gateway that does not name them' },
    threatens: MEDIA,
  },
  {
    name: 'gateway-policy',
    ...ADMINISTRATOR,
    violates: 'a team says what holds for all routes of the gateway',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['GatewayPolicy/infra/shared-gw', 'made by the platform'] },
    objects: [gatewayPolicy('shared-gw', 'Gateway', 'shared-gw', { ipAllow: ['192.0.2.0/24'] })],
    missing: ONLY_PLATFORM('GatewayPolicies'),
    runtime: { unseen: 'who writes into the namespace of the gateway is the platform', changes: true },
    threatens: MEDIA,
  },
  {
    name: 'policy-override',
    ...ADMINISTRATOR,
    violates: 'a team has its listeners take an older TLS than the platform lets them',
    code: `new RoutePolicy(shopChart, 'p', { route: new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(cart), minTlsVersion: 'TLSv1.2' });`,
    typescript: { at: 'minTlsVersion', words: [`'minTlsVersion' does not exist in type 'RoutePolicyProps'`] },
    javascript: { path: 'shop/p', words: ['RoutePolicy does not know minTlsVersion'], namesNoGrant: true },
    objects: [gatewayPolicy('shared-gw-shop', 'ListenerSet', 'shared-gw-shop', { minTlsVersion: 'TLSv1.2' })],
    missing: ONLY_PLATFORM('GatewayPolicies'),
    runtime: { unseen: 'who writes into the namespace of the gateway is the platform', changes: true },
    threatens: MEDIA,
  },
  {
    name: 'policy-for-another-team',
    ...ADMINISTRATOR,
    violates: 'a team says what holds for the route of another one',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['RoutePolicy/media/feed', 'this chart belongs to team shop in namespace shop'],
    },
    objects: [
      {
        apiVersion: `${OWN_GROUP}/v1alpha1`,
        kind: 'RoutePolicy',
        metadata: { name: 'feed', namespace: 'media' },
        spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'site' }], ipAllow: ['192.0.2.0/24'] },
      },
    ],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: { unseen: 'who writes into the namespace of a team is the team', changes: true },
    threatens: MEDIA,
  },
  {
    name: 'listener-set',
    ...ADMINISTRATOR,
    violates: 'a team writes itself a listener for the hostname of another team',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['ListenerSet/shop/own', 'made by the platform'] },
    objects: [
      listenerSet('own', 'shop', [web('media.example.com')]),
      httpRoute({
        parentRefs: [{ kind: 'ListenerSet', name: 'own', namespace: 'shop' }],
        hostnames: ['media.example.com'],
      }),
    ],
    missing: grantOf('hostname media.example.com', 'shop'),
    threatens: MEDIA,
  },
  {
    name: 'listener-set-of-a-free-hostname',
    ...ADMINISTRATOR,
    violates: 'a team writes itself a listener for a hostname that nobody was granted',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['ListenerSet/shop/own', 'made by the platform'] },
    objects: [
      listenerSet('own', 'shop', [web('new.example.com')]),
      httpRoute({
        parentRefs: [{ kind: 'ListenerSet', name: 'own', namespace: 'shop' }],
        hostnames: ['new.example.com'],
      }),
    ],
    missing: grantOf('hostname new.example.com', 'shop'),
    threatens: MEDIA,
  },
  {
    name: 'grant-widened',
    ...ADMINISTRATOR,
    violates: 'a team adds a hostname to its grant',
    code: `shopEdge.hostnames.push('media.example.com');`,
    typescript: { at: 'push', words: [`Property 'push' does not exist on type`] },
    javascript: { path: '', words: ['object is not extensible'], namesNoGrant: true },
    objects: [
      listenerSet('shared-gw-shop', 'infra', [
        {
          name: 'web.media.example.com',
          port: 80,
          protocol: 'HTTP',
          hostname: 'media.example.com',
          allowedRoutes: {
            namespaces: {
              from: 'Selector',
              selector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
            },
          },
        },
      ]),
      httpRoute({
        parentRefs: [{ kind: 'ListenerSet', name: 'shared-gw-shop', namespace: 'infra' }],
        hostnames: ['media.example.com'],
      }),
    ],
    missing: grantOf('hostname media.example.com', 'shop'),
    runtime: { unseen: 'who may write the listeners of the platform has them', changes: true },
    threatens: MEDIA,
  },
  {
    name: 'gateway-by-way-of-the-grant',
    ...ADMINISTRATOR,
    violates: 'a team grants itself more, by way of what it was granted',
    code: `shopEdge.gateway.grant(shop, { name: 'more', hostnames: ['media.example.com'] });`,
    typescript: { at: 'gateway', words: [`Property 'gateway' does not exist on type`] },
    javascript: { path: '', words: [`reading 'grant'`], namesNoGrant: true },
    objects: [
      listenerSet('shared-gw-shop-more', 'infra', [web('media.example.com')]),
      httpRoute({
        parentRefs: [{ kind: 'ListenerSet', name: 'shared-gw-shop-more', namespace: 'infra' }],
        hostnames: ['media.example.com'],
      }),
    ],
    missing: grantOf('hostname media.example.com', 'shop'),
    runtime: { says: ['hostname media.example.com on port 80 is taken by'] },
    threatens: MEDIA,
  },
  {
    name: 'team-by-a-team',
    ...ADMINISTRATOR,
    violates: 'a team makes another team, and its namespace',
    code: `new Team(shopChart, 'annex', { group: 'shop-people' });`,
    typescript: {
      at: 'shopChart',
      words: ['a team is made by the platform, and this chart belongs to team shop'],
    },
    javascript: {
      path: 'shop/annex',
      words: ['a team is made by the platform, and this chart belongs to team shop'],
      namesNoGrant: true,
    },
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'annex', labels: { [TEAM_LABEL]: 'media' } },
      },
    ],
    missing: ONLY_PLATFORM('Namespaces'),
    runtime: { unseen: 'a namespace in which nothing is changes nothing' },
    threatens: MEDIA,
  },
  {
    name: 'team-label-forged',
    ...ADMINISTRATOR,
    violates: 'a team labels its namespace as that of another team',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-1', words: ['grant platform/shared-gw/media is for team media'] },
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: 'shop',
          labels: { [TEAM_LABEL]: 'media', 'kubernetes.io/metadata.name': 'media' },
        },
      },
      httpRoute({
        parentRefs: [{ kind: 'ListenerSet', name: 'shared-gw-media', namespace: 'infra' }],
        hostnames: ['media.example.com'],
      }),
    ],
    missing: grantOf('hostname media.example.com', 'shop'),
    threatens: MEDIA,
  },
  {
    name: 'rights-by-a-team',
    ...ADMINISTRATOR,
    violates: 'a team gives itself rights over the whole cluster',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['ClusterRoleBinding/shop', 'made by the platform'] },
    objects: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'shop' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'shop-people' }],
      },
    ],
    missing: ONLY_PLATFORM('ClusterRoleBindings'),
    runtime: { unseen: 'rights are for the API server; nothing else reads them' },
    threatens: MEDIA,
  },
];
