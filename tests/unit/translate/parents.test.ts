/** What is said where a reference finds nothing: what it may have meant, and only what its owner may know. */
import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import { gateway, grant, http, listenerSet, namespace, route, service, to, translated } from './build.ts';

const of = (from: string, selector?: object) => ({
  allowedRoutes: { namespaces: { from, ...(selector ? { selector } : {}) } },
});
const teams = { matchLabels: { team: 'yes' } };
const cart = (ref: object) => route('shop/cart', ref as never, [to('a:80')]);

/** `message. fix` of what is said of the reference. */
const said = (objects: readonly RawObject[], code = 'route/parent-not-found') =>
  translated(objects)
    .diagnostics.filter((each) => each.code === code)
    .map(({ message, fix }) => `${message}. ${fix}`);

const NONE = 'Gateway shop/edge does not exist (the reference has no namespace, so that of the route counts)';

describe('a parent that is not there', () => {
  it.each<[string, object, RawObject[], string]>([
    ['nothing that it may have meant', { name: 'edge' }, [], `${NONE}. create it, or correct the reference`],
    [
      'one of the name for all namespaces',
      { name: 'edge' },
      [gateway('infra/edge', [http('web')])],
      `${NONE}; Gateway infra/edge does, and takes routes of every namespace. add namespace: infra to the reference`,
    ],
    [
      'one of the name for this namespace',
      { name: 'edge' },
      [gateway('infra/edge', [http('web', 80, of('Selector', teams))]), namespace('shop', { team: 'yes' })],
      `${NONE}; Gateway infra/edge does, and takes routes of namespace shop. add namespace: infra to the reference`,
    ],
    [
      'one of the name that would not take it',
      { name: 'edge' },
      [gateway('infra/edge', [http('web', 80, of('Same'))])],
      `${NONE}. create it, or correct the reference`,
    ],
    [
      'the second of the name that would',
      { name: 'edge', namespace: 'nowhere' },
      [gateway('data/edge', [http('web', 80, of('Same'))]), gateway('infra/edge', [http('web')])],
      'Gateway nowhere/edge does not exist; Gateway infra/edge does, and takes routes of every namespace. set namespace to infra in the reference',
    ],
    [
      'others in the namespace that it names',
      { name: 'edgy', namespace: 'infra' },
      [
        gateway('infra/edge', [http('web')]),
        gateway('infra/inner', [http('web', 80, of('Same'))]),
        gateway('infra/other', [http('web')]),
      ],
      'Gateway infra/edgy does not exist; Gateways of namespace infra that take routes of namespace shop: edge, other. set name to one of edge, other in the reference, or create the Gateway',
    ],
    [
      'a ListenerSet of the name',
      { name: 'edge' },
      [
        gateway('infra/gw', [http('web')], { allowedListeners: { namespaces: { from: 'All' } } }),
        listenerSet('shop/edge', 'infra/gw', [http('more', 81)]),
      ],
      `${NONE}; ListenerSet shop/edge does, and takes routes of every namespace. set kind to ListenerSet in the reference`,
    ],
    [
      'a Gateway of the name',
      { kind: 'ListenerSet', name: 'edge', namespace: 'infra' },
      [gateway('infra/edge', [http('web')])],
      'ListenerSet infra/edge does not exist; Gateway infra/edge does, and takes routes of every namespace. set kind to Gateway in the reference',
    ],
  ])('%s', (_, ref, others, expected) => {
    expect(said([cart(ref), ...others])).toEqual([expected]);
  });

  it('that was refused for its fields is told as such alone', () => {
    expect(
      said([cart({ name: 'edge' }), gateway('shop/edge', []), gateway('infra/edge', [http('web')])]),
    ).toEqual(['Gateway shop/edge was refused for its fields. correct the Gateway']);
  });

  it('is told anew when what it may have meant comes, opens, closes and goes', () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    const fixes: (string | undefined)[] = [];
    const apply = (...changes: Parameters<Translator['apply']>[0]) => {
      translator.apply(changes);
      fixes.push(translator.current.diagnostics.find(({ code }) => code === 'route/parent-not-found')?.fix);
    };
    apply({ set: cart({ name: 'edge' }) });
    apply({ set: gateway('infra/edge', [http('web', 80, of('Selector', teams))]) });
    apply({ set: namespace('shop', { team: 'yes' }) });
    apply({ set: gateway('infra/edge', [http('web', 80, of('Same'))]) });
    apply({ set: gateway('data/edge', [http('web')]) });
    apply({
      remove: { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'data', name: 'edge' },
    });
    const none = 'create it, or correct the reference';
    expect(fixes).toEqual([
      none,
      none,
      'add namespace: infra to the reference',
      none,
      'add namespace: data to the reference',
      none,
    ]);
  });

  it('costs no route that has its parent a second look', () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    translator.apply(
      [gateway('infra/edge', [http('web')]), cart({ name: 'edge', namespace: 'infra' })].map((set) => ({
        set,
      })),
    );
    const change = translator.apply([{ set: gateway('data/edge', [http('web')]) }]);
    expect([...change.statuses.keys()]).toEqual(['Gateway/data/edge']);
    expect(change.diagnostics.size).toBe(0);
  });
});

