/** Which connection of a port goes for one that is new, and what it costs to find it. */
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Place } from '../../../gateway-runtime/proxy/places/place.ts';
import { Places } from '../../../gateway-runtime/proxy/places/places.ts';
import { FakeSocket } from './fake-socket.ts';

let looked = 0;

/** A connection whose client has been idle for so many milliseconds; undefined: it is served. */
function open(places: Places, address: string, idle?: number): Place {
  const place = places.take(new FakeSocket(address) as unknown as Socket);
  place.client = {
    idleFor: () => {
      looked++;
      return idle;
    },
  };
  return place;
}

const closed = (places: readonly Place[]) => places.filter(({ socket }) => socket.destroyed);

it('nothing goes while there is room', () => {
  const places = new Places(64);
  const held = Array.from({ length: 62 }, (_, i) => open(places, '192.0.2.1', i));
  expect(places.makeRoom(open(places, '192.0.2.2', 0))).toBe(false);
  expect(closed(held)).toEqual([]);
});

it('of clients that hold as many, who has waited longest goes', () => {
  const places = new Places(8);
  const held = [5, 9, 7, 6, 8, 4, 3].map((idle, i) => open(places, `192.0.2.${i}`, idle));
  expect(places.makeRoom(open(places, '192.0.2.100', 0))).toBe(true);
  expect(closed(held)).toEqual([held[1]]);
});

it('who holds an eighth of all goes first, however short it has waited', () => {
  const places = new Places(64);
  const most = Array.from({ length: 8 }, () => open(places, '192.0.2.1', 0));
  const others = Array.from({ length: 55 }, (_, i) => open(places, `192.0.2.${2 + i}`, 60_000));
  expect(places.makeRoom(open(places, '192.0.2.100', 0))).toBe(true);
  expect([closed(most).length, closed(others).length]).toEqual([1, 0]);
});

it('who holds many has each count for as much longer', () => {
  const places = new Places(64);
  const many = Array.from({ length: 6 }, () => open(places, '192.0.2.1', 1_000));
  const others = Array.from({ length: 57 }, (_, i) => open(places, `192.0.2.${2 + i}`, 5_000));
  expect(places.makeRoom(open(places, '192.0.2.100', 0))).toBe(true);
  expect([closed(many).length, closed(others).length]).toEqual([1, 0]);
});

it('who holds some, and uses them, keeps them where everybody else holds one and does nothing', () => {
  const places = new Places(256);
  const own = Array.from({ length: 20 }, () => open(places, '192.0.2.1', 5));
  for (let i = 0; i < 400; i++) places.makeRoom(open(places, `10.0.${i >> 8}.${i & 255}`, 3_000 + i));
  expect(closed(own)).toEqual([]);
  expect(places.size).toBe(252);
});

it.each([
  [6, false],
  [7, true],
])('a client with 100 takes the connection of one with one that is idle for %i ms: %p', (idle, takes) => {
  const places = new Places(256);
  const one = open(places, '192.0.2.2', idle);
  Array.from({ length: 152 }, (_, i) => open(places, `10.0.0.${i}`));
  Array.from({ length: 99 }, () => open(places, '192.0.2.1'));
  expect(places.makeRoom(open(places, '192.0.2.1'))).toBe(takes);
  expect(one.socket.destroyed).toBe(takes);
});

it('who is served stays, and others are found behind many of them', () => {
  const places = new Places(256);
  const served = Array.from({ length: 200 }, () => open(places, '192.0.2.1'));
  const idle = Array.from({ length: 52 }, (_, i) => open(places, `10.0.0.${i}`, 1_000));
  let made = 0;
  for (let i = 0; i < 40; i++) if (places.makeRoom(open(places, '192.0.2.1'))) made++;
  expect(closed(served)).toEqual([]);
  expect(made).toBe(closed(idle).length);
  expect(made).toBeGreaterThan(0);
});

it('a new connection has as few looked at of many as of few', () => {
  for (const most of [256, 4_096]) {
    const places = new Places(most);
    for (let i = 0; i < most - (most >> 6); i++) open(places, '192.0.2.1');
    looked = 0;
    expect(places.makeRoom(open(places, '192.0.2.2'))).toBe(false);
    // Of who holds most, and one of the other.
    expect(looked).toBe(33);
  }
});

