/**
 * What was written for clients and not taken by them, of all connections together. It is bounded, since each connection may hold some, there are many, and a client
 * that reads nothing costs its owner nothing. Beyond the bound no more is read from a backend for a client that has anything left to take, and
 * connections go whose clients take nothing: first of clients that have many, and all of them where it is twice as much.
 */
import type { ClientHolder } from '../exchange.ts';
import { SLOW_FOR } from './relief.ts';

/** Milliseconds for which a client may take nothing then: one with many connections, or any where it is twice as much; and any other one. */
const [PATIENCE, MORE_PATIENCE] = [500, 5_000];
/** Connections of a client with more of which it has many. */
const OF_ONE = 8;

export class Unsent {
  readonly #most: number;
  #octets = 0;

  /** @param most octets */
  constructor(most: number) {
    this.#most = most;
  }

  get octets(): number {
    return this.#octets;
  }

  get isTooMuch(): boolean {
    return this.#octets > this.#most;
  }

  change(by: number): void {
    this.#octets += by;
  }

  /** Whether a connection goes whose client has taken nothing for so many milliseconds. Its client counts as slow then. */
  isToGo(silent: number, holder: ClientHolder | undefined): boolean {
    if (!this.isTooMuch || silent < PATIENCE) return false;
    const hasMany = holder !== undefined && holder.places > OF_ONE;
    if (!hasMany && this.#octets < 2 * this.#most && silent < MORE_PATIENCE) return false;
    if (holder) {
      holder.slowUntil = performance.now() + SLOW_FOR;
      holder.wasServed = false;
    }
    return true;
  }
}

/** The part of one connection or stream in it. */
export class UnsentOf {
  readonly #all: Unsent;
  readonly #to: { readonly writableLength: number };
  #octets = 0;

  constructor(all: Unsent, to: { readonly writableLength: number }) {
    this.#all = all;
    this.#to = to;
  }

  /** After something was written, or taken: what is left. */
  note(): number {
    const octets = this.#to.writableLength;
    if (octets !== this.#octets) {
      this.#all.change(octets - this.#octets);
      this.#octets = octets;
    }
    return octets;
  }

  /** The same: whether the client has to take it before more is written. */
  isBehind(): boolean {
    return this.note() > 0 && this.#all.isTooMuch;
  }

  /** It is closed, or no longer written to from here. */
  end(): void {
    this.#all.change(-this.#octets);
    this.#octets = 0;
  }
}
