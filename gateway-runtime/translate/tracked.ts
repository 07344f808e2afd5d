/** A map that knows what has changed in it since it was last asked. */
import { same } from './same.ts';

export class Tracked<V> {
  readonly #values = new Map<string, V>();
  /** What stood there when it was last asked, for the keys that were touched since. */
  readonly #before = new Map<string, V | undefined>();

  get values(): ReadonlyMap<string, V> {
    return this.#values;
  }

  /** Sets a value, or removes it with undefined. */
  set(key: string, value: V | undefined): void {
    const current = this.#values.get(key);
    if (same(current, value)) return;
    if (!this.#before.has(key)) this.#before.set(key, current);
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
  }

  /** The keys whose values are others than when this was last called, with the new ones; undefined stands for removed. */
  take(): Map<string, V | undefined> {
    const changed = new Map<string, V | undefined>();
    for (const [key, before] of this.#before) {
      const now = this.#values.get(key);
      if (!same(before, now)) changed.set(key, now);
    }
    this.#before.clear();
    return changed;
  }
}
