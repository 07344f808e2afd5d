/**
 * The time, read a few times a second, and who wants to know when some of it is over: no timer is made per request or connection. Time for
 * which this process did nothing is left out: what came meanwhile is not read yet, so nobody was silent.
 */

export interface Timed {
  /** Called at every tick. */
  check(now: number): void;
}

/** Milliseconds between ticks, and so how late a deadline may be noticed. */
const TICK = 250;

export class Clock {
  /** Milliseconds from some point on. */
  now = 0;
  /** IMF-fixdate (RFC 9110 section 5.6.7), of this second. */
  date = new Date().toUTCString();
  readonly #timed = new Set<Timed>();
  readonly #timer: NodeJS.Timeout;
  readonly #tick: number;
  #last = performance.now();

  /** `shortest`: of the times that are looked after; ticks come at least four times as often. */
  constructor(shortest: number, onError: (error: unknown) => void) {
    this.#tick = Math.max(5, Math.min(TICK, shortest / 4));
    this.#timer = setInterval(() => this.#advance(onError), this.#tick);
    this.#timer.unref();
  }

  #advance(onError: (error: unknown) => void): void {
    const last = this.#last;
    this.#last = performance.now();
    this.now += Math.min(this.#last - last, 2 * this.#tick);
    this.date = new Date().toUTCString();
    for (const each of this.#timed) {
      try {
        each.check(this.now);
      } catch (error) {
        onError(error);
      }
    }
  }

  /** How many are looked after. */
  get size(): number {
    return this.#timed.size;
  }

  add(timed: Timed): void {
    this.#timed.add(timed);
  }

  delete(timed: Timed): void {
    this.#timed.delete(timed);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
