import { expect, it } from '@jest/globals';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';

function matches(source: string, value: string): boolean {
  const compiled = re2.compile(source);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled.regex.test(value);
}

it.each([
  ['/a/[0-9]+', '/a/17', true],
  ['/a/[0-9]+', '/a/17/', false],
  ['/a/[0-9]+', '/b/a/17', false],
  ['a|ab', 'ab', true],
  ['^gold$', 'gold', true],
  ['(?i)GOLD', 'gold', true],
  ['', '', true],
  ['', 'a', false],
])('%j matches the whole of %j: %s', (source, value, expected) => {
  expect(matches(source, value)).toBe(expected);
});

it.each([
  ['(', 'missing closing )'],
  ['a{2', undefined],
  ['(?=a)', 'invalid or unsupported Perl syntax'],
  ['(a)\\1', 'invalid escape sequence'],
  ['a**', 'invalid nested repetition'],
  ['((a{100}){100}){100}', 'invalid repeat count'],
  ['(a?){600}', 'instructions, at most 500'],
  ['a'.repeat(5000), '5000 characters, at most 4096'],
  ['('.repeat(1500) + ')'.repeat(1500), 'nests too deeply'],
])('says why %j is refused', (source, problem) => {
  const compiled = re2.compile(source);
  if (problem === undefined) expect(compiled).toHaveProperty('regex');
  else expect(compiled).toEqual({ problem: expect.stringContaining(problem) });
});

it('takes time in proportion to the value where a backtracking engine would take forever', () => {
  for (const source of ['(a*)*b', '(a|a)*b', '(a|aa)+b', '(x+x+)+y', '(.*)*(.*)*c']) {
    const start = performance.now();
    expect(matches(source, `${'a'.repeat(8000)}!`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  }
});
