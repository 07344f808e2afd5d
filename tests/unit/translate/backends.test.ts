import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import {
  brief,
  gateway,
  http,
  messageOf,
  parentOf,
  route,
  rulesOf,
  service,
  slice,
  to,
  translated,
} from './build.ts';

const GATEWAY = gateway('infra/gw', [http('web')]);
const translatedRoute = (backend: string | Record<string, unknown>, ...objects: readonly RawObject[]) =>
  translated([GATEWAY, route('shop/cart', 'infra/gw', [to(backend)]), ...objects]);

describe('a backendRef', () => {
  it('to a port of a Service resolves', () => {
    const translation = translatedRoute('cart:80', service('shop/cart', { port: 80, appProtocol: 'http' }));
    expect(brief(parentOf(translation, 'shop/cart')).ResolvedRefs).toBe('True ResolvedRefs');
    expect(rulesOf(translation, 'infra/gw')[0]!.backends).toEqual([
      { weight: 1, name: 'Service shop/cart:80', backend: 'backend/shop/cart/80', filters: [] },
    ]);
    expect(translation.snapshots.get('infra/gw')!.resources[0]).toMatchObject({
      type: 'backend',
      key: 'backend/shop/cart/80',
      namespace: 'shop',
      service: 'cart',
      port: 80,
      appProtocol: 'http',
    });
  });

  it.each<[string, string | Record<string, unknown>, RawObject[], string, string]>([
    ['a Service that is not there', 'cart:80', [], 'BackendNotFound', 'Service shop/cart does not exist'],
    [
      'a Service that was refused',
      'cart:80',
      [service('shop/cart', 0)],
      'BackendNotFound',
      'Service shop/cart was refused for its fields',
    ],
    [
      'a port that is not there',
      'cart:81',
      [service('shop/cart')],
      'BackendNotFound',
      'Service shop/cart has no TCP port 81; it has 80/TCP',
    ],
    [
      'a UDP port',
      'cart:80',
      [service('shop/cart', { port: 80, protocol: 'UDP' })],
      'BackendNotFound',
      'Service shop/cart has no TCP port 80; it has 80/UDP',
    ],
    [
      'a Service without ports',
      'cart:80',
      [service('shop/cart', 80, { ports: [] })],
      'BackendNotFound',
      'it has no ports',
    ],
    [
      'another kind',
      { kind: 'Bucket', name: 'cart', port: 80 },
      [],
      'InvalidKind',
      'found a reference to Bucket of group ""',
    ],
    [
      'another group',
      { group: 'example.com', kind: 'Service', name: 'cart' },
      [],
      'InvalidKind',
      'found a reference to Service of group example.com',
    ],
    [
      'a name outside',
      'cart:80',
      [service('shop/cart', 80, { type: 'ExternalName', externalName: 'metadata.internal' })],
      'UnsupportedValue',
      'would let a route reach any host',
    ],
    [
      'a protocol that is not spoken',
      'cart:80',
      [service('shop/cart', { port: 80, appProtocol: 'kubernetes.io/wss' })],
      'UnsupportedProtocol',
      'asks for the application protocol kubernetes.io/wss',
    ],
    [
      'TLS',
      'cart:80',
      [service('shop/cart', { port: 80, appProtocol: 'https' })],
      'UnsupportedProtocol',
      'asks for the application protocol https',
    ],
  ])('to %s does not resolve, and keeps its share', (_, backend, objects, reason, message) => {
    const translation = translatedRoute(backend, ...objects);
    expect(brief(parentOf(translation, 'shop/cart'))).toEqual({
      Accepted: 'True Accepted',
      ResolvedRefs: `False ${reason}`,
    });
    expect(messageOf(parentOf(translation, 'shop/cart'), 'ResolvedRefs')).toContain(message);
    expect(rulesOf(translation, 'infra/gw')[0]!.backends).toMatchObject([
      { weight: 1, unresolved: { reason, message: expect.stringContaining(message) } },
    ]);
    expect(translation.diagnostics).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        object: expect.objectContaining({ kind: 'HTTPRoute' }),
        field: 'spec.rules[0].backendRefs[0]',
        message: expect.stringContaining(message),
      }),
    );
    expect(translation.endpoints.size).toBe(0);
  });

  it.each(['http', 'HTTP', 'kubernetes.io/ws', undefined])(
    'to a port with appProtocol %s resolves',
    (appProtocol) => {
      const translation = translatedRoute(
        'cart:80',
        service('shop/cart', { port: 80, ...(appProtocol ? { appProtocol } : {}) }),
      );
      expect(brief(parentOf(translation, 'shop/cart')).ResolvedRefs).toBe('True ResolvedRefs');
    },
  );

  it('finds the TCP port beside a UDP port of the same number', () => {
    const ports = [
      { name: 'dns', port: 80, protocol: 'UDP' },
      { name: 'http', port: 80, protocol: 'TCP' },
    ];
    const translation = translatedRoute('cart:80', service('shop/cart', 80, { ports }));
    expect(brief(parentOf(translation, 'shop/cart')).ResolvedRefs).toBe('True ResolvedRefs');
  });

  it('has its weight, zero too, and 1 where none is written', () => {
    const backendRefs = [
      { name: 'cart', port: 80, weight: 3 },
      { name: 'cart', port: 80, weight: 0 },
      { name: 'none', port: 80 },
    ];
    const translation = translated([
      GATEWAY,
      service('shop/cart'),
      route('shop/cart', 'infra/gw', [{ backendRefs }]),
    ]);
    expect(
      rulesOf(translation, 'infra/gw')[0]!.backends.map(({ weight, backend }) => [weight, backend]),
    ).toEqual([
      [3, 'backend/shop/cart/80'],
      [0, 'backend/shop/cart/80'],
      [1, undefined],
    ]);
  });

  it('names the first failure as the reason and tells of all', () => {
    const translation = translated([
      GATEWAY,
      route('shop/cart', 'infra/gw', [to('one:80'), to({ kind: 'Bucket', name: 'two', port: 80 })]),
    ]);
    const conditions = parentOf(translation, 'shop/cart');
    expect(brief(conditions).ResolvedRefs).toBe('False BackendNotFound');
    expect(messageOf(conditions, 'ResolvedRefs')).toContain(
      'spec.rules[0].backendRefs[0]: Service shop/one does not exist',
    );
    expect(messageOf(conditions, 'ResolvedRefs')).toContain(
      'spec.rules[1].backendRefs[0]: found a reference to Bucket',
    );
  });

  it('of a route that attaches nowhere gives no backend and no endpoints', () => {
    const translation = translated([
      gateway('infra/gw', [http('web', 80, { hostname: 'a.com' })]),
      service('shop/cart'),
      route('shop/cart', 'infra/gw', [to('cart:80')], { hostnames: ['b.com'] }),
    ]);
    expect(translation.endpoints.size).toBe(0);
    expect(translation.snapshots.get('infra/gw')!.resources.map(({ type }) => type)).toEqual(['listener']);
  });
});

