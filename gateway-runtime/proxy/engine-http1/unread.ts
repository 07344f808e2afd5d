/** Octets that were received and can't be used yet: the beginning of a head, or what came behind a request in progress. */

const EMPTY = Buffer.alloc(0);
const EMPTY_LINE = '\r\n\r\n';

export class Unread {
  #octets: Buffer = EMPTY;
  #length = 0;
  /** Octets that were searched for an empty line. */
  #searched = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies them. */
  add(octets: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#octets.length) {
      // Doubled, so that a head that comes octet by octet is not copied for each.
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#octets.length, 1024));
      this.#octets.copy(grown, 0, 0, this.#length);
      this.#octets = grown;
    }
    octets.copy(this.#octets, this.#length, start, end);
    this.#length = needed;
  }

  /** Whether there is an empty line, and with it perhaps a whole head. Each octet is looked at once. */
  hasEmptyLine(): boolean {
    const from = Math.max(0, this.#searched - EMPTY_LINE.length + 1);
    this.#searched = this.#length;
    return this.octets.indexOf(EMPTY_LINE, from, 'latin1') >= 0;
  }

  get octets(): Buffer {
    return this.#octets.subarray(0, this.#length);
  }

  /** Gives them away. */
  take(): Buffer {
    const { octets } = this;
    this.#octets = EMPTY;
    this.#length = this.#searched = 0;
    return octets;
  }
}
