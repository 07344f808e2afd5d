/** One valid object of each kind with many of its fields, for tests that change one of them. */
import type { RawObject } from '../../../gateway-runtime/api/object.ts';

const GATEWAY_API = 'gateway.networking.k8s.io/v1';

const listeners = () => [
  {
    name: 'http',
    port: 80,
    protocol: 'HTTP',
    hostname: '*.example.com',
    allowedRoutes: {
      namespaces: {
        from: 'Selector',
        selector: {
          matchLabels: { team: 'shop' },
          matchExpressions: [{ key: 'team', operator: 'In', values: ['shop'] }],
        },
      },
      kinds: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }],
    },
  },
  {
    name: 'https',
    port: 443,
    protocol: 'HTTPS',
    tls: {
      mode: 'Terminate',
      certificateRefs: [{ group: '', kind: 'Secret', name: 'certificate', namespace: 'infra' }],
      options: { 'example.com/option': 'value' },
    },
  },
];

const filters = () => [
  {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: {
      set: [{ name: 'a', value: '1' }],
      add: [{ name: 'b', value: '2' }],
      remove: ['c'],
    },
  },
  { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'a', value: '1' }] } },
  {
    type: 'URLRewrite',
    urlRewrite: { hostname: 'a.example', path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } },
  },
  {
    type: 'RequestMirror',
    requestMirror: {
      backendRef: { group: '', kind: 'Service', name: 'a', namespace: 'shop', port: 80 },
      fraction: { numerator: 1, denominator: 10 },
    },
  },
  {
    type: 'CORS',
    cors: {
      allowOrigins: ['https://example.com'],
      allowCredentials: true,
      allowMethods: ['GET'],
      allowHeaders: ['x-a'],
      exposeHeaders: ['x-b'],
      maxAge: 60,
    },
  },
  {
    type: 'ExternalAuth',
    externalAuth: {
      protocol: 'HTTP',
      backendRef: { name: 'auth', port: 80 },
      http: { path: '/auth', allowedHeaders: ['x-a'], allowedResponseHeaders: ['x-b'] },
      forwardBody: { maxSize: 1024 },
    },
  },
  { type: 'ExtensionRef', extensionRef: { group: 'example.com', kind: 'Filter', name: 'own' } },
];

