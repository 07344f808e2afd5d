/** How much of an endpoint's places a request may use, by what is known of its client. */
import { expect, it } from '@jest/globals';
import {
  ALL,
  type Allowance,
  allowanceOf,
  COMMON,
  isSlow,
  NEARLY_ALL,
  placesWith,
} from '../../../gateway-runtime/proxy/allowance.ts';

const MOST = 1_024;
const client = { places: 1, underWay: 0, slowUntil: 0, wasServed: false };
const slowUntil = Number.POSITIVE_INFINITY;
const ALLOWANCES: readonly Allowance[] = [ALL, NEARLY_ALL, COMMON];

it.each([
  ['of a client that was served', { ...client, wasServed: true }, false, ALL],
  ['of one that nobody knows', client, false, NEARLY_ALL],
  ['of one that has nearly much under way', { ...client, underWay: 127 }, false, NEARLY_ALL],
  ['of one that has much under way', { ...client, underWay: 128, wasServed: true }, false, COMMON],
  ['of a slow one', { ...client, wasServed: true, slowUntil }, false, COMMON],
  ['with a body', { ...client, wasServed: true }, true, COMMON],
  ['whose client is not said', undefined, false, ALL],
  ['with a body whose client is not said', undefined, true, COMMON],
])('a request %s', (_, holder, hasBody, expected) => {
  expect(allowanceOf({ connection: holder ? { holder } : {}, hasBody }, MOST)).toBe(expected);
});

it.each([
  [1_024, [1_024, 960, 896]],
  [16, [16, 15, 14]],
  [15, [15, 15, 14]],
  [7, [7, 7, 7]],
  [1, [1, 1, 1]],
])('of %i places these are for each', (most, expected) => {
  expect(ALLOWANCES.map((allowance) => placesWith(most, allowance))).toEqual(expected);
});

it('a client is a slow one only for its time', () => {
  const holder = { ...client, slowUntil: performance.now() + 60_000 };
  expect(isSlow({ connection: { holder } })).toBe(true);
  holder.slowUntil = performance.now() - 1;
  expect(isSlow({ connection: { holder } })).toBe(false);
  expect(holder.slowUntil).toBe(0);
});
