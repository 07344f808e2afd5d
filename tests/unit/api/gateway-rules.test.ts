/** Field rules of GatewayClass, Gateway, ListenerSet and ReferenceGrant. */
import {
  at,
  GROUPS,
  HOSTNAMES,
  KINDS,
  long,
  many,
  NOT_DNS_NAMES,
  NOT_GROUPS,
  NOT_HOSTNAMES,
  NOT_KINDS,
  NOT_NAMESPACES,
  NOT_OBJECT_NAMES,
  NOT_PORTS,
  OBJECT_NAMES,
  objectRef,
  PORTS,
  REMOVED,
  type Row,
  testRows,
} from './field-rules.ts';

const LISTENERS: Row[] = [
  [
    'spec.listeners',
    [many(64, (i) => ({ name: `l${i}`, port: i + 1, protocol: 'HTTP' }))],
    [REMOVED, [], {}, many(65, (i) => ({ name: `l${i}`, port: i + 1, protocol: 'HTTP' }))],
  ],
  ['spec.listeners[0].name', ['a', 'a.b', long(253)], [...NOT_DNS_NAMES, long(254), REMOVED]],
  ['spec.listeners[1].name', ['other'], [at('spec.listeners[1]', 'http')]],
  ['spec.listeners[0].hostname', [...HOSTNAMES, REMOVED], NOT_HOSTNAMES],
  ['spec.listeners[0].port', PORTS, [...NOT_PORTS, REMOVED]],
  [
    'spec.listeners[0].protocol',
    ['HTTP', 'example.com/own', 'x-1'],
    [
      '',
      'a b',
      '-',
      long(256),
      REMOVED,
      at('spec.listeners[0].hostname', 'TCP'),
      at('spec.listeners[0].hostname', 'UDP'),
      at('spec.listeners[0].tls', 'TLS'),
    ],
  ],
  [
    'spec.listeners[1].tls',
    [REMOVED],
    [{ mode: 'x' }].map((value) => at('spec.listeners[1].tls.mode', value)),
  ],
  ['spec.listeners[0].tls', [REMOVED], [{ certificateRefs: [{ name: 'c' }] }]],
  ['spec.listeners[1].tls.mode', ['Terminate', REMOVED], ['Passthrough', 'x', 7]],
  [
    'spec.listeners[1].tls.certificateRefs',
    [many(64, (i) => ({ name: `c${i}` }))],
    [many(65, (i) => ({ name: `c${i}` })), 'x'],
  ],
  ...objectRef('spec.listeners[1].tls.certificateRefs[0]'),
  [
    'spec.listeners[1].tls.options',
    [{ a: long(4096) }, REMOVED],
    [
      at('spec.listeners[1].tls.options.a', { a: long(4097) }),
      at('spec.listeners[1].tls.options.a', { a: 7 }),
      Object.fromEntries(many(17, (i) => [`o${i}`, 'x'])),
    ],
  ],
  ['spec.listeners[0].allowedRoutes', [REMOVED, {}, { kinds: [] }], ['x']],
  [
    'spec.listeners[0].allowedRoutes.namespaces',
    [REMOVED, {}, { from: 'All' }, { from: 'Selector' }],
    ['x', []],
  ],
  [
    'spec.listeners[0].allowedRoutes.namespaces.from',
    ['All', 'Same', 'Selector', REMOVED],
    ['None', 'all', 7],
  ],
  [
    'spec.listeners[0].allowedRoutes.namespaces.selector.matchLabels',
    [{}, { a: 'b' }, REMOVED],
    [[], 'x', at('spec.listeners[0].allowedRoutes.namespaces.selector.matchLabels.a', { a: 7 })],
  ],
  [
    'spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions',
    [[], REMOVED],
    [
      'x',
      at('spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].key', [{ operator: 'In' }]),
      at('spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].operator', [{ key: 'a' }]),
      at('spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values', [
        { key: 'a', operator: 'In', values: 'x' },
      ]),
    ],
  ],
  [
    'spec.listeners[0].allowedRoutes.kinds',
    [many(8, (i) => ({ kind: `K${i}` })), REMOVED],
    [many(9, (i) => ({ kind: `K${i}` }))],
  ],
  ['spec.listeners[0].allowedRoutes.kinds[0].group', [...GROUPS, REMOVED], NOT_GROUPS],
  ['spec.listeners[0].allowedRoutes.kinds[0].kind', KINDS, [...NOT_KINDS, REMOVED]],
];

testRows('GatewayClass', [
  [
    'spec.controllerName',
    ['a.b/c', 'example.net/a-b.c~d'],
    ['', 'a', '/c', 'a.b/', 'A.b/c', 'a b/c', `a/${long(253)}`, REMOVED],
  ],
  ['spec.description', [long(64), REMOVED], [long(65), 7]],
  ['spec.parametersRef', [REMOVED], ['x']],
  ...objectRef('spec.parametersRef'),
]);

