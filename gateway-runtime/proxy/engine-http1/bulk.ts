/**
 * How much of large bodies is carried in one turn of the event loop: who has more waits for another turn, so that a small request waits for
 * little of them, however many there are. To stop a read and begin it again costs a system call, about two for a megabyte.
 */
import { guardedBy } from '../guard.ts';

export interface Carrier {
  /** Its turn has come: it may read on. False where there is nothing to read any more. */
  readOn(): boolean;
  /** What `readOn` threw: it ends. */
  fail(error: unknown): void;
}

interface Waiting {
  readonly carrier: Carrier;
  /** Of its last read. */
  readonly octets: number;
}

/** Octets of one read, at most. */
const READ = 64 * 1024;
/** Octets: half a millisecond's work, or two where packets are as small as Ethernet's. */
const IN_A_TURN = 8 * READ;
/** The same in a turn after one in which a connection came. */
const WITH_NEWCOMERS = READ;
/** Octets that one which has waited is taken to read: more may have come meanwhile than before. */
const AT_LEAST = READ / 4;
/** What a read costs beside its octets, in octets. */
const EACH = 8 * 1024;

export class Bulk {
  #left = IN_A_TURN;
  #isTurn = false;
  #hasNewcomer = false;
  #waiting: Waiting[] = [];
  readonly #onError: (error: unknown) => void;
  readonly #onTurn: () => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
    this.#onTurn = guardedBy(onError)(() => this.#turn());
  }

  /** So many octets of a body were read. False: no more is to be read until `readOn`. */
  carried(octets: number, carrier: Carrier): boolean {
    if (!this.#isTurn) {
      this.#isTurn = true;
      setImmediate(this.#onTurn);
    }
    this.#left -= octets + EACH;
    if (this.#left > 0) return true;
    this.#waiting.push({ carrier, octets });
    return false;
  }

  /** Its client takes more, and so it would read on now. False: not until `readOn`. */
  goesOn(carrier: Carrier): boolean {
    return this.carried(READ, carrier);
  }

  /** A connection came. Behind it there may be more, of which the event loop takes one in a turn: while any come, turns are short. */
  makeWay(): void {
    this.#hasNewcomer = true;
  }

  #turn(): void {
    this.#left = this.#hasNewcomer ? WITH_NEWCOMERS : IN_A_TURN;
    this.#hasNewcomer = false;
    // What they read is counted as it is read.
    let left = this.#left;
    let going = 0;
    for (; going < this.#waiting.length && left > 0; going++) {
      const { carrier, octets } = this.#waiting[going]!;
      try {
        if (carrier.readOn()) left -= Math.max(octets, AT_LEAST) + EACH;
      } catch (error) {
        this.#end(carrier, error);
      }
    }
    this.#waiting.splice(0, going);
    this.#isTurn = this.#waiting.length > 0;
    if (this.#isTurn) setImmediate(this.#onTurn);
  }

  #end(carrier: Carrier, error: unknown): void {
    try {
      carrier.fail(error);
    } catch (another) {
      this.#onError(another);
    }
  }
}
