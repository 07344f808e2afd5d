/** How long to wait before the next attempt. */

export interface BackoffOptions {
  /** Milliseconds. */
  readonly first: number;
  readonly longest: number;
}

/** Doubles with each failure; half of every wait is chance, so that many clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds. */
  next(): number {
    const { first, longest } = this.#options;
    const wait = Math.min(longest, first * 2 ** Math.min(this.#failures++, 30));
    return wait * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
