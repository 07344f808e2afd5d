/** How long a client may be silent, by what its connection is at, and what becomes of the connection then. Looked at every few ticks, not per request. */
import type { Limits } from '../limits.ts';
import type { RequestReader } from './request-reader.ts';

/** Milliseconds for which the rest of a body that nobody wants is read, so that its connection can be used again. */
const DISCARD = 2_000;
/** Milliseconds after a request within which the end of what a client sends is not taken for its going away. */
export const HALF_CLOSE = 1_000;

export type SilenceVerdict =
  /** It goes on. */
  | undefined
  /** Nothing is under way: it is closed in order. */
  | 'end'
  /** A request has begun, and takes too long: 408 (RFC 9110 section 15.5.9). */
  | 'late-head'
  | 'late-body'
  /** Nobody is there for an answer. */
  | 'destroy';

/**
 * @param since when something moved on the connection, by the engine's clock
 * @param isBlocked what was written to the client waits for it to read
 * @param isHalfClosed the client sends no more, and a part of its answer was sent
 */
export function afterSilence(
  reader: RequestReader,
  since: number,
  now: number,
  isBlocked: boolean,
  isHalfClosed: boolean,
  limits: Limits,
): SilenceVerdict {
  const silent = now - since;
  const age = now - reader.began;
  const isStalled = silent > limits.clientStall;
  switch (reader.phase) {
    case 'head':
      if (reader.mustWait) return isStalled ? 'destroy' : undefined;
      if (reader.hasUnread) return age > limits.headTime ? 'late-head' : undefined;
      return silent > (reader.isFirst ? limits.headTime : limits.clientIdle) ? 'end' : undefined;
    case 'body':
      if (reader.isDiscarding) return age > DISCARD ? 'destroy' : undefined;
      if (isStalled) return 'destroy';
      return age > limits.requestTime ? 'late-body' : undefined;
    case 'answer':
      // A client that reads nothing; one that waits for a backend is for the backend's times.
      if (isBlocked) return isStalled ? 'destroy' : undefined;
      // To one that sends no more nothing was sent for a while: most probably it has gone, and only a write would tell.
      return isHalfClosed && silent > HALF_CLOSE ? 'destroy' : undefined;
    default:
      return undefined;
  }
}
