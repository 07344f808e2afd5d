/** Frames: four bytes of length, most significant first, and that many bytes of JSON in UTF-8. */

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const HEADER = 4;
const EMPTY = Buffer.alloc(0);

export function frame(json: string): Buffer {
  const length = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(HEADER + length);
  bytes.writeUInt32BE(length);
  bytes.write(json, HEADER);
  return bytes;
}

/**
 * Takes bytes as they come and gives what they mean. A frame that is too large is refused by its length alone; memory is that of
 * what has come, however small the pieces.
 */
export class FrameReader {
  /** The largest frame that is taken. May change between frames. */
  limit: number;
  #buffer = EMPTY;
  #start = 0;
  #end = 0;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): void {
    if (this.#buffer.length - this.#end < chunk.length) this.#makeRoom(chunk.length);
    this.#end += chunk.copy(this.#buffer, this.#end);
  }

  /** The next message, or undefined where there is none yet. Throws FrameError; nothing is to be read after it. */
  next(): { readonly value: unknown; readonly size: number } | undefined {
    const there = this.#end - this.#start;
    if (there < HEADER) return undefined;
    const size = this.#buffer.readUInt32BE(this.#start);
    if (size === 0 || size > this.limit) {
      throw new FrameError(`found a frame of ${size} bytes, expected 1 to ${this.limit}`);
    }
    if (there < HEADER + size) return undefined;
    const from = this.#start + HEADER;
    const bytes = this.#buffer.subarray(from, from + size);
    this.#start = from + size;
    if (this.#start === this.#end) {
      this.#buffer = EMPTY;
      this.#start = 0;
      this.#end = 0;
    }
    try {
      return { value: JSON.parse(this.#text.decode(bytes)), size };
    } catch {
      // What the parser says quotes what it was given, which may be a key.
      throw new FrameError(`found a frame of ${size} bytes that is not JSON in UTF-8`);
    }
  }

  #makeRoom(length: number): void {
    const there = this.#end - this.#start;
    const needed = there + length;
    const grown = needed > this.#buffer.length ? Buffer.allocUnsafe(needed + there) : this.#buffer;
    this.#buffer.copy(grown, 0, this.#start, this.#end);
    this.#buffer = grown;
    this.#start = 0;
    this.#end = there;
  }
}
