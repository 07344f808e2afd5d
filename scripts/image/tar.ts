/** Archives in the ustar format (POSIX.1-1988), with no owner and no time: the same tree is the same bytes. */
import type { Entry } from './tree.ts';

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

/** The archive in pieces, which are not copies of the contents. */
export function tarOf(tree: readonly Entry[]): Buffer[] {
  const pieces = tree.flatMap((entry) => {
    const gap = -entry.content.length & (BLOCK - 1);
    return [headerOf(entry), entry.content, Buffer.alloc(gap)];
  });
  return [...pieces, END];
}

function headerOf({ path, mode, content }: Entry): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path}: found a path over 100 bytes, expected fewer`);
  const header = Buffer.alloc(BLOCK);
  const number = (value: number, at: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, '0'), at);
  header.write(path, 0);
  number(mode, 100, 7);
  number(0, 108, 7);
  number(0, 116, 7);
  number(content.length, 124, 11);
  number(0, 136, 11);
  header.write(path.endsWith('/') ? '5' : '0', 156);
  header.write('ustar\x0000', 257);
  // The sum is taken with spaces in its own place.
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
