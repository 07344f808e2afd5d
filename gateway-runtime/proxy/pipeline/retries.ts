/**
 * When a request is sent again because its rule says so (HTTPRouteRetry, GEP-1731).
 *
 * A status that the rule lists is the backend's own word, and the author of the route has decided what it means: it is tried again whatever the
 * method. Of a connection that broke, or an answer that did not come, nobody knows what the backend did before: only idempotent
 * methods (RFC 9110 section 9.2.2) are tried again, and others where nothing of the request was sent. A body of more than 64 KiB is
 * never sent twice.
 */
import type { RuleRetry } from '../../snapshot/snapshot.ts';
import type { Repeatable, UpstreamFailure } from '../exchange.ts';
import { isIdempotent } from '../idempotent.ts';

/** Octets of a body that are kept to be sent again. */
export const KEPT_BODY = 64 * 1024;
/** The longest time between attempts, in times of the shortest. */
const LONGEST = 10;
/** Jitter comes in few steps, so that deadlines have few durations. */
const STEPS = 4;

const CONNECTION_ERRORS: ReadonlySet<UpstreamFailure> = new Set([
  'connect',
  'connect-timeout',
  'tls-handshake',
  'tls-untrusted',
  'tls-name',
  'reset',
  'timeout',
]);

export class CompiledRetry {
  readonly attempts: number;
  readonly #codes: ReadonlySet<number>;
  readonly #backoff: number;

  constructor({ codes, attempts, backoff }: RuleRetry) {
    this.attempts = attempts;
    this.#codes = new Set(codes);
    this.#backoff = backoff;
  }

  onStatus(status: number): boolean {
    return this.#codes.has(status);
  }

  onFailure(failure: UpstreamFailure, repeatable: Repeatable, method: string): boolean {
    const isUntouched = repeatable === 'always' || repeatable === 'unprocessed';
    return CONNECTION_ERRORS.has(failure) && (isUntouched || isIdempotent(method));
  }

  /**
   * Milliseconds until the next attempt: doubled with each, up to a tenfold, and up to half of the shortest more, so that requests that
   * failed together do not come back together. Never less than the rule says.
   *
   * @param retries so far
   * @param draw from 0 up to 1
   */
  delay(retries: number, draw: number): number {
    const exponential = Math.min(this.#backoff * 2 ** retries, this.#backoff * LONGEST);
    return Math.max(1, exponential + (this.#backoff / 2) * (Math.floor(draw * STEPS) / STEPS));
  }
}
