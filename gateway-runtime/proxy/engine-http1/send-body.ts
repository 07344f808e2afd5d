/** Writes content to a connection, with what stands before it, in as few writes as it takes. */
import { copyOf } from './copies.ts';
import type { Wire } from './transport.ts';

/** Up to this many octets, joining head and content into one string is cheaper than two writes; and twice as many, where they would be copied. */
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
  if (length + before.length <= (owned ? SMALL : 2 * SMALL) && (before !== '' || !owned)) {
    const content = octets.toString('latin1', start, end);
    return wire.write(chunked ? `${before}${content}\r\n` : before + content, 'latin1');
  }
  const copy = owned ? undefined : copyOf(octets, start, end);
  const content = copy ? copy.octets : octets.subarray(start, end);
  if (before === '') return wire.write(content, copy?.release);
  wire.cork();
  wire.write(before, 'latin1');
  wire.write(content, copy?.release);
  if (chunked) wire.write('\r\n', 'latin1');
  wire.uncork();
  return !wire.writableNeedDrain;
}
