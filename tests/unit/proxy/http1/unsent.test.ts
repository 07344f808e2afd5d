/** What clients have not taken, of all connections together, and whose connections go where it is too much. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Unsent, UnsentOf } from '../../../../gateway-runtime/proxy/engine-http1/unsent.ts';

const holderOf = (places: number, underWay = 0) => ({ places, underWay, slowUntil: 0, wasServed: true });

const clock = { now: 0 };
beforeEach(() => {
  clock.now = 0;
});

let taken: string[] = [];
afterEach(() => {
  taken = [];
  jest.useRealTimers();
});

const onError = (error: unknown) => {
  throw error;
};

interface Written {
  writableLength: number;
}
const of = (all: Unsent, wire: Written, name = '') => new UnsentOf(all, wire, clock, () => taken.push(name));

it('is the sum of what each has left when it was looked at last', () => {
  const all = new Unsent(100, onError);
  const wires = [{ writableLength: 30 }, { writableLength: 60 }];
  const [a, b] = wires.map((wire) => of(all, wire)) as [UnsentOf, UnsentOf];
  expect([a.note(), b.note(), all.octets]).toEqual([30, 60, 90]);
  wires[0]!.writableLength = 50;
  expect([all.octets, a.note(), all.octets]).toEqual([90, 50, 110]);
  b.end();
  b.end();
  expect(all.octets).toBe(50);
  wires[0]!.writableLength = 0;
  expect([a.note(), all.octets]).toEqual([0, 0]);
});

it('who has some left is behind where it is too much, and nobody else', () => {
  const all = new Unsent(100, onError);
  const wire = { writableLength: 100 };
  const one = of(all, wire);
  expect(one.isBehind()).toBe(false);
  wire.writableLength = 101;
  expect(one.isBehind()).toBe(true);
  expect(of(all, { writableLength: 0 }).isBehind()).toBe(false);
});

it('who was behind is told once everything is taken, and not where the connection has closed', () => {
  jest.useFakeTimers();
  const all = new Unsent(100, onError);
  const wires = ['a', 'b', 'c'].map((name) => ({ name, writableLength: 200 }));
  const each = wires.map((wire) => of(all, wire, wire.name));
  expect(each.map((one) => one.isBehind())).toEqual([true, true, true]);
  wires[0]!.writableLength = wires[2]!.writableLength = 0;
  wires[1]!.writableLength = 1;
  each[2]!.end();
  jest.advanceTimersByTime(10);
  expect(taken).toEqual(['a']);
  wires[1]!.writableLength = 0;
  jest.advanceTimersByTime(100);
  expect(taken).toEqual(['a', 'b']);
  expect([all.octets, jest.getTimerCount()]).toEqual([0, 0]);
});

it('who takes something, however little, does not go', () => {
  const all = new Unsent(100, onError);
  const wire = { writableLength: 1_000 };
  const one = of(all, wire);
  one.note();
  for (; clock.now < 60_000; clock.now += 900) {
    wire.writableLength--;
    one.note();
    expect(one.isToGo(holderOf(1))).toBe(false);
  }
  clock.now += 1_000;
  one.note();
  expect(one.isToGo(holderOf(1))).toBe(true);
});

it('who has nothing left does not go', () => {
  const all = new Unsent(100, onError);
  all.change(1_000);
  const one = of(all, { writableLength: 0 });
  clock.now = 60_000;
  expect(one.isToGo(holderOf(9))).toBe(false);
});

it.each([
  ['nobody while it is not too much', 100, 0, 60_000, holderOf(1_000), false],
  ['of a client with many connections after five seconds', 101, 0, 5_000, holderOf(9), true],
  ['of one with many requests', 101, 0, 5_000, holderOf(1, 9), true],
  ['but not before', 101, 0, 4_999, holderOf(9), false],
  [
    'and later where it has more left, since a socket tells late that it takes it',
    101,
    16_000,
    5_999,
    holderOf(9),
    false,
  ],
  ['but then', 101, 16_000, 6_000, holderOf(9), true],
  ['of a client with few not then', 101, 0, 14_999, holderOf(8, 8), false],
  ['but after fifteen', 101, 0, 15_000, holderOf(8), true],
  ['of one with many after one where it is twice as much', 200, 16_000, 1_000, holderOf(9), true],
  ['of one with few later then', 200, 16_000, 1_999, holderOf(8), false],
  ['but not much', 200, 16_000, 2_000, holderOf(8), true],
  ['and of any after one where it is three times as much', 300, 16_000, 1_000, holderOf(1), true],
])('goes: %s', (_, all, octets, silent, holder, isToGo) => {
  const unsent = new Unsent(100, onError);
  unsent.change(all);
  expect(unsent.isToGo(octets, silent, holder)).toBe(isToGo);
  expect([holder.wasServed, holder.slowUntil > 0]).toEqual([!isToGo, isToGo]);
});

it('one that can not be looked at is told of once, and the others go on', () => {
  jest.useFakeTimers();
  const errors: unknown[] = [];
  const all = new Unsent(100, (error) => errors.push(error));
  const wires = [{ writableLength: 200 }, { writableLength: 200 }];
  const [broken, other] = wires.map((wire, i) => of(all, wire, String(i))) as [UnsentOf, UnsentOf];
  expect([broken.isBehind(), other.isBehind()]).toEqual([true, true]);
  Object.defineProperty(wires[0], 'writableLength', {
    get() {
      throw new Error('a defect');
    },
  });
  jest.advanceTimersByTime(20);
  expect([errors, taken]).toEqual([[new Error('a defect')], []]);
  wires[1]!.writableLength = 0;
  jest.advanceTimersByTime(20);
  expect([errors.length, taken, jest.getTimerCount()]).toEqual([1, ['1'], 0]);
});