describe('endpoints of a backend', () => {
  const at = (...objects: readonly RawObject[]) =>
    translatedRoute('cart:80', ...objects).endpoints.get('backend/shop/cart/80')?.endpoints;
  const ready = (address: string, conditions: object = {}) => ({ addresses: [address], conditions });

  it('are none where there is no slice', () => {
    expect(at(service('shop/cart'))).toEqual([]);
  });

  it('come from all slices of the Service, in stable order, each once', () => {
    expect(
      at(
        service('shop/cart', 80, { clusterIP: 'None' }),
        slice('shop/b', 'cart', [ready('10.0.0.2'), { addresses: ['10.0.0.1'], zone: 'z1' }]),
        slice('shop/a', 'cart', [ready('10.0.0.3'), ready('10.0.0.2')]),
        slice('shop/c', 'other', [ready('10.0.0.9')]),
        slice('media/d', 'cart', [ready('10.0.0.8')]),
      ),
    ).toEqual([
      { address: '10.0.0.1', port: 8080, zone: 'z1' },
      { address: '10.0.0.2', port: 8080 },
      { address: '10.0.0.3', port: 8080 },
    ]);
  });

  it.each<[object, object | undefined]>([
    [{}, {}],
    [{ ready: true }, {}],
    [{ ready: false }, undefined],
    [{ ready: false, serving: true, terminating: true }, { terminating: true }],
    [{ ready: false, serving: false, terminating: true }, undefined],
    [{ ready: false, terminating: true }, undefined],
    [{ ready: true, serving: true, terminating: true }, { terminating: true }],
    [{ ready: false, serving: true }, undefined],
  ])('with conditions %j are %j', (conditions, expected) => {
    expect(at(service('shop/cart'), slice('shop/a', 'cart', [ready('10.0.0.1', conditions)]))).toEqual(
      expected ? [{ address: '10.0.0.1', port: 8080, ...expected }] : [],
    );
  });

  it('are not terminating where one slice says that they are not', () => {
    const leaving = ready('10.0.0.1', { ready: false, serving: true, terminating: true });
    for (const [first, second] of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      expect(
        at(
          service('shop/cart'),
          slice(`shop/${first}`, 'cart', [leaving]),
          slice(`shop/${second}`, 'cart', [ready('10.0.0.1')]),
        ),
      ).toEqual([{ address: '10.0.0.1', port: 8080 }]);
    }
  });

  it("have the port that the slice gives for the name of the Service's port", () => {
    const ports = [
      { name: 'admin', port: 81 },
      { name: 'http', port: 80, targetPort: 'web' },
    ];
    const both = {
      ports: [
        { name: 'admin', port: 9000 },
        { name: 'http', port: 3000 },
        { name: 'http', port: 3001, protocol: 'UDP' },
      ],
    };
    expect(
      at(service('shop/cart', 80, { ports }), slice('shop/a', 'cart', [ready('10.0.0.1')], both)),
    ).toEqual([{ address: '10.0.0.1', port: 3000 }]);
    expect(at(service('shop/cart', 80, { ports }), slice('shop/a', 'cart', [ready('10.0.0.1')]))).toEqual([]);
  });

  it('are addresses, never names', () => {
    expect(
      at(
        service('shop/cart'),
        slice('shop/a', 'cart', [ready('metadata.internal'), ready('10.0.0.256'), ready('10.0.0.1')]),
        slice('shop/b', 'cart', [ready('fd00::1'), ready('fd00::zz')], { addressType: 'IPv6' }),
        slice('shop/c', 'cart', [ready('metadata.internal')], { addressType: 'FQDN' }),
      ),
    ).toEqual([
      { address: '10.0.0.1', port: 8080 },
      { address: 'fd00::1', port: 8080 },
    ]);
  });
});
