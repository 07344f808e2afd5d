import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import {
  brief,
  gateway,
  grant,
  http,
  https,
  listenerStatus,
  listenersOf,
  messageOf,
  parentOf,
  route,
  rulesOf,
  service,
  tlsSecret,
  to,
  translated,
} from './build.ts';

describe('a route and a Service of another namespace', () => {
  const objects = [
    gateway('infra/gw', [http('web')]),
    service('data/db'),
    route('shop/cart', 'infra/gw', [to('data/db:80')]),
  ];
  const resolved = (...grants: readonly RawObject[]) =>
    brief(parentOf(translated([...objects, ...grants]), 'shop/cart')).ResolvedRefs;

  it.each<[string, RawObject, boolean]>([
    ['for every Service', grant('data/g', 'HTTPRoute', 'shop', 'Service'), true],
    ['for this Service', grant('data/g', 'HTTPRoute', 'shop', 'Service', 'db'), true],
    ['for another Service', grant('data/g', 'HTTPRoute', 'shop', 'Service', 'other'), false],
    ['for another kind of target', grant('data/g', 'HTTPRoute', 'shop', 'Secret'), false],
    ['for another namespace', grant('data/g', 'HTTPRoute', 'media', 'Service'), false],
    ['for another kind', grant('data/g', 'Gateway', 'shop', 'Service'), false],
    ['in the namespace of the route', grant('shop/g', 'HTTPRoute', 'shop', 'Service'), false],
    ['in a third namespace', grant('infra/g', 'HTTPRoute', 'shop', 'Service'), false],
  ])('with a grant %s', (_, given, allowed) => {
    expect(resolved(given)).toBe(allowed ? 'True ResolvedRefs' : 'False RefNotPermitted');
  });

  it('with grants of which one is enough', () => {
    expect(
      resolved(
        grant('data/a', 'HTTPRoute', 'media', 'Service'),
        grant('data/b', 'HTTPRoute', 'shop', 'Service'),
      ),
    ).toBe('True ResolvedRefs');
  });

  it('with a group that is not the right one', () => {
    const given = grant('data/g', 'HTTPRoute', 'shop', 'Service');
    expect(
      resolved({ ...given, spec: { ...given.spec, to: [{ group: 'example.com', kind: 'Service' }] } }),
    ).toBe('False RefNotPermitted');
    expect(
      resolved({
        ...given,
        spec: { ...given.spec, from: [{ group: '', kind: 'HTTPRoute', namespace: 'shop' }] },
      }),
    ).toBe('False RefNotPermitted');
  });

  it('without a grant keep their share, which answers 500', () => {
    const [rule] = rulesOf(translated(objects), 'infra/gw');
    expect(rule!.backends).toEqual([
      {
        weight: 1,
        name: 'Service data/db:80',
        unresolved: { reason: 'RefNotPermitted', message: expect.any(String) },
        filters: [],
      },
    ]);
    expect(rule!.refusal).toBeUndefined();
  });

  it('are refused alike whether the Service is there or not', () => {
    const without = objects.filter(({ kind }) => kind !== 'Service');
    expect(parentOf(translated(without), 'shop/cart')).toEqual(parentOf(translated(objects), 'shop/cart'));
  });

  it('are told the grant as it would have to be written', () => {
    const translation = translated(objects);
    const { fix, related } = translation.diagnostics[0]!;
    expect(related).toEqual([{ group: '', kind: 'Service', namespace: 'data', name: 'db' }]);
    expect(messageOf(parentOf(translation, 'shop/cart'), 'ResolvedRefs')).toContain(
      'no ReferenceGrant in namespace data lets HTTPRoute objects of namespace shop refer to Service data/db',
    );
    const written = JSON.parse(fix!.slice(fix!.indexOf('{'))) as RawObject;
    expect(resolved(written)).toBe('True ResolvedRefs');
  });
});

describe('a Gateway and a Secret of another namespace', () => {
  const objects = [
    gateway('infra/gw', [http('web'), https('secure', { name: 'cert', namespace: 'vault' })]),
    tlsSecret('vault/cert'),
  ];

  it('need a grant', () => {
    const translation = translated(objects);
    expect(brief(listenerStatus(translation, 'infra/gw', 'secure').conditions)).toMatchObject({
      Accepted: 'True Accepted',
      Programmed: 'False Invalid',
      ResolvedRefs: 'False RefNotPermitted',
    });
    expect(translation.certificates.size).toBe(0);
    const { fix } = translation.diagnostics[0]!;
    const granted = translated([...objects, JSON.parse(fix!.slice(fix!.indexOf('{'))) as RawObject]);
    expect(brief(listenerStatus(granted, 'infra/gw', 'secure').conditions)).toMatchObject({
      Programmed: 'True Programmed',
      ResolvedRefs: 'True ResolvedRefs',
    });
    expect([...granted.certificates.keys()]).toEqual(['vault/cert']);
  });

  it('need one for Gateways, not for routes', () => {
    const translation = translated([...objects, grant('vault/g', 'HTTPRoute', 'infra', 'Secret')]);
    expect(brief(listenerStatus(translation, 'infra/gw', 'secure').conditions).ResolvedRefs).toBe(
      'False RefNotPermitted',
    );
  });

  it('do without the one that is not permitted where there is another certificate', () => {
    const both = { tls: { certificateRefs: [{ name: 'cert', namespace: 'vault' }, { name: 'own' }] } };
    const translation = translated([
      gateway('infra/gw', [https('secure', 'x', both)]),
      tlsSecret('vault/cert'),
      tlsSecret('infra/own'),
    ]);
    expect(brief(listenerStatus(translation, 'infra/gw', 'secure').conditions)).toMatchObject({
      Programmed: 'True Programmed',
      ResolvedRefs: 'False RefNotPermitted',
    });
    expect(listenersOf(translation, 'infra/gw')[0]!.certificates).toEqual(['infra/own']);
  });
});
