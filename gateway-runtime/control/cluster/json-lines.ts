/** Splits a stream of JSON texts, one a line, as the API server writes watches. */

/** No object is larger: etcd takes 1.5 MiB, and its JSON is at most a few times that. */
const LONGEST_LINE = 32 * 1024 * 1024;

export class JsonLines {
  readonly #onValue: (value: unknown) => void;
  #parts: string[] = [];
  #length = 0;

  constructor(onValue: (value: unknown) => void) {
    this.#onValue = onValue;
  }

  /** Throws where a line is no JSON or longer than any object. */
  push(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#keep(text.slice(start, end));
      const line = this.#parts.join('');
      this.#parts = [];
      this.#length = 0;
      if (line !== '') this.#onValue(JSON.parse(line));
      start = end + 1;
    }
    if (start < text.length) this.#keep(text.slice(start));
  }

  #keep(part: string): void {
    this.#length += part.length;
    if (this.#length > LONGEST_LINE) throw new Error('found a line longer than any object');
    this.#parts.push(part);
  }
}
