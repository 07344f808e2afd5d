/** Specs of GatewayPolicies and RoutePolicies at the edges of their fields, taken or refused. */

import {
  NOT_NETWORKS,
  NOT_TIMES,
  NETWORKS as SOME_NETWORKS,
  TIMES as SOME_TIMES,
} from '../unit/api/field-rules.ts';

const several = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, i) => make(i));

const TIMES = [...SOME_TIMES, '1h1h', '1s1ms', ...NOT_TIMES];
const BYTES = [0, 1, 2 ** 40, 2 ** 40 + 1, -1, 0.5, '1Mi'];
const NETWORKS = [...SOME_NETWORKS, '1::/16', ...NOT_NETWORKS, '::/96', '/', 'a/8', 7];
const NAMES = ['x-a', 'X-A', "!#$%&'*+-.^_`|~", '', 'a b', 'é', 'x'.repeat(256), 'x'.repeat(257)];
const FRAMING = [
  'connection',
  'Transfer-Encoding',
  'content-length',
  'te',
  'Trailer',
  'upgrade',
  'keep-alive',
];
const headers = (count: number) => several(count, (index) => ({ name: `x-${index}`, value: 'a' }));

/** What both kinds say in the same way. */
const SHARED: readonly object[] = [
  ...[{}, { enabled: false }, { enabled: 'true' }, { statusCode: 301 }, { statusCode: 302 }, true, null].map(
    (httpsRedirect) => ({ httpsRedirect }),
  ),
  ...[1, 65535, 0, 65536, '443'].map((port) => ({ httpsRedirect: { port } })),
  ...[...NAMES, ...FRAMING].flatMap((name) => [
    { responseHeaders: { set: [{ name, value: 'a' }] } },
    { responseHeaders: { add: [{ name, value: 'a' }] } },
    { responseHeaders: { remove: [name] } },
  ]),
  ...['a', '', ' a', 'a  b', 'é', 'x'.repeat(4097)].map((value) => ({
    responseHeaders: { set: [{ name: 'x-a', value }] },
  })),
  { responseHeaders: { set: headers(16) } },
  { responseHeaders: { set: headers(17) } },
  { responseHeaders: { add: [...headers(1), ...headers(1)] } },
  { responseHeaders: { remove: several(16, (index) => `x-${index}`) } },
  { responseHeaders: { remove: several(17, (index) => `x-${index}`) } },
  { responseHeaders: {} },
  { responseHeaders: { replace: [] } },
  ...NETWORKS.map((network) => ({ ipAllow: [network] })),
  { ipAllow: [] },
  { ipAllow: several(64, (index) => `10.${index}.0.0/16`) },
  { ipAllow: several(65, (index) => `10.${index}.0.0/16`) },
];

const targets = (kind: string): readonly unknown[] => [
  [{ kind, name: 'a' }],
  [{ group: 'gateway.networking.k8s.io', kind, name: 'a', sectionName: 'b' }],
  [
    { kind, name: 'a' },
    { kind, name: 'a', sectionName: 'b' },
  ],
  several(16, (index) => ({ kind, name: `t${index}` })),
  several(17, (index) => ({ kind, name: `t${index}` })),
  [],
  undefined,
  [
    { kind, name: 'a' },
    { kind, name: 'a' },
  ],
  [
    { kind, name: 'a', sectionName: 'b' },
    { kind, name: 'a', sectionName: 'b' },
  ],
  [{ group: '', kind, name: 'a' }],
  [{ kind: 'Service', name: 'a' }],
  [{ kind, name: '' }],
  [{ kind, name: 'a', namespace: 'b' }],
  [{ kind, name: 'a', sectionName: 'B' }],
];

const GATEWAY = [{ kind: 'Gateway', name: 'edge' }];
const ROUTE = [{ kind: 'HTTPRoute', name: 'cart' }];
const TLS = ['TLSv1.2', 'TLSv1.3', 'TLSv1.1', '1.3', ''];
const bounds = (name: string) => (value: unknown) => ({ defaults: { [name]: value } });

export const GATEWAY_POLICIES: readonly unknown[] = [
  {},
  null,
  { targetRefs: GATEWAY },
  { targetRefs: GATEWAY, overrides: {} },
  { targetRefs: GATEWAY, defaults: {} },
  { targetRefs: GATEWAY, overrides: { unknown: 1 } },
  ...targets('Gateway').map((targetRefs) => ({ targetRefs, overrides: { minTlsVersion: 'TLSv1.3' } })),
  ...targets('ListenerSet').map((targetRefs) => ({ targetRefs, overrides: { minTlsVersion: 'TLSv1.3' } })),
  ...[
    ...SHARED.flatMap((part) => [{ overrides: part }, { defaults: part }]),
    ...TLS.flatMap((minTlsVersion) => [{ overrides: { minTlsVersion } }, { defaults: { minTlsVersion } }]),
    ...BYTES.map((maxRequestBytes) => ({ overrides: { maxRequestBytes } })),
    ...TIMES.map((requestTimeout) => ({ overrides: { requestTimeout } })),
    ...BYTES.flatMap((value) => [{ default: value }, { max: value }]).map(bounds('maxRequestBytes')),
    ...[{}, { default: 1, max: 1 }, { default: 2, max: 1 }].map(bounds('maxRequestBytes')),
    ...TIMES.flatMap((value) => [{ default: value }, { min: value }, { max: value }]).map(
      bounds('requestTimeout'),
    ),
    ...[
      {},
      { min: '1s', default: '1000ms', max: '1s' },
      { default: '2s', max: '1999ms' },
      { min: '2s', default: '1s' },
      { min: '1m', max: '59s' },
    ].map(bounds('requestTimeout')),
  ].map((part) => ({ targetRefs: GATEWAY, ...part })),
];

export const ROUTE_POLICIES: readonly unknown[] = [
  {},
  null,
  { targetRefs: ROUTE },
  { targetRefs: ROUTE, minTlsVersion: 'TLSv1.3' },
  { targetRefs: ROUTE, overrides: { requestTimeout: '1s' } },
  ...targets('HTTPRoute').map((targetRefs) => ({ targetRefs, requestTimeout: '1s' })),
  ...[
    ...SHARED,
    ...BYTES.map((maxRequestBytes) => ({ maxRequestBytes })),
    ...TIMES.map((requestTimeout) => ({ requestTimeout })),
  ].map((part) => ({ targetRefs: ROUTE, ...part })),
];
