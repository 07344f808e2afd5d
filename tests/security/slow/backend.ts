/** Answers GET and HEAD at once, takes every body, and has an answer that is large; says its port. */
import { type AddressInfo, createServer } from 'node:net';
import { LARGE } from './target.ts';

const LARGE_OCTETS = 8 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'x');

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  /** Octets of an answer that are not sent yet: never all of them at once, for thousands that do not read. */
  let left = 0;
  const more = () => {
    while (left > 0) {
      left -= PIECE.length;
      if (!socket.write(PIECE)) return;
    }
  };
  socket.on('drain', more);
  socket.setEncoding('latin1').on('data', (text: string) => {
    if (text.startsWith(`GET ${LARGE} `)) {
      left = LARGE_OCTETS;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE_OCTETS}\r\n\r\n`);
      more();
    } else if (text.startsWith('HEAD ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    else if (text.startsWith('GET ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
// Whoever started it is gone.
process.stdin.on('end', () => process.exit()).resume();
