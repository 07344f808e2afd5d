/** What clients have not taken, of all connections together, and whose connections go where it is too much. */
import { expect, it } from '@jest/globals';
import { Unsent, UnsentOf } from '../../../../gateway-runtime/proxy/engine-http1/unsent.ts';

const holderOf = (places: number) => ({ places, underWay: 0, slowUntil: 0, wasServed: true });

it('is the sum of what each has left when it was looked at last', () => {
  const all = new Unsent(100);
  const wires = [{ writableLength: 30 }, { writableLength: 60 }];
  const [a, b] = wires.map((wire) => new UnsentOf(all, wire)) as [UnsentOf, UnsentOf];
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
  const one = new UnsentOf(all, wire);
  expect(one.isBehind()).toBe(false);
  wire.writableLength = 101;
  expect(one.isBehind()).toBe(true);
  expect(new UnsentOf(all, { writableLength: 0 }).isBehind()).toBe(false);
});

it.each([
  ['nobody while it is not too much', 100, 60_000, 1_000, false],
  ['of a client with many after half a second', 101, 500, 9, true],
  ['but not before', 101, 499, 9, false],
  ['of a client with few not then', 101, 4_999, 8, false],
  ['but after five', 101, 5_000, 8, true],
  ['and of any after half a second where it is twice as much', 200, 500, 1, true],
])('goes: %s', (_, octets, silent, places, isToGo) => {
  const all = new Unsent(100);
  all.change(octets);
  const holder = holderOf(places);
  expect(all.isToGo(silent, holder)).toBe(isToGo);
  expect([holder.wasServed, holder.slowUntil > 0]).toEqual([!isToGo, isToGo]);
});
