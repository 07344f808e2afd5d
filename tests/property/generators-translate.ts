/** Objects of every kind over few names, so that they meet; edits of them; and objects that were broken somewhere. */
import fc from 'fast-check';
import { refOf } from '../../gateway-runtime/api/kinds.ts';
import { type ObjectRef, type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import type { Change, Withhold } from '../../gateway-runtime/translate/translation.ts';
import { granted, grantedGroup, oneGrant } from './generators-grants.ts';
import {
  API,
  few,
  hostname,
  mostly,
  namespace,
  objectOf,
  often,
  pick,
  port,
  rarely,
  seldom,
  some,
} from './generators-objects.ts';
import { POLICIES } from './generators-policies.ts';

const selector = fc.record({
  matchLabels: seldom(fc.dictionary(pick('team', 'kubernetes.io/metadata.name'), pick('shop', 'media'))),
  matchExpressions: seldom(
    some(
      fc.record({
        key: pick('team', 'tier'),
        operator: pick('In', 'NotIn', 'Exists', 'DoesNotExist', 'Near'),
        values: seldom(few(pick('shop', 'media'))),
      }),
    ),
  ),
});

const listener = fc.record({
  hostname: seldom(hostname),
  port: mostly(443, 80),
  protocol: pick('HTTP', 'HTTPS', 'HTTPS', 'HTTPS', 'TLS', 'TCP'),
  mode: mostly(undefined, 'Terminate', 'Passthrough'),
  certificates: some(fc.record({ name: mostly('cert', 'other'), namespace: rarely(namespace) }), 2),
  allowedRoutes: often(
    fc.record({
      namespaces: often(fc.record({ from: mostly('All', 'Same', 'Selector'), selector: seldom(selector) })),
      kinds: rarely(some(fc.record({ kind: pick('HTTPRoute', 'TLSRoute') }))),
    }),
  ),
});
/** Mostly a listener that takes every route, and others beside it, each with a port, protocol and hostname of its own. */
const listeners = fc
  .tuple(mostly(true, false), rarely(hostname), few(listener, 3))
  .map(([open, host, list]) => {
    const first = {
      hostname: host,
      port: 80,
      protocol: 'HTTP',
      allowedRoutes: { namespaces: { from: 'All' } },
    };
    const all = open || list.length === 0 ? [first, ...list] : list;
    const distinct = new Map(
      all.map((each) => [`${each.port} ${each.protocol} ${'hostname' in each && each.hostname}`, each]),
    );
    return [...distinct.values()].map((each, index) => {
      const { certificates, mode, ...rest } = { certificates: undefined, mode: undefined, ...each };
      const secure = { mode: each.protocol === 'TLS' ? mode : undefined, certificateRefs: certificates };
      const tls = ['HTTPS', 'TLS'].includes(each.protocol) ? secure : undefined;
      const hostname = each.protocol === 'TCP' ? undefined : (rest as { hostname?: string }).hostname;
      return { name: ['web', 'secure', 'third', 'fourth'][index], ...rest, tls, hostname };
    });
  });

const gatewayName = mostly('gw', 'edge');
const value = pick('x', 'y');
const match = fc.record({
  path: seldom(
    fc.record({
      type: seldom(pick('Exact', 'PathPrefix', 'RegularExpression')),
      value: pick('/', '/a', '/a/', '/%61', '/b(', '/b/.*'),
    }),
  ),
  headers: seldom(
    few(fc.record({ name: pick('X-A', 'x-a', 'x-b'), type: seldom(pick('RegularExpression')), value })),
  ),
  queryParams: seldom(few(fc.record({ name: pick('q', 'Q'), value }))),
  method: seldom(pick('GET', 'POST')),
});
const otherService = fc.record({
  name: mostly('cart', 'whoami'),
  namespace: rarely(namespace),
  port: mostly(80, 81),
});
const filter = fc.oneof(
  fc.record({
    type: fc.constant('RequestHeaderModifier'),
    requestHeaderModifier: fc.constant({ set: [{ name: 'x-tier', value: 'gold' }] }),
  }),
  fc.record({
    type: fc.constant('RequestMirror'),
    requestMirror: fc.record({
      backendRef: otherService,
      percent: rarely(pick(0, 20, 101)),
    }),
  }),
  fc.record({
    type: fc.constant('CORS'),
    cors: fc.record({
      allowOrigins: often(pick(['*'], ['https://a.example', 'https://*.a.example'])),
      allowCredentials: seldom(fc.boolean()),
    }),
  }),
  fc.record({
    type: fc.constant('ExternalAuth'),
    externalAuth: fc.oneof(
      fc.record({
        protocol: fc.constant('HTTP'),
        backendRef: otherService,
        http: fc.record({
          path: seldom(pick('/a/../b', '/%00')),
          allowedHeaders: seldom(pick(['x-a'], ['te'])),
        }),
      }),
      fc.record({
        protocol: mostly('GRPC', 'HTTP'),
        backendRef: otherService,
        grpc: fc.record({ allowedHeaders: seldom(pick(['x-a'], ['te'])) }),
      }),
    ),
  }),
  fc.constant({ type: 'ExtensionRef', extensionRef: { group: 'example.com', kind: 'Thing', name: 'x' } }),
);
const backendRef = fc.record({
  name: mostly('cart', 'whoami'),
  kind: rarely(pick('Bucket')),
  namespace: rarely(namespace),
  port: mostly(80, 81),
  weight: seldom(pick(0, 1, 3)),
  filters: rarely(few(filter, 1)),
});
const rule = fc.record({
  name: rarely(pick('first')),
  matches: often(few(match)),
  filters: rarely(few(filter, 1)),
  backendRefs: often(few(backendRef)),
  timeouts: rarely(pick({ request: '1s' }, { request: '0s', backendRequest: '1h' }, { backendRequest: 'x' })),
  retry: rarely(pick({}, { codes: [503], attempts: 2, backoff: '1s' }, { attempts: 0 })),
  sessionPersistence: rarely(
    fc.constantFrom(
      {},
      { absoluteTimeout: '0s' },
      { type: 'Header', sessionName: 'x-s', absoluteTimeout: '1h' },
    ),
  ),
});
const parentRef = fc.record({
  kind: mostly('Gateway', 'ListenerSet', 'Service'),
  name: mostly('gw', 'edge', 'team'),
  namespace: mostly('infra', 'shop', undefined),
  sectionName: rarely(pick('web', 'secure')),
  port: rarely(port),
});

const referent = fc.record({
  group: fc.constant(''),
  kind: pick('Service', 'Secret', 'ConfigMap'),
  name: seldom(pick('cart', 'cert', 'ca')),
});
const referrer = fc.record({
  group: fc.constant(API),
  kind: pick('HTTPRoute', 'TLSRoute', 'Gateway', 'ListenerSet'),
  namespace,
});

export const PEM = {
  certificate: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  key: '-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END PRIVATE KEY-----\n',
  otherKey: '-----BEGIN PRIVATE KEY-----\nb3RoZXIta2V5\n-----END PRIVATE KEY-----\n',
};

const parametersRef = pick(
  { group: '', kind: 'ConfigMap', name: 'x', namespace: 'infra' },
  { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'x', namespace: 'infra' },
  { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'y', namespace: 'shop' },
);

/** One of each kind, nearly always valid. */
const KINDS: Record<string, fc.Arbitrary<RawObject>> = {
  GatewayClass: objectOf(`${API}/v1`, 'GatewayClass', mostly('ours', 'theirs'), {
    spec: fc.record({
      controllerName: mostly('gatewright.dev/gateway-controller', 'example.com/other'),
      parametersRef: rarely(parametersRef),
    }),
  }),
  Gateway: objectOf(
    `${API}/v1`,
    'Gateway',
    gatewayName,
    {
      spec: fc.record({
        gatewayClassName: mostly('ours', 'theirs', 'none'),
        defaultScope: seldom(pick('All', 'None')),
        listeners,
        addresses: rarely(pick([{ value: '10.0.0.1' }], [{ type: 'Hostname', value: 'x.com' }])),
        infrastructure: rarely(
          fc.record({ parametersRef: parametersRef.map(({ namespace: _, ...ref }) => ref) }),
        ),
        allowedListeners: often(
          fc.record({
            namespaces: fc.record({
              from: often(pick('All', 'Same', 'Selector', 'None')),
              selector: seldom(selector),
            }),
          }),
        ),
        tls: rarely(
          fc.constant({
            frontend: {
              default: { validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] } },
            },
          }),
        ),
      }),
    },
    fc.constant(undefined),
    granted,
  ),
  ListenerSet: objectOf(
    `${API}/v1`,
    'ListenerSet',
    pick('team', 'more'),
    {
      spec: fc.record({
        parentRef: fc.record({ name: gatewayName, namespace: often(namespace) }),
        listeners,
      }),
    },
    fc.constant(undefined),
    granted,
  ),
  HTTPRoute: objectOf(`${API}/v1`, 'HTTPRoute', pick('cart', 'web', 'api'), {
    spec: fc.record({
      parentRefs: fc.uniqueArray(parentRef, {
        minLength: 1,
        maxLength: 3,
        selector: (ref) => `${ref.kind}/${ref.namespace}/${ref.name}`,
      }),
      useDefaultGateways: seldom(pick('All', 'None')),
      hostnames: seldom(some(hostname)),
      rules: often(some(rule)),
    }),
  }),
  // One of them has the name of an HTTPRoute.
  TLSRoute: objectOf(`${API}/v1`, 'TLSRoute', pick('cart', 'mail'), {
    spec: fc.record({
      parentRefs: fc.uniqueArray(parentRef, {
        minLength: 1,
        maxLength: 3,
        selector: (ref) => `${ref.kind}/${ref.namespace}/${ref.name}`,
      }),
      useDefaultGateways: seldom(pick('All', 'None')),
      hostnames: some(hostname),
      rules: some(backendRef, 2).map((refs) => [{ backendRefs: refs.map(({ filters: _, ...ref }) => ref) }]),
    }),
  }),
  GatewayParameters: objectOf('gatewright.dev/v1alpha1', 'GatewayParameters', pick('x', 'y'), {
    spec: fc.record({ replicas: mostly(2, 0), accessLog: rarely(fc.boolean()) }),
  }),
  Grant: objectOf('gatewright.dev/v1alpha1', 'Grant', pick('one', 'two'), {
    spec: fc.record({
      gatewayName,
      team: pick('shop', 'media'),
      namespace,
      grants: some(oneGrant, 2).map((grants) => grants.map((each, index) => ({ name: `${index}`, ...each }))),
    }),
  }),
  ...POLICIES,
  ReferenceGrant: objectOf(`${API}/v1beta1`, 'ReferenceGrant', pick('one', 'two'), {
    spec: fc.record({ from: some(referrer), to: some(referent) }),
  }),
  Namespace: objectOf('v1', 'Namespace', namespace, {}),
  Service: objectOf('v1', 'Service', pick('cart', 'whoami'), {
    spec: fc.record({
      type: rarely(pick('ExternalName')),
      ports: some(
        fc.record({
          name: rarely(pick('http', 'admin')),
          port: mostly(80, 81),
          protocol: rarely(pick('TCP', 'UDP')),
          appProtocol: rarely(pick('http', 'kubernetes.io/h2c', 'kubernetes.io/ws')),
        }),
      ),
    }),
  }),
  EndpointSlice: objectOf(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    pick('s-1', 's-2'),
    {
      addressType: mostly('IPv4', 'FQDN'),
      ports: few(fc.record({ name: rarely(pick('http', '')), port: pick(8080, 8081) })),
      endpoints: few(
        fc.record({
          addresses: some(pick('10.0.0.1', '10.0.0.2', 'not-an-address')),
          conditions: seldom(
            fc.record({
              ready: seldom(fc.boolean()),
              serving: seldom(fc.boolean()),
              terminating: seldom(fc.boolean()),
            }),
          ),
          zone: seldom(pick('a', 'b')),
        }),
      ),
    },
    often(fc.record({ 'kubernetes.io/service-name': mostly('cart', 'whoami') })),
  ),
  Secret: objectOf('v1', 'Secret', pick('cert', 'other'), {
    type: mostly('kubernetes.io/tls', 'Opaque'),
    data: often(
      fc.record({
        'tls.crt': fc.constant(btoa(PEM.certificate)),
        'tls.key': fc.oneof(
          { weight: 4, arbitrary: pick(btoa(PEM.key), btoa(PEM.otherKey)) },
          { weight: 1, arbitrary: pick(btoa('rubbish'), '%%%') },
        ),
      }),
    ),
  }),
  BackendTLSPolicy: objectOf('gateway.networking.k8s.io/v1', 'BackendTLSPolicy', pick('one', 'two'), {
    spec: fc.record({
      targetRefs: fc
        .record({
          group: mostly('', 'example.com'),
          kind: mostly('Service', 'Backend'),
          name: mostly('cart', 'whoami', 'gone'),
          sectionName: rarely(pick('http', 'gone')),
        })
        .map((ref) => [ref]),
      validation: fc.record({
        caCertificateRefs: fc
          .record({
            group: fc.constant(''),
            kind: mostly('ConfigMap', 'Secret'),
            name: mostly('ca', 'x', 'gone'),
          })
          .map((ref) => [ref]),
        hostname: mostly('cart.internal', '10.0.0.1'),
        subjectAltNames: rarely(pick([{ type: 'URI', uri: 'spiffe://a/b' }])),
      }),
      options: seldom(pick({ 'example.com/option': 'x' })),
    }),
  }),
  ConfigMap: objectOf('v1', 'ConfigMap', mostly('ca', 'x'), {
    data: often(
      fc.record({ 'ca.crt': seldom(pick(PEM.certificate, `${PEM.certificate}${PEM.key}`, 'rubbish')) }),
    ),
  }),
};

