/**
 * How much of large bodies is carried in one turn of the event loop: who has more waits for another turn, so that a small request waits for
 * little of them, however many there are. To stop a read and begin it again costs a system call, about two for a megabyte.
 */

export interface Carrier {
  /** Its turn has come: it may read on. */
  readOn(): void;
}

/** Octets: about half a millisecond's work. */
const IN_A_TURN = 512 * 1024;
/** Octets of one read, at most. */
const READ = 64 * 1024;
/** Octets of one read, below which it is not counted. */
const LARGE = 16 * 1024;

export class Bulk {
  #left = IN_A_TURN;
  #isTurn = false;
  #waiting: Carrier[] = [];
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** So many octets of a body were read. False: no more is to be read until `readOn`. */
  carried(octets: number, carrier: Carrier): boolean {
    if (octets < LARGE) return true;
    if (!this.#isTurn) {
      this.#isTurn = true;
      setImmediate(this.#nextTurn);
    }
    this.#left -= octets;
    if (this.#left > 0) return true;
    this.#waiting.push(carrier);
    return false;
  }

  readonly #nextTurn = (): void => {
    this.#left = IN_A_TURN;
    const going = this.#waiting.splice(0, IN_A_TURN / READ);
    this.#isTurn = this.#waiting.length > 0;
    if (this.#isTurn) setImmediate(this.#nextTurn);
    for (const carrier of going) {
      try {
        carrier.readOn();
      } catch (error) {
        this.#onError(error);
      }
    }
  };
}
