import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import type { Translation } from '../../../gateway-runtime/translate/translation.ts';
import {
  brief,
  gateway,
  gatewayClass,
  http,
  messageOf,
  namespace,
  parentOf,
  route,
  rulesOf,
  statusOf,
  to,
  translated,
} from './build.ts';

const from = (namespaces: object) => ({ allowedRoutes: { namespaces } });
const where = (...matchExpressions: object[]) => ({ from: 'Selector', selector: { matchExpressions } });

describe('namespaces that a listener admits', () => {
  const shop = namespace('shop', { team: 'shop', tier: 'gold' });
  it.each<[string, object | undefined, string, boolean]>([
    ['the own one by default', undefined, 'infra', true],
    ['not another one by default', undefined, 'shop', false],
    ['the own one, of Same', { from: 'Same' }, 'infra', true],
    ['not another one, of Same', { from: 'Same' }, 'shop', false],
    ['any, of All', { from: 'All' }, 'shop', true],
    ['any, of All, without an object for it', { from: 'All' }, 'nowhere', true],
    ['one with the label', { from: 'Selector', selector: { matchLabels: { team: 'shop' } } }, 'shop', true],
    [
      'not one with another value',
      { from: 'Selector', selector: { matchLabels: { team: 'media' } } },
      'shop',
      false,
    ],
    [
      'not one that lacks one of the labels',
      { from: 'Selector', selector: { matchLabels: { team: 'shop', zone: 'a' } } },
      'shop',
      false,
    ],
    [
      'not the own one, where it lacks the label',
      { from: 'Selector', selector: { matchLabels: { team: 'shop' } } },
      'infra',
      false,
    ],
    [
      'by the name that every namespace has as a label',
      { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': 'nowhere' } } },
      'nowhere',
      true,
    ],
    ['all, of an empty selector', { from: 'Selector', selector: {} }, 'nowhere', true],
    ['In', where({ key: 'team', operator: 'In', values: ['media', 'shop'] }), 'shop', true],
    ['In, another value', where({ key: 'team', operator: 'In', values: ['media'] }), 'shop', false],
    ['In, without the label', where({ key: 'team', operator: 'In', values: ['shop'] }), 'nowhere', false],
    ['NotIn', where({ key: 'team', operator: 'NotIn', values: ['media'] }), 'shop', true],
    ['NotIn, the value', where({ key: 'team', operator: 'NotIn', values: ['shop'] }), 'shop', false],
    [
      'NotIn, without the label',
      where({ key: 'team', operator: 'NotIn', values: ['shop'] }),
      'nowhere',
      true,
    ],
    ['Exists', where({ key: 'tier', operator: 'Exists' }), 'shop', true],
    ['Exists, without the label', where({ key: 'tier', operator: 'Exists' }), 'nowhere', false],
    ['DoesNotExist', where({ key: 'tier', operator: 'DoesNotExist' }), 'nowhere', true],
    ['DoesNotExist, with the label', where({ key: 'tier', operator: 'DoesNotExist' }), 'shop', false],
    [
      'every expression of several',
      where({ key: 'tier', operator: 'Exists' }, { key: 'team', operator: 'In', values: ['media'] }),
      'shop',
      false,
    ],
    [
      'labels and expressions together',
      {
        from: 'Selector',
        selector: {
          matchLabels: { team: 'shop' },
          matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }],
        },
      },
      'shop',
      false,
    ],
    ['no key of Object.prototype', where({ key: 'constructor', operator: 'Exists' }), 'shop', false],
  ])('%s', (_, namespaces, home, admitted) => {
    const listener = http('web', 80, namespaces ? from(namespaces) : { allowedRoutes: undefined });
    const translation = translated([
      shop,
      gateway('infra/gw', [listener]),
      route(`${home}/cart`, 'infra/gw', [to('a:80')]),
    ]);
    expect(brief(parentOf(translation, `${home}/cart`)).Accepted).toBe(
      admitted ? 'True Accepted' : 'False NotAllowedByListeners',
    );
    expect(rulesOf(translation, 'infra/gw')).toHaveLength(admitted ? 1 : 0);
  });

  it('are told in the message, with what to do', () => {
    const listener = http(
      'web',
      80,
      from({ from: 'Selector', selector: { matchLabels: { exposed: 'yes' } } }),
    );
    const translation = translated([
      gateway('infra/gw', [listener, http('own', 81, from({ from: 'Same' }))]),
      route('shop/cart', 'infra/gw'),
    ]);
    expect(messageOf(parentOf(translation, 'shop/cart'), 'Accepted')).toBe(
      'spec.parentRefs[0]: no listener of Gateway infra/gw takes routes of namespace shop (web takes namespaces with the labels exposed=yes; own takes namespace infra only). Have namespace shop labelled so, or have the owner change allowedRoutes.namespaces of the listener.',
    );
    expect(translation.diagnostics[0]).toMatchObject({
      severity: 'warning',
      code: 'route/not-allowed-by-listeners',
      field: 'spec.parentRefs[0]',
      related: [{ kind: 'Gateway', namespace: 'infra', name: 'gw' }],
    });
  });
});

