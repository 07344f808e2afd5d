import { describe, expect, it } from '@jest/globals';
import { comparePrecedence, decidingLine, PRECEDENCE } from '../../../gateway-runtime/match/precedence.ts';
import { exact, type MatchFields, prefix, type RuleFields, regex, rule } from './snapshots.ts';

interface Side extends MatchFields, Pick<RuleFields, 'route' | 'index' | 'created'> {
  hostname?: string;
}

const contender = ({ hostname = '*', route, index, created, ...match }: Side) => ({
  rule: rule({
    ...(route ? { route } : {}),
    ...(index ? { index } : {}),
    ...(created === undefined ? {} : { created }),
    matches: [match],
  }),
  match: 0,
  hostname,
});

const param = (name: string) => ({ name, type: 'Exact' as const, value: '1' });

describe('each line decides what the API gives it, over all that follow', () => {
  /** Has everything that the lines below a line look at. */
  const strong = {
    method: 'GET',
    headers: { a: '1', b: '1' },
    query: { a: '1' },
    created: '2020-01-01T00:00:00Z',
  };

  it.each<[string, Side, Side]>([
    [
      'hostname-without-wildcard',
      { hostname: 'a.com' },
      { hostname: '*.very.long.com', path: exact('/'), ...strong },
    ],
    ['hostname-length', { hostname: '*.a.com' }, { hostname: '*.com', path: exact('/'), ...strong }],
    ['hostname-length', { hostname: '*.com' }, { hostname: '*', path: exact('/'), ...strong }],
    ['path-exact', { path: exact('/a') }, { path: regex('/a.*......'), ...strong }],
    ['path-exact', { path: exact('/') }, { path: prefix('/'), ...strong }],
    ['path-expression', { path: regex('.*') }, { path: prefix('/aaaaaaa'), ...strong }],
    ['path-expression-length', { path: regex('/a.*') }, { path: regex('/.*'), ...strong }],
    ['path-prefix-length', { path: prefix('/aa') }, { path: prefix('/a'), ...strong }],
    ['method', { method: 'GET' }, { ...strong, method: undefined }],
    ['header-count', { headers: { a: '1', b: '1' } }, { headers: { a: '1' }, query: { a: '1', b: '1' } }],
    ['query-count', { query: { a: '1', b: '1' } }, { query: { a: '1' }, created: '2020-01-01T00:00:00Z' }],
    [
      'oldest-route',
      { route: 'z/z', created: '2025-01-01T00:00:00Z' },
      { route: 'a/a', created: '2025-01-01T00:00:01Z' },
    ],
    ['oldest-route', { route: 'z/z', created: '2025-01-01T00:00:00Z' }, { route: 'a/a', created: '' }],
    ['route-name', { route: 'a/b', index: 1 }, { route: 'a/c' }],
    ['route-name', { route: 'a-b/z' }, { route: 'a/b' }],
    ['rule-order', { index: 2 }, { index: 10 }],
  ])('%s', (id, first, second) => {
    const [a, b] = [contender(first), contender(second)];
    expect(decidingLine(a, b)?.id).toBe(id);
    expect(comparePrecedence(a, b)).toBeLessThan(0);
    expect(comparePrecedence(b, a)).toBeGreaterThan(0);
  });

  it('match-order', () => {
    const both = rule({ matches: [{ method: 'GET' }, { method: 'POST' }] });
    const [a, b] = [0, 1].map((match) => ({ rule: both, match, hostname: '*' }));
    expect(decidingLine(a!, b!)?.id).toBe('match-order');
    expect(comparePrecedence(a!, b!)).toBeLessThan(0);
    expect(decidingLine(a!, a!)).toBeUndefined();
  });
});

it('does not count the entries of a name after the first', () => {
  const twice = contender({ headers: [param('a'), param('a')], route: 'a/b' });
  const once = contender({ headers: [param('a')], route: 'a/a' });
  expect(decidingLine(once, twice)?.id).toBe('route-name');
});

it('has ids and sentences that tell the lines apart', () => {
  expect(new Set(PRECEDENCE.map(({ id }) => id)).size).toBe(PRECEDENCE.length);
  expect(new Set(PRECEDENCE.map(({ sentence }) => sentence)).size).toBe(PRECEDENCE.length);
});