testRows('Gateway', [
  ['spec.gatewayClassName', OBJECT_NAMES, [...NOT_OBJECT_NAMES, REMOVED]],
  ...LISTENERS,
  [
    'spec.addresses',
    [[], [{}], REMOVED, many(16, (i) => ({ value: `192.0.2.${i}` }))],
    [
      many(17, (i) => ({ value: `192.0.2.${i}` })),
      at('spec.addresses[1]', [{ value: '192.0.2.1' }, { value: '192.0.2.1' }]),
    ],
  ],
  ['spec.addresses[0].type', ['IPAddress', 'NamedAddress', 'example.com/pool', REMOVED], ['', 'x', 7]],
  [
    'spec.addresses[0].value',
    ['192.0.2.1', '2001:db8::1', '::', REMOVED],
    ['300.0.2.1', '192.0.2', 'x', '1.2.3.4.5', long(254)],
  ],
  [
    'spec.infrastructure.labels',
    [{}, REMOVED, { a: '' }, { 'a.b/c_d': long(63) }],
    [
      at('spec.infrastructure.labels.a', { a: '-' }),
      at('spec.infrastructure.labels.a', { a: long(64) }),
      { 'a b': 'x' },
      { '-a': 'x' },
      { 'a/b/c': 'x' },
      { '': 'x' },
      Object.fromEntries(many(9, (i) => [`l${i}`, 'x'])),
    ],
  ],
  [
    'spec.infrastructure.annotations',
    [{}, REMOVED, { a: 'any text, even äöü' }],
    [
      at('spec.infrastructure.annotations.a', { a: long(4097) }),
      { 'a b': 'x' },
      Object.fromEntries(many(17, (i) => [`a${i}`, 'x'])),
    ],
  ],
  ...objectRef('spec.infrastructure.parametersRef', false),
  ['spec.allowedListeners', [REMOVED, {}], ['x']],
  ['spec.allowedListeners.namespaces.from', ['All', 'Selector', 'Same', 'None', REMOVED], ['none', 7]],
  ...objectRef('spec.tls.backend.clientCertificateRef').map(([field, good, bad]): Row => [field, good, bad]),
  ['spec.tls.frontend.default', [{}], [REMOVED, 'x']],
  ['spec.tls.frontend.default.validation.mode', ['AllowValidOnly', 'AllowInsecureFallback', REMOVED], ['x']],
  [
    'spec.tls.frontend.default.validation.caCertificateRefs',
    [many(16, (i) => ({ group: '', kind: 'ConfigMap', name: `c${i}` }))],
    [[], REMOVED, many(17, (i) => ({ group: '', kind: 'ConfigMap', name: `c${i}` }))],
  ],
  ...objectRef('spec.tls.frontend.default.validation.caCertificateRefs[0]'),
  [
    'spec.tls.frontend.perPort',
    [[], REMOVED],
    [
      at('spec.tls.frontend.perPort[1]', [
        { port: 1, tls: {} },
        { port: 1, tls: {} },
      ]),
      many(65, (i) => ({ port: i + 1, tls: {} })),
    ],
  ],
  ['spec.tls.frontend.perPort[0].port', PORTS, NOT_PORTS],
  ['spec.tls.frontend.perPort[0].tls', [{}], [REMOVED, 'x']],
  ['spec.defaultScope', ['All', 'None', REMOVED], ['Some', '']],
]);

testRows('ListenerSet', [
  ...objectRef('spec.parentRef'),
  ['spec.parentRef', [], [REMOVED, 'x']],
  ...LISTENERS,
]);

testRows('ReferenceGrant', [
  [
    'spec.from',
    [many(16, () => ({ group: '', kind: 'A', namespace: 'a' }))],
    [[], REMOVED, many(17, () => ({ group: '', kind: 'A', namespace: 'a' }))],
  ],
  ['spec.from[0].group', GROUPS, [...NOT_GROUPS, REMOVED]],
  ['spec.from[0].kind', KINDS, [...NOT_KINDS, REMOVED]],
  ['spec.from[0].namespace', ['a', long(63)], [...NOT_NAMESPACES, REMOVED]],
  [
    'spec.to',
    [many(16, () => ({ group: '', kind: 'A' }))],
    [[], REMOVED, many(17, () => ({ group: '', kind: 'A' }))],
  ],
  ['spec.to[0].group', GROUPS, [...NOT_GROUPS, REMOVED]],
  ['spec.to[0].kind', KINDS, [...NOT_KINDS, REMOVED]],
  ['spec.to[0].name', [...OBJECT_NAMES, REMOVED], ['', long(254), 7]],
]);