/** Made anew at each call: tests change what they get. */
export const SAMPLES = {
  GatewayClass: (): RawObject => ({
    apiVersion: GATEWAY_API,
    kind: 'GatewayClass',
    metadata: { name: 'edge' },
    spec: {
      controllerName: 'gatewright.dev/gateway-controller',
      description: 'Edge.',
      parametersRef: { group: 'example.com', kind: 'Parameters', name: 'p', namespace: 'infra' },
    },
  }),
  Gateway: (): RawObject => ({
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: { name: 'edge', namespace: 'infra' },
    spec: {
      gatewayClassName: 'edge',
      listeners: listeners(),
      addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
      infrastructure: {
        labels: { 'example.com/key': 'value' },
        annotations: { note: 'any text' },
        parametersRef: { group: 'example.com', kind: 'Parameters', name: 'p' },
      },
      allowedListeners: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'shop' } } } },
      tls: {
        backend: { clientCertificateRef: { name: 'client' } },
        frontend: {
          default: {
            validation: {
              mode: 'AllowValidOnly',
              caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca', namespace: 'infra' }],
            },
          },
          perPort: [{ port: 443, tls: {} }],
        },
      },
      defaultScope: 'None',
    },
  }),
  GatewayParameters: (): RawObject => ({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'GatewayParameters',
    metadata: { name: 'p', namespace: 'infra' },
    spec: {
      replicas: 3,
      autoscaling: { minReplicas: 2, maxReplicas: 10, targetCPUUtilizationPercentage: 60 },
      resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { cpu: 2, memory: '1Gi' } },
      workers: 2,
      service: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        annotations: { 'example.com/pool': 'public' },
      },
      podDisruptionBudget: { maxUnavailable: '25%' },
      accessLog: true,
    },
  }),
  Grant: (): RawObject => ({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'Grant',
    metadata: { name: 'edge-shop', namespace: 'infra' },
    spec: {
      gatewayName: 'edge',
      team: 'shop',
      namespace: 'shop',
      grants: [
        {
          name: 'shop',
          hostnames: ['shop.example.com', '*.apps.example.com'],
          kinds: ['HTTPRoute', 'GRPCRoute'],
          listeners: [{ kind: 'ListenerSet', name: 'edge-shop', sectionNames: ['web.shop.example.com'] }],
          paths: ['/'],
          delegated: [
            { path: '/checkout', hostnames: ['shop.example.com'], team: 'payments', namespace: 'payments' },
          ],
          ownListeners: [{ port: 443, protocol: 'HTTPS' }],
        },
      ],
    },
  }),
  GatewayPolicy: (): RawObject => ({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'GatewayPolicy',
    metadata: { name: 'policy', namespace: 'infra' },
    spec: {
      targetRefs: [
        { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge', sectionName: 'http' },
      ],
      overrides: {
        httpsRedirect: { enabled: true, statusCode: 301, port: 8443 },
        minTlsVersion: 'TLSv1.3',
        maxRequestBytes: 1_048_576,
        requestTimeout: '10s',
        responseHeaders: {
          set: [{ name: 'strict-transport-security', value: 'max-age=31536000' }],
          add: [{ name: 'x-a', value: 'a' }],
          remove: ['server'],
        },
        ipAllow: ['10.0.0.0/8', '2001:db8::/32'],
      },
      defaults: {
        httpsRedirect: { enabled: false },
        minTlsVersion: 'TLSv1.2',
        maxRequestBytes: { default: 1024, max: 4096 },
        requestTimeout: { default: '5s', min: '1s', max: '8s' },
        responseHeaders: { set: [{ name: 'x-frame-options', value: 'DENY' }] },
        ipAllow: ['10.1.0.0/16'],
      },
    },
  }),
  RoutePolicy: (): RawObject => ({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'RoutePolicy',
    metadata: { name: 'policy', namespace: 'shop' },
    spec: {
      targetRefs: [{ kind: 'HTTPRoute', name: 'cart', sectionName: 'all' }],
      httpsRedirect: { enabled: false },
      maxRequestBytes: 2048,
      requestTimeout: '3s',
      responseHeaders: { set: [{ name: 'x-a', value: 'a' }] },
      ipAllow: ['10.1.0.0/16'],
    },
  }),
  ListenerSet: (): RawObject => ({
    apiVersion: GATEWAY_API,
    kind: 'ListenerSet',
    metadata: { name: 'set', namespace: 'shop' },
    spec: {
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge', namespace: 'infra' },
      listeners: listeners(),
    },
  }),
  HTTPRoute: (): RawObject => ({
    apiVersion: GATEWAY_API,
    kind: 'HTTPRoute',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: {
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          namespace: 'infra',
          name: 'edge',
          sectionName: 'http',
          port: 80,
        },
      ],
      hostnames: ['shop.example.com', '*.shop.example.com'],
      rules: [
        {
          name: 'cart',
          matches: [
            {
              path: { type: 'PathPrefix', value: '/cart' },
              method: 'GET',
              headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }],
              queryParams: [{ name: 'q', type: 'RegularExpression', value: 'a+' }],
            },
          ],
          filters: filters(),
          backendRefs: [
            {
              group: '',
              kind: 'Service',
              name: 'cart',
              namespace: 'shop',
              port: 8080,
              weight: 3,
              filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }],
            },
          ],
          timeouts: { request: '10s', backendRequest: '2s' },
          retry: { codes: [503], attempts: 2, backoff: '100ms' },
          sessionPersistence: {
            sessionName: 's',
            absoluteTimeout: '1h',
            type: 'Cookie',
            cookieConfig: { lifetimeType: 'Permanent' },
          },
        },
        {
          matches: [{ path: { type: 'PathPrefix', value: '/old' } }],
          filters: [
            {
              type: 'RequestRedirect',
              requestRedirect: {
                scheme: 'https',
                hostname: 'b.example',
                path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' },
                port: 8443,
                statusCode: 301,
              },
            },
          ],
        },
      ],
    },
  }),
  TLSRoute: (): RawObject => ({
    apiVersion: GATEWAY_API,
    kind: 'TLSRoute',
    metadata: { name: 'mail', namespace: 'shop' },
    spec: {
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          namespace: 'infra',
          name: 'gw',
          sectionName: 'tls',
          port: 443,
        },
      ],
      useDefaultGateways: 'None',
      hostnames: ['mail.example.com', '*.mail.example.com'],
      rules: [
        {
          name: 'all',
          backendRefs: [
            { group: '', kind: 'Service', name: 'mail', namespace: 'shop', port: 993, weight: 1 },
          ],
        },
      ],
    },
  }),
  ReferenceGrant: (): RawObject => ({
    apiVersion: GATEWAY_API,
    kind: 'ReferenceGrant',
    metadata: { name: 'to-shop', namespace: 'media' },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
      to: [{ group: '', kind: 'Service', name: 'player' }],
    },
  }),
  Namespace: (): RawObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { team: 'shop' } },
  }),
  Service: (): RawObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: {
      type: 'ClusterIP',
      selector: { app: 'cart' },
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'web', appProtocol: 'http' }],
    },
  }),
  EndpointSlice: (): RawObject => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'cart-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.0.0.7'], conditions: { ready: true, serving: true, terminating: false }, zone: 'a' },
    ],
    ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
  }),
  Secret: (): RawObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'certificate', namespace: 'infra' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' },
  }),
  BackendTLSPolicy: (): RawObject => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'BackendTLSPolicy',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: {
      targetRefs: [
        { group: '', kind: 'Service', name: 'cart', sectionName: 'https' },
        { group: '', kind: 'Service', name: 'orders' },
      ],
      validation: {
        caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }],
        hostname: 'cart.shop.internal',
        subjectAltNames: [
          { type: 'Hostname', hostname: '*.shop.internal' },
          { type: 'URI', uri: 'spiffe://cluster.local/ns/shop/sa/cart' },
        ],
      },
      options: { 'example.com/option': 'value' },
    },
  }),
  ConfigMap: (): RawObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'authorities', namespace: 'infra' },
    data: { 'ca.crt': 'x' },
  }),
};
export type SampleKind = keyof typeof SAMPLES;

/** The sample with one field set, or removed where the value is undefined. `path` is as in a diagnostic. */
export function sampleWith(kind: SampleKind, path: string, value: unknown): RawObject {
  const object = SAMPLES[kind]();
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop()!;
  let at = object as Record<string, unknown>;
  for (const step of steps) at = at[step] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return object;
}
