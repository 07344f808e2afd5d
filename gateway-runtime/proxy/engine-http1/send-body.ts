/** Writes content to a connection, with what stands before it, in as few writes as it takes. */
import type { Wire } from './transport.ts';

/** Up to this many octets, joining head and content into one string is cheaper than two writes. */
const SMALL = 16 * 1024;

/**
 * Writes `head` (which may be empty) and the octets after it. False where it is full: wait for its 'drain'.
 *
 * @param chunked whether the octets become a chunk (RFC 9112 section 7.1)
 * @param owned whether the octets may be kept; else they are copied
 */
export function sendBody(
  wire: Wire,
  head: string,
  chunked: boolean,
  octets: Buffer,
  start: number,
  end: number,
  owned: boolean,
): boolean {
  const length = end - start;
  if (length === 0) return head === '' || wire.write(head, 'latin1');
  const before = chunked ? `${head}${length.toString(16)}\r\n` : head;
  if (length + before.length <= SMALL && (before !== '' || !owned)) {
    const content = octets.toString('latin1', start, end);
    return wire.write(chunked ? `${before}${content}\r\n` : before + content, 'latin1');
  }
  const view = octets.subarray(start, end);
  const content = owned ? view : Buffer.from(view);
  if (before === '') return wire.write(content);
  wire.cork();
  wire.write(before, 'latin1');
  wire.write(content);
  if (chunked) wire.write('\r\n', 'latin1');
  wire.uncork();
  return !wire.writableNeedDrain;
}
