/**
 * Room at endpoints, from requests that are held up by their own clients: for more of a body that comes too slowly, or for the client to
 * read. All requests are looked through at most a few times in a second, however many ask for room; and few are given up at once, each of
 * which lets in another and sees its client come again, so that a small request waits for little of that. Its client counts as slow for a while.
 */
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Http1Exchange } from './exchange.ts';

/** Milliseconds for which what was found is good. */
const GOOD_FOR = 50;

/** Milliseconds for which a client counts as slow after a request of its was given up. */
const SLOW_FOR = 60_000;

/** Requests of a backend that are given up at once, and milliseconds until the next ones are. */
export const AT_ONCE = 2;
export const PAUSE = 1;

interface Found {
  readonly exchange: Http1Exchange;
  /** Connections of its client. */
  readonly places: number;
  readonly wasServed: boolean;
  /** Milliseconds for which it has been under way. */
  readonly time: number;
}

/** Those to be given up first are last: of clients that hold as many, those that nobody knows are before those that were served. */
const inOrder = (a: Found, b: Found): number =>
  a.places - b.places || Number(b.wasServed) - Number(a.wasServed) || a.time - b.time;

interface Wanted {
  count: number;
  connections: number;
}

export class Relief {
  readonly #eachExchange: (visit: (exchange: Http1Exchange) => void) => void;
  /** Those to be given up first are last. */
  readonly #found = new Map<BackendKey, Found[]>();
  #isGood = false;
  /** What is still to be given up. */
  readonly #owed = new Map<BackendKey, Wanted>();

  constructor(eachExchange: (visit: (exchange: Http1Exchange) => void) => void) {
    this.#eachExchange = eachExchange;
  }

  /** Gives up so many of a backend, first those of clients that hold most connections, of these those of clients that were not served before, and of these the ones that have been at it longest; none of clients with no more than so many. */
  give(backend: BackendKey, count: number, connections: number): void {
    const owed = this.#owed.get(backend);
    if (owed) {
      // Who asks again asks for the same.
      owed.count = Math.max(owed.count, count);
      owed.connections = Math.min(owed.connections, connections);
      return;
    }
    const left = this.#giveUp(backend, Math.min(count, AT_ONCE), connections);
    if (left > 0 || count <= AT_ONCE) return;
    if (this.#owed.size === 0) setTimeout(this.#next, PAUSE);
    this.#owed.set(backend, { count: count - AT_ONCE, connections });
  }

  readonly #next = (): void => {
    const owed = [...this.#owed];
    this.#owed.clear();
    for (const [backend, { count, connections }] of owed) this.give(backend, count, connections);
  };

  /** How many there were too few. */
  #giveUp(backend: BackendKey, count: number, connections: number): number {
    const now = performance.now();
    if (!this.#isGood) this.#look(now);
    const found = this.#found.get(backend);
    let left = count;
    while (left > 0) {
      const next = found?.at(-1);
      if (!found || !next || next.places <= connections) return left;
      found.pop();
      if (next.exchange.heldUpFor(backend, now) === undefined) continue;
      const { holder } = next.exchange.connection;
      if (holder) {
        holder.slowUntil = now + SLOW_FOR;
        holder.wasServed = false;
      }
      next.exchange.giveUp();
      left--;
    }
    return 0;
  }

  /** What is over is not kept from the heap's collector. */
  readonly #forget = (): void => {
    this.#isGood = false;
    this.#found.clear();
  };

  #look(now: number): void {
    this.#isGood = true;
    setTimeout(this.#forget, GOOD_FOR).unref();
    this.#eachExchange((exchange) => {
      const { backend } = exchange.outcome;
      const time = backend === undefined ? undefined : exchange.heldUpFor(backend, now);
      if (time === undefined) return;
      const { places = 0, wasServed = false } = exchange.connection.holder ?? {};
      const each = { exchange, places, wasServed, time };
      const found = this.#found.get(backend!);
      if (found) found.push(each);
      else this.#found.set(backend!, [each]);
    });
    for (const found of this.#found.values()) found.sort(inOrder);
  }
}
