import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import {
  brief,
  codes,
  gateway,
  grant,
  http,
  https,
  listenerSet,
  listenerStatus,
  listenersOf,
  messageOf,
  namespace,
  parentOf,
  route,
  rulesOf,
  statusOf,
  tlsSecret,
  to,
  translated,
} from './build.ts';

const allow = (from: string, selector?: object) => ({
  allowedListeners: { namespaces: { from, ...(selector ? { selector } : {}) } },
});
const ATTACHED = { Accepted: 'True Accepted', Programmed: 'True Programmed' };

describe('which ListenerSets a Gateway takes', () => {
  const sets = [
    listenerSet('infra/own', 'infra/gw', [http('a', 81)]),
    listenerSet('shop/theirs', 'infra/gw', [http('b', 82)]),
    namespace('shop', { team: 'shop' }),
  ];
  it.each([
    ['by default', {}, []],
    ['None', allow('None'), []],
    ['Same', allow('Same'), ['infra/own']],
    ['All', allow('All'), ['infra/own', 'shop/theirs']],
    ['Selector', allow('Selector', { matchLabels: { team: 'shop' } }), ['shop/theirs']],
    ['a Selector without selector', allow('Selector'), []],
  ])('%s', (_, spec, expected) => {
    const translation = translated([gateway('infra/gw', [http('web')], spec), ...sets]);
    for (const path of ['infra/own', 'shop/theirs']) {
      expect(brief(statusOf(translation, 'ListenerSet', path).conditions)).toEqual(
        (expected as string[]).includes(path)
          ? ATTACHED
          : { Accepted: 'False NotAllowed', Programmed: 'False NotAllowed' },
      );
    }
    expect(statusOf(translation, 'Gateway', 'infra/gw').attachedListenerSets).toBe(expected.length);
    expect(listenersOf(translation, 'infra/gw')).toHaveLength(1 + expected.length);
  });

  it('says who would have to change what', () => {
    const translation = translated([gateway('infra/gw', [http('web')]), ...sets]);
    expect(messageOf(statusOf(translation, 'ListenerSet', 'shop/theirs').conditions, 'Accepted')).toBe(
      'spec.parentRef: Gateway infra/gw takes ListenerSets of no namespace, not of namespace shop. Have its owner change spec.allowedListeners.namespaces of the Gateway.',
    );
    expect(codes(translation)).toContain('listener-set/not-allowed ListenerSet/theirs');
  });
});

describe('ListenerSet', () => {
  it('whose Gateway is not accepted is not accepted either', () => {
    const translation = translated([
      gateway('infra/gw', [http('raw', 9000, { protocol: 'TCP' })], allow('All')),
      listenerSet('shop/set', 'infra/gw', [http('web')]),
    ]);
    expect(brief(statusOf(translation, 'ListenerSet', 'shop/set').conditions)).toEqual({
      Accepted: 'False ParentNotAccepted',
      Programmed: 'False ParentNotProgrammed',
    });
    expect(statusOf(translation, 'Gateway', 'infra/gw').attachedListenerSets).toBe(0);
  });

  it('without one listener that can be served is not accepted', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')], allow('All')),
      listenerSet('shop/set', 'infra/gw', [https('secure', 'nowhere'), http('raw', 90, { protocol: 'TCP' })]),
    ]);
    expect(brief(statusOf(translation, 'ListenerSet', 'shop/set').conditions)).toEqual({
      Accepted: 'False ListenersNotValid',
      Programmed: 'False ListenersNotValid',
    });
    expect(statusOf(translation, 'Gateway', 'infra/gw').attachedListenerSets).toBe(0);
  });

  it.each<[string, RawObject[], string]>([
    ['a Gateway that is not there', [], 'Gateway infra/gw does not exist'],
    ['a Gateway that was refused', [gateway('infra/gw', [])], 'Gateway infra/gw was refused for its fields'],
  ])('with %s gets no status but a warning', (_, objects, message) => {
    const translation = translated([...objects, listenerSet('shop/set', 'infra/gw', [http('web')])]);
    expect(translation.statuses.size).toBe(0);
    expect(translation.diagnostics).toContainEqual(
      expect.objectContaining({ severity: 'warning', code: 'listener-set/parent-not-found', message }),
    );
  });

  it('of another controller gets nothing at all', () => {
    const translation = translated(
      [
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'GatewayClass',
          metadata: { name: 'ours' },
          spec: { controllerName: 'example.com/x' },
        },
        gateway('infra/gw', [http('web')], allow('All')),
        listenerSet('shop/set', 'infra/gw', [http('more', 81)]),
      ],
      'own',
    );
    expect(translation.statuses.size).toBe(0);
    expect(translation.diagnostics).toEqual([]);
  });

  it('needs a ReferenceGrant of its own for a Secret that its Gateway may use', () => {
    const secret = { name: 'cert', namespace: 'vault' };
    const objects = [
      gateway('infra/gw', [https('secure', secret)], allow('All')),
      listenerSet('infra/set', 'infra/gw', [https('more', secret, { hostname: 'a.com' })]),
      tlsSecret('vault/cert'),
      grant('vault/for-gateways', 'Gateway', 'infra', 'Secret'),
    ];
    const refused = translated(objects);
    expect(brief(listenerStatus(refused, 'infra/gw', 'secure').conditions).ResolvedRefs).toBe(
      'True ResolvedRefs',
    );
    expect(brief(listenerStatus(refused, 'infra/set', 'more', 'ListenerSet').conditions)).toMatchObject({
      ResolvedRefs: 'False RefNotPermitted',
      Programmed: 'False Invalid',
    });
    const granted = translated([...objects, grant('vault/for-sets', 'ListenerSet', 'infra', 'Secret')]);
    expect(brief(listenerStatus(granted, 'infra/set', 'more', 'ListenerSet').conditions)).toMatchObject({
      ResolvedRefs: 'True ResolvedRefs',
      Programmed: 'True Programmed',
    });
  });
});

