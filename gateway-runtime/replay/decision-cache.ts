/** Answers for requests that are alike, bounded: of those that were not asked for lately, half are forgotten at a time. */

const MOST = 8_000;
/** Characters; longer ones are rarely asked for again. */
const LONGEST_KEY = 1_024;

export class DecisionCache<T> {
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  get(key: string): T | undefined {
    const found = this.#recent.get(key);
    if (found !== undefined) return found;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: T): void {
    if (key.length > LONGEST_KEY) return;
    if (this.#recent.size >= MOST) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}
