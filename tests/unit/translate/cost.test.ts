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

  it('is one look at where each route attaches, for a listener whose hostname none of them has', () => {
    const other = shared([http('other', 8080, { hostname: 'other.org' })]);
    const costs = [FEW, MANY].map((routes) => cost(translatorOf(routes), other) - routes);
    expect(costs[0]).toBe(costs[1]);
    expect(costs[0]).toBeLessThan(20);
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
