/**
 * The largest objects that an API server takes (1.5 MB is what etcd stores): every list as long as it may be, texts as long as
 * there is room; and objects beyond what the fields allow.
 */
import type { RawObject } from '../../gateway-runtime/api/object.ts';

const API = 'gateway.networking.k8s.io';
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const long = (length: number, index: number) => `${index}-`.padEnd(length, 'x');
/** A hostname of 253 characters. */
const longHost = (index: number) =>
  [`h${index}`.padEnd(57, 'a'), ...times(3, () => 'b'.repeat(63))].join('.').slice(0, 249).concat('.com');

const object = (apiVersion: string, kind: string, rest: object): ((namespace: string) => RawObject) => {
  return (namespace) => ({
    apiVersion,
    kind,
    metadata: { namespace, name: `huge-${kind.toLowerCase()}` },
    ...rest,
  });
};

const headerFilter = (name: string, field: string) => ({
  type: name,
  [field]: {
    set: times(16, (index) => ({ name: `x-set-${index}`, value: long(100, index) })),
    add: times(16, (index) => ({ name: `x-add-${index}`, value: long(100, index) })),
    remove: times(16, (index) => `x-remove-${index}`),
  },
});
const filters = [
  headerFilter('RequestHeaderModifier', 'requestHeaderModifier'),
  headerFilter('ResponseHeaderModifier', 'responseHeaderModifier'),
];

/** Regular expressions that take up all that a field can hold, and each a program of its own. */
const expression = (length: number, index: number) =>
  `(${index}|a*b?)+`.repeat(Math.ceil(length / 9)).slice(0, length);
const match = (index: number) => ({
  path: { type: 'RegularExpression', value: expression(1024, index) },
  headers: times(16, (each) => ({
    name: `x-${each}`,
    type: 'RegularExpression',
    value: expression(150, each),
  })),
  queryParams: times(16, (each) => ({
    name: `q${each}`,
    type: 'RegularExpression',
    value: expression(100, each),
  })),
});
const exactMatch = (index: number) => ({
  path: { type: 'Exact', value: `/${long(1000, index)}` },
  headers: times(16, (each) => ({ name: `x-${each}`, value: long(150, each) })),
});

/** 128 matches is what all rules of a route may have together. */
const route = (parentRefs: readonly object[], makeMatch: (index: number) => object) =>
  object(`${API}/v1`, 'HTTPRoute', {
    spec: {
      parentRefs,
      hostnames: times(16, longHost),
      rules: times(16, (rule) => ({
        name: `rule-${rule}`,
        matches: times(8, (index) => makeMatch(rule * 8 + index)),
        filters,
        backendRefs: times(16, (index) => ({
          name: long(253, index),
          port: 1 + index,
          weight: 1_000_000,
          filters: rule === 0 ? filters : [],
        })),
      })),
    },
  });

const listeners = times(64, (index) => ({
  name: long(253, index),
  port: 1 + index,
  protocol: 'HTTPS',
  hostname: longHost(index),
  tls: { certificateRefs: times(64, (each) => ({ name: long(100, each) })) },
  allowedRoutes: {
    namespaces: {
      from: 'Selector',
      selector: {
        matchExpressions: times(20, (each) => ({
          key: `k${each}`,
          operator: 'NotIn',
          values: times(50, String),
        })),
      },
    },
    kinds: times(8, (each) => ({ kind: `Kind${each}` })),
  },
}));

/** By the Gateway that a hostile namespace sees. */
export function hugeObjects(gateway: { namespace: string; name: string }, namespace: string): RawObject[] {
  const parentRefs = [gateway, ...times(31, (index) => ({ ...gateway, name: long(253, index) }))];
  return [
    { ...route(parentRefs, match)(namespace), metadata: { namespace, name: 'huge-expressions' } },
    { ...route(parentRefs, exactMatch)(namespace), metadata: { namespace, name: 'huge-values' } },
    object(`${API}/v1`, 'Gateway', { spec: { gatewayClassName: 'edge', listeners } })(namespace),
    object(`${API}/v1`, 'ListenerSet', { spec: { parentRef: gateway, listeners } })(namespace),
    object(`${API}/v1`, 'ReferenceGrant', {
      spec: {
        from: times(16, (index) => ({ group: API, kind: 'HTTPRoute', namespace: `n${index}` })),
        to: times(16, (index) => ({ group: '', kind: 'Service', name: long(253, index) })),
      },
    })(namespace),
    object('v1', 'Service', {
      spec: { ports: times(5000, (index) => ({ name: `p${index}`, port: 1 + index })) },
    })(namespace),
    object('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      ports: times(100, (index) => ({ name: `p${index}`, port: 1 + index })),
      endpoints: times(1000, (index) => ({ addresses: times(50, (each) => `10.1.${index % 256}.${each}`) })),
    })(namespace),
    object('v1', 'Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': btoa('x'.repeat(750_000)) } })(
      namespace,
    ),
    // Beyond what is allowed: refused, and no more.
    object(`${API}/v1`, 'HTTPRoute', {
      spec: {
        parentRefs,
        rules: times(5000, (rule) => ({
          matches: times(10, (index) => ({ path: { value: `/${index}` } })),
          name: `r${rule}`,
        })),
      },
    })(namespace),
    object(`${API}/v1`, 'ReferenceGrant', { spec: { from: 'x'.repeat(1_000_000), to: {} } })(
      `${namespace}-more`,
    ),
  ];
}