it('a request that waits for its own client goes where nothing looked at is idle, and only there', () => {
  const places = new Places(8);
  const held = Array.from({ length: 7 }, (_, i) => {
    const place = open(places, '192.0.2.1');
    place.client = { idleFor: () => undefined, heldUpFor: () => (i === 3 ? 9_000 : undefined) };
    return place;
  });
  const idle = open(places, '192.0.2.2', 1);
  expect(places.makeRoom()).toBe(true);
  expect([closed(held).length, idle.socket.destroyed]).toEqual([0, true]);
  open(places, '192.0.2.2');
  expect(places.makeRoom()).toBe(true);
  expect(closed(held)).toEqual([held[3]]);
  open(places, '192.0.2.2');
  expect(places.makeRoom()).toBe(false);
});

describe('while nobody can tell who holds up a request', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const MOST = 256;
  let places: Places;
  beforeEach(() => {
    places = new Places(MOST, 2);
  });

  /** Connections of a client each, of which nobody can tell yet whether they hold up their requests. */
  function full(most: number): Place[] {
    return Array.from({ length: most }, (_, i) => {
      const place = open(places, `10.0.${i >> 8}.${i & 255}`);
      place.client = { idleFor: () => undefined, heldUpFor: (grace = 500) => (20 < grace ? undefined : 20) };
      return place;
    });
  }

  /** Has taken an answer before. */
  function served(address: string, idle?: number): Place {
    const place = open(places, address, idle);
    place.holder.wasServed = true;
    return place;
  }

  it('one of a client that was never served goes for one of a client that was', () => {
    const known = served('192.0.2.2');
    known.client = { idleFor: () => undefined, heldUpFor: (grace = 500) => (400 < grace ? undefined : 400) };
    const held = full(253);
    expect(places.makeRoom(served('192.0.2.1'))).toBe(true);
    expect([closed(held).length, known.socket.destroyed]).toEqual([1, false]);
  });

  it('one of a client that was never served goes for one of a client that was, and was turned away', () => {
    served('192.0.2.1').socket.destroy();
    const held = full(MOST);
    expect([places.makeRoomFor('192.0.2.2'), places.makeRoomFor('192.0.2.1')]).toEqual([false, true]);
    expect(closed(held)).toHaveLength(1);
  });

  it('none goes for a client that has an eighth of all', () => {
    const held = full(223);
    Array.from({ length: 30 }, () => open(places, '192.0.2.1'));
    expect(places.makeRoom(served('192.0.2.1'))).toBe(true);
    expect(closed(held)).toHaveLength(1);
    open(places, '192.0.2.1');
    expect([places.makeRoom(served('192.0.2.1')), places.makeRoomFor('192.0.2.1')]).toEqual([true, false]);
    expect(closed(held)).toHaveLength(1);
  });

  it('none goes for a client that was never served', () => {
    const held = full(253);
    const unknown = open(places, '192.0.2.1');
    expect(places.makeRoom(unknown)).toBe(false);
    expect([closed(held).length, unknown.socket.destroyed]).toEqual([0, false]);
  });

  it.each([
    ['that a client with few has just opened stays', 8, 499, false],
    ['that it opened before that goes', 8, 500, true],
    ['of a client with many goes', 9, 499, true],
  ])('a connection %s', (_, count, age, goes) => {
    const own = Array.from({ length: count }, () => served('192.0.2.1', 10));
    jest.advanceTimersByTime(age);
    full(254 - count);
    expect(places.makeRoom(open(places, '192.0.2.2'))).toBe(true);
    expect(closed(own)).toHaveLength(goes ? 1 : 0);
  });

  it('one that a client has just opened goes for one of another that was served, where nothing else does', () => {
    const own = served('192.0.2.1', 100);
    Array.from({ length: 252 }, (_, i) => open(places, `10.0.0.${i}`));
    expect(places.makeRoom(served('192.0.2.2'))).toBe(true);
    expect(own.socket.destroyed).toBe(true);
  });

  it.each([
    ['clients that were served', 1, true, false],
    ['clients that were served and have less than an eighth', 31, true, true],
    ['no others', 1, false, true],
  ])('the last places are for %s', (_, others, isServed, goes) => {
    const busy = Array.from({ length: 255 }, (_, i) =>
      open(places, i < others ? '192.0.2.1' : `10.0.0.${i}`),
    );
    busy[0]!.holder.wasServed = isServed;
    const newcomer = open(places, '192.0.2.1');
    expect(places.makeRoom(newcomer)).toBe(goes);
    expect([closed(busy).length, newcomer.socket.destroyed]).toEqual([0, goes]);
  });

  it('no place is for clients that were served, where none was said to be', () => {
    places = new Places(MOST);
    full(256);
    const unknown = open(places, '192.0.2.1');
    expect([places.makeRoom(unknown), unknown.socket.destroyed]).toEqual([false, false]);
  });
});