describe('sections that a parentRef selects', () => {
  const gw = gateway('infra/gw', [http('web'), http('web-2', 8080), http('raw', 9000, { protocol: 'TCP' })]);
  const ref = (more: object) => ({ namespace: 'infra', name: 'gw', ...more });
  it.each([
    [{}, ['web', 'web-2'], 'True Accepted'],
    [{ sectionName: 'web-2' }, ['web-2'], 'True Accepted'],
    [{ port: 8080 }, ['web-2'], 'True Accepted'],
    [{ sectionName: 'web-2', port: 8080 }, ['web-2'], 'True Accepted'],
    [{ sectionName: 'web-2', port: 80 }, [], 'False NoMatchingParent'],
    [{ sectionName: 'none' }, [], 'False NoMatchingParent'],
    [{ port: 81 }, [], 'False NoMatchingParent'],
    [{ sectionName: 'raw' }, [], 'False NotAllowedByListeners'],
  ])('%j: %j', (more, listeners, accepted) => {
    const translation = translated([gw, route('shop/cart', ref(more), [to('a:80')])]);
    expect(brief(parentOf(translation, 'shop/cart')).Accepted).toBe(accepted);
    const parents = rulesOf(translation, 'infra/gw').flatMap((rule) => rule.parents);
    expect(parents.map(({ listener }) => listener.split('/').at(-1))).toEqual(listeners);
  });

  it('are told where none fits', () => {
    const translation = translated([gw, route('shop/cart', ref({ sectionName: 'wbe', port: 80 }))]);
    expect(messageOf(parentOf(translation, 'shop/cart'), 'Accepted')).toBe(
      'spec.parentRefs[0]: Gateway infra/gw has no listener with sectionName wbe and port 80; those that take HTTPRoute objects of namespace shop: web (port 80), web-2 (port 8080). Correct sectionName or port.',
    );
  });
});

describe('hostnames on which route and listener agree', () => {
  it.each<[string | undefined, string[], string[] | undefined]>([
    [undefined, [], ['*']],
    [undefined, ['a.com'], ['a.com']],
    ['a.com', [], ['a.com']],
    ['a.com', ['a.com', 'b.com'], ['a.com']],
    ['*.com', ['a.com', '*.b.com', 'c.org'], ['a.com', '*.b.com']],
    ['a.b.com', ['*.b.com'], ['a.b.com']],
    ['*.com', ['com'], undefined],
    ['a.com', ['b.com'], undefined],
  ])('%j and %j: %j', (hostname, hostnames, expected) => {
    const translation = translated([
      gateway('infra/gw', [http('web', 80, hostname ? { hostname } : {})]),
      route('shop/cart', 'infra/gw', [to('a:80')], hostnames.length > 0 ? { hostnames } : {}),
    ]);
    expect(brief(parentOf(translation, 'shop/cart')).Accepted).toBe(
      expected ? 'True Accepted' : 'False NoMatchingListenerHostname',
    );
    expect(rulesOf(translation, 'infra/gw')[0]?.parents[0]?.hostnames).toEqual(expected);
  });

  it('count only for listeners that admit the route', () => {
    const translation = translated([
      gateway('infra/gw', [
        http('theirs', 80, { hostname: 'a.com', ...from({ from: 'Same' }) }),
        http('open', 80, { hostname: 'b.com' }),
      ]),
      route('shop/cart', 'infra/gw', [to('a:80')], { hostnames: ['a.com'] }),
    ]);
    expect(messageOf(parentOf(translation, 'shop/cart'), 'Accepted')).toBe(
      'spec.parentRefs[0]: no hostname of the route (a.com) falls within a listener of Gateway infra/gw that takes it (open has b.com). Change spec.hostnames of the route, or attach to a listener whose hostname covers them.',
    );
  });
});

