/**
 * Requests that wait for the same place, in the order in which they are let through: those that are whole before those with a body, which may be
 * long in coming and have every eighth turn; among each of them clients take turns, and of one client the first comes first. So neither
 * many requests of one client nor any number of slow bodies holds up the others.
 */
import type { ClientConnection, ClientHolder } from '../exchange.ts';

/** What waits, as far as turns go. */
export interface Turn {
  readonly connection: Pick<ClientConnection, 'holder'>;
  /** Its client may take its time with the rest of it. Default: no. */
  readonly hasBody?: boolean;
}

/** While both wait, one with a body has a turn after so many that are whole. */
const IN_A_ROW = 7;

/** Where a connection does not say whose it is. */
const NOBODY: ClientHolder = { places: 0, underWay: 0 };

/** Requests of one client, with what goes with each. */
type Line<T, V> = Map<T, V>;

class Group<T extends Turn, V> {
  /** In the order of their turns. */
  readonly lines = new Map<ClientHolder, Line<T, V>>();
  size = 0;

  first(below: number): T | undefined {
    for (const line of this.lines.values()) {
      const [exchange] = line.keys();
      if (underWayOf(exchange!) < below) return exchange;
    }
    return undefined;
  }
}

export class Turns<T extends Turn, V> {
  readonly #whole = new Group<T, V>();
  readonly #withBody = new Group<T, V>();
  /** Whole requests since one with a body had its turn. */
  #inARow = 0;

  get size(): number {
    return this.#whole.size + this.#withBody.size;
  }

  /** Requests that are whole. */
  get whole(): number {
    return this.#whole.size;
  }

  /** Clients that wait; one that waits with bodies and without is two. */
  get clients(): number {
    return this.#whole.lines.size + this.#withBody.lines.size;
  }

  /** How many are let through until it is the turn of one that has come now, itself among them, if it is the first of its client. */
  before(exchange: T): number {
    if (exchange.hasBody === true || this.#withBody.size === 0) return this.clients;
    const whole = this.#whole.lines.size;
    return whole + Math.min(this.#withBody.lines.size, Math.ceil(whole / IN_A_ROW));
  }

  get(exchange: T): V | undefined {
    return this.#groupOf(exchange).lines.get(clientOf(exchange))?.get(exchange);
  }

  /** Whether no other of its client waited in its group. */
  add(exchange: T, value: V): boolean {
    const group = this.#groupOf(exchange);
    const client = clientOf(exchange);
    group.size++;
    const line = group.lines.get(client);
    if (line) line.set(exchange, value);
    else group.lines.set(client, new Map([[exchange, value]]));
    return !line;
  }

  /** The one whose turn it is, of those that count as having less than so much under way (`underWayOf`). */
  first(below = Number.POSITIVE_INFINITY): T | undefined {
    const isWhole = this.#withBody.size === 0 || (this.#whole.size > 0 && this.#inARow < IN_A_ROW);
    const [first, second] = isWhole ? [this.#whole, this.#withBody] : [this.#withBody, this.#whole];
    return first.first(below) ?? second.first(below);
  }

  /** It had its turn: those of other clients are before its client's next. */
  passed(exchange: T): void {
    this.#inARow = exchange.hasBody ? 0 : this.#inARow + 1;
    this.delete(exchange);
    const { lines } = this.#groupOf(exchange);
    const client = clientOf(exchange);
    const line = lines.get(client);
    if (!line) return;
    lines.delete(client);
    lines.set(client, line);
  }

  delete(exchange: T): void {
    const group = this.#groupOf(exchange);
    const client = clientOf(exchange);
    const line = group.lines.get(client);
    if (!line?.delete(exchange)) return;
    group.size--;
    if (line.size === 0) group.lines.delete(client);
  }

  /**
   * Where there is no room for all, the one that goes for a newcomer: the last of the client that has most in the larger group; none where that
   * would be the newcomer itself.
   */
  displacedBy(newcomer: T): T | undefined {
    const own = this.#groupOf(newcomer);
    const other = newcomer.hasBody ? this.#whole : this.#withBody;
    const group = other.size > own.size ? other : own;
    let longest: Line<T, V> | undefined;
    for (const line of group.lines.values()) if (line.size > (longest?.size ?? 0)) longest = line;
    const mine = group === own ? (own.lines.get(clientOf(newcomer))?.size ?? 0) + 1 : 0;
    return longest && longest.size > mine ? [...longest.keys()].at(-1) : undefined;
  }

  #groupOf(exchange: T): Group<T, V> {
    return exchange.hasBody === true ? this.#withBody : this.#whole;
  }
}

/** What one with a body counts as having under way, whoever sends it: it may stay for long, and nobody knows yet. */
const MANY = 2 ** 30;

/** How many its client has at endpoints, as far as it matters to who may have the room that is left. */
export const underWayOf = ({ connection: { holder }, hasBody }: Turn): number =>
  hasBody === true ? MANY : (holder?.underWay ?? 0);

const clientOf = ({ connection }: Turn): ClientHolder => connection.holder ?? NOBODY;