describe('a Gateway that a ListenerSet names and that is not there', () => {
  const set = {
    ...listenerSet('shop/more', 'x/edge', [http('more', 81)]),
    spec: { parentRef: { name: 'edge' }, listeners: [http('more', 81)] },
  };
  const none =
    'Gateway shop/edge does not exist (the reference has no namespace, so that of the ListenerSet counts)';

  it.each<[string, RawObject[], string]>([
    ['takes none', [gateway('infra/edge', [http('web')])], `${none}. create it, or correct the reference`],
    [
      'takes this one',
      [gateway('infra/edge', [http('web')], { allowedListeners: { namespaces: { from: 'All' } } })],
      `${none}; Gateway infra/edge does, and takes ListenerSets of namespace shop. add namespace: infra to the reference`,
    ],
  ])('is told with one of the name only where that %s', (_, others, expected) => {
    expect(said([set, ...others], 'listener-set/parent-not-found')).toEqual([expected]);
  });
});

describe('a route without parentRefs', () => {
  it.each([
    ['none', { ...cart({ name: 'x' }), spec: { rules: [to('a:80')] } }],
    ['an empty list', { ...cart({ name: 'x' }), spec: { parentRefs: [], rules: [to('a:80')] } }],
  ])('is a warning: %s', (_, object) => {
    expect(said([object], 'route/no-parent-refs')).toEqual([
      'found no parentRef, so the route attaches to nothing. name the Gateway or ListenerSet that it attaches to',
    ]);
  });
});

describe('a section that is not there', () => {
  const edge = gateway('infra/edge', [http('web'), http('web-2', 8080), http('inner', 8081, of('Same'))]);
  const missing = (more: object) =>
    said([edge, cart({ name: 'edge', namespace: 'infra', ...more })], 'route/no-matching-parent')[0];

  it('is told with the names, or ports, of those that take the route', () => {
    expect(missing({ sectionName: 'wbe' })).toBe(
      'Gateway infra/edge has no listener with sectionName wbe; those that take HTTPRoute objects of namespace shop: web (port 80), web-2 (port 8080). set sectionName to one of web, web-2',
    );
    expect(missing({ port: 81 })).toMatch(/\. set port to one of 80, 8080$/);
  });

  it('is told without any where none takes the route', () => {
    const closed = gateway('infra/edge', [http('inner', 80, of('Same'))]);
    const [text] = said(
      [closed, cart({ name: 'edge', namespace: 'infra', port: 81 })],
      'route/no-matching-parent',
    );
    expect(text).not.toContain('inner');
    expect(text).toMatch(/: none\. attach to another Gateway, or have the owner of this one add a listener$/);
  });
});

describe('a Service that is not there', () => {
  const gone = 'Service shop/player does not exist';
  const use = (backend: string) => [
    gateway('infra/edge', [http('web')]),
    route('shop/cart', 'infra/edge', [to(backend)]),
  ];
  const about = (...objects: RawObject[]) => said(objects, 'route/backend-not-found');

  it('is told with the one of another namespace only where that lets routes refer to it', () => {
    const player = service('media/player');
    const plain = `${gone}. create it, or correct the name or namespace`;
    expect(about(...use('player:80'), player)).toEqual([plain]);
    expect(about(...use('player:80'), grant('media/g', 'HTTPRoute', 'shop', 'Service'))).toEqual([plain]);
    expect(about(...use('player:80'), player, grant('media/g', 'HTTPRoute', 'data', 'Service'))).toEqual([
      plain,
    ]);
    expect(
      about(...use('player:80'), player, grant('media/g', 'HTTPRoute', 'shop', 'Service', 'other')),
    ).toEqual([plain]);
    expect(
      about(...use('player:80'), player, grant('media/g', 'HTTPRoute', 'shop', 'Service', 'player')),
    ).toEqual([
      `${gone}. add namespace: media to the reference: Service media/player exists, and a ReferenceGrant lets routes of namespace shop refer to it`,
    ]);
  });

  it('follows the Service and the grant', () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    const fix = () => translator.current.diagnostics[0]?.fix;
    translator.apply([...use('player:80'), service('media/player')].map((set) => ({ set })));
    expect(fix()).toContain('create it');
    translator.apply([{ set: grant('media/g', 'HTTPRoute', 'shop', 'Service') }]);
    expect(fix()).toContain('add namespace: media to the reference');
    translator.apply([{ set: grant('media/g', 'HTTPRoute', 'data', 'Service') }]);
    expect(fix()).toContain('create it');
    translator.apply([{ set: service('shop/player') }]);
    expect(fix()).toBeUndefined();
  });

  it('says which ports there are', () => {
    const two = service('shop/player', 80, {
      ports: [
        { name: 'a', port: 8080 },
        { name: 'b', port: 9090 },
        { name: 'c', port: 53, protocol: 'UDP' },
      ],
    });
    expect(about(...use('player:81'), two)).toEqual([
      'Service shop/player has no TCP port 81; it has 8080/TCP, 9090/TCP, 53/UDP. set port to one of 8080, 9090',
    ]);
  });
});
