/**
 * Room at endpoints, from requests that are held up by their own clients: for more of a body that comes too slowly, or for the client to
 * read. All requests are looked through at most a few times in a second, however many ask for room.
 */
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Http1Exchange } from './exchange.ts';

/** Milliseconds for which what was found is good. */
const GOOD_FOR = 50;

interface Found {
  readonly exchange: Http1Exchange;
  /** Connections of its client. */
  readonly places: number;
  /** Milliseconds for which it has been under way. */
  readonly time: number;
}

export class Relief {
  readonly #eachExchange: (visit: (exchange: Http1Exchange) => void) => void;
  /** Those to be given up first are last. */
  readonly #found = new Map<BackendKey, Found[]>();
  #isGood = false;

  constructor(eachExchange: (visit: (exchange: Http1Exchange) => void) => void) {
    this.#eachExchange = eachExchange;
  }

  /** Gives up so many of a backend, first those of clients that hold most connections, and of these the ones that have been at it longest; none of clients with no more than so many. */
  give(backend: BackendKey, count: number, connections: number): void {
    const now = performance.now();
    if (!this.#isGood) this.#look(now);
    const found = this.#found.get(backend);
    let left = count;
    while (left > 0) {
      const next = found?.at(-1);
      if (!found || !next || next.places <= connections) return;
      found.pop();
      if (next.exchange.heldUpFor(backend, now) === undefined) continue;
      next.exchange.giveUp();
      left--;
    }
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
      const each = { exchange, places: exchange.connection.holder?.places ?? 0, time };
      const found = this.#found.get(backend!);
      if (found) found.push(each);
      else this.#found.set(backend!, [each]);
    });
    for (const found of this.#found.values()) found.sort((a, b) => a.places - b.places || a.time - b.time);
  }
}
