/**
 * Requests that wait for the same place, in the order in which they are let through: first those of clients that have taken an answer before, then those
 * of clients that nobody knows yet, and last those of clients that held up a request of theirs a short while ago; of each of these three, those that are whole
 * before those with a body, which may be long in coming. After seven turns of one rank those behind it have one; among those of one rank clients take turns, and of one client the first comes first. So neither many
 * requests of one client nor any number of slow ones hold up the others.
 */
import { ALL, type Allowance, COMMON, isSlow, type Turn } from '../allowance.ts';
import type { ClientHolder } from '../exchange.ts';

/** How many ranks there are: the second of each two is for those with a body. */
const RANKS = 6;
const KNOWN = 0;
const UNKNOWN = 2;
/** And all behind it. */
const SLOW = 4;
/** Those in which requests may have more than a common allowance. */
const WHOLE = [KNOWN, UNKNOWN];

/** While one of a lower rank waits, it has a turn after so many. */
const IN_A_ROW = 7;

/** Where a connection does not say whose it is. */
const NOBODY: ClientHolder = { places: 0, underWay: 0, slowUntil: 0, wasServed: true };

/** Requests of one client, with what goes with each. */
type Line<T, V> = Map<T, V>;

class Group<T extends Turn, V> {
  /** In the order of their turns. */
  readonly lines = new Map<ClientHolder, Line<T, V>>();
  size = 0;
  /** Turns since one of a lower rank had one. */
  inARow = 0;

  /** The first of those for whom that holds. */
  first(isMeant: (exchange: T) => boolean): T | undefined {
    for (const line of this.lines.values()) {
      const [exchange] = line.keys();
      if (isMeant(exchange!)) return exchange;
    }
    return undefined;
  }
}

export class Turns<T extends Turn, V> {
  readonly #groups: readonly Group<T, V>[] = Array.from({ length: RANKS }, () => new Group<T, V>());
  readonly #allowance: (turn: T) => Allowance;

  constructor(allowance: (turn: T) => Allowance) {
    this.#allowance = allowance;
  }

  get size(): number {
    return this.#groups.reduce((sum, { size }) => sum + size, 0);
  }

  /** Whether any request waits that is whole, of a client that is not slow, and of a higher rank. */
  hasWholeBefore(exchange: T): boolean {
    const rank = this.#rankOf(exchange);
    return WHOLE.some((whole) => whole < rank && this.#groups[whole]!.size > 0);
  }

  /** Clients that wait and are not slow; one that waits with bodies and without is two. */
  get clients(): number {
    return sumOfLines(this.#groups.slice(0, SLOW));
  }

  /** Clients that wait and are, counted in the same way. */
  get slowClients(): number {
    return sumOfLines(this.#groups.slice(SLOW));
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

  /**
   * The one whose turn it is, of those that may have what is there with such an allowance. Without slow clients it is the one that has its turn where those
   * have no room: nobody waits for one that can't be let through.
   */
  first(allowance: Allowance = COMMON, withSlow = true): T | undefined {
    if (allowance !== COMMON) return this.#firstOfWhole(allowance);
    const groups = withSlow ? this.#groups : this.#groups.slice(0, SLOW);
    const due = groups.findIndex(({ size, inARow }, rank) => {
      const mustGiveWay = inARow >= IN_A_ROW && groups.some((group, lower) => lower > rank && group.size > 0);
      return size > 0 && !mustGiveWay;
    });
    return groups[due]?.first(() => true);
  }

  /** Of what is kept: the first that may have it, of the highest rank. Clients that have come to be known while they waited have no more of it. */
  #firstOfWhole(allowance: Allowance): T | undefined {
    const isMeant = (exchange: T) => this.#allowance(exchange) <= allowance;
    const known = this.#groups[KNOWN]!.first(isMeant);
    return known || allowance === ALL ? known : this.#groups[UNKNOWN]!.first(isMeant);
  }

  /** Whether some of a higher rank wait: where it is its turn, they have given way to it. Never to those of slow clients, who may hold what they get. */
  isGivenWay(exchange: T): boolean {
    const rank = this.#rankOf(exchange);
    return rank < SLOW && this.#groups.some(({ size }, higher) => higher < rank && size > 0);
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

  /** How many wait of slow clients for a newcomer of such a one, and of all others for any other. */
  besides(newcomer: T): number {
    return this.#beside(rankOf(newcomer)).reduce((sum, { size }) => sum + size, 0);
  }

  #beside(rank: number): readonly Group<T, V>[] {
    return rank >= SLOW ? this.#groups.slice(SLOW) : this.#groups.slice(0, SLOW);
  }

  /**
   * Where there is no room for all, the one of those beside it that goes for a newcomer: of the largest group, and of groups that are as large of that of its
   * own rank, the last of the client that has most, and of clients that have as much the last one. None where the newcomer's client has as much already, and
   * the others do not stand behind it.
   */
  displacedBy(newcomer: T): T | undefined {
    const rank = rankOf(newcomer);
    const own = this.#groups[rank]!;
    const group = this.#beside(rank).reduce((most, each) => (each.size > most.size ? each : most), own);
    const isBehind = this.#groups.indexOf(group) > rank;
    if (!isBehind && group.size === group.lines.size) return undefined;
    let longest: Line<T, V> | undefined;
    for (const line of group.lines.values()) if (line.size >= (longest?.size ?? 1)) longest = line;
    const mine = isBehind ? 0 : (own.lines.get(clientOf(newcomer))?.size ?? 0) + 1;
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

const rankOf = (turn: Turn): number =>
  (isSlow(turn) ? SLOW : clientOf(turn).wasServed ? KNOWN : UNKNOWN) + (turn.hasBody === true ? 1 : 0);

const clientOf = ({ connection }: Turn): ClientHolder => connection.holder ?? NOBODY;
