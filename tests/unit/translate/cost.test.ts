/** What changes cost, in computed values: nothing for routes that they do not concern, however many there are. */
import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import { gateway, http, listenerSet, namespace, route, service, tlsSecret, to } from './build.ts';

const MORE = { allowedListeners: { namespaces: { from: 'All' } } };
const shared = (more: readonly object[] = [], metadata: object = {}) =>
  gateway('infra/shared', [http('web'), ...(more as [])], MORE, { ...metadata });
const oneOf = (index: number, path: string) =>
  route(
    `team-${index % 4}/route-${index}`,
    'infra/shared',
    [{ ...to('cart:80'), matches: [{ path: { value: path } }] }],
    { hostnames: [`host-${index}.example.com`] },
  );

function translatorOf(routes: number, limits = {}): Translator {
  const translator = new Translator({ regex: re2, classes: 'any', limits });
  const objects: RawObject[] = [shared(), listenerSet('team-0/set', 'infra/shared', [http('own', 81)])];
  for (let team = 0; team < 4; team++) objects.push(namespace(`team-${team}`), service(`team-${team}/cart`));
  for (let index = 0; index < routes; index++) objects.push(oneOf(index, '/'));
  translator.apply(objects.map((set) => ({ set })));
  return translator;
}

/** How many values a change makes the translator compute. */
function cost(translator: Translator, ...changed: readonly RawObject[]): number {
  const before = translator.computations;
  translator.apply(changed.map((set) => ({ set })));
  return translator.computations - before;
}

const [FEW, MANY] = [40, 400];

