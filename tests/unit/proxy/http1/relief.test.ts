/** Requests that are given up for others: which, and how many at a time. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Http1Exchange } from '../../../../gateway-runtime/proxy/engine-http1/exchange.ts';
import { AT_ONCE, PAUSE, Relief } from '../../../../gateway-runtime/proxy/engine-http1/relief.ts';

const BACKEND = 'backend/shop/cart/80';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Requests that are held up by clients with so many connections each; what is given up, in order. */
function held(places: readonly number[], served: readonly number[] = []) {
  const gone: number[] = [];
  const exchanges = places.map((count, i) => ({
    outcome: { backend: BACKEND },
    connection: { holder: { places: count, underWay: 1, slowUntil: 0, wasServed: served.includes(i) } },
    heldUpFor: () => (gone.includes(i) ? undefined : 1_000 + i),
    giveUp: () => gone.push(i),
  }));
  const relief = new Relief((visit) => {
    for (const each of exchanges) visit(each as unknown as Http1Exchange);
  });
  return { relief, gone, holders: exchanges.map(({ connection }) => connection.holder) };
}

it('few are given up at once, and the rest of those that are wanted later', () => {
  const { relief, gone } = held(Array.from({ length: 50 }, () => 1));
  relief.give(BACKEND, 2 * AT_ONCE + 1, 0);
  expect(gone).toHaveLength(AT_ONCE);
  jest.advanceTimersByTime(PAUSE);
  expect(gone).toHaveLength(2 * AT_ONCE);
  jest.advanceTimersByTime(PAUSE);
  expect(gone).toHaveLength(2 * AT_ONCE + 1);
  jest.advanceTimersByTime(10 * PAUSE);
  expect(gone).toHaveLength(2 * AT_ONCE + 1);
});

it('who asks again meanwhile asks for the same', () => {
  const { relief, gone } = held(Array.from({ length: 50 }, () => 1));
  relief.give(BACKEND, AT_ONCE + 8, 0);
  relief.give(BACKEND, 9, 0);
  jest.advanceTimersByTime(10 * PAUSE);
  expect(gone).toHaveLength(AT_ONCE + 9);
});

it('those of clients with most connections go first, and none of clients with too few', () => {
  const { relief, gone } = held([1, 5, 3, 5]);
  relief.give(BACKEND, 40, 1);
  jest.advanceTimersByTime(10 * PAUSE);
  expect(gone).toEqual([3, 1, 2]);
});

it('of clients that hold as many, those go first that were not served before', () => {
  const { relief, gone } = held([1, 5, 5, 1, 1], [2, 4]);
  relief.give(BACKEND, 40, 0);
  jest.advanceTimersByTime(10 * PAUSE);
  expect(gone).toEqual([1, 2, 3, 0, 4]);
});

it('the clients of those that are given up are slow for a minute, and no longer known for having been served', () => {
  const { relief, holders } = held([1, 2, 3], [1, 2]);
  relief.give(BACKEND, 1, 0);
  const now = performance.now();
  expect(holders.map(({ slowUntil }) => slowUntil)).toEqual([0, 0, now + 60_000]);
  expect(holders.map(({ wasServed }) => wasServed)).toEqual([false, true, false]);
});
