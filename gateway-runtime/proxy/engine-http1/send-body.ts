/** Writes content to a socket, with what stands before it, in as few writes as it takes. */
import type { Socket } from 'node:net';

/** Up to this many octets, joining head and content into one string is cheaper than two writes. */
const SMALL = 16 * 1024;

/**
 * Writes `head` (which may be empty) and the octets after it. False where the socket is full: wait for its 'drain'.
 *
 * @param chunked whether the octets become a chunk (RFC 9112 section 7.1)
 * @param owned whether the octets may be kept; else they are copied
 */
export function sendBody(
  socket: Socket,
  head: string,
  chunked: boolean,
  octets: Buffer,
  start: number,
  end: number,
  owned: boolean,
): boolean {
  const length = end - start;
  if (length === 0) return head === '' || socket.write(head, 'latin1');
  const before = chunked ? `${head}${length.toString(16)}\r\n` : head;
  if (length + before.length <= SMALL && (before !== '' || !owned)) {
    const content = octets.toString('latin1', start, end);
    return socket.write(chunked ? `${before}${content}\r\n` : before + content, 'latin1');
  }
  const view = octets.subarray(start, end);
  const content = owned ? view : Buffer.from(view);
  if (before === '') return socket.write(content);
  socket.cork();
  socket.write(before, 'latin1');
  socket.write(content);
  if (chunked) socket.write('\r\n', 'latin1');
  socket.uncork();
  return !socket.writableNeedDrain;
}
