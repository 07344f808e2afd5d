import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { queryValue } from '../../../gateway-runtime/match/query.ts';

it.each([
  ['a=1', 'a', '1'],
  ['b=2&a=1&a=3', 'a', '1'],
  ['aa=1', 'a', undefined],
  ['a', 'a', ''],
  ['a=', 'a', ''],
  ['a=1=2', 'a', '1=2'],
  ['', 'a', undefined],
  ['&&a=1', 'a', '1'],
  ['=1', '', '1'],
  ['%61=%C3%A9+x', 'a', 'é x'],
  ['a=%zz%31', 'a', '%zz1'],
  ['a=%ff', 'a', '\ufffd'],
  ['a=%aaé', 'a', '\ufffdé'],
  ['?a=1', 'a', undefined],
  ['A=1', 'a', undefined],
  ['a=1;b=2', 'b', undefined],
])('in %j the value of %j is %j', (query, name, value) => {
  expect(queryValue(query, name)).toBe(value);
});

it('reads every query of ASCII as the URL Standard does', () => {
  // With other characters beside a broken escape Node's URLSearchParams departs from the standard.
  const query = fc.string({
    unit: fc.constantFrom(
      'a',
      'b',
      '=',
      '&',
      '+',
      '%',
      '6',
      '1',
      'f',
      'c',
      '3',
      ';',
      '?',
      '%ef%bb%bf',
      '%c3%a9',
    ),
  });
  fc.assert(
    fc.property(query, fc.constantFrom('a', 'b', '', 'a b', '?', 'aa'), (text, name) => {
      expect(queryValue(text, name) ?? null).toBe(new URLSearchParams(`&${text}`).get(name));
    }),
    { numRuns: 3000 },
  );
});