describe('the cost of a change', () => {
  it.each<[string, RawObject]>([
    ['an annotation of the Gateway', shared([], { annotations: { note: 'x' } })],
    ['the generation of the Gateway', shared([], { generation: 7 })],
    [
      'a listener that takes routes of its own namespace alone',
      shared([{ name: 'own', port: 8080, protocol: 'HTTP' }]),
    ],
    ['a listener of another protocol', shared([{ name: 'raw', port: 9000, protocol: 'TCP' }])],
    ['a listener of a ListenerSet', listenerSet('team-0/set', 'infra/shared', [http('own', 82)])],
    ['one route', oneOf(3, '/cart')],
    ['a new route', route('team-1/new', 'infra/shared', [to('cart:80')])],
    ['a Service that no route uses', service('team-1/other')],
    ['a Secret that no listener uses', tlsSecret('infra/other')],
  ])('does not grow with the routes: %s', (_, changed) => {
    const few = cost(translatorOf(FEW), changed);
    expect(cost(translatorOf(MANY), changed)).toBe(few);
    expect(few).toBeLessThan(20);
  });

  it('of another default Gateway is that of the routes that use them', () => {
    const byDefault = (index: number) =>
      route(`team-${index % 4}/default-${index}`, [], [to('cart:80')], { useDefaultGateways: 'All' });
    const other = (spec: object, annotations = {}) =>
      gateway('infra/other', [http('web')], { ...spec }, { annotations });
    const costs = [FEW, MANY].map((routes) => {
      const translator = translatorOf(routes);
      cost(translator, ...[0, 1, 2].map(byDefault), other({}));
      return {
        first: cost(translator, other({ defaultScope: 'All' })),
        note: cost(translator, other({ defaultScope: 'All' }, { note: 'x' })),
        none: cost(translator, other({})),
      };
    });
    expect(costs[0]).toEqual(costs[1]);
    expect(costs[0]!.first).toBeLessThan(40);
    expect(costs[0]!.note).toBeLessThan(10);
    expect(costs[0]!.none).toBeLessThan(20);
  });

  it('is one look at where each route attaches, for a listener whose hostname none of them has', () => {
    const other = shared([http('other', 8080, { hostname: 'other.org' })]);
    const costs = [FEW, MANY].map((routes) => cost(translatorOf(routes), other) - routes);
    expect(costs[0]).toBe(costs[1]);
    expect(costs[0]).toBeLessThan(20);
  });

  const granted = { 'gatewright.dev/granted-listeners': 'web' };
  const grantTo = (team: number, paths: readonly string[]): RawObject => ({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'Grant',
    metadata: { name: `shared-team-${team}`, namespace: 'infra' },
    spec: {
      gatewayName: 'shared',
      team: `team-${team}`,
      namespace: `team-${team}`,
      grants: [
        {
          name: 'all',
          hostnames: ['*.example.com'],
          kinds: ['HTTPRoute'],
          listeners: [{ kind: 'Gateway', name: 'shared', sectionNames: ['web'] }],
          paths,
        },
      ],
    },
  });

  it('of a Grant is that of the routes of its team there', () => {
    const costs = [FEW, MANY].map((routes) => {
      const translator = translatorOf(routes);
      cost(
        translator,
        shared([], { annotations: granted }),
        ...[0, 1, 2].map((team) => grantTo(team, ['/'])),
      );
      // Team 3 has no Grant, so none of its routes is attached.
      const of = (team: number, paths: readonly string[]) => cost(translator, grantTo(team, paths));
      return {
        own: of(0, ['/', '/a']) - 2 * (routes / 4),
        first: of(3, ['/']) - 2 * (routes / 4),
        same: of(1, ['/']),
      };
    });
    expect(costs[0]).toEqual(costs[1]);
    for (const each of Object.values(costs[0]!)) expect(Math.abs(each)).toBeLessThan(20);
  });

  it('of one more ListenerSet is one look at each, and at nothing that other teams have', () => {
    const asking = { annotations: granted };
    const setOf = (team: number) =>
      listenerSet(`infra/of-${team}`, 'infra/shared', [http('web', 80, { hostname: `${team}.org` })], asking);
    const costs = [FEW, MANY].map((teams) => {
      const translator = translatorOf(0);
      const all = Array.from({ length: teams }, (_, team) => [setOf(team), grantTo(team, ['/'])]).flat();
      cost(translator, shared([], asking), ...all);
      return cost(translator, setOf(teams)) - teams;
    });
    expect(costs[0]).toBe(costs[1]);
    expect(costs[0]).toBeLessThan(20);
  });

  const policy = (kind: string, name: string, target: object, spec: object): RawObject => {
    const [namespace, own] = name.split('/');
    return {
      apiVersion: 'gatewright.dev/v1alpha1',
      kind,
      metadata: { namespace, name: own },
      spec: { targetRefs: [target], ...spec },
    };
  };

  it('does not grow with the routes: a policy of one of them, or of listeners that have none', () => {
    const ofRoute = policy(
      'RoutePolicy',
      'team-1/p',
      { kind: 'HTTPRoute', name: 'route-1' },
      { requestTimeout: '1s' },
    );
    const ofSet = policy(
      'GatewayPolicy',
      'team-0/p',
      { kind: 'ListenerSet', name: 'set' },
      { overrides: { requestTimeout: '1s' } },
    );
    for (const changed of [ofRoute, ofSet]) {
      const few = cost(translatorOf(FEW), changed);
      expect(cost(translatorOf(MANY), changed)).toBe(few);
      expect(few).toBeLessThan(20);
    }
  });

  it('is one look at each route, for a policy of the whole Gateway', () => {
    const ofGateway = policy(
      'GatewayPolicy',
      'infra/p',
      { kind: 'Gateway', name: 'shared' },
      { overrides: { requestTimeout: '1s' } },
    );
    const costs = [FEW, MANY].map((routes) => cost(translatorOf(routes), ofGateway) - routes);
    expect(costs[0]).toBe(costs[1]);
    expect(costs[0]).toBeLessThan(30);
  });

  it('is nothing for routes that stay where they are, while others are left out', () => {
    const limits = { rules: 10 };
    const newest = {
      ...oneOf(4 * MANY, '/'),
      metadata: { namespace: 'team-0', name: 'zz', creationTimestamp: '2030-01-01T00:00:00Z' },
    };
    const few = cost(translatorOf(FEW + 40, limits), newest);
    expect(cost(translatorOf(MANY, limits), newest)).toBe(few);
    expect(few).toBeLessThan(20);
  });
});
