/** When an object may be written again. Times are milliseconds of one clock. */

/** Between two writes of one object, so that a Gateway to which a thousand routes attach is written a few times. */
const FIRST_GAP = 100;
const LONGEST_GAP = 1_500;
/** After this long without a write an object is written at once again. */
const QUIET = 5_000;
/** Before a state is written again that somebody else altered: nobody wins a fight. */
const FIRST_REPAIR = 1_000;
const LONGEST_REPAIR = 300_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 30_000;

export class Pace {
  #lastWrite = Number.NEGATIVE_INFINITY;
  #gap = 0;
  #repairs = 0;
  #failures = 0;
  /** Not before then, after a failure. */
  #notBefore = Number.NEGATIVE_INFINITY;

  /** How long to wait with a write that is needed now; `repair` where the same state was written already. */
  wait(now: number, repair: boolean): number {
    if (!repair || now - this.#lastWrite > 2 * LONGEST_REPAIR) this.#repairs = 0;
    const repairs = repair ? Math.min(LONGEST_REPAIR, FIRST_REPAIR * 2 ** Math.min(this.#repairs++, 30)) : 0;
    return Math.max(0, repairs, this.#lastWrite + this.#gap - now, this.#notBefore - now);
  }

  wrote(now: number): void {
    const isQuiet = now - this.#lastWrite > QUIET;
    this.#gap = isQuiet ? FIRST_GAP : Math.min(LONGEST_GAP, this.#gap * 2);
    this.#lastWrite = now;
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }

  failed(now: number): void {
    const wait = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.min(this.#failures++, 30));
    this.#notBefore = now + wait * (0.5 + Math.random() / 2);
  }
}
