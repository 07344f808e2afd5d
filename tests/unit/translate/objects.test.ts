import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { codes, gateway, http, route, service, statusOf, to, translated } from './build.ts';

describe('objects', () => {
  it('that are invalid are refused alone, with what is wrong', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')]),
      service('shop/cart'),
      route('shop/good', 'infra/gw', [to('cart:80')]),
      route('shop/bad', 'infra/gw', [{ backendRefs: [{ name: 'cart' }] }]),
    ]);
    expect(translation.diagnostics).toEqual([
      {
        severity: 'error',
        code: 'object/invalid-field',
        object: { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop', name: 'bad' },
        field: 'spec.rules[0].backendRefs[0].port',
        message: 'found nothing, expected the port of the Service',
      },
    ]);
    expect(translation.statuses.has('HTTPRoute/shop/bad')).toBe(false);
    expect(statusOf(translation, 'HTTPRoute', 'shop/good').parents).toHaveLength(1);
  });

  it('of other kinds are skipped with a warning', () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: 'shop', name: 'cart' },
    };
    expect(translated([deployment]).diagnostics).toMatchObject([
      {
        severity: 'warning',
        code: 'object/unknown-kind',
        message: 'apps/v1 Deployment is not a kind that is read; it is skipped',
      },
    ]);
  });

  it('of another group do not stand in for those of ours', () => {
    const istio = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { namespace: 'infra', name: 'gw' },
    };
    const old = {
      apiVersion: 'networking.x-k8s.io/v1alpha1',
      kind: 'HTTPRoute',
      metadata: { namespace: 'shop', name: 'cart' },
    };
    const ours = [
      gateway('infra/gw', [http('web')]),
      service('shop/cart'),
      route('shop/cart', 'infra/gw', [to('cart:80')]),
    ];
    for (const objects of [
      [istio, old, ...ours],
      [...ours, istio, old],
    ]) {
      const translation = translated(objects);
      expect(statusOf(translation, 'Gateway', 'infra/gw').listeners[0]!.attachedRoutes).toBe(1);
      expect(codes(translation)).toEqual([
        'object/unknown-kind Gateway/gw',
        'object/invalid-field HTTPRoute/cart',
      ]);
    }
  });

  it('of one name: the later one counts', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')]),
      gateway('infra/gw', [http('web', 8080), http('more', 8081)]),
    ]);
    expect(statusOf(translation, 'Gateway', 'infra/gw').listeners).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a number', 7],
    ['a text', 'kind: Gateway'],
    ['a list', [gateway('infra/gw', [http('web')])]],
  ])('that are %s are refused', (_, raw) => {
    expect(translated([raw as RawObject]).diagnostics).toMatchObject([
      {
        code: 'object/invalid-field',
        message: 'found something else, expected an object with apiVersion, kind and metadata',
      },
    ]);
  });

  it('that are no plain data are refused', () => {
    const deep: Record<string, unknown> = {};
    let at = deep;
    for (let depth = 0; depth < 100_000; depth++) at = at.x = {};
    const cyclic: Record<string, unknown> = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x' },
      spec: [],
    };
    (cyclic.spec as unknown[]).push(cyclic);
    const trap = Object.defineProperty({}, 'kind', {
      get: () => {
        throw new Error('trap');
      },
    });
    for (const raw of [
      { ...gateway('infra/gw', []), spec: { listeners: deep } },
      cyclic,
      trap,
    ] as RawObject[]) {
      expect(translated([raw]).diagnostics.length).toBeGreaterThan(0);
    }
  });

  it.each([
    ['infra/a/b', 'metadata.name'],
    ['infra/a\0b', 'metadata.name'],
  ])('can not have the name of another by the way it is written: %j', (path, field) => {
    const object = gateway('infra/gw', [http('web')]);
    const name = path.slice(path.indexOf('/') + 1);
    expect(translated([{ ...object, metadata: { namespace: 'infra', name } }]).diagnostics).toMatchObject([
      { field },
    ]);
    expect(
      translated([{ ...object, metadata: { namespace: 'in/fra', name: 'x' } }]).diagnostics,
    ).toMatchObject([{ field: 'metadata.namespace' }]);
  });

  it('with keys of Object.prototype do no harm', () => {
    const labels = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>;
    const translation = translated([
      gateway('constructor/__proto__', [http('constructor')]),
      route('constructor/hasOwnProperty', '__proto__', [to('valueOf:80')], {}, { labels }),
      service('constructor/valueOf'),
      { apiVersion: 'v1', kind: '__proto__', metadata: { name: 'x' } },
      { apiVersion: 'v1', kind: 'constructor', metadata: { name: 'x' } },
    ]);
    expect(statusOf(translation, 'Gateway', 'constructor/__proto__').listeners[0]!.attachedRoutes).toBe(1);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
