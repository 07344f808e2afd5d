/**
 * How much may be tried again at a backend: one in five requests, and ten a second beside. A backend that is down is not brought lower
 * by the requests that it fails.
 */
export class RetryBudget {
  static readonly PER_REQUEST = 0.2;
  static readonly PER_SECOND = 10;
  static readonly MOST = 100;
  #left = RetryBudget.MOST;
  #since: number;

  /** @param now in milliseconds, as in all calls */
  constructor(now: number) {
    this.#since = now;
  }

  /** A request comes that may be tried again. */
  earn(): void {
    this.#left = Math.min(RetryBudget.MOST, this.#left + RetryBudget.PER_REQUEST);
  }

  /** Whether there was enough left. */
  spend(now: number): boolean {
    const earned = ((now - this.#since) / 1000) * RetryBudget.PER_SECOND;
    this.#since = now;
    this.#left = Math.min(RetryBudget.MOST, this.#left + earned);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