describe('parents', () => {
  it.each<[string, RawObject[], object, string | undefined]>([
    ['that is not there', [], { name: 'none', namespace: 'infra' }, 'Gateway infra/none does not exist'],
    [
      'that was refused',
      [gateway('infra/broken', [])],
      { name: 'broken', namespace: 'infra' },
      'Gateway infra/broken was refused for its fields',
    ],
    [
      'of a kind that takes no routes',
      [],
      { group: '', kind: 'Service', name: 'cart' },
      'found Service of group "", to which routes are not attached here',
    ],
    [
      'of another group',
      [],
      { group: 'example.com', kind: 'Gateway', name: 'x' },
      'found Gateway of group example.com, to which routes are not attached here',
    ],
    [
      'of another controller',
      [
        gatewayClass('theirs', 'example.com/x'),
        gateway('infra/gw', [http('web')], { gatewayClassName: 'theirs' }),
      ],
      { name: 'gw', namespace: 'infra' },
      undefined,
    ],
  ])('%s: the route gets no entry', (_, objects, ref, message) => {
    const translation = translated(
      [...objects, route('shop/cart', ref as Record<string, unknown>, [to('a:80')])],
      'own',
    );
    expect(translation.statuses.has('HTTPRoute/shop/cart')).toBe(false);
    const told = translation.diagnostics.filter(({ code }) => code === 'route/parent-not-found');
    expect(told.map((each) => each.message)).toEqual(message ? [message] : []);
    for (const { severity } of told) expect(severity).toBe('warning');
  });

  it('are named in the status as the route wrote them', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')]),
      route('infra/cart', { name: 'gw', sectionName: 'web', port: 80 }, [to('a:80')]),
    ]);
    expect(statusOf(translation, 'HTTPRoute', 'infra/cart').parents).toMatchObject([
      {
        controllerName: 'gatewright.dev/gateway-controller',
        parentRef: {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          name: 'gw',
          sectionName: 'web',
          port: 80,
        },
      },
    ]);
    expect(statusOf(translation, 'HTTPRoute', 'infra/cart').parents[0]!.parentRef).not.toHaveProperty(
      'namespace',
    );
  });

  it('named twice, with and without namespace, serve a rule once', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')]),
      route('infra/cart', [{ name: 'gw' }, { name: 'gw', namespace: 'infra' }], [to('a:80')]),
    ]);
    expect(statusOf(translation, 'HTTPRoute', 'infra/cart').parents).toHaveLength(2);
    expect(rulesOf(translation, 'infra/gw')[0]!.parents).toHaveLength(1);
    expect(statusOf(translation, 'Gateway', 'infra/gw').listeners[0]!.attachedRoutes).toBe(1);
  });

  it('of two Gateways: each serves the route with its own listeners', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')]),
      gateway('edge/gw', [http('other', 8080, { hostname: 'a.com' })]),
      route('shop/cart', ['infra/gw', 'edge/gw'], [to('a:80')]),
    ]);
    expect(rulesOf(translation, 'infra/gw')[0]!.parents).toEqual([
      { listener: 'listener/Gateway/infra/gw/web', hostnames: ['*'] },
    ]);
    expect(rulesOf(translation, 'edge/gw')[0]!.parents).toEqual([
      { listener: 'listener/Gateway/edge/gw/other', hostnames: ['a.com'] },
    ]);
  });
});

