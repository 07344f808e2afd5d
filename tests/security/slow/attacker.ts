/** One attack, until the process is ended: `node attacker.ts NAME PORT CONNECTIONS`. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ATTACKS, titleOf } from './attacks.ts';

const [name, port, count] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const at = ATTACKS.findIndex((attack) => titleOf(attack) === name);
const { hold, send, tls } = ATTACKS[at]!;

/** Connections that are begun in a millisecond. */
const PACE = 2;

/** The address of one of many, which no other attack has: nobody knows it yet. Without a number all have one. */
const addressOf = (n?: number) =>
  n === undefined ? '127.0.0.66' : `127.${100 + at}.${(n >> 8) & 255}.${n & 255}`;

function open(isBare = false, n?: number): Socket {
  const localAddress = addressOf(n);
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  socket.on('error', () => {});
  return tls && !isBare ? connectTls({ socket, rejectUnauthorized: false }).on('error', () => {}) : socket;
}

if (hold) {
  const { begin, move, reads, bare, scattered, evermore, again: seconds = 2 } = hold;
  const sockets = new Set<Socket>();
  let made = count;
  const again = (n: number) => {
    const socket = open(bare, scattered || evermore ? n : undefined);
    if (reads) socket.resume();
    else socket.pause();
    if (begin) socket.write(begin, 'latin1');
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      setTimeout(again, seconds * 1_000, evermore ? made++ : n);
    });
  };
  for (let i = 0; i < count; i++) setTimeout(again, i / PACE, i);
  // One after the other, all of them in a second, as clients that know nothing of one another.
  let [next, moved, since] = [sockets.values(), 0, performance.now()];
  const moveNext = () => {
    let { value: socket } = next.next();
    if (!socket) {
      next = sockets.values();
      socket = next.next().value;
    }
    if (socket?.writable) socket.write(move);
  };
  if (move)
    setInterval(() => {
      const now = performance.now();
      moved += ((now - since) / 1_000) * sockets.size;
      since = now;
      for (; moved >= 1; moved--) moveNext();
    }, 1);
}

if (send) {
  const { messages, perSecond } = send;
  const began = performance.now();
  let sent = 0;
  setInterval(() => {
    for (; sent < ((performance.now() - began) / 1_000) * perSecond; sent++) {
      const socket = open();
      socket.resume();
      socket.end(messages[sent % messages.length]!, 'latin1');
      socket.setTimeout(2_000, () => socket.destroy());
    }
  }, 2);
}
// Whoever started it is gone.
process.stdin.on('end', () => process.exit()).resume();
