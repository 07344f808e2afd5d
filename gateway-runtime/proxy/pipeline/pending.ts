/** Requests that wait for room at the endpoints of a backend, bounded in number and time; clients take turns (`turns.ts`). */
import type { BackendKey } from '../../snapshot/snapshot.ts';
import { ALL, type Allowance, COMMON, isSlow, NEARLY_ALL, OF_ONE, type Turn } from '../allowance.ts';
import type { Exchange } from '../exchange.ts';
import { guardedBy } from '../guard.ts';
import type { Limits } from '../limits.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import { Turns } from './turns.ts';

/** What waits: a request, or a connection. */
interface Waiting extends Turn {
  readonly outcome: { readonly backend: BackendKey | undefined; isPending?: boolean };
}

/** Of requests of one backend. */
export interface Bounds {
  readonly most: number;
  /** Milliseconds. */
  readonly time: number;
}

/** Of those of clients that are slow, and of all others: neither takes room from the other. */
export interface PendingBounds {
  readonly bounds: Bounds;
  readonly slowBounds: Bounds;
}

export const pendingBounds = (limits: Limits): PendingBounds => ({
  bounds: { most: limits.pendingPerBackend, time: limits.pendingTime },
  slowBounds: { most: limits.slowPendingPerBackend, time: limits.slowPendingTime },
});

export interface PendingOptions<E extends Waiting> extends PendingBounds {
  /** Which part of the room there is it may have now. */
  readonly allowance: (exchange: E) => Allowance;
  /**
   * There may be room for the one whose turn it is, with such an allowance: sends it after it has told `passed`, or says that there was none. It
   * ends what it can't send.
   */
  readonly send: (backend: BackendKey, exchange: E, allowance: Allowance) => boolean;
  /** Room is wanted at the backend, for so many, at the cost of clients with more than so many connections. */
  readonly onWaiting: (backend: BackendKey, count: number, connections: number) => void;
  /** It has waited for too long, or another has its place. */
  readonly onLate: (exchange: E) => void;
  /** Told of what is thrown that is about none of those that wait. */
  readonly onError: (error: unknown) => void;
}

/** Milliseconds between times that room is asked for again. */
const REMINDER = 100;
/**
 * For so many slow clients room is asked for at such a time, and at no other: what is given up for them is most often another one of them, which comes
 * again, so to do it at once would be nothing but work.
 */
const SLOW_AT_ONCE = 8;

export class Pending<E extends Waiting = Exchange> {
  readonly #options: PendingOptions<E>;
  readonly #byBackend = new Map<BackendKey, Turns<E, Deadline<E>>>();
  readonly #deadlines: Deadlines<E>;
  /** Backends where there may be room. */
  readonly #due = new Set<BackendKey>();
  #reminder: NodeJS.Timeout | undefined;
  readonly #onReminder: () => void;
  readonly #onTurn: () => void;

  constructor(options: PendingOptions<E>) {
    this.#options = options;
    this.#deadlines = new Deadlines((exchange) => {
      this.remove(exchange);
      options.onLate(exchange);
    }, options.onError);
    const guard = guardedBy(options.onError);
    this.#onReminder = guard(() => this.#remind());
    this.#onTurn = guard(() => this.#sendDue());
  }

  /** Whether any waits for a backend behind whom one stands that comes now, with such an allowance: for the same room. */
  has(backend: BackendKey, allowance: Allowance = COMMON): boolean {
    if (this.#byBackend.size === 0) return false;
    return this.#byBackend.get(backend)?.first(allowance) !== undefined;
  }

  /** False where there are as many as may be. */
  add(backend: BackendKey, exchange: E): boolean {
    let waiting = this.#byBackend.get(backend);
    const { most, time } = isSlow(exchange) ? this.#options.slowBounds : this.#options.bounds;
    if ((waiting?.besides(exchange) ?? 0) >= most) {
      const displaced = waiting?.displacedBy(exchange);
      if (!displaced) return false;
      this.remove(displaced);
      this.#options.onLate(displaced);
      waiting = this.#byBackend.get(backend);
    }
    if (!waiting) {
      waiting = new Turns(this.#options.allowance);
      this.#byBackend.set(backend, waiting);
    }
    exchange.outcome.isPending = true;
    const isFirst = waiting.add(exchange, this.#deadlines.set(exchange, time));
    this.#reminder ??= setTimeout(this.#onReminder, REMINDER).unref();
    const connections = exchange.connection.holder?.places ?? 0;
    if (isSlow(exchange) && connections <= OF_ONE) return true;
    // Clients take turns: the room that is made for one more goes to those before it, so there has to be some for each.
    if (isFirst) this.#options.onWaiting(backend, waiting.before(exchange), 0);
    // Further ones of a client ask for no room from one another.
    else if (!exchange.hasBody) this.#options.onWaiting(backend, 1, connections);
    return true;
  }

  #remind(): void {
    this.#reminder = undefined;
    if (this.#byBackend.size === 0) return;
    this.#reminder = setTimeout(this.#onReminder, REMINDER).unref();
    for (const [backend, { clients, slowClients }] of [...this.#byBackend]) {
      try {
        this.#options.onWaiting(backend, clients + Math.min(slowClients, SLOW_AT_ONCE), 0);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }

  /** It waits no longer, if it did. */
  remove(exchange: E): void {
    this.#take(exchange, false);
  }

  /** It waits no longer, since it is its turn. */
  passed(exchange: E): void {
    this.#take(exchange, true);
  }

  #take(exchange: E, isTurn: boolean): void {
    if (this.#byBackend.size === 0) return;
    const backend = exchange.outcome.backend!;
    const waiting = this.#byBackend.get(backend);
    const deadline = waiting?.get(exchange);
    if (!waiting || !deadline) return;
    deadline.cancel();
    exchange.outcome.isPending = false;
    // The room that it has was made for another.
    const isForAnother = isTurn && waiting.hasWholeBefore(exchange);
    if (isTurn) waiting.passed(exchange);
    else waiting.delete(exchange);
    if (isForAnother) this.#options.onWaiting(backend, 1, 0);
    if (waiting.size === 0) this.#byBackend.delete(backend);
  }

  /** A request has left an endpoint of the backend. What waits is sent when the one that left has put everything in order. */
  roomAt(backend: BackendKey): void {
    if (!this.has(backend)) return;
    if (this.#due.size === 0) setImmediate(this.#onTurn);
    this.#due.add(backend);
  }

  #sendDue(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const backend of due) {
      try {
        this.#sendAt(backend);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }

  #sendAt(backend: BackendKey): void {
    let withSlow = true;
    // Where there is none with so small an allowance, there may be with a larger one.
    for (let allowance: Allowance = COMMON; ; ) {
      const waiting = this.#byBackend.get(backend);
      const first: E | undefined = waiting?.first(allowance, withSlow);
      if (!waiting || !first) break;
      // Else those before it would have all that comes free for as long as there are any.
      const isTurn: boolean = allowance === COMMON && waiting.isGivenWay(first);
      const own: Allowance = isTurn ? ALL : this.#options.allowance(first);
      if (this.#options.send(backend, first, own)) continue;
      if (own === ALL) break;
      if (withSlow) withSlow = false;
      else allowance = own === COMMON ? NEARLY_ALL : ALL;
    }
  }
}
