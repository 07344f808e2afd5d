/** The beginning of a request's body, kept so that it can be sent again: all of it as long as it is small, and else nothing. */
export class KeptBody {
  readonly #most: number;
  #chunks: Buffer[] | undefined = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Copies what it keeps. */
  add(octets: Buffer, start: number, end: number): void {
    if (!this.#chunks) return;
    this.#bytes += end - start;
    if (this.#bytes > this.#most) this.#chunks = undefined;
    else this.#chunks.push(Buffer.from(octets.subarray(start, end)));
  }

  /** That came so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All that came so far; undefined where that was too much. */
  get chunks(): readonly Buffer[] | undefined {
    return this.#chunks;
  }
}
