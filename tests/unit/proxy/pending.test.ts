/** For whom room is asked when requests wait. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ALL, allowanceOf, COMMON, NEARLY_ALL } from '../../../gateway-runtime/proxy/allowance.ts';
import type { ClientHolder } from '../../../gateway-runtime/proxy/exchange.ts';
import { Pending } from '../../../gateway-runtime/proxy/pipeline/pending.ts';

const BACKEND = 'backend/shop/cart/80';

interface Waiting {
  readonly connection: { readonly holder: ClientHolder };
  readonly outcome: { readonly backend: string };
}

const clients = {
  flood: { places: 500, underWay: 0, slowUntil: 0, wasServed: true },
  other: { places: 1, underWay: 0, slowUntil: 0, wasServed: true },
  unknown: { places: 1, underWay: 0, slowUntil: 0, wasServed: false },
  slow: { places: 1, underWay: 0, slowUntil: Number.POSITIVE_INFINITY, wasServed: false },
};
const request = (client: keyof typeof clients): Waiting => ({
  connection: { holder: clients[client] },
  outcome: { backend: BACKEND },
});

let pending: Pending<Waiting>;
let waiting: Waiting[] = [];
/** How much room was asked for, and of clients with more than so many connections. */
let asked: [number, number][] = [];
let sent: Waiting[] = [];
let late: Waiting[] = [];
let room = 0;
/** However much room is asked for, there is none. */
let isFull = false;
/** What an endpoint may have under way: an eighth of it is kept for clients with less than that. */
const PLACES = 80;
/** And so much of what is kept, and of what is for those who are known. */
let [kept, last] = [0, 0];

function start(): void {
  [asked, sent, late, waiting, room, kept, last, isFull] = [[], [], [], [], 0, 0, 0, false];
  pending = new Pending<Waiting>({
    bounds: { most: 200, time: 60_000 },
    slowBounds: { most: 20, time: 600_000 },
    allowance: (exchange) => allowanceOf(exchange, PLACES),
    send: (_backend, exchange, allowance) => {
      if (room > 0) room--;
      else if (kept > 0 && allowance !== COMMON) kept--;
      else if (last > 0 && allowance === ALL) last--;
      else return false;
      pending.passed(exchange);
      sent.push(exchange);
      return true;
    },
    onWaiting: (_backend, count, connections) => {
      asked.push([count, connections]);
      if (!isFull) room += count;
      pending.roomAt(BACKEND);
    },
    onLate: (exchange) => late.push(exchange),
    onError: (error) => {
      throw error;
    },
  });
}

function add(client: keyof typeof clients): Waiting {
  const exchange = request(client);
  waiting.push(exchange);
  pending.add(BACKEND, exchange);
  return exchange;
}

/** So many clients that are slow. */
function addSlow(count: number): boolean[] {
  return Array.from({ length: count }, () => {
    const exchange = { ...request('slow'), connection: { holder: { ...clients.slow } } };
    waiting.push(exchange);
    return pending.add(BACKEND, exchange);
  });
}

afterEach(() => {
  for (const exchange of waiting) pending.remove(exchange);
});

describe('who waits for room at a backend', () => {
  it('has room made for it, and for all clients before it', async () => {
    start();
    const first = add('flood');
    add('flood');
    room = 0;
    asked = [];
    const other = add('other');
    expect(asked).toEqual([[2, 0]]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([first, other]);
  });

  it('does not hold up who may have room that is kept from it', async () => {
    start();
    clients.flood.underWay = 10;
    add('flood');
    add('flood');
    const other = add('other');
    [room, kept] = [0, 1];
    pending.roomAt(BACKEND);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([other]);
    // Who comes now stands behind whoever may have the same room.
    expect([pending.has(BACKEND, COMMON), pending.has(BACKEND, NEARLY_ALL)]).toEqual([true, false]);
    add('other');
    expect(pending.has(BACKEND, NEARLY_ALL)).toBe(true);
    clients.flood.underWay = 0;
  });

  it.each([
    ['one that nobody knows', 'unknown', 1],
    ['a slow one', 'slow', 0],
  ] as const)(
    'of what is kept for others, as %s, has its turn (%s: %i) after seven of them',
    async (_, client, count) => {
      start();
      isFull = true;
      const one = add(client);
      for (let i = 0; i < 16; i++) add('other');
      for (let i = 0; i < 16; i++) {
        last = 1;
        pending.roomAt(BACKEND);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(sent).toHaveLength(16);
      expect(sent.filter((exchange) => exchange === one)).toHaveLength(count);
    },
  );

  it('has its turn of what is kept as one that nobody knows also while a slow one waits for room that there is not', async () => {
    start();
    isFull = true;
    add('slow');
    const unknown = Array.from({ length: 20 }, () => add('unknown'));
    for (let i = 0; i < 100; i++) add('other');
    for (let i = 0; i < 96; i++) {
      last = 1;
      pending.roomAt(BACKEND);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent.filter((exchange) => unknown.includes(exchange))).toHaveLength(12);
  });

  it('asks for no room of its own client', () => {
    start();
    add('flood');
    add('flood');
    expect(asked).toEqual([
      [1, 0],
      [1, 500],
    ]);
  });

  it('asks for little, and only now and then, as a slow client', () => {
    jest.useFakeTimers();
    try {
      start();
      addSlow(20);
      expect(asked).toEqual([]);
      jest.advanceTimersByTime(100);
      expect(asked).toEqual([[8, 0]]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('waits longer as a slow client, and takes no room from others', () => {
    jest.useFakeTimers();
    try {
      start();
      isFull = true;
      expect(addSlow(21)).toEqual([...Array(20).fill(true), false]);
      const others = Array.from({ length: 200 }, () => add('other'));
      expect(pending.add(BACKEND, request('other'))).toBe(false);
      jest.advanceTimersByTime(61_000);
      expect(late).toEqual(others);
      jest.advanceTimersByTime(541_000);
      expect(late).toHaveLength(220);
    } finally {
      jest.useRealTimers();
    }
  });

  it('asks for itself where the slow client is an address of many', () => {
    start();
    const [first, second] = [request('slow'), request('slow')];
    for (const exchange of [first, second]) {
      Object.assign(exchange.connection, { holder: { ...clients.slow, places: 9 } });
      waiting.push(exchange);
      pending.add(BACKEND, exchange);
    }
    expect(asked).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });

  it('stands before slow clients, and has room made again that one of them had', async () => {
    start();
    add('slow');
    expect([pending.has(BACKEND, NEARLY_ALL), pending.has(BACKEND)]).toEqual([false, true]);
    const other = add('other');
    expect(asked).toEqual([[2, 0]]);
    room = 1;
    pending.roomAt(BACKEND);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent[0]).toBe(other);
  });
});
