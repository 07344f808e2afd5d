import { describe, expect, it } from '@jest/globals';
import {
  brief,
  codes,
  gateway,
  gatewayClass,
  http,
  https,
  listenerStatus,
  listenersOf,
  messageOf,
  parentOf,
  route,
  rulesOf,
  statusOf,
  tlsSecret,
  to,
  translated,
} from './build.ts';

describe('GatewayClass', () => {
  it('that names this controller is accepted, with its features in alphabetical order', () => {
    const status = statusOf(translated([gatewayClass('ours')]), 'GatewayClass', 'ours');
    expect(brief(status.conditions)).toEqual({ Accepted: 'True Accepted' });
    const names = status.supportedFeatures.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toEqual(expect.arrayContaining(['Gateway', 'HTTPRoute', 'ListenerSet', 'ReferenceGrant']));
  });

  it('that names another controller gets no status', () => {
    expect(translated([gatewayClass('theirs', 'example.com/other')]).statuses.size).toBe(0);
  });

  it('with parameters is refused, since no kind of parameters is known', () => {
    const parametersRef = { group: 'example.com', kind: 'Settings', name: 'x' };
    const translation = translated(
      [gatewayClass('ours', undefined, { parametersRef }), gateway('infra/gw', [http('web')])],
      'own',
    );
    expect(brief(statusOf(translation, 'GatewayClass', 'ours').conditions)).toEqual({
      Accepted: 'False InvalidParameters',
    });
    expect(brief(statusOf(translation, 'Gateway', 'infra/gw').conditions)).toEqual({
      Accepted: 'False InvalidParameters',
      Programmed: 'False Invalid',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(codes(translation)).toEqual([
      'gateway/invalid-parameters Gateway/gw',
      'gateway-class/invalid-parameters GatewayClass/ours',
    ]);
    expect(translation.snapshots.size).toBe(0);
  });
});

describe('which Gateways are translated', () => {
  const objects = [
    gatewayClass('ours'),
    gatewayClass('theirs', 'example.com/other'),
    gateway('infra/a', [http('web')]),
    gateway('infra/b', [http('web')], { gatewayClassName: 'theirs' }),
    gateway('infra/c', [http('web')], { gatewayClassName: 'nowhere' }),
  ];

  it.each([
    ['own', ['infra/a']],
    ['any', ['infra/a', 'infra/b', 'infra/c']],
    [['nowhere'], ['infra/c']],
  ] as const)('with classes %j: %j', (classes, served) => {
    const translation = translated(objects, classes);
    expect([...translation.snapshots.keys()]).toEqual(served);
    expect([...translation.statuses.keys()].filter((key) => key.startsWith('Gateway/'))).toEqual(
      served.map((path) => `Gateway/${path}`),
    );
    expect([...translation.infrastructure.keys()]).toEqual(served);
  });

  it('says when a class is not there, and nothing of a class that another controller has', () => {
    const { diagnostics } = translated(objects, 'own');
    expect(diagnostics).toMatchObject([
      {
        severity: 'warning',
        code: 'gateway/parent-not-found',
        object: { name: 'c' },
        field: 'spec.gatewayClassName',
        message: 'GatewayClass nowhere does not exist',
      },
    ]);
  });
});

describe('Gateway', () => {
  it('is accepted and programmed when every listener is served', () => {
    const translation = translated([
      gateway('infra/gw', [http('web', 80, { hostname: 'a.example.com' })], {}, { generation: 3 }),
    ]);
    const status = statusOf(translation, 'Gateway', 'infra/gw');
    expect(brief(status.conditions)).toEqual({
      Accepted: 'True Accepted',
      Programmed: 'True Programmed',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(status.conditions.every(({ observedGeneration }) => observedGeneration === 3)).toBe(true);
    expect(brief(listenerStatus(translation, 'infra/gw', 'web').conditions)).toEqual({
      Accepted: 'True Accepted',
      Programmed: 'True Programmed',
      ResolvedRefs: 'True ResolvedRefs',
      Conflicted: 'False NoConflicts',
    });
    expect(listenersOf(translation, 'infra/gw')).toMatchObject([
      {
        key: 'listener/Gateway/infra/gw/web',
        source: { kind: 'Gateway', namespace: 'infra', name: 'gw', listener: 'web', generation: 3 },
        port: 80,
        protocol: 'HTTP',
        hostname: 'a.example.com',
        certificates: [],
      },
    ]);
    expect(translation.diagnostics).toEqual([]);
  });

  it('is accepted without the listeners that can not be served, and names both', () => {
    const translation = translated([
      gateway('infra/gw', [http('web'), http('raw', 9000, { protocol: 'TCP' })]),
    ]);
    const { conditions } = statusOf(translation, 'Gateway', 'infra/gw');
    expect(brief(conditions)).toEqual({
      Accepted: 'True ListenersNotValid',
      Programmed: 'True Programmed',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(messageOf(conditions, 'Accepted')).toBe("Listeners that can't be served: raw. Served: web.");
    expect(brief(listenerStatus(translation, 'infra/gw', 'raw').conditions)).toMatchObject({
      Accepted: 'False UnsupportedProtocol',
      Programmed: 'False Invalid',
      Conflicted: 'False NoConflicts',
    });
    expect(listenerStatus(translation, 'infra/gw', 'raw').supportedKinds).toEqual([]);
    expect(listenersOf(translation, 'infra/gw').map(({ source }) => source.listener)).toEqual(['web']);
  });

  it('without one listener that can be served is not accepted, and has no snapshot', () => {
    const translation = translated([
      gateway('infra/gw', [http('raw', 9000, { protocol: 'TCP' })]),
      route('shop/cart', 'infra/gw'),
    ]);
    expect(brief(statusOf(translation, 'Gateway', 'infra/gw').conditions)).toEqual({
      Accepted: 'False ListenersNotValid',
      Programmed: 'False Invalid',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(translation.snapshots.size).toBe(0);
    expect(translation.infrastructure.size).toBe(0);
  });

  it.each([
    [
      'an address type that can not be assigned',
      { addresses: [{ type: 'Hostname', value: 'a.com' }] },
      'UnsupportedAddress',
    ],
    [
      'parameters of an unknown kind',
      { infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: 'x' } } },
      'InvalidParameters',
    ],
  ])('with %s is not accepted', (_, spec, reason) => {
    const translation = translated([gateway('infra/gw', [http('web')], spec)]);
    expect(brief(statusOf(translation, 'Gateway', 'infra/gw').conditions)).toEqual({
      Accepted: `False ${reason}`,
      Programmed: 'False Invalid',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(brief(listenerStatus(translation, 'infra/gw', 'web').conditions)).toMatchObject({
      Accepted: 'True Accepted',
      Programmed: 'False Invalid',
    });
    expect(translation.diagnostics).toHaveLength(1);
  });

  it('with an IP address is accepted, and hands on what its data plane is to have', () => {
    const translation = translated([
      gateway('infra/gw', [http('web'), http('more', 8080), http('raw', 53, { protocol: 'UDP' })], {
        addresses: [{ value: '10.0.0.1' }],
        infrastructure: { labels: { tier: 'edge' }, annotations: { note: 'x' } },
      }),
    ]);
    expect(translation.infrastructure.get('infra/gw')).toEqual({
      gateway: { namespace: 'infra', name: 'gw' },
      className: 'ours',
      ports: [
        { port: 80, protocol: 'HTTP' },
        { port: 8080, protocol: 'HTTP' },
      ],
      addresses: [{ type: 'IPAddress', value: '10.0.0.1' }],
      labels: { tier: 'edge' },
      annotations: { note: 'x' },
    });
  });

  it('warns of what is not served and does no harm when left out, and says so in its status', () => {
    const translation = translated([
      tlsSecret('infra/client'),
      gateway('infra/gw', [http('web')], {
        tls: { backend: { clientCertificateRef: { name: 'client' } } },
        allowedListeners: { namespaces: { from: 'Selector' } },
      }),
    ]);
    expect(translation.diagnostics.map(({ severity, field }) => `${severity} ${field}`)).toEqual([
      'warning spec.allowedListeners.namespaces.selector',
    ]);
    const { conditions } = statusOf(translation, 'Gateway', 'infra/gw');
    expect(brief(conditions)).toMatchObject({
      Accepted: 'True Accepted',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect(messageOf(conditions, 'Accepted')).toContain('spec.allowedListeners.namespaces.selector');
    expect(translation.secrets.get('infra/client')).toBe(true);
  });

  it.each([
    ['is not there', { name: 'none' }, 'InvalidClientCertificateRef', true],
    ['is no Secret', { kind: 'ConfigMap', name: 'client' }, 'InvalidClientCertificateRef', false],
    ['is of another namespace', { name: 'client', namespace: 'shop' }, 'RefNotPermitted', false],
  ])('whose client certificate %s has its references not resolved', (_, ref, reason, wanted) => {
    const translation = translated([
      tlsSecret('shop/client'),
      gateway('infra/gw', [http('web')], { tls: { backend: { clientCertificateRef: ref } } }),
    ]);
    expect(brief(statusOf(translation, 'Gateway', 'infra/gw').conditions)).toEqual({
      Accepted: 'True Accepted',
      Programmed: 'True Programmed',
      ResolvedRefs: `False ${reason}`,
    });
    expect(translation.secrets.size > 0).toBe(wanted);
    expect(translation.certificates.size).toBe(0);
  });

  it('says in sum where references of its listeners do not resolve', () => {
    const translation = translated([gateway('infra/gw', [http('web'), https('secure', 'none')])]);
    const { conditions } = statusOf(translation, 'Gateway', 'infra/gw');
    expect(brief(conditions).ResolvedRefs).toBe('False ListenersNotResolved');
    expect(messageOf(conditions, 'ResolvedRefs')).toBe(
      'References of listeners that do not resolve: secure.',
    );
  });
});

describe('listener', () => {
  const invalid = { matchExpressions: [{ key: 'team', operator: 'Near', values: ['x'] }] };
  it.each([
    [
      'TLS options',
      https('x', 'cert', { tls: { certificateRefs: [{ name: 'cert' }], options: { a: 'b' } } }),
      'tls.options',
    ],
    [
      'no selector',
      http('x', 80, { allowedRoutes: { namespaces: { from: 'Selector' } } }),
      'allowedRoutes.namespaces.selector',
    ],
    [
      'a selector with an unknown operator',
      http('x', 80, { allowedRoutes: { namespaces: { from: 'Selector', selector: invalid } } }),
      'allowedRoutes.namespaces.selector.matchExpressions[0].operator',
    ],
  ])('with %s is not accepted', (_, listener, field) => {
    const translation = translated([
      gateway('infra/gw', [listener, http('web', 8080)]),
      tlsSecret('infra/cert'),
    ]);
    expect(brief(listenerStatus(translation, 'infra/gw', 'x').conditions)).toMatchObject({
      Accepted: 'False UnsupportedValue',
      Programmed: 'False Invalid',
    });
    expect(translation.diagnostics).toMatchObject([
      { code: 'listener/unsupported-value', field: `spec.listeners[0].${field}` },
    ]);
  });

  describe('of a Gateway that asks for client certificates', () => {
    const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] };
    const listeners = [https('secure', 'cert'), https('other', 'cert', { port: 8443 }), http('web')];
    it.each([
      [
        'by default',
        { default: { validation } },
        { secure: 'False NoValidCACertificate', other: 'False NoValidCACertificate', web: 'True Accepted' },
      ],
      [
        'on one port',
        { default: {}, perPort: [{ port: 8443, tls: { validation } }] },
        { secure: 'True Accepted', other: 'False NoValidCACertificate', web: 'True Accepted' },
      ],
      [
        'but on one port',
        { default: { validation }, perPort: [{ port: 8443, tls: {} }] },
        { secure: 'False NoValidCACertificate', other: 'True Accepted', web: 'True Accepted' },
      ],
    ])('%s is never served without them', (_, frontend, expected) => {
      const translation = translated([
        gateway('infra/gw', listeners, { tls: { frontend } }),
        tlsSecret('infra/cert'),
      ]);
      const accepted = Object.keys(expected).map((name) => [
        name,
        brief(listenerStatus(translation, 'infra/gw', name).conditions).Accepted,
      ]);
      expect(Object.fromEntries(accepted)).toEqual(expected);
    });
  });

  it.each([
    [undefined, ['HTTPRoute'], 'True ResolvedRefs'],
    [[{ kind: 'HTTPRoute' }, { kind: 'HTTPRoute' }], ['HTTPRoute'], 'True ResolvedRefs'],
    [[{ kind: 'InvalidRoute' }, { kind: 'HTTPRoute' }], ['HTTPRoute'], 'False InvalidRouteKinds'],
    [[{ kind: 'InvalidRoute' }], [], 'False InvalidRouteKinds'],
    [[{ group: 'example.com', kind: 'HTTPRoute' }], [], 'False InvalidRouteKinds'],
  ])('with kinds %j supports %j', (kinds, supported, resolvedRefs) => {
    const allowedRoutes = { namespaces: { from: 'All' }, ...(kinds ? { kinds } : {}) };
    const status = listenerStatus(
      translated([gateway('infra/gw', [http('web', 80, { allowedRoutes })])]),
      'infra/gw',
      'web',
    );
    expect(status.supportedKinds.map(({ kind }) => kind)).toEqual(supported);
    expect(brief(status.conditions).ResolvedRefs).toBe(resolvedRefs);
  });

  describe('conflicts', () => {
    it('leave no winner within one Gateway', () => {
      const translation = translated([
        gateway('infra/gw', [
          http('a', 80, { hostname: 'a.com' }),
          https('b', 'cert', { port: 80 }),
          http('c', 81),
        ]),
        tlsSecret('infra/cert'),
      ]);
      for (const name of ['a', 'b']) {
        expect(brief(listenerStatus(translation, 'infra/gw', name).conditions)).toMatchObject({
          Accepted: 'False ProtocolConflict',
          Programmed: 'False ProtocolConflict',
          Conflicted: 'True ProtocolConflict',
        });
      }
      expect(brief(statusOf(translation, 'Gateway', 'infra/gw').conditions).Accepted).toBe(
        'True ListenersNotValid',
      );
      expect(listenersOf(translation, 'infra/gw').map(({ source }) => source.listener)).toEqual(['c']);
    });

    it('are none between protocols of which one is not served', () => {
      const translation = translated([
        gateway('infra/gw', [
          http('a'),
          http('b', 80, { protocol: 'TCP' }),
          http('c', 80, { protocol: 'UDP' }),
        ]),
      ]);
      expect(brief(listenerStatus(translation, 'infra/gw', 'a').conditions)).toMatchObject({
        Accepted: 'True Accepted',
        Conflicted: 'False NoConflicts',
      });
      expect(brief(listenerStatus(translation, 'infra/gw', 'b').conditions)).toMatchObject({
        Accepted: 'False UnsupportedProtocol',
        Conflicted: 'False NoConflicts',
      });
    });

    it('are none between hostnames that differ', () => {
      const translation = translated([
        gateway('infra/gw', [
          http('a', 80, { hostname: 'a.com' }),
          http('b', 80, { hostname: '*.com' }),
          http('c'),
        ]),
      ]);
      expect(listenersOf(translation, 'infra/gw')).toHaveLength(3);
    });
  });

  it('with TLS says when its hostnames overlap those of another of its port', () => {
    const overlapping = (hostname?: string) =>
      https(`x${(hostname ?? 'any').replace(/\W/g, '')}`, 'cert', hostname ? { hostname } : {});
    const translation = translated([
      gateway('infra/gw', [
        overlapping('a.b.com'),
        overlapping('*.b.com'),
        overlapping('a.org'),
        https('far', 'cert', { port: 8443, hostname: 'a.b.com' }),
      ]),
      tlsSecret('infra/cert'),
    ]);
    const overlaps = (name: string) =>
      brief(listenerStatus(translation, 'infra/gw', name).conditions).OverlappingTLSConfig;
    expect(overlaps('xabcom')).toBe('True OverlappingHostnames');
    expect(overlaps('xbcom')).toBe('True OverlappingHostnames');
    expect(overlaps('xaorg')).toBeUndefined();
    expect(overlaps('far')).toBeUndefined();
    expect(
      messageOf(listenerStatus(translation, 'infra/gw', 'xabcom').conditions, 'OverlappingTLSConfig'),
    ).toContain('listener xbcom of the same object');
  });

  it('counts its routes whether it is programmed or not, and none that is not accepted', () => {
    const translation = translated([
      gateway('infra/gw', [http('web'), https('secure', 'nowhere')]),
      route('shop/one', 'infra/gw', [to('cart:80')]),
      route('shop/two', { namespace: 'infra', name: 'gw', sectionName: 'secure' }, [to('cart:80')]),
      route('shop/refused', 'infra/gw', [
        { ...to('cart:80'), sessionPersistence: { absoluteTimeout: '0s' } },
      ]),
      route('shop/elsewhere', { namespace: 'infra', name: 'gw', sectionName: 'none' }, [to('cart:80')]),
    ]);
    expect(listenerStatus(translation, 'infra/gw', 'web').attachedRoutes).toBe(1);
    expect(listenerStatus(translation, 'infra/gw', 'secure').attachedRoutes).toBe(2);
    expect(brief(parentOf(translation, 'shop/two')).Accepted).toBe('True Accepted');
    expect(codes(translation)).toContain('route/listener-not-programmed HTTPRoute/two');
    expect(rulesOf(translation, 'infra/gw').map(({ source }) => source.name)).toEqual(['one', 'refused']);
  });
});
