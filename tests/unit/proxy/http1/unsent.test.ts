/** What clients have not taken, of all connections together, and whose connections go where it is too much. */
import { beforeEach, expect, it } from '@jest/globals';
import { Unsent, UnsentOf } from '../../../../gateway-runtime/proxy/engine-http1/unsent.ts';

const holderOf = (places: number, underWay = 0) => ({ places, underWay, slowUntil: 0, wasServed: true });

const clock = { now: 0 };
beforeEach(() => {
  clock.now = 0;
});

it('is the sum of what each has left when it was looked at last', () => {
  const all = new Unsent(100);
  const wires = [{ writableLength: 30 }, { writableLength: 60 }];
  const [a, b] = wires.map((wire) => new UnsentOf(all, wire, clock)) as [UnsentOf, UnsentOf];
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
  const all = new Unsent(100);
  const wire = { writableLength: 100 };
  const one = new UnsentOf(all, wire, clock);
  expect(one.isBehind()).toBe(false);
  wire.writableLength = 101;
  expect(one.isBehind()).toBe(true);
  expect(new UnsentOf(all, { writableLength: 0 }, clock).isBehind()).toBe(false);
});

it('who takes something, however little, does not go', () => {
  const all = new Unsent(100);
  const wire = { writableLength: 1_000 };
  const one = new UnsentOf(all, wire, clock);
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
  const all = new Unsent(100);
  all.change(1_000);
  const one = new UnsentOf(all, { writableLength: 0 }, clock);
  clock.now = 60_000;
  expect(one.isToGo(holderOf(9))).toBe(false);
});

it.each([
  ['nobody while it is not too much', 100, 60_000, holderOf(1_000), false],
  ['of a client with many connections after five seconds', 101, 5_000, holderOf(9), true],
  ['of one with many requests', 101, 5_000, holderOf(1, 9), true],
  ['but not before', 101, 4_999, holderOf(9), false],
  ['of a client with few not then', 101, 14_999, holderOf(8, 8), false],
  ['but after fifteen', 101, 15_000, holderOf(8), true],
  ['and of any after one where it is twice as much', 200, 1_000, holderOf(1), true],
])('goes: %s', (_, octets, silent, holder, isToGo) => {
  const all = new Unsent(100);
  all.change(octets);
  expect(all.isToGo(silent, holder)).toBe(isToGo);
  expect([holder.wasServed, holder.slowUntil > 0]).toEqual([!isToGo, isToGo]);
});
