/** When handshakes begin: with a whole ClientHello, one in a turn of the event loop, clients in turns. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Handshakes, MOST_OCTETS, MOST_WAITING } from '../../../gateway-runtime/proxy/handshakes.ts';
import type { Holder } from '../../../gateway-runtime/proxy/places/place.ts';

const TIME = 5_000;
const HELLO = Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0]);

const begun: string[] = [];
const refused: string[] = [];
const errors: unknown[] = [];
let turnedAway = 0;
let handshakes: Handshakes;

beforeEach(() => {
  for (const each of [begun, refused, errors]) each.length = 0;
  turnedAway = 0;
  handshakes = new Handshakes({
    time: TIME,
    onRefused: ({ holder }) => refused.push(holder.network),
    onTurnedAway: () => turnedAway++,
    onError: (error) => errors.push(error),
  });
});
afterEach(() => {
  jest.useRealTimers();
});

const clientOf = (network: string): Holder => ({
  network,
  places: 1,
  underWay: 0,
  slowUntil: 0,
  wasServed: false,
  held: new Set(),
});

function arrive(holder: Holder, begin?: () => void) {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  handshakes.admit({
    socket: socket as unknown as Socket,
    holder,
    begin: begin ?? (() => begun.push(holder.network)),
  });
  return socket;
}

/** Turns of the event loop, each of which may begin one. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

it('one begins in a turn, and clients take turns', async () => {
  const [many, other] = [clientOf('many'), clientOf('other')];
  const sockets = [many, many, many, many, other].map((holder) => arrive(holder));
  for (const socket of sockets) socket.push(HELLO);
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
  expect(begun).toEqual(['many']);
  await turns(1);
  expect(begun).toEqual(['many', 'many']);
  await turns(8);
  expect(begun).toEqual(['many', 'many', 'other', 'many', 'many']);
});

it('who was served before comes first, who was slow last, and after three turns the next of those behind has one', async () => {
  const known = { ...clientOf('known'), wasServed: true };
  const slow = { ...clientOf('slow'), wasServed: true, slowUntil: performance.now() + 60_000 };
  const stranger = clientOf('stranger');
  const sockets = [stranger, slow, stranger, slow, known, known, known, known, known].map((each) =>
    arrive(each),
  );
  for (const socket of sockets) socket.push(HELLO);
  await turns(12);
  // The first of all had nobody to wait for.
  expect(begun).toEqual([
    ...['stranger', 'known', 'known', 'known', 'stranger', 'known', 'known', 'slow', 'slow'],
  ]);
});

it('what has come of a client is there for its handshake', async () => {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = arrive(clientOf('a'), () => resolve(socket.read() as Buffer));
  for (const octet of HELLO.subarray(0, -1)) {
    socket.push(Buffer.from([octet]));
    await turns(2);
  }
  const none = Symbol('nothing has begun');
  expect(await Promise.race([promise, Promise.resolve(none)])).toBe(none);
  socket.push(HELLO.subarray(-1));
  expect(await promise).toEqual(HELLO);
});

it('what is no ClientHello is for TLS to refuse, at once', async () => {
  arrive(clientOf('a')).push(Buffer.from('G'));
  await turns(2);
  expect(begun).toEqual(['a']);
});

it('one that is gone while it waits is left out, and told', async () => {
  const [a, b, c] = [clientOf('a'), clientOf('b'), clientOf('c')];
  const [first, second, third] = [arrive(a), arrive(b), arrive(c)];
  for (const socket of [first, second, third]) socket.push(HELLO);
  second.push(null);
  await turns(8);
  expect([begun, refused, second.destroyed]).toEqual([['a', 'c'], ['b'], true]);
});

it('more than any client has to say before it is answered is refused', async () => {
  const [a, b, c] = [arrive(clientOf('a')), arrive(clientOf('b')), arrive(clientOf('c'))];
  a.push(Buffer.from([22, 3, 1, 255, 255]));
  a.push(Buffer.alloc(MOST_OCTETS));
  for (const socket of [b, c]) socket.push(HELLO);
  c.push(Buffer.alloc(MOST_OCTETS));
  await turns(8);
  expect([begun, refused, a.destroyed, c.destroyed]).toEqual([['b'], ['a', 'c'], true, true]);
});

it('one that says nothing, or too little, is closed after its time', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  const [silent, slow] = [arrive(clientOf('silent')), arrive(clientOf('slow'))];
  slow.push(HELLO.subarray(0, 6));
  await turns(2);
  jest.advanceTimersByTime(TIME - 10);
  await turns(2);
  expect(refused).toEqual([]);
  jest.advanceTimersByTime(20);
  await turns(2);
  expect([refused, silent.destroyed, slow.destroyed]).toEqual([['silent', 'slow'], true, true]);
});

it('where too many wait, one of whom most wait for is turned away', async () => {
  const few = [clientOf('few'), clientOf('some')];
  const many = clientOf('many');
  const sockets = [
    arrive(many),
    ...few.map((holder) => arrive(holder)),
    ...Array.from({ length: MOST_WAITING }, () => arrive(many)),
  ];
  for (const socket of sockets) socket.push(HELLO);
  // One has begun, and two are too many of the rest.
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
  expect([turnedAway, sockets.filter(({ destroyed }) => destroyed)]).toEqual([2, sockets.slice(-2)]);
  await turns(4);
  expect(begun.slice(0, 4)).toEqual(expect.arrayContaining(['few', 'some']));
  expect(refused).toEqual([]);
  for (const socket of sockets) socket.destroy();
  await turns(4);
});

it('a client with many connections is none that comes first, whatever it was served, and has to make room', async () => {
  const many = { ...clientOf('many'), places: 2_000, wasServed: true };
  const sockets = Array.from({ length: MOST_WAITING + 1 }, () => arrive(many));
  for (const socket of sockets) socket.push(HELLO);
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
  const newcomers = ['a', 'b', 'c'].map((name) => arrive(clientOf(name)));
  for (const socket of newcomers) socket.push(HELLO);
  await turns(8);
  expect(newcomers.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
  expect([turnedAway, begun.slice(0, 8)]).toEqual([3, expect.arrayContaining(['a', 'b', 'c'])]);
  for (const socket of sockets) socket.destroy();
  await turns(4);
});

it('what one throws ends it, and nothing else', async () => {
  const bad = arrive(clientOf('bad'), () => {
    throw new Error('a defect');
  });
  const good = arrive(clientOf('good'));
  for (const socket of [bad, good]) socket.push(HELLO);
  await turns(4);
  expect([begun, bad.destroyed, errors.length]).toEqual([['good'], true, 1]);
});
