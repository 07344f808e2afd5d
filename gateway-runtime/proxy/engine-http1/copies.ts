/**
 * Copies of octets for as long as it takes to send them, in buffers that are used again. One made for each would be collected after 64 KB of
 * a body, and collecting took more than half of what a large body cost.
 */
import { READ_BUFFER } from './transport.ts';

/** Of buffers that are free; more are left to the garbage collector. */
const MOST_FREE = 64;

export class Copy {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER.length);
  /** What was copied. */
  octets: Buffer = this.#buffer;

  /** Its octets are used no more. */
  readonly release = (): void => {
    if (FREE.length < MOST_FREE) FREE.push(this);
  };

  hold(octets: Buffer, start: number, end: number): void {
    octets.copy(this.#buffer, 0, start, end);
    this.octets = this.#buffer.subarray(0, end - start);
  }
}

const FREE: Copy[] = [];

/** Of as much as is read at once, at most. */
export function copyOf(octets: Buffer, start: number, end: number): Copy {
  const copy = FREE.pop() ?? new Copy();
  copy.hold(octets, start, end);
  return copy;
}