it('clients whose connections are all gone leave nothing behind', () => {
  const places = new Places(4);
  const held = ['192.0.2.1', '192.0.2.1', '192.0.2.2', '2001:db8::1'].map((address) => open(places, address));
  for (const { socket } of held) socket.destroy();
  expect(places.size).toBe(0);
  const { holder } = open(places, '192.0.2.1');
  expect([holder.places, holder.held.size]).toEqual([1, 1]);
});

it('a client that is slow is so when it comes again', () => {
  const places = new Places(4);
  const slow = open(places, '192.0.2.1');
  const until = performance.now() + 60_000;
  slow.holder.slowUntil = until;
  slow.socket.destroy();
  const again = open(places, '192.0.2.1');
  expect([again.holder.slowUntil, open(places, '192.0.2.2').holder.slowUntil]).toEqual([until, 0]);
  again.holder.slowUntil = performance.now() - 1;
  again.socket.destroy();
  expect(open(places, '192.0.2.1').holder.slowUntil).toBe(0);
});

it('a client of which it is known only after it has gone that it was served is known for it', () => {
  const places = new Places(4);
  const [first, second] = [open(places, '192.0.2.1'), open(places, '192.0.2.2')];
  for (const { socket } of [first, second]) socket.destroy();
  first.holder.wasServed = true;
  const [again, other] = [open(places, '192.0.2.1'), open(places, '192.0.2.2')];
  expect([again.holder.wasServed, other.holder.wasServed]).toEqual([true, false]);
  second.holder.wasServed = true;
  expect(other.holder.wasServed).toBe(true);
});

it('a client that was served is known for it when it comes again, unless it is slow', () => {
  const places = new Places(4);
  for (const slowUntil of [0, Number.POSITIVE_INFINITY]) {
    const { holder, socket } = open(places, '192.0.2.1');
    Object.assign(holder, { wasServed: true, slowUntil });
    socket.destroy();
    const again = open(places, '192.0.2.1');
    expect([again.holder.wasServed, again.holder.slowUntil]).toEqual([slowUntil === 0, slowUntil]);
    expect(open(places, '192.0.2.2').holder.wasServed).toBe(false);
    again.socket.destroy();
  }
});

it.each([
  ['slow', { slowUntil: Number.POSITIVE_INFINITY }],
  ['served', { wasServed: true }],
] as const)('of clients that are gone so many are known to be %s, and no more', (_, known) => {
  const places = new Places(4);
  const addresses = Array.from({ length: 16_385 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  for (const address of addresses) {
    const { holder, socket } = open(places, address);
    Object.assign(holder, known);
    socket.destroy();
  }
  // Of whom nothing is known takes nobody's place.
  open(places, '192.0.2.1').socket.destroy();
  const isKnown = (address: string) => {
    const { slowUntil, wasServed } = open(places, address).holder;
    return slowUntil > 0 || wasServed;
  };
  expect([isKnown(addresses[0]!), isKnown(addresses[1]!), isKnown(addresses.at(-1)!)]).toEqual([
    false,
    true,
    true,
  ]);
});