/** Values that have no business in a field, among them keys of Object.prototype. */
const rubbish = fc.oneof(
  pick<unknown>(null, '', 0, -1, 1.5, true, [], {}, [null], '__proto__', 'constructor', 'a/b', '\0'),
  fc.constant(JSON.parse('{"__proto__": {"name": "x"}}') as unknown),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The object with something else in one of its places. */
function broken(object: RawObject, place: number, value: unknown): RawObject {
  const copy = structuredClone(object);
  const places: [holder: Record<string, unknown>, key: string][] = [];
  const walk = (holder: Record<string, unknown>) => {
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      if (typeof holder[key] === 'object' && holder[key] !== null)
        walk(holder[key] as Record<string, unknown>);
    }
  };
  walk(copy);
  const [holder, key] = places[place % places.length]!;
  holder[key] = value;
  return copy;
}

/** Routes and what carries them more often than the rest. */
export const validObject: fc.Arbitrary<RawObject> = fc.oneof(
  ...Object.entries(KINDS).map(([kind, arbitrary]) => ({
    weight: ['Gateway', 'HTTPRoute', 'TLSRoute', 'ListenerSet'].includes(kind) ? 3 : 2,
    arbitrary,
  })),
);

export const brokenObject: fc.Arbitrary<RawObject> = fc
  .tuple(validObject, fc.nat(200), rubbish)
  .map(([object, place, value]) => broken(object, place, value));

