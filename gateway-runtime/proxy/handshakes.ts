/**
 * When a handshake of TLS begins. What a server does for a ClientHello takes longer than most requests, and hundreds can come at once: it is begun
 * for one of them in a turn of the event loop, so that requests wait for one at most. Until all of a ClientHello is there, nothing is. Clients take turns
 * (`handshake-turns.ts`), and where too many wait, one of whom most wait for is turned away.
 */
import type { Socket } from 'node:net';
import { guardedBy } from './guard.ts';
import { HandshakeTurns } from './handshake-turns.ts';
import { type Deadline, Deadlines } from './pipeline/deadlines.ts';
import type { Holder } from './places/place.ts';

/** Connections that wait for their turn: about half a second. */
export const MOST_WAITING = 1_024;

/** Of a record (RFC 8446 section 5.1): its header, and the type of one with handshake messages. */
const [RECORD_HEADER, HANDSHAKE] = [5, 22];
/** Octets that are kept of one that waits: a ClientHello, and what a client says at once to a backend that knows it (RFC 8446 section 2.3). */
export const MOST_OCTETS = 2 ** 16 + 2 ** 14;

/** A connection that was accepted, before anything of it was read. */
export interface Arrival {
  readonly socket: Socket;
  readonly holder: Holder;
  /** Called once, with the ClientHello to be read from the socket; never where the socket is closed by then. */
  readonly begin: () => void;
}

export interface HandshakesOptions {
  /** Milliseconds until one that has not begun is closed. */
  readonly time: number;
  /** It was closed: no ClientHello came, or too much. */
  readonly onRefused: (arrival: Arrival) => void;
  /** It was closed: too many came at once. */
  readonly onTurnedAway: () => void;
  readonly onError: (error: unknown) => void;
}

export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #deadlines: Deadlines<Coming>;
  readonly #onTurn: () => void;
  readonly #waiting = new HandshakeTurns<Coming>();
  /** One has begun in this turn. */
  #hasBegun = false;

  constructor(options: HandshakesOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines((coming) => coming.refuse(), options.onError);
    this.#onTurn = guardedBy(options.onError)(() => this.#turn());
  }

  admit(arrival: Arrival): void {
    const coming = new Coming(arrival, this.#options, this.#onHello);
    coming.deadline = this.#deadlines.set(coming, this.#options.time);
  }

  readonly #onHello = (coming: Coming): void => {
    if (!this.#hasBegun) {
      this.#begin(coming);
      return;
    }
    this.#waiting.add(coming.arrival.holder, coming);
    if (this.#waiting.size > MOST_WAITING && this.#waiting.last()?.close()) this.#options.onTurnedAway();
  };

  #begin(coming: Coming): void {
    this.#hasBegun = true;
    setImmediate(this.#onTurn);
    coming.begin();
  }

  #turn(): void {
    this.#hasBegun = false;
    for (let next = this.#waiting.next(); next; next = this.#waiting.next()) {
      if (next.isOver) continue;
      this.#begin(next);
      return;
    }
  }
}

/** A connection until its handshake begins. */
class Coming {
  readonly arrival: Arrival;
  readonly #options: HandshakesOptions;
  readonly #onHello: (coming: Coming) => void;
  #read: Buffer | undefined;
  #isWhole = false;
  isOver = false;
  deadline: Deadline<Coming> | undefined;

  constructor(arrival: Arrival, options: HandshakesOptions, onHello: (coming: Coming) => void) {
    this.arrival = arrival;
    this.#options = options;
    this.#onHello = onHello;
    arrival.socket.on('readable', this.#onReadable);
    arrival.socket.on('end', this.#onGone);
    arrival.socket.on('close', this.#onGone);
  }

  begin(): void {
    const { socket, begin } = this.arrival;
    const read = this.#read;
    this.#leave();
    try {
      if (read) socket.unshift(read);
      begin();
    } catch (error) {
      socket.destroy();
      this.#options.onError(error);
    }
  }

  refuse(): void {
    if (this.close()) this.#options.onRefused(this.arrival);
  }

  /** Whether it was not over before. */
  close(): boolean {
    if (this.isOver) return false;
    this.#leave();
    this.arrival.socket.destroy();
    return true;
  }

  readonly #onGone = (): void => {
    try {
      this.refuse();
    } catch (error) {
      this.#options.onError(error);
    }
  };

  readonly #onReadable = (): void => {
    try {
      const octets = this.arrival.socket.read() as Buffer | null;
      if (octets === null) return;
      this.#read = this.#read ? Buffer.concat([this.#read, octets]) : octets;
      if (this.#read.length > MOST_OCTETS) this.refuse();
      else if (!this.#isWhole && isWhole(this.#read)) {
        this.#isWhole = true;
        this.#onHello(this);
      }
    } catch (error) {
      this.close();
      this.#options.onError(error);
    }
  };

  #leave(): void {
    this.isOver = true;
    this.#read = undefined;
    this.deadline?.cancel();
    const { socket } = this.arrival;
    socket.off('readable', this.#onReadable);
    socket.off('end', this.#onGone);
    socket.off('close', this.#onGone);
  }
}

/** All of the first record is there, or it is none with a ClientHello. */
function isWhole(octets: Buffer): boolean {
  if (octets[0] !== HANDSHAKE) return true;
  return octets.length >= RECORD_HEADER && octets.length >= RECORD_HEADER + octets.readUInt16BE(3);
}