describe('default Gateways', () => {
  const DEFAULT = { defaultScope: 'All' };
  const created = (year: number) => ({ creationTimestamp: `${year}-01-01T00:00:00Z` });
  const named = (translation: Translation) =>
    statusOf(translation, 'HTTPRoute', 'shop/cart').parents.map(
      ({ parentRef: { namespace, name, sectionName } }) =>
        `${namespace}/${name}${sectionName ? `#${sectionName}` : ''}`,
    );

  it('come after what the route names, the oldest first, and what it names itself not again', () => {
    const translation = translated([
      gateway('a/new', [http('web')], DEFAULT),
      gateway('b/younger', [http('web')], DEFAULT, created(2022)),
      gateway('b/older', [http('web')], DEFAULT, created(2021)),
      gateway('c/older', [http('web')], DEFAULT, created(2021)),
      gateway('shop/own', [http('web')], DEFAULT, created(2020)),
      gateway('shop/in-part', [http('web')], DEFAULT, created(2023)),
      gateway('shop/other', [http('web')]),
      route(
        'shop/cart',
        [
          'shop/other',
          { name: 'own' },
          { name: 'in-part', sectionName: 'web' },
          { kind: 'ListenerSet', name: 'new', namespace: 'a' },
        ],
        [to('a:80')],
        { useDefaultGateways: 'All' },
      ),
    ]);
    expect(named(translation)).toEqual([
      'shop/other',
      'undefined/own',
      'undefined/in-part#web',
      'b/older',
      'c/older',
      'b/younger',
      'shop/in-part',
      'a/new',
    ]);
  });

  it('are those for which a status has room: the newest beyond that take nothing', () => {
    const all = Array.from({ length: 40 }, (_, index) =>
      gateway(`infra/gw-${index}`, [http('web')], DEFAULT, created(2060 - index)),
    );
    const translation = translated([
      ...all,
      route('shop/cart', ['infra/gw-0', 'infra/none'], [to('a:80')], { useDefaultGateways: 'All' }),
    ]);
    const attached = [...translation.snapshots.values()].filter(({ resources }) =>
      resources.some(({ type }) => type === 'http-rule'),
    );
    expect(attached).toHaveLength(31);
    expect(named(translation).slice(0, 3)).toEqual(['infra/gw-0', 'infra/gw-39', 'infra/gw-38']);
    expect(named(translation)).toHaveLength(31);
    expect(translation.diagnostics).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        code: 'route/limit-exceeded',
        field: 'spec.useDefaultGateways',
        message: expect.stringMatching(/^39 Gateways .* the oldest 30 of them$/),
      }),
    );
  });

  it('are first those that take the route, where not all have room: however many older ones are for others', () => {
    const all = Array.from({ length: 40 }, (_, index) =>
      gateway(`team-${index}/own`, [http('web', 80, from({ from: 'Same' }))], DEFAULT, created(2000 + index)),
    );
    const translation = translated([
      ...all,
      gateway('infra/shared', [http('web')], DEFAULT, created(2050)),
      route('team-39/cart', [], [to('a:80')], { useDefaultGateways: 'All' }),
    ]);
    const { parents } = statusOf(translation, 'HTTPRoute', 'team-39/cart');
    const accepted = parents.map(
      ({ conditions }) => conditions.find(({ type }) => type === 'Accepted')!.status,
    );
    expect(accepted).toEqual(['True', 'True', ...Array.from({ length: 30 }, () => 'False')]);
    expect(parents.slice(0, 3).map(({ parentRef }) => parentRef.namespace)).toEqual([
      'team-39',
      'infra',
      'team-0',
    ]);
    expect(rulesOf(translation, 'team-39/own')).toHaveLength(1);
    expect(rulesOf(translation, 'infra/shared')).toHaveLength(1);
    expect(translation.diagnostics.map(({ code }) => code)).not.toContain('route/limit-exceeded');
  });
});