describe('conflicts between objects', () => {
  const HOSTNAME = {
    Accepted: 'False HostnameConflict',
    Programmed: 'False HostnameConflict',
    Conflicted: 'True HostnameConflict',
  };
  const web = (hostname: string) => http('web', 80, { hostname });
  const winnerOf = (objects: readonly RawObject[]) =>
    listenersOf(translated(objects), 'infra/gw')
      .filter(({ hostname }) => hostname === 'a.com')
      .map(({ source }) => `${source.kind} ${source.namespace}/${source.name}`);

  it('are won by the Gateway', () => {
    const translation = translated([
      gateway('infra/gw', [web('a.com')], allow('All'), { creationTimestamp: '2025-01-01T00:00:00Z' }),
      listenerSet('shop/set', 'infra/gw', [web('a.com'), http('more', 80, { hostname: 'b.com' })], {
        creationTimestamp: '2020-01-01T00:00:00Z',
      }),
    ]);
    expect(brief(listenerStatus(translation, 'infra/gw', 'web').conditions).Conflicted).toBe(
      'False NoConflicts',
    );
    expect(brief(listenerStatus(translation, 'shop/set', 'web', 'ListenerSet').conditions)).toMatchObject(
      HOSTNAME,
    );
    expect(brief(listenerStatus(translation, 'shop/set', 'more', 'ListenerSet').conditions).Conflicted).toBe(
      'False NoConflicts',
    );
    expect(brief(statusOf(translation, 'ListenerSet', 'shop/set').conditions)).toEqual({
      Accepted: 'True ListenersNotValid',
      Programmed: 'True Programmed',
    });
    expect(brief(statusOf(translation, 'Gateway', 'infra/gw').conditions).Accepted).toBe('True Accepted');
  });

  it.each([
    ['the older ListenerSet', '2024-01-02T00:00:00Z', '2024-01-01T23:59:59Z', 'ListenerSet shop/b'],
    ['the one that has a time of creation', undefined, '2024-01-01T00:00:00Z', 'ListenerSet shop/b'],
    [
      'of the same time, the first by name',
      '2024-01-01T00:00:00Z',
      '2024-01-01T00:00:00Z',
      'ListenerSet shop/a',
    ],
    ['of no time, the first by name', undefined, undefined, 'ListenerSet shop/a'],
  ])('are won by %s', (_, a, b, winner) => {
    const sets = [
      listenerSet('shop/a', 'infra/gw', [web('a.com')], a ? { creationTimestamp: a } : {}),
      listenerSet('shop/b', 'infra/gw', [web('a.com')], b ? { creationTimestamp: b } : {}),
    ];
    expect(winnerOf([gateway('infra/gw', [http('first')], allow('All')), ...sets])).toEqual([winner]);
  });

  it('compare "{namespace}/{name}" as one text', () => {
    // "-" stands before "/", so a-b/x comes before a/x.
    const sets = [
      listenerSet('a/x', 'infra/gw', [web('a.com')]),
      listenerSet('a-b/x', 'infra/gw', [web('a.com')]),
    ];
    expect(winnerOf([gateway('infra/gw', [http('first')], allow('All')), ...sets])).toEqual([
      'ListenerSet a-b/x',
    ]);
  });

  it('of protocols are found for protocols that are not served too', () => {
    const translation = translated([
      gateway('infra/gw', [web('a.com')], allow('All')),
      listenerSet('shop/tcp', 'infra/gw', [http('raw', 80, { protocol: 'TCP' }), http('ok', 81)]),
      listenerSet('shop/udp', 'infra/gw', [http('raw', 80, { protocol: 'UDP' }), http('ok', 82)]),
      listenerSet('shop/https', 'infra/gw', [https('secure', 'cert', { port: 80, hostname: 'b.com' })]),
      tlsSecret('shop/cert'),
    ]);
    const accepted = (path: string, name: string) =>
      brief(listenerStatus(translation, path, name, 'ListenerSet').conditions).Accepted;
    expect(accepted('shop/tcp', 'raw')).toBe('False ProtocolConflict');
    expect(accepted('shop/udp', 'raw')).toBe('False UnsupportedProtocol');
    expect(accepted('shop/https', 'secure')).toBe('False ProtocolConflict');
  });

  it('leave a hostname with the listener that has it, also when its certificate is lost', () => {
    const translation = translated([
      gateway('infra/gw', [http('first')], allow('All')),
      listenerSet('media/a', 'infra/gw', [https('secure', 'lost', { hostname: 'a.com' }), http('x', 81)]),
      listenerSet('shop/b', 'infra/gw', [https('secure', 'cert', { hostname: 'a.com' })]),
      tlsSecret('shop/cert'),
    ]);
    expect(brief(listenerStatus(translation, 'shop/b', 'secure', 'ListenerSet').conditions)).toMatchObject(
      HOSTNAME,
    );
  });

  it('name the other side where it may be known, and always in the diagnostic', () => {
    const translation = translated([
      gateway('infra/gw', [http('first')], allow('All')),
      listenerSet('media/a', 'infra/gw', [web('a.com')]),
      listenerSet('shop/b', 'infra/gw', [web('a.com')]),
    ]);
    expect(
      messageOf(listenerStatus(translation, 'shop/b', 'web', 'ListenerSet').conditions, 'Conflicted'),
    ).toBe(
      'spec.listeners[0].hostname: hostname a.com on port 80 is taken by a listener of another namespace, which comes first. Choose another hostname or port.',
    );
    const diagnostic = translation.diagnostics.find(({ code }) => code === 'listener/hostname-conflict');
    expect(diagnostic?.related).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'ListenerSet', namespace: 'media', name: 'a' },
    ]);
  });
});

