/**
 * What was written for clients and not taken by them, of all connections together. It is bounded, since each connection may hold some, there are many, and a client
 * that reads nothing costs its owner nothing. Beyond the bound no more is read from a backend for a client that has something left of before, and
 * connections go whose clients take nothing: those of clients that have many sooner than others, and where it is twice as much, all.
 */
import type { ClientHolder } from '../exchange.ts';
import { SLOW_FOR } from './relief.ts';

/** Milliseconds for which a client may take nothing where it is twice as much, where it has many connections or requests, and else. */
const [SHORT, LONG, LONGEST] = [1_000, 5_000, 15_000];
/** Connections or requests of a client with more of which it has many. */
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
    if (!this.isTooMuch || silent < this.#patienceWith(holder)) return false;
    if (holder) {
      holder.slowUntil = performance.now() + SLOW_FOR;
      holder.wasServed = false;
    }
    return true;
  }

  #patienceWith(holder: ClientHolder | undefined): number {
    if (this.#octets >= 2 * this.#most) return SHORT;
    return holder && Math.max(holder.places, holder.underWay) > OF_ONE ? LONG : LONGEST;
  }
}

/** The part of one connection or stream in it. */
export class UnsentOf {
  readonly #all: Unsent;
  readonly #to: { readonly writableLength: number };
  readonly #clock: { readonly now: number };
  #octets = 0;
  /** When its client took something last, as far as was seen, or there was nothing to take. */
  takenAt: number;

  constructor(all: Unsent, to: { readonly writableLength: number }, clock: { readonly now: number }) {
    this.#all = all;
    this.#to = to;
    this.#clock = clock;
    this.takenAt = clock.now;
  }

  /** After something was written, or may have been taken: what is left. */
  note(): number {
    const octets = this.#to.writableLength;
    if (octets < this.#octets || this.#octets === 0) this.takenAt = this.#clock.now;
    if (octets !== this.#octets) {
      this.#all.change(octets - this.#octets);
      this.#octets = octets;
    }
    return octets;
  }

  /** What was left when that was noted last. */
  get octets(): number {
    return this.#octets;
  }

  /** Whether the client has to take what is left before more is read for it. */
  isBehind(): boolean {
    return this.note() > 0 && this.#all.isTooMuch;
  }

  /** Whether its connection goes, as of what was noted last. */
  isToGo(holder: ClientHolder | undefined): boolean {
    return this.#octets > 0 && this.#all.isToGo(this.#clock.now - this.takenAt, holder);
  }

  /** It is closed, or no longer written to from here. */
  end(): void {
    this.#all.change(-this.#octets);
    this.#octets = 0;
  }
}
