/** Answers GET and HEAD at once, takes every body, and has an answer that is large; says its port. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { LARGE } from './target.ts';

const LARGE_OCTETS = 8 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'x');

/** Connections whose answer goes on, and what is left of it. */
const going = new Map<Socket, number>();
/** One piece in each turn of the event loop, of one after the other: what is small waits for none of it. */
function sendPiece(): void {
  const [first] = going;
  if (!first) return;
  const [socket, left] = first;
  going.delete(socket);
  if (socket.destroyed) {
    // Its client has gone.
  } else if (left > PIECE.length && socket.write(PIECE)) going.set(socket, left - PIECE.length);
  else if (left > PIECE.length) socket.once('drain', () => goOn(socket, left - PIECE.length));
  else socket.write(PIECE);
  if (going.size > 0) setImmediate(sendPiece);
}
function goOn(socket: Socket, left: number): void {
  going.set(socket, left);
  if (going.size === 1) setImmediate(sendPiece);
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text: string) => {
    if (text.startsWith(`GET ${LARGE} `)) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE_OCTETS}\r\n\r\n`);
      goOn(socket, LARGE_OCTETS);
    } else if (text.startsWith('HEAD ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    else if (text.startsWith('GET ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
// Whoever started it is gone.
process.stdin.on('end', () => process.exit()).resume();
