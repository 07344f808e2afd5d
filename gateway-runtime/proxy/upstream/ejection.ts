/**
 * Passive outlier ejection: an endpoint that fails one request after the other gets none for a while, and for longer each time. It is
 * never more than half of the endpoints of a backend, so that a backend which fails as a whole goes on being asked, and the others are
 * not given more than twice what they had.
 */
import type { UpstreamFailure } from '../exchange.ts';
import type { UpstreamEndpoint } from './upstream-endpoint.ts';

/** Failures in a row. */
export const FAILURES = 5;
/** Milliseconds of the first ejection; each that follows takes twice as long as the one before, up to the longest. */
export const FIRST = 10_000;
export const LONGEST = 300_000;
/** Milliseconds for which an endpoint has to do well for its next ejection to be a first one again. */
export const FORGIVEN = 300_000;

/** A status that says that something before the application failed; 500 is the application's own. */
export function isGatewayFailure(status: number): boolean {
  return status >= 502 && status <= 504;
}

const FAULTS: ReadonlySet<UpstreamFailure> = new Set([
  'connect',
  'tls-handshake',
  'tls-untrusted',
  'tls-name',
  'reset',
  'malformed',
]);

/**
 * Whether a request that got no answer counts against its endpoint. What a client or this gateway gave up does not, nor does a time
 * that a rule sets: `isImpatient`. Else one rule could take the endpoints of a Service from all others.
 */
export function isEndpointFault(failure: UpstreamFailure, isImpatient: boolean): boolean {
  if (failure === 'timeout' || failure === 'connect-timeout') return !isImpatient;
  return FAULTS.has(failure);
}

/** How many of so many endpoints may be ejected at once. */
export function mostEjected(endpoints: number): number {
  return Math.floor(endpoints / 2);
}

/** @param now in milliseconds, as `performance.now()` has it */
export function eject(endpoint: UpstreamEndpoint, now: number): void {
  const isForgiven = now - endpoint.ejectedUntil >= FORGIVEN;
  endpoint.ejections = isForgiven ? 1 : endpoint.ejections + 1;
  endpoint.ejectedUntil = now + Math.min(LONGEST, FIRST * 2 ** (endpoint.ejections - 1));
  endpoint.isEjected = true;
}

export function readmit(endpoint: UpstreamEndpoint): void {
  endpoint.isEjected = false;
  endpoint.failures = 0;
}
