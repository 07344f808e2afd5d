/**
 * Requests that wait for the same place, in the order in which they are let through: those that are whole before those with a body, which may be
 * long in coming, and after both, in the same order, those of clients that held up a request of theirs a short while ago. After seven turns of one
 * rank those behind it have one; among those of one rank clients take turns, and of one client the first comes first. So neither many
 * requests of one client nor any number of slow ones hold up the others.
 */
import type { ClientConnection, ClientHolder } from '../exchange.ts';

/** What waits, as far as turns go. */
export interface Turn {
  readonly connection: Pick<ClientConnection, 'holder'>;
  /** Its client may take its time with the rest of it. Default: no. */
  readonly hasBody?: boolean;
}

/** How many ranks there are: the second of each two is for those with a body. */
const RANKS = 4;
const WHOLE = 0;
/** And all behind it. */
const OF_SLOW_CLIENTS = 2;

/** While one of a lower rank waits, it has a turn after so many. */
const IN_A_ROW = 7;

/** Where a connection does not say whose it is. */
const NOBODY: ClientHolder = { places: 0, underWay: 0, slowUntil: 0 };

/** Requests of one client, with what goes with each. */
type Line<T, V> = Map<T, V>;

class Group<T extends Turn, V> {
  /** In the order of their turns. */
  readonly lines = new Map<ClientHolder, Line<T, V>>();
  size = 0;
  /** Turns since one of a lower rank had one. */
  inARow = 0;

  first(below: number): T | undefined {
    for (const line of this.lines.values()) {
      const [exchange] = line.keys();
      if (underWayOf(exchange!) < below) return exchange;
    }
    return undefined;
  }
}

export class Turns<T extends Turn, V> {
  readonly #groups: readonly Group<T, V>[] = Array.from({ length: RANKS }, () => new Group<T, V>());

  get size(): number {
    return this.#groups.reduce((sum, { size }) => sum + size, 0);
  }

  /** Requests that are whole, of clients that are not slow. */
  get whole(): number {
    return this.#groups[WHOLE]!.size;
  }

  /** Clients that wait and are not slow; one that waits with bodies and without is two. */
  get clients(): number {
    return sumOfLines(this.#groups.slice(0, OF_SLOW_CLIENTS));
  }

  /** Clients that wait and are, counted in the same way. */
  get slowClients(): number {
    return sumOfLines(this.#groups.slice(OF_SLOW_CLIENTS));
  }

  /** How many are let through until it is the turn of one that has come now, itself among them, if it is the first of its client. */
  before(exchange: T): number {
    const rank = this.#rankOf(exchange);
    const upTo = sumOfLines(this.#groups.slice(0, rank + 1));
    const below = sumOfLines(this.#groups.slice(rank + 1));
    return upTo + Math.min(below, Math.ceil(upTo / IN_A_ROW));
  }

  get(exchange: T): V | undefined {
    return this.#groupWith(exchange)?.lines.get(clientOf(exchange))?.get(exchange);
  }

  /** Whether no other of its client waited in its group. */
  add(exchange: T, value: V): boolean {
    const group = this.#groups[rankOf(exchange)]!;
    const client = clientOf(exchange);
    group.size++;
    const line = group.lines.get(client);
    if (line) line.set(exchange, value);
    else group.lines.set(client, new Map([[exchange, value]]));
    return !line;
  }

  /** The one whose turn it is, of those that count as having less than so much under way (`underWayOf`). */
  first(below = Number.POSITIVE_INFINITY): T | undefined {
    const due = this.#groups.findIndex(({ size, inARow }, rank) => {
      const mustGiveWay =
        inARow >= IN_A_ROW && this.#groups.some((group, lower) => lower > rank && group.size > 0);
      return size > 0 && !mustGiveWay;
    });
    const first = this.#groups[due]?.first(below);
    if (first) return first;
    for (const group of this.#groups) {
      const next = group.first(below);
      if (next) return next;
    }
    return undefined;
  }

  /** It had its turn: those of other clients are before its client's next. */
  passed(exchange: T): void {
    const group = this.#groupWith(exchange);
    if (!group) return;
    for (const higher of this.#groups) {
      if (higher === group) break;
      higher.inARow = 0;
    }
    group.inARow++;
    this.delete(exchange);
    const client = clientOf(exchange);
    const line = group.lines.get(client);
    if (!line) return;
    group.lines.delete(client);
    group.lines.set(client, line);
  }

  delete(exchange: T): void {
    const group = this.#groupWith(exchange);
    if (!group) return;
    const client = clientOf(exchange);
    const line = group.lines.get(client)!;
    line.delete(exchange);
    group.size--;
    if (line.size === 0) group.lines.delete(client);
  }

  /**
   * Where there is no room for all, the one that goes for a newcomer: the last of the client that has most in the largest group, and of groups that
   * are as large in that of its own rank; none where that would be the newcomer itself.
   */
  displacedBy(newcomer: T): T | undefined {
    const own = this.#groups[rankOf(newcomer)]!;
    const group = this.#groups.reduce((most, each) => (each.size > most.size ? each : most), own);
    let longest: Line<T, V> | undefined;
    for (const line of group.lines.values()) if (line.size > (longest?.size ?? 0)) longest = line;
    const mine = group === own ? (own.lines.get(clientOf(newcomer))?.size ?? 0) + 1 : 0;
    return longest && longest.size > mine ? [...longest.keys()].at(-1) : undefined;
  }

  /** As of when it came: its client may have become a slow one since, or be none any more. */
  #groupWith(exchange: T): Group<T, V> | undefined {
    const client = clientOf(exchange);
    return this.#groups.find(({ lines }) => lines.get(client)?.has(exchange));
  }

  #rankOf(exchange: T): number {
    const group = this.#groupWith(exchange);
    return group ? this.#groups.indexOf(group) : rankOf(exchange);
  }
}

const sumOfLines = (groups: readonly { readonly lines: ReadonlyMap<ClientHolder, unknown> }[]): number =>
  groups.reduce((sum, { lines }) => sum + lines.size, 0);

/** What one counts as having under way, whoever sends it, that may stay for long, and nobody knows yet. */
const MANY = 2 ** 30;

/** How many its client has at endpoints, as far as it matters to who may have the room that is left. */
export const underWayOf = (turn: Turn): number =>
  turn.hasBody === true || isSlow(turn) ? MANY : (turn.connection.holder?.underWay ?? 0);

/** Whether its client held up a request a short while ago. */
export function isSlow({ connection: { holder } }: Turn): boolean {
  if (holder === undefined || holder.slowUntil === 0) return false;
  if (performance.now() < holder.slowUntil) return true;
  holder.slowUntil = 0;
  return false;
}

const rankOf = (turn: Turn): number =>
  (isSlow(turn) ? OF_SLOW_CLIENTS : WHOLE) + (turn.hasBody === true ? 1 : 0);

const clientOf = ({ connection }: Turn): ClientHolder => connection.holder ?? NOBODY;
