/** Requests that are given up for others: which, and how many at a time. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Http1Exchange } from '../../../../gateway-runtime/proxy/engine-http1/exchange.ts';
import { AT_A_TIME, AT_ONCE, PAUSE, Relief } from '../../../../gateway-runtime/proxy/engine-http1/relief.ts';

const BACKEND = 'backend/shop/cart/80';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const onError = (error: unknown): void => {
  throw error;
};

/** Requests that are held up by clients with so many connections each, 0 where one is not held up; what is given up, in order. */
function held(places: readonly number[], served: readonly number[] = [], tell = onError) {
  const gone: number[] = [];
  const looked: number[] = [];
  const exchanges = places.map((count, i) => ({
    outcome: { backend: BACKEND },
    connection: { holder: { places: count, underWay: 1, slowUntil: 0, wasServed: served.includes(i) } },
    heldUpFor: () => (count === 0 || gone.includes(i) ? undefined : 1_000 + i),
    giveUp: () => gone.push(i),
  }));
  const connections = exchanges.map((each, i) => ({
    eachExchange(visit: (exchange: Http1Exchange) => void) {
      looked.push(i);
      visit(each as unknown as Http1Exchange);
    },
  }));
  let begun = 0;
  const begin = () => {
    begun++;
    return connections;
  };
  const relief = new Relief({ connections: begin, count: () => connections.length, onError: tell });
  return {
    relief,
    exchanges,
    gone,
    looked,
    searches: () => begun,
    holders: exchanges.map(({ connection }) => connection.holder),
  };
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

it('no more are looked at in one go than take little time, and the search goes on until enough is found', () => {
  const { relief, gone, looked } = held([...Array.from({ length: 3 * AT_A_TIME }, () => 0), 1, 1, 1, 1]);
  relief.give(BACKEND, 1, 0);
  expect(looked.length).toBeLessThanOrEqual(AT_A_TIME);
  expect(gone).toEqual([]);
  for (let times = 0; times < 7 && gone.length === 0; times++) {
    const before = looked.length;
    jest.advanceTimersByTime(PAUSE);
    expect(looked.length - before).toBeLessThanOrEqual(AT_A_TIME);
  }
  expect(gone).toHaveLength(1);
  expect(new Set(looked).size).toBe(looked.length);
});

it('where there is nothing to give up, all are looked at once, and a while later once more for who asks then', () => {
  const { relief, looked } = held(Array.from({ length: 1_000 }, () => 0));
  relief.give(BACKEND, 1, 0);
  jest.advanceTimersByTime(40);
  relief.give(BACKEND, 1, 0);
  jest.advanceTimersByTime(5);
  expect(looked).toHaveLength(1_000);
  jest.advanceTimersByTime(1_000);
  expect(looked).toHaveLength(1_000);
  relief.give(BACKEND, 1, 0);
  jest.advanceTimersByTime(1_000);
  expect(looked).toHaveLength(2_000);
});

it('a search goes on where it stopped, and nothing of what it went through is held once it is over', () => {
  const { relief, gone, looked, searches } = held(Array.from({ length: 1_000 }, () => 1));
  relief.give(BACKEND, 1, 0);
  relief.give(BACKEND, AT_A_TIME / 2, 0);
  jest.advanceTimersByTime(40);
  relief.give(BACKEND, AT_A_TIME / 2, 0);
  jest.advanceTimersByTime(5);
  expect(gone.length).toBeGreaterThan(AT_A_TIME / 4);
  expect(new Set(looked).size).toBe(looked.length);
  expect(searches()).toBe(1);
  jest.advanceTimersByTime(1_000);
  expect(jest.getTimerCount()).toBe(0);
  const before = searches();
  relief.give(BACKEND, 1, 0);
  expect(searches()).toBe(before + 1);
});

it('a search that fails later is told of, and the next one goes on', () => {
  const errors: unknown[] = [];
  const { relief, exchanges, gone } = held([9, 8, 7, 6, 5, 4], [], (error) => void errors.push(error));
  relief.give(BACKEND, 2 * AT_ONCE, 0);
  expect(gone).toEqual([0, 1]);
  const { heldUpFor } = exchanges[2]!;
  exchanges[2]!.heldUpFor = () => {
    throw new Error('a defect');
  };
  jest.advanceTimersByTime(PAUSE);
  expect([errors, gone]).toEqual([[new Error('a defect')], [0, 1]]);
  exchanges[2]!.heldUpFor = heldUpFor;
  relief.give(BACKEND, AT_ONCE, 0);
  expect(gone).toEqual([0, 1, 3, 4]);
});
