/** Requests that wait for room at the endpoints of a backend: bounded in number and time, first come, first served. */
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Exchange } from '../exchange.ts';
import { type Deadline, Deadlines } from './deadlines.ts';

/** What waits: a request, or a connection. */
interface Waiting {
  readonly outcome: { readonly backend: BackendKey | undefined };
}

export interface PendingOptions<E extends Waiting> {
  /** Of one backend. */
  readonly most: number;
  /** Milliseconds. */
  readonly time: number;
  /** There may be room for the first of a backend: removes it and sends it, or says that there was none. */
  readonly send: (backend: BackendKey, exchange: E) => boolean;
  /** So many more wait for the backend: told of each, and of all every 100 ms. */
  readonly onWaiting: (backend: BackendKey, count: number) => void;
  /** It has waited for too long. */
  readonly onLate: (exchange: E) => void;
  readonly onError: (error: unknown) => void;
}

/** Milliseconds between times that waiting is told of. */
const REMINDER = 100;

export class Pending<E extends Waiting = Exchange> {
  readonly #options: PendingOptions<E>;
  /** In the order in which they came. */
  readonly #byBackend = new Map<BackendKey, Map<E, Deadline<E>>>();
  readonly #deadlines: Deadlines<E>;
  /** Backends where there may be room. */
  readonly #due = new Set<BackendKey>();
  #reminder: NodeJS.Timeout | undefined;

  constructor(options: PendingOptions<E>) {
    this.#options = options;
    this.#deadlines = new Deadlines((exchange) => {
      this.remove(exchange);
      options.onLate(exchange);
    }, options.onError);
  }

  /** Whether any waits for a backend: who comes later stands behind it. */
  has(backend: BackendKey): boolean {
    return this.#byBackend.size > 0 && this.#byBackend.has(backend);
  }

  /** False where there are as many as may be. */
  add(backend: BackendKey, exchange: E): boolean {
    let waiting = this.#byBackend.get(backend);
    if ((waiting?.size ?? 0) >= this.#options.most) return false;
    if (!waiting) {
      waiting = new Map();
      this.#byBackend.set(backend, waiting);
    }
    waiting.set(exchange, this.#deadlines.set(exchange, this.#options.time));
    this.#reminder ??= setTimeout(this.#remind, REMINDER).unref();
    this.#options.onWaiting(backend, 1);
    return true;
  }

  readonly #remind = (): void => {
    this.#reminder = undefined;
    if (this.#byBackend.size === 0) return;
    this.#reminder = setTimeout(this.#remind, REMINDER).unref();
    for (const [backend, { size }] of [...this.#byBackend]) this.#options.onWaiting(backend, size);
  };

  /** It waits no longer, if it did. */
  remove(exchange: E): void {
    if (this.#byBackend.size === 0) return;
    const backend = exchange.outcome.backend!;
    const waiting = this.#byBackend.get(backend);
    const deadline = waiting?.get(exchange);
    if (!waiting || !deadline) return;
    deadline.cancel();
    waiting.delete(exchange);
    if (waiting.size === 0) this.#byBackend.delete(backend);
  }

  /** A request has left an endpoint of the backend. What waits is sent when the one that left has put everything in order. */
  roomAt(backend: BackendKey): void {
    if (!this.has(backend)) return;
    if (this.#due.size === 0) setImmediate(this.#onRoom);
    this.#due.add(backend);
  }

  readonly #onRoom = (): void => {
    const due = [...this.#due];
    this.#due.clear();
    for (const backend of due) {
      let first: E | undefined;
      do [first] = this.#byBackend.get(backend)?.keys() ?? [];
      while (first && this.#options.send(backend, first));
    }
  };
}