describe('routes and ListenerSets', () => {
  const set = (path: string) => ({
    ...{ group: 'gateway.networking.k8s.io', kind: 'ListenerSet' },
    namespace: path.split('/')[0],
    name: path.split('/')[1],
  });
  const objects = [
    gateway('infra/gw', [http('web')], allow('All')),
    listenerSet('shop/set', 'infra/gw', [http('web', 81), http('more', 82)]),
    listenerSet('shop/other', 'infra/gw', [http('web', 83)]),
  ];

  it('attach to the listeners of their direct parent alone', () => {
    const translation = translated([
      ...objects,
      route('shop/to-gateway', 'infra/gw', [to('a:80')]),
      route('shop/to-set', set('shop/set'), [to('a:80')]),
      route('shop/to-section', { ...set('shop/set'), sectionName: 'more' }, [to('a:80')]),
      route('shop/to-both', ['infra/gw', set('shop/other')], [to('a:80')]),
    ]);
    const listeners = Object.fromEntries(
      rulesOf(translation, 'infra/gw').map(({ source, parents }) => [
        source.name,
        parents.map(({ listener }) => listener),
      ]),
    );
    expect(listeners).toEqual({
      'to-gateway': ['listener/Gateway/infra/gw/web'],
      'to-set': ['listener/ListenerSet/shop/set/more', 'listener/ListenerSet/shop/set/web'],
      'to-section': ['listener/ListenerSet/shop/set/more'],
      'to-both': ['listener/Gateway/infra/gw/web', 'listener/ListenerSet/shop/other/web'],
    });
    expect(listenerStatus(translation, 'shop/set', 'more', 'ListenerSet').attachedRoutes).toBe(2);
    expect(listenerStatus(translation, 'infra/gw', 'web').attachedRoutes).toBe(2);
  });

  it('do not find a section of a ListenerSet through its Gateway', () => {
    const translation = translated([
      ...objects,
      route('shop/cart', { namespace: 'infra', name: 'gw', sectionName: 'more' }, [to('a:80')]),
    ]);
    expect(brief(parentOf(translation, 'shop/cart')).Accepted).toBe('False NoMatchingParent');
  });

  it('are judged for each parent apart', () => {
    const translation = translated([
      ...objects,
      route(
        'shop/cart',
        [{ namespace: 'infra', name: 'gw', sectionName: 'none' }, set('shop/set')],
        [to('a:80')],
      ),
    ]);
    expect(brief(parentOf(translation, 'shop/cart', 0)).Accepted).toBe('False NoMatchingParent');
    expect(brief(parentOf(translation, 'shop/cart', 1)).Accepted).toBe('True Accepted');
  });

  it('have nowhere to attach where the Gateway does not take the ListenerSet', () => {
    const translation = translated([
      gateway('infra/gw', [http('web')]),
      listenerSet('shop/set', 'infra/gw', [http('web', 81)]),
      route('shop/cart', set('shop/set'), [to('a:80')]),
    ]);
    expect(brief(parentOf(translation, 'shop/cart')).Accepted).toBe('False NoMatchingParent');
    expect(messageOf(parentOf(translation, 'shop/cart'), 'Accepted')).toContain(
      'ListenerSet shop/set is not attached to its Gateway: Gateway infra/gw takes ListenerSets of no namespace',
    );
  });
});
