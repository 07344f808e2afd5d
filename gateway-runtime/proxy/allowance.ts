/**
 * How much of what an endpoint may have under way a request may use, by what is known of its client. Seven eighths are for all. A sixteenth more is for
 * requests without a body of clients that have little under way, and the last sixteenth for those among them that have taken an answer before. So
 * whoever holds up its own requests, or has a great many, leaves room for the others; and thousands that nobody knows yet leave some for those who are known.
 */
import type { ClientConnection, ClientHolder } from './exchange.ts';

export const ALL = 0;
export const NEARLY_ALL = 1;
export const COMMON = 2;
/** A larger one is a smaller part. */
export type Allowance = typeof ALL | typeof NEARLY_ALL | typeof COMMON;

/** What waits, or is about to be sent, as far as its place goes. */
export interface Turn {
  readonly connection: Pick<ClientConnection, 'holder'>;
  /** Its client may take its time with the rest of it. Default: no. */
  readonly hasBody?: boolean;
}

/** By how many bits so many places are shifted for what each allowance leaves free: a sixteenth, an eighth. */
const KEPT_FROM = [0, 4, 3] as const;

/** How many places of so many there are with an allowance. */
export const placesWith = (most: number, allowance: Allowance): number =>
  allowance === ALL ? most : most - (most >> KEPT_FROM[allowance]);

/** With as many requests under way a client has no part in what is kept. */
const fewOf = (most: number): number => most >> KEPT_FROM[COMMON];

/** @param most what an endpoint may have under way */
export function allowanceOf(turn: Turn, most: number): Allowance {
  if (turn.hasBody === true || isSlow(turn)) return COMMON;
  const { holder } = turn.connection;
  // Where a connection does not say whose it is, as much is known as there will ever be.
  if (holder === undefined) return ALL;
  if (holder.underWay >= fewOf(most)) return COMMON;
  return holder.wasServed ? ALL : NEARLY_ALL;
}

/** Connections or requests of an address with more of which it has many, and may be that of a load balancer, behind which not all are slow. */
export const OF_ONE = 8;

/** Milliseconds for which a client counts as slow after it held up what others need. */
const SLOW_FOR = 60_000;

/** It held up what others need: it is slow for a while, and no longer known for having been served. */
export function becomeSlow(holder: ClientHolder | undefined): void {
  if (!holder) return;
  holder.slowUntil = performance.now() + SLOW_FOR;
  holder.wasServed = false;
}

/** Whether its client held up a request a short while ago. */
export function isSlow({ connection: { holder } }: Turn): boolean {
  if (holder === undefined || holder.slowUntil === 0) return false;
  if (performance.now() < holder.slowUntil) return true;
  holder.slowUntil = 0;
  return false;
}
