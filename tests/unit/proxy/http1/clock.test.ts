/** When each of many is asked whether its time is over. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Clock, type Timed } from '../../../../gateway-runtime/proxy/engine-http1/clock.ts';

/** Of all of them, in milliseconds, where the shortest time is a second or more. */
const ROUND = 250;
const errors: unknown[] = [];
let clock: Clock;

beforeEach(() => {
  jest.useFakeTimers();
  clock = new Clock(60_000, (error) => errors.push(error));
});
afterEach(() => {
  clock.stop();
  jest.useRealTimers();
});

const fail = (error: unknown) => void errors.push(error);

const add = (count: number, check: Timed['check']) => {
  for (let i = 0; i < count; i++) clock.add({ check, fail });
};

it('each is asked once in a round, a part of them at a time', () => {
  const times = new Map<number, number>();
  add(800, (now) => times.set(now, (times.get(now) ?? 0) + 1));
  for (let passed = 0; passed < ROUND; passed++) jest.advanceTimersByTime(1);
  expect([...times.values()]).toEqual(Array.from({ length: 8 }, () => 100));
});

it('those that go or come meanwhile make nobody else be left out', () => {
  const asked = new Map<Timed, number>();
  const timed = Array.from({ length: 20 }, () => {
    const each: Timed = {
      check: () => {
        asked.set(each, (asked.get(each) ?? 0) + 1);
        if (asked.size === 5) for (const other of timed.slice(0, 10)) clock.delete(other);
      },
      fail,
    };
    return each;
  });
  for (const each of timed) clock.add(each);
  for (let rounds = 0; rounds < 3; rounds++) jest.advanceTimersByTime(ROUND);
  for (const each of timed.slice(10)) expect(asked.get(each)).toBeGreaterThanOrEqual(2);
  expect(clock.size).toBe(10);
});

it('what one throws is told to that one, and keeps none of the others from being asked', () => {
  let asked = 0;
  const told: unknown[] = [];
  clock.add({
    check: () => {
      throw new Error('a defect');
    },
    fail: (error) => void told.push(error),
  });
  add(1, () => asked++);
  jest.advanceTimersByTime(ROUND);
  expect([asked, told]).toEqual([1, [new Error('a defect')]]);
});

it('goes on where one can not even be ended', () => {
  errors.length = 0;
  let asked = 0;
  clock.add({
    check: () => {
      throw new Error('a defect');
    },
    fail: (error) => {
      throw error;
    },
  });
  add(1, () => asked++);
  for (let rounds = 0; rounds < 4; rounds++) jest.advanceTimersByTime(ROUND);
  expect(errors.length).toBeGreaterThan(1);
  expect(asked).toBeGreaterThan(1);
});

it('others have their turns while the times of many are over at once', async () => {
  jest.useRealTimers();
  const real = new Clock(1, (error) => errors.push(error));
  const { promise, resolve } = Promise.withResolvers<void>();
  let turn = 0;
  const inTurn = new Map<number, number>();
  const count = 400;
  let asked = 0;
  const ends = (): Timed => {
    const each = {
      check: () => {
        for (const until = performance.now() + 0.2; performance.now() < until; ) {
          // What it takes to close a connection.
        }
        real.delete(each);
        inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1);
        if (++asked === count) resolve();
      },
      fail,
    };
    return each;
  };
  for (let i = 0; i < count; i++) real.add(ends());
  const turns = setInterval(() => turn++, 0);
  await promise;
  clearInterval(turns);
  real.stop();
  // A part of a round alone would have been fifty.
  expect(Math.max(...inTurn.values())).toBeLessThan(25);
});