/** A set of objects, each name once: at least one of each kind, and more. */
export const objectSet: fc.Arbitrary<RawObject[]> = fc
  .tuple(
    fc.tuple(...Object.values(KINDS)),
    fc.array(fc.oneof({ weight: 15, arbitrary: validObject }, { weight: 1, arbitrary: brokenObject }), {
      maxLength: 40,
      size: 'max',
    }),
    rarely(grantedGroup),
  )
  .map(([each, more, group = []]) => [
    ...new Map([...each, ...more, ...group].map((object) => [keyOf(object), object])).values(),
  ]);

const withhold = fc.oneof(KINDS.Secret!, KINDS.ConfigMap!).map((object) => ({
  withhold: refOf(object),
  problem: 'may not be read',
  fix: 'grant it',
}));

/** An object set (a broken one now and then), one that may be there removed, or a Secret not readable any more. */
export type Edit = Change | Withhold;
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 1, arbitrary: withhold },
  { weight: 6, arbitrary: validObject.map((set) => ({ set })) },
  { weight: 1, arbitrary: brokenObject.map((set) => ({ set })) },
  { weight: 3, arbitrary: validObject.map((object) => ({ remove: refOf(object) })) },
);

/** Steps of one or more edits. */
export const edits: fc.Arbitrary<Edit[][]> = fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 12,
});

const keyOf = (object: RawObject) => keyOfRef(refOf(object));

/** Group too: an object of another group is another object. */
export const keyOfRef = (ref: ObjectRef): string => `${ref.group} ${refKey(ref)}`;
