/** Objects whose turn comes after a while, the same for all. */
import { type ObjectRef, refKey } from '../api/object.ts';

export class Held {
  readonly #wait: number;
  readonly #onDue: (ref: ObjectRef) => void;
  /** In the order of their turns. */
  readonly #due = new Map<string, { readonly ref: ObjectRef; readonly at: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param wait milliseconds */
  constructor(wait: number, onDue: (ref: ObjectRef) => void) {
    this.#wait = wait;
    this.#onDue = onDue;
  }

  /** One that is there already keeps its turn. */
  add(ref: ObjectRef): void {
    const key = refKey(ref);
    if (this.#due.has(key)) return;
    this.#due.set(key, { ref, at: performance.now() + this.#wait });
    if (!this.#timer) this.#start(this.#wait);
  }

  delete(key: string): void {
    this.#due.delete(key);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  #start(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const now = performance.now();
      for (const [key, { ref, at }] of this.#due) {
        if (at > now) {
          this.#start(at - now);
          return;
        }
        this.#due.delete(key);
        this.#onDue(ref);
      }
    }, Math.ceil(wait));
    this.#timer.unref();
  }
}
