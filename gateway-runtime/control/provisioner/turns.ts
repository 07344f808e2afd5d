/** Whose turn it is: each one at a time, a few of them at once, and once more where something changed meanwhile. */

export class Turns<T extends object> {
  readonly #take: (each: T) => Promise<void>;
  readonly #most: number;
  readonly #waiting = new Set<T>();
  readonly #running = new Set<T>();
  /** Of those that wait for a time. */
  readonly #timers = new Map<T, NodeJS.Timeout>();

  /** `take` must not reject. */
  constructor(most: number, take: (each: T) => Promise<void>) {
    this.#most = most;
    this.#take = take;
  }

  /** What is asked for more than once in a turn of the event loop is one turn. */
  queue(each: T): void {
    this.cancel(each);
    this.#waiting.add(each);
    setImmediate(() => this.#pump());
  }

  /** After some milliseconds, if not before. */
  later(each: T, milliseconds: number): void {
    if (this.#waiting.has(each)) return;
    this.cancel(each);
    const timer = setTimeout(() => this.queue(each), milliseconds);
    timer.unref();
    this.#timers.set(each, timer);
  }

  cancel(each: T): void {
    clearTimeout(this.#timers.get(each));
    this.#timers.delete(each);
    this.#waiting.delete(each);
  }

  /** What runs comes to its end. */
  clear(): void {
    for (const each of [...this.#timers.keys(), ...this.#waiting]) this.cancel(each);
  }

  #pump(): void {
    for (const each of this.#waiting) {
      if (this.#running.size >= this.#most) return;
      if (this.#running.has(each)) continue;
      this.#waiting.delete(each);
      this.#running.add(each);
      void this.#take(each).finally(() => {
        this.#running.delete(each);
        this.#pump();
      });
    }
  }
}
