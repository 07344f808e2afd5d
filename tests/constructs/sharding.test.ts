/** Rules over several HTTPRoutes: the same answers as in one, names that stay, and limits that hold. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ApiMatch, type Shard, shard } from '../../constructs/sharding.ts';
import { evaluate } from '../../gateway-runtime/match/reference.ts';
import type { MatchRequest } from '../../gateway-runtime/match/request.ts';
import { snapshotOf } from '../../gateway-runtime/snapshot/difference.ts';
import type { HttpRule, Listener, ValueMatch } from '../../gateway-runtime/snapshot/snapshot.ts';
import { regex } from '../property/regex-once.ts';

interface NamedRule {
  readonly name: string;
  readonly matches: readonly ApiMatch[];
}

const rule = (name: string, ...matches: ApiMatch[]): NamedRule => ({ name, matches });
const at = (value: string, more: Partial<ApiMatch> = {}): ApiMatch => ({
  path: { type: 'Exact', value },
  ...more,
});
const header = (name: string, value: string) => ({ name, type: 'Exact', value });

function shards(rules: readonly NamedRule[]): Shard<NamedRule>[] {
  const result = shard(rules);
  if ('tooLarge' in result) throw new Error(`too large: ${result.tooLarge.map(({ name }) => name)}`);
  return result;
}
const namesOf = (all: readonly Shard<NamedRule>[]) =>
  Object.fromEntries(all.map(({ suffix, rules }) => [suffix, rules.map(({ name }) => name)]));

describe('sharding', () => {
  it('leaves up to 16 rules in one route', () => {
    const rules = Array.from({ length: 16 }, (_, index) => rule(`r${index}`, at(`/${index}`)));
    expect(shards(rules)).toEqual([{ suffix: '', rules }]);
    expect(shards([])).toEqual([{ suffix: '', rules: [] }]);
  });

  it('splits more, each route within 16 rules and 128 matches, and one keeps the name', () => {
    const rules = Array.from({ length: 100 }, (_, index) => rule(`r${index}`, at(`/${index}`)));
    const all = shards(rules);
    expect(all.map(({ suffix }) => suffix)).toContain('');
    expect(new Set(all.map(({ suffix }) => suffix)).size).toBe(all.length);
    expect(all.flatMap(({ rules: some }) => some.map(({ name }) => name)).sort()).toEqual(
      rules.map(({ name }) => name).sort(),
    );
    for (const { rules: some } of all) expect(some.length).toBeLessThanOrEqual(16);
    const wide = Array.from({ length: 4 }, (_, index) =>
      rule(`w${index}`, ...Array.from({ length: 64 }, (__, match) => at(`/${index}/${match}`))),
    );
    for (const { rules: some } of shards(wide)) expect(some.length).toBeLessThanOrEqual(2);
    expect(shards(wide).length).toBeGreaterThan(1);
  });

  it('keeps rules that could tie together, in their order', () => {
    const ties = Array.from({ length: 10 }, (_, index) =>
      rule(`tie${index}`, at('/t', { headers: [header(`x-${index}`, 'y')] })),
    );
    const others = Array.from({ length: 40 }, (_, index) => rule(`r${index}`, at(`/${index}`)));
    const mixed = others.flatMap((other, index) => (ties[index] ? [other, ties[index]] : [other]));
    const home = shards(mixed).find(({ rules }) => rules.some(({ name }) => name === 'tie0'))!;
    expect(home.rules.map(({ name }) => name).filter((name) => name.startsWith('tie'))).toEqual(
      ties.map(({ name }) => name),
    );
  });

  it.each<[string, (index: number) => ApiMatch]>([
    ['the exact value of a header', (index) => at('/', { headers: [header('x-tenant', `t${index}`)] })],
    [
      'a header in another case',
      (index) => at('/', { headers: [header(index % 2 ? 'X-Tenant' : 'x-tenant', `t${index}`)] }),
    ],
    [
      'the exact value of a query parameter',
      (index) => at('/', { queryParams: [header('tenant', `t${index}`)] }),
    ],
    [
      'the number of headers',
      (index) => at('/', { headers: Array.from({ length: index }, (_, n) => header(`x-${n}`, 'y')) }),
    ],
    ['the path', (index) => at(`/${index}`)],
  ])('tells rules apart by %s', (_, match) => {
    const rules = Array.from({ length: 17 }, (__, index) => rule(`r${index}`, match(index)));
    expect(shards(rules).length).toBeGreaterThan(1);
  });

  it.each<[string, (index: number) => ApiMatch]>([
    ['different headers', (index) => at('/', { headers: [header(`x-${index}`, 'y')] })],
    ['spellings of one path', (index) => at(index % 2 ? '/a' : '/%61')],
    [
      'a prefix with and without its slash',
      (index) => ({ path: { type: 'PathPrefix', value: index % 2 ? '/a' : '/a/' } }),
    ],
    ['expressions', (index) => ({ path: { type: 'RegularExpression', value: `/${index}` } })],
  ])('refuses a 17th rule where only %s tell them apart', (_, match) => {
    const rules = Array.from({ length: 17 }, (__, index) => rule(`r${index}`, match(index)));
    expect(shard(rules)).toEqual({ tooLarge: rules });
    expect(shard(rules.slice(1))).toEqual([{ suffix: '', rules: rules.slice(1) }]);
  });

  it('changes no other route when a rule is added, and no name when a route gets other backends', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { minLength: 2, maxLength: 120 }),
        (paths) => {
          const rules = paths.map((path) => rule(`r${path}`, at(`/${path}`)));
          const before = namesOf(shards(rules.slice(1)));
          const after = namesOf(shards(rules));
          const added = rules[0]!.name;
          const home = Object.keys(after).find((suffix) => after[suffix]!.includes(added))!;
          // The leaf that got the rule may have been split; all of its rules were in one route, which kept its name.
          const same = (a?: string[], b?: string[]) => JSON.stringify(a) === JSON.stringify(b);
          const touched = Object.keys(before).filter((suffix) => !same(before[suffix], after[suffix]));
          expect(touched.length).toBeLessThanOrEqual(1);
          for (const suffix of touched) expect(home.startsWith(suffix)).toBe(true);
          for (const suffix of Object.keys(before)) expect(Object.keys(after)).toContain(suffix);
          // Neither names nor contents depend on the order in which rules were written.
          const sorted = (all: Record<string, string[]>) =>
            Object.fromEntries(Object.entries(all).map(([suffix, names]) => [suffix, [...names].sort()]));
          expect(sorted(namesOf(shards([...rules].reverse())))).toEqual(sorted(after));
        },
      ),
      { numRuns: 150 },
    );
  });
});

const listener: Listener = {
  type: 'listener',
  key: 'listener/Gateway/infra/gw/web',
  hash: 'a'.repeat(64),
  source: { kind: 'Gateway', namespace: 'infra', name: 'gw', listener: 'web', generation: 1 },
  port: 80,
  protocol: 'HTTP',
  certificates: [],
};

/** A route as the snapshot holds it. `created` differs, as it does where routes were applied one after the other. */
function resources(route: string, created: string, rules: readonly NamedRule[]): HttpRule[] {
  return rules.map(({ name, matches }, index) => ({
    type: 'http-rule',
    key: `http-rule/shop/${route}/${index}`,
    hash: `${index}`.padStart(64, route.length.toString(16)),
    source: {
      kind: 'HTTPRoute',
      namespace: 'shop',
      name: route,
      rule: index,
      ruleName: name,
      generation: 1,
      created,
    },
    parents: [{ listener: listener.key, hostnames: ['shop.example.com'] }],
    matches: matches.map(({ path, method, headers = [], queryParams = [] }) => ({
      path: path as HttpRule['matches'][number]['path'],
      ...(method ? { method } : {}),
      headers: headers as ValueMatch[],
      queryParams: queryParams as ValueMatch[],
    })),
    filters: [],
    backends: [],
  }));
}

