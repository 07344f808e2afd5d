/** What the status of a Grant says: which references were consented to, for those who can look up nothing else. */
import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { consentKey, consentsTo, MOST_CONSENTS } from '../../../gateway-runtime/grants/consents.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import { generator } from '../../support/random.ts';
import {
  brief,
  gateway,
  gatewayClass,
  grant,
  http,
  parentOf,
  route,
  service,
  statusOf,
  to,
  translated,
} from './build.ts';

const granted = (path: string, gatewayName: string, team: string): RawObject => {
  const [namespace, name] = path.split('/');
  return {
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'Grant',
    metadata: { namespace, name, generation: 3 },
    spec: { gatewayName, team, namespace: team, grants: [{ name: team, kinds: ['HTTPRoute'] }] },
  };
};
const OBJECTS = [gateway('infra/gw', [http('web')]), granted('infra/gw-shop', 'gw', 'shop')];
const referencesIn = (...objects: readonly RawObject[]) =>
  statusOf(translated([...OBJECTS, ...objects]), 'Grant', 'infra/gw-shop').references;

describe('the status of a Grant', () => {
  it('lists what others let the team refer to, by the ReferenceGrant', () => {
    expect(
      referencesIn(
        grant('media/b', 'HTTPRoute', 'shop', 'Service', 'feed'),
        grant('media/a', 'HTTPRoute', 'shop', 'Service', 'feed'),
        grant('media/c', 'TLSRoute', 'shop', 'Service'),
        grant('data/d', 'HTTPRoute', 'media', 'Service'),
        grant('data/e', 'Gateway', 'shop', 'Secret'),
        grant('shop/f', 'HTTPRoute', 'shop', 'Service'),
      ),
    ).toEqual({ 'HTTPRoute to Service media/feed': 'media/a', 'TLSRoute to Service media/*': 'media/c' });
  });

  it('lists of a ReferenceGrant for several namespaces what is for its own', () => {
    const both = grant('media/a', 'HTTPRoute', 'shop', 'Service', 'feed');
    const [from] = both.spec.from;
    both.spec.from.push({ ...from!, kind: 'TLSRoute', namespace: 'data' });
    expect(referencesIn(both)).toEqual({ 'HTTPRoute to Service media/feed': 'media/a' });
  });

  it('lists nothing where nobody consented, and says whose it is', () => {
    const status = statusOf(translated(OBJECTS), 'Grant', 'infra/gw-shop');
    expect(status).toMatchObject({
      references: {},
      conditions: [{ type: 'Accepted', observedGeneration: 3 }],
    });
  });

  it('is nobody else’s: of a Grant for a Gateway of another controller nothing is said', () => {
    const translator = new Translator({ regex: re2 });
    const objects = [
      gatewayClass('other', 'example.com/other'),
      gateway('infra/gw', [http('web')], { gatewayClassName: 'other' }),
      granted('infra/gw-shop', 'gw', 'shop'),
    ];
    const { statuses } = translator.apply(objects.map((set) => ({ set })));
    expect([...statuses.values()].filter((each) => each?.kind === 'Grant')).toEqual([]);
  });

  it('follows what changes, and only that', () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    const consent = grant('media/a', 'HTTPRoute', 'shop', 'Service', 'feed');
    translator.apply([...OBJECTS, granted('infra/gw-data', 'gw', 'data')].map((set) => ({ set })));
    const changed = (...changes: Parameters<Translator['apply']>[0]) =>
      [...translator.apply(changes).statuses]
        .filter(([key]) => key.includes('Grant'))
        .map(([, status]) => status);
    expect(changed({ set: consent })).toMatchObject([
      { ref: { name: 'gw-shop' }, references: { 'HTTPRoute to Service media/feed': 'media/a' } },
    ]);
    expect(changed({ set: consent })).toEqual([]);
    const ref = { group: 'gateway.networking.k8s.io', kind: 'ReferenceGrant', namespace: 'media', name: 'a' };
    expect(changed({ remove: ref })).toMatchObject([{ ref: { name: 'gw-shop' }, references: {} }]);
  });
});

describe('consents', () => {
  it('are those by which references resolve, for random ReferenceGrants', () => {
    const random = generator(7);
    const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    let resolved = 0;
    for (let run = 0; run < 300; run++) {
      const grants = Array.from({ length: 3 }, (_, index) =>
        grant(
          `${one(['data', 'media'])}/g${index}`,
          one(['HTTPRoute', 'HTTPRoute', 'TLSRoute']),
          one(['shop', 'shop', 'media']),
          one(['Service', 'Service', 'Secret']),
          one([undefined, 'db', 'feed']),
        ),
      );
      const objects = [
        ...OBJECTS,
        ...grants,
        service('data/db'),
        route('shop/r', 'infra/gw', [to('data/db:80')]),
      ];
      const translation = translated(objects);
      const isResolved = brief(parentOf(translation, 'shop/r')).ResolvedRefs === 'True ResolvedRefs';
      const { references } = statusOf(translation, 'Grant', 'infra/gw-shop');
      const target = { group: '', kind: 'Service', namespace: 'data' };
      const isListed = [
        consentKey('HTTPRoute', { ...target, name: 'db' }),
        consentKey('HTTPRoute', target),
      ].some((key) => key in references);
      expect({ grants, isListed }).toEqual({ grants, isListed: isResolved });
      if (isResolved) resolved++;
    }
    expect(resolved).toBeGreaterThan(50);
  });

  const consent = (namespace: string, names: readonly string[]) => ({
    namespace,
    name: 'g',
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
      to: names.map((name) => ({ group: '', kind: 'Service', name })),
    },
  });
  const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);

  it('to more names of one namespace than can be listed stand for all of them, and leave those of others as they are', () => {
    expect(consentsTo('shop', [consent('busy', names(65)), consent('media', ['feed'])])).toEqual({
      'HTTPRoute to Service busy/*': 'busy/g',
      'HTTPRoute to Service media/feed': 'media/g',
    });
  });

  it('of more namespaces than can be listed leave it to the runtime', () => {
    const many = names(MOST_CONSENTS + 1).map((namespace) => consent(namespace, ['x']));
    expect(Object.keys(consentsTo('shop', many.slice(1)))).toHaveLength(MOST_CONSENTS);
    expect(Object.keys(consentsTo('shop', many))).toEqual(['*']);
  });
});
