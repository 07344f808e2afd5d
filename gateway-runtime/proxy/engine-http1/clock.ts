/**
 * The time, read a few times a second, and who wants to know when some of it is over: no timer is made per request or connection. Time for
 * which this process did nothing is left out: what came meanwhile is not read yet, so nobody was silent.
 */
import { guardedBy } from '../guard.ts';

export interface Timed {
  /** Called once in every round. */
  check(now: number): void;
  /** What `check` threw: it ends. */
  fail(error: unknown): void;
}

/**
 * Milliseconds within which each is looked at once, and so how late a deadline may be noticed; some two seconds where the times of five thousand
 * connections are over at once.
 */
const ROUND = 250;
/** A round is in so many parts, one after the other. */
const PARTS = 8;
/**
 * Milliseconds at one go, and until it goes on: those who came together are next to one another, and their times are over together. What their ends
 * make the other sides do comes back as finely spread.
 */
const SPAN = 0.25;
const PAUSE = 3;

export class Clock {
  /** Milliseconds from some point on. */
  now = 0;
  /** IMF-fixdate (RFC 9110 section 5.6.7), of this second. */
  date = new Date().toUTCString();
  readonly #timed = new Set<Timed>();
  readonly #timer: NodeJS.Timeout;
  readonly #tick: number;
  #last = performance.now();
  /** Those that are still to be looked at in this round. */
  #left: Iterator<Timed>;
  /** How many of them in a part, and in what is left of this one; and parts that have begun. */
  #inPart = 0;
  #leftInPart = 0;
  #part = PARTS;
  #goesOn: NodeJS.Timeout | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #onPause: () => void;

  /**
   * `shortest`: of the times that are looked after; rounds come at least four times as often. `onError` is told of what is thrown that is about none of
   * those.
   */
  constructor(shortest: number, onError: (error: unknown) => void) {
    this.#left = this.#timed.values();
    this.#tick = Math.max(5, Math.min(ROUND, shortest / 4) / PARTS);
    this.#onError = onError;
    const guard = guardedBy(onError);
    this.#onPause = guard(() => this.#check());
    const onTick = guard(() => this.#advance());
    this.#timer = setInterval(onTick, this.#tick);
    this.#timer.unref();
  }

  #advance(): void {
    const last = this.#last;
    this.#last = performance.now();
    this.now += Math.min(this.#last - last, 2 * PARTS * this.#tick);
    this.date = new Date().toUTCString();
    if (this.#leftInPart > 0) return;
    if (this.#part === PARTS) {
      this.#left = this.#timed.values();
      this.#inPart = Math.ceil(this.#timed.size / PARTS);
      this.#part = 0;
    }
    this.#part++;
    this.#leftInPart = this.#inPart;
    this.#check();
  }

  #check(): void {
    const until = performance.now() + SPAN;
    for (; this.#leftInPart > 0; this.#leftInPart--) {
      if (performance.now() > until) {
        this.#goesOn = setTimeout(this.#onPause, PAUSE);
        this.#goesOn.unref();
        return;
      }
      const { done, value } = this.#left.next();
      if (done) {
        this.#leftInPart = 0;
        return;
      }
      try {
        value.check(this.now);
      } catch (error) {
        this.#end(value, error);
      }
    }
  }

  #end(timed: Timed, error: unknown): void {
    try {
      timed.fail(error);
    } catch (another) {
      this.#onError(another);
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
    clearTimeout(this.#goesOn);
  }
}
