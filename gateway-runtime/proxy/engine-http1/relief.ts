/**
 * Room at endpoints, from requests that are held up by their own clients: for more of a body that comes too slowly, or for the client to
 * read. Connections are looked through in parts, one after the other, and no further than until enough is found; and few requests are given up at once, each of
 * which lets in another and sees its client come again. So a small request waits for little of that, however many there are. The client of one that was given up counts as slow for a while.
 */
import type { BackendKey } from '../../snapshot/snapshot.ts';
import { becomeSlow } from '../allowance.ts';
import { guardedBy } from '../guard.ts';
import type { Http1Exchange } from './exchange.ts';

/** Milliseconds for which what was found is good, and from when all connections were begun to be looked through until they are again. */
const GOOD_FOR = 50;

/** Connections and requests that are looked at in one go: less than a tenth of a millisecond's work. */
export const AT_A_TIME = 256;

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

/** A connection, as far as its requests go. */
interface Visited {
  eachExchange(visit: (exchange: Http1Exchange) => void): void;
}

export interface ReliefOptions {
  /** All connections, which may come and go meanwhile, and how many there are. */
  readonly connections: () => Iterable<Visited>;
  readonly count: () => number;
  readonly onError: (error: unknown) => void;
}

export class Relief {
  readonly #options: ReliefOptions;
  /** Those to be given up first are last. */
  readonly #found = new Map<BackendKey, Found[]>();
  /** Where the last part ended. It holds on to what it goes through, so it is not kept for longer than a search. */
  #rest: Iterator<Visited> | undefined;
  /** How many it has gone through: the next search begins behind them. */
  #passed = 0;
  #forgetting: NodeJS.Timeout | undefined;
  #looked = 0;
  /** How many are left, until all have been looked at once. */
  #unseen = 0;
  /** When they may be looked at again. */
  #again = 0;
  /** What is still to be given up. */
  readonly #owed = new Map<BackendKey, Wanted>();
  readonly #onNext: () => void;
  readonly #onOld: () => void;

  constructor(options: ReliefOptions) {
    this.#options = options;
    const guard = guardedBy(options.onError);
    this.#onNext = guard(() => this.#next());
    this.#onOld = guard(() => this.#forget());
  }

  /**
   * Gives up so many of a backend, of those that were looked at first those of clients that hold most connections, of these those of clients that were not
   * served before, and of these the ones that have been at it longest; none of clients with no more than so many.
   */
  give(backend: BackendKey, count: number, connections: number): void {
    const owed = this.#owed.get(backend);
    if (owed) {
      // Who asks again asks for the same.
      owed.count = Math.max(owed.count, count);
      owed.connections = Math.min(owed.connections, connections);
      return;
    }
    const wanted = Math.min(count, AT_ONCE);
    const left = this.#giveUp(backend, wanted, connections);
    const isOver = left === 0 ? count === wanted : this.#unseen === 0;
    if (isOver) return;
    if (this.#owed.size === 0) setTimeout(this.#onNext, PAUSE);
    this.#owed.set(backend, { count: count - wanted + left, connections });
  }

  #next(): void {
    const owed = [...this.#owed];
    this.#owed.clear();
    for (const [backend, { count, connections }] of owed) {
      try {
        this.give(backend, count, connections);
      } catch (error) {
        // Who still waits asks again.
        this.#options.onError(error);
      }
    }
  }

  /** How many there are too few of among those that were looked at. */
  #giveUp(backend: BackendKey, count: number, connections: number): number {
    const now = performance.now();
    let left = count;
    let hasLooked = false;
    while (left > 0) {
      const next = this.#found.get(backend)?.at(-1);
      if (!next || next.places <= connections) {
        if (hasLooked || !this.#look(now)) return left;
        hasLooked = true;
        continue;
      }
      this.#found.get(backend)!.pop();
      if (next.exchange.heldUpFor(backend, now) === undefined) continue;
      becomeSlow(next.exchange.connection.holder);
      next.exchange.giveUp();
      left--;
    }
    return 0;
  }

  /** What is over is not kept from the heap's collector. */
  #forget(): void {
    this.#found.clear();
    const isSearching = this.#unseen > 0 && performance.now() - this.#looked < GOOD_FOR / 2;
    this.#forgetting = isSearching ? setTimeout(this.#onOld, GOOD_FOR).unref() : undefined;
    if (isSearching) return;
    this.#rest = undefined;
    this.#unseen = 0;
  }

  /** Looks at the next ones. False where all have been looked at a short while ago. */
  #look(now: number): boolean {
    if (this.#unseen === 0) {
      if (now < this.#again) return false;
      this.#unseen = this.#options.count();
      this.#again = now + GOOD_FOR;
    }
    this.#looked = now;
    this.#forgetting ??= setTimeout(this.#onOld, GOOD_FOR).unref();
    const touched = new Set<Found[]>();
    for (let looked = 0; this.#unseen > 0 && looked < AT_A_TIME; looked++) {
      const connection = this.#nextConnection();
      this.#unseen = connection ? this.#unseen - 1 : 0;
      connection?.eachExchange((exchange) => {
        looked++;
        this.#note(exchange, now, touched);
      });
    }
    for (const found of touched) found.sort(inOrder);
    return true;
  }

  /** The first is behind the last. Undefined where there is none. */
  #nextConnection(): Visited | undefined {
    const isNew = this.#rest === undefined;
    this.#rest ??= this.#options.connections()[Symbol.iterator]();
    if (isNew) for (let i = 0; i < this.#passed; i++) if (this.#rest.next().done) break;
    this.#passed++;
    const next = this.#rest.next();
    if (!next.done) return next.value;
    this.#passed = 1;
    this.#rest = this.#options.connections()[Symbol.iterator]();
    return this.#rest.next().value;
  }

  #note(exchange: Http1Exchange, now: number, touched: Set<Found[]>): void {
    const { backend } = exchange.outcome;
    const time = backend === undefined ? undefined : exchange.heldUpFor(backend, now);
    if (time === undefined) return;
    const { places = 0, wasServed = false } = exchange.connection.holder ?? {};
    let found = this.#found.get(backend!);
    if (!found) {
      found = [];
      this.#found.set(backend!, found);
    }
    found.push({ exchange, places, wasServed, time });
    touched.add(found);
  }
}
