import { beforeEach, describe, expect, it } from '@jest/globals';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { TranslationChange } from '../../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import {
  CERTIFICATE,
  gateway,
  grant,
  http,
  https,
  KEY,
  namespace,
  route,
  service,
  slice,
  tlsSecret,
  to,
} from './build.ts';

const API = 'gateway.networking.k8s.io';
const ref = (group: string, kind: string, path: string) => {
  const [namespace_, name] = path.split('/') as [string, string];
  return { group, kind, namespace: namespace_, name };
};

/** What a change touched, by kind of output. */
function touched(change: TranslationChange) {
  return Object.fromEntries(
    Object.entries({
      put: change.deltas.flatMap(({ put }) => put.map(({ key }) => key)),
      removed: change.deltas.flatMap(({ remove }) => remove),
      removedGateways: change.removedGateways,
      statuses: [...change.statuses.keys()],
      endpoints: [...change.endpoints.keys()],
      certificates: [...change.certificates.keys()],
      infrastructure: [...change.infrastructure.keys()],
      diagnostics: [...change.diagnostics.keys()],
    }).filter(([, keys]) => keys.length > 0),
  );
}

describe('Translator', () => {
  let translator: Translator;
  const GATEWAY = gateway('infra/gw', [http('web'), https('secure', 'cert')], {
    allowedListeners: { namespaces: { from: 'All' } },
  });
  const CART = route('shop/cart', 'infra/gw', [to('cart:80')]);
  const endpoint = (address: string) => slice('shop/cart-1', 'cart', [{ addresses: [address] }]);

  beforeEach(() => {
    translator = new Translator({ regex: re2, classes: 'any' });
    translator.apply(
      [
        GATEWAY,
        tlsSecret('infra/cert'),
        namespace('shop', { team: 'shop' }),
        service('shop/cart'),
        endpoint('10.0.0.1'),
        CART,
        route('media/films', 'infra/gw', [to('films:80')]),
        service('media/films'),
      ].map((set) => ({ set })),
    );
  });

  it('gives everything of a Gateway that is new', () => {
    const change = new Translator({ regex: re2, classes: 'any' }).apply([{ set: GATEWAY }]);
    expect(change.deltas).toHaveLength(1);
    expect(change.deltas[0]).not.toHaveProperty('from');
    expect(touched(change).put).toEqual(['listener/Gateway/infra/gw/web']);
  });

  it('touches only the route that changed', () => {
    const { version } = translator.current.snapshots.get('infra/gw')!;
    const change = translator.apply([
      { set: route('shop/cart', 'infra/gw', [to('cart:80'), to('cart:80')]) },
    ]);
    expect(touched(change)).toEqual({ put: ['http-rule/shop/cart/1'] });
    expect(change.deltas[0]).toMatchObject({ gateway: { namespace: 'infra', name: 'gw' }, from: version });
    expect(change.deltas[0]!.to).toBe(translator.current.snapshots.get('infra/gw')!.version);
  });

  it('counts a new route in the status of its Gateway', () => {
    const change = translator.apply([{ set: route('shop/new', 'infra/gw', [to('cart:80')]) }]);
    expect(touched(change)).toEqual({
      put: ['http-rule/shop/new/0'],
      statuses: ['HTTPRoute/shop/new', 'Gateway/infra/gw'],
    });
  });

  it('touches nothing but endpoints when pods move', () => {
    expect(touched(translator.apply([{ set: endpoint('10.0.0.2') }]))).toEqual({
      endpoints: ['backend/shop/cart/80'],
    });
  });

  it('touches nothing but the certificate when it is renewed', () => {
    const renewed = btoa(KEY.replace('c2VjcmV0', 'bmV3'));
    const change = translator.apply([
      { set: tlsSecret('infra/cert', { data: { 'tls.crt': btoa(CERTIFICATE), 'tls.key': renewed } }) },
    ]);
    expect(touched(change)).toEqual({ certificates: ['infra/cert'] });
  });

  it.each([
    ['a written status', { ...CART, status: { parents: [] } }],
    ['an annotation', { ...CART, metadata: { ...CART.metadata, annotations: { note: 'x' } } }],
    ['a label of the namespace that nobody asks for', namespace('shop', { team: 'shop', shade: 'blue' })],
    ['a grant that nobody needs', grant('data/g', 'HTTPRoute', 'shop', 'Service')],
    ['a Secret that nobody uses', tlsSecret('infra/other')],
    ['a Service that nobody uses', service('shop/other')],
  ])('says nothing of %s', (_, set) => {
    expect(touched(translator.apply([{ set }]))).toEqual({});
  });

  it('revokes what a grant allowed when the grant goes', () => {
    translator.apply([
      { set: service('data/db') },
      { set: grant('data/g', 'HTTPRoute', 'shop', 'Service') },
      { set: route('shop/cart', 'infra/gw', [to('data/db:80')]) },
    ]);
    const change = translator.apply([{ remove: ref(API, 'ReferenceGrant', 'data/g') }]);
    expect(touched(change)).toEqual({
      put: ['http-rule/shop/cart/0'],
      removed: ['backend/data/db/80'],
      statuses: ['HTTPRoute/shop/cart'],
      endpoints: ['backend/data/db/80'],
      diagnostics: ['HTTPRoute/shop/cart'],
    });
    expect(change.endpoints.get('backend/data/db/80')).toBeUndefined();
  });

  it('drops a listener whose certificate goes, and its rules there', () => {
    const change = translator.apply([{ remove: ref('', 'Secret', 'infra/cert') }]);
    expect(touched(change)).toEqual({
      put: ['http-rule/media/films/0', 'http-rule/shop/cart/0'],
      removed: ['listener/Gateway/infra/gw/secure'],
      statuses: ['Gateway/infra/gw'],
      certificates: ['infra/cert'],
      infrastructure: ['infra/gw'],
      diagnostics: ['Gateway/infra/gw'],
    });
  });

  it('removes a Gateway that goes, and what is said of it', () => {
    const change = translator.apply([{ remove: ref(API, 'Gateway', 'infra/gw') }]);
    expect(change.deltas).toEqual([]);
    expect(change.removedGateways).toEqual(['infra/gw']);
    expect(Object.fromEntries(change.statuses)).toEqual({
      'Gateway/infra/gw': undefined,
      'HTTPRoute/shop/cart': undefined,
      'HTTPRoute/media/films': undefined,
    });
    expect(change.infrastructure.get('infra/gw')).toBeUndefined();
    expect(change.endpoints.size).toBe(2);
    expect(translator.current.snapshots.size).toBe(0);
  });

  it('gives everything of a Gateway anew when it comes back', () => {
    translator.apply([{ remove: ref(API, 'Gateway', 'infra/gw') }]);
    const { deltas } = translator.apply([{ set: GATEWAY }]);
    expect(deltas[0]).not.toHaveProperty('from');
    expect(deltas[0]!.put).toHaveLength(6);
  });

  it('takes removing and setting an object in one step for a change of it', () => {
    const change = translator.apply([{ remove: ref(API, 'Gateway', 'infra/gw') }, { set: GATEWAY }]);
    expect(touched(change)).toEqual({});
  });

  it('removes the diagnostics of an object that is right again, or gone', () => {
    const broken = route('shop/cart', 'infra/gw', [{ backendRefs: [{ name: 'cart' }] }]);
    expect(translator.apply([{ set: broken }]).diagnostics.get('HTTPRoute/shop/cart')).toHaveLength(1);
    expect(translator.apply([{ set: CART }]).diagnostics.get('HTTPRoute/shop/cart')).toEqual([]);
    translator.apply([{ set: broken }]);
    const gone = translator.apply([{ remove: ref(API, 'HTTPRoute', 'shop/cart') }]);
    expect(gone.diagnostics.get('HTTPRoute/shop/cart')).toEqual([]);
  });

  it('takes the removal of what is not there for nothing', () => {
    expect(touched(translator.apply([{ remove: ref(API, 'Gateway', 'infra/none') }]))).toEqual({});
    expect(
      touched(translator.apply([{ remove: ref('networking.istio.io', 'Gateway', 'infra/gw') }])),
    ).toEqual({});
    expect(touched(translator.apply([{ remove: ref('', '__proto__', 'infra/gw') }]))).toEqual({});
  });
});
