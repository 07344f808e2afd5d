/**
 * What was written for clients and not taken by them, of all connections together. It is bounded, since each connection may hold some, there are many, and a client
 * that reads nothing costs its owner nothing. Beyond the bound no more is read from a backend for a client until that has taken everything, and
 * connections go whose clients take nothing: those of clients that have many sooner than others, and where it is three times as much, all.
 */
import { becomeSlow, OF_ONE } from '../allowance.ts';
import type { ClientHolder } from '../exchange.ts';
import { guardedBy } from '../guard.ts';

/** Milliseconds for which a client may take nothing where there is far too much, where it has many connections or requests, and else. */
const [SHORT, LONG, LONGEST] = [1_000, 5_000, 15_000];
/** Octets in a millisecond of a client that is slow, and takes something all the time: a socket tells only when all of a write was taken. */
const SLOWEST = 16;
/** Milliseconds until it is looked again whether a client has taken everything. */
const AGAIN = 10;

export class Unsent {
  readonly #most: number;
  #octets = 0;
  /** For whom no more is read until they have taken everything. */
  readonly #behind = new Set<UnsentOf>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #onTimer: () => void;

  /** @param most octets */
  constructor(most: number, onError: (error: unknown) => void) {
    this.#most = most;
    this.#onError = onError;
    this.#onTimer = guardedBy(onError)(() => this.#look());
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

  wait(one: UnsentOf): void {
    this.#behind.add(one);
    this.#timer ??= setTimeout(this.#onTimer, AGAIN).unref();
  }

  leave(one: UnsentOf): void {
    this.#behind.delete(one);
  }

  #look(): void {
    this.#timer = undefined;
    for (const one of this.#behind) {
      try {
        if (one.note() > 0) continue;
        this.#behind.delete(one);
        one.onTaken();
      } catch (error) {
        this.#behind.delete(one);
        this.#onError(error);
      }
    }
    if (this.#behind.size > 0) this.#timer ??= setTimeout(this.#onTimer, AGAIN).unref();
  }

  /** Whether a connection goes whose client has taken nothing of so many octets for so many milliseconds. Its client counts as slow then. */
  isToGo(octets: number, silent: number, holder: ClientHolder | undefined): boolean {
    if (!this.isTooMuch || silent < this.#patience(octets, holder)) return false;
    becomeSlow(holder);
    return true;
  }

  #patience(octets: number, holder: ClientHolder | undefined): number {
    const hasMany = holder !== undefined && Math.max(holder.places, holder.underWay) > OF_ONE;
    if (this.#octets >= (hasMany ? 2 : 3) * this.#most) return SHORT;
    if (this.#octets >= 2 * this.#most) return SHORT + octets / SLOWEST;
    return (hasMany ? LONG : LONGEST) + octets / SLOWEST;
  }
}

interface Written {
  readonly writableLength: number;
}

/** The part of one connection or stream in it. */
export class UnsentOf {
  readonly #all: Unsent;
  readonly #to: Written;
  readonly #clock: { readonly now: number };
  readonly onTaken: () => void;
  #octets = 0;
  /** When there was nothing to take last. */
  #emptyAt: number;
  /** When its client took something last, as far as was seen. */
  takenAt = Number.NEGATIVE_INFINITY;

  /** @param onTaken called once a client that was behind has taken everything; it ends what it can't go on with */
  constructor(all: Unsent, to: Written, clock: { readonly now: number }, onTaken: () => void) {
    this.#all = all;
    this.#to = to;
    this.#clock = clock;
    this.onTaken = onTaken;
    this.#emptyAt = clock.now;
  }

  /** After something was written, or may have been taken: what is left. */
  note(): number {
    const octets = this.#to.writableLength;
    if (this.#octets === 0) this.#emptyAt = this.#clock.now;
    else if (octets < this.#octets) this.takenAt = this.#clock.now;
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

  /** After something was written: whether no more is to be read for the client until `onTaken`. */
  isBehind(): boolean {
    if (this.note() === 0 || !this.#all.isTooMuch) return false;
    this.#all.wait(this);
    return true;
  }

  /** Whether its connection goes, as of what was noted last. */
  isToGo(holder: ClientHolder | undefined): boolean {
    if (this.#octets === 0) return false;
    const silent = this.#clock.now - Math.max(this.takenAt, this.#emptyAt);
    return this.#all.isToGo(this.#octets, silent, holder);
  }

  /** It is closed, or no longer written to from here. */
  end(): void {
    this.#all.leave(this);
    this.#all.change(-this.#octets);
    this.#octets = 0;
  }
}