const gateway = { namespace: 'infra', name: 'gw' };
const few = <T>(...values: T[]) => fc.constantFrom(...values);
const pathArb = fc.oneof(
  fc.record({ type: few('Exact', 'PathPrefix'), value: few('/', '/a', '/b', '/a/b', '/a/b/c', '/c') }),
  fc.record({ type: few('RegularExpression'), value: few('/a.*', '/[bc]', '/.*') }),
);
const valuesArb = (names: string[]) =>
  fc.uniqueArray(
    fc.record({
      name: few(...names),
      type: few('Exact', 'Exact', 'Exact', 'RegularExpression'),
      value: few('1', '2', '3', '4'),
    }),
    { selector: ({ name }) => name, maxLength: 2 },
  );
const matchArb: fc.Arbitrary<ApiMatch> = fc.record({
  path: pathArb,
  method: few(undefined, undefined, 'GET', 'POST'),
  headers: valuesArb(['x-a', 'x-b']),
  queryParams: valuesArb(['q']),
});
const rulesArb = fc.array(fc.array(matchArb, { minLength: 1, maxLength: 2 }), {
  minLength: 17,
  maxLength: 40,
});

function requestOf(match: ApiMatch, path: string, extra: Record<string, string>): MatchRequest {
  const headers = new Map(Object.entries(extra));
  for (const { name, value } of match.headers ?? []) headers.set(name, value);
  return {
    method: match.method ?? 'GET',
    host: 'shop.example.com',
    path: match.path.type === 'RegularExpression' ? path : match.path.value,
    query: (match.queryParams ?? []).map(({ name, value }) => `${name}=${value}`).join('&'),
    header: (name) => headers.get(name),
  };
}

describe('property: routes that were split answer as one would', () => {
  it('to every request, whatever the age of the routes', () => {
    let checked = 0;
    fc.assert(
      fc.property(
        rulesArb,
        fc.array(
          fc.record({
            from: fc.nat(),
            path: few('/a', '/a/b', '/b', '/d'),
            'x-a': few('1', '2'),
            'x-b': few('1', '3'),
          }),
          {
            minLength: 10,
            maxLength: 20,
          },
        ),
        (matches, probes) => {
          const rules = matches.map((each, index) => rule(`r${index}`, ...each));
          const split = shard(rules);
          // Rules at few paths tie often; what is refused has a test of its own.
          fc.pre(!('tooLarge' in split));
          const whole = snapshotOf(gateway, [listener, ...resources('cart', '', rules)]);
          const parts = snapshotOf(gateway, [
            listener,
            ...(split as Shard<NamedRule>[]).flatMap(({ suffix, rules: some }, index) =>
              resources(`cart-${suffix}`, `2026-01-0${9 - (index % 9)}T00:00:00Z`, some),
            ),
          ]);
          for (const { from, path, ...headers } of probes) {
            const request = requestOf(rules[from % rules.length]!.matches[0]!, path, headers);
            const winner = (snapshot: typeof whole) =>
              evaluate(snapshot, { port: 80 }, request, regex).winner?.rule.source.ruleName;
            expect(winner(parts)).toBe(winner(whole));
            checked++;
          }
        },
      ),
      { numRuns: 200, maxSkipsPerRun: 50 },
    );
    expect(checked).toBeGreaterThan(1500);
  });
});
