/**
 * Handshakes of TLS that wait for their turn: first those of clients with few connections that have taken an answer before, then those of all others, and
 * last those of clients that held up a request of theirs a short while ago. After three turns of one rank those behind it have one; among those of one
 * rank clients take turns, and of one client the first comes first. So who comes again is not behind thousands that nobody knows, and
 * one answer is no licence for a client to stand before them with as many.
 */
import { OF_ONE } from './allowance.ts';
import type { ClientHolder } from './exchange.ts';

const [KNOWN, UNKNOWN, SLOW] = [0, 1, 2];
/** While one of a lower rank waits, it has a turn after so many. */
const IN_A_ROW = 3;

class Rank<T> {
  /** Whose turn it is next is first. */
  readonly lines = new Map<ClientHolder, T[]>();
  /** Turns since one of a lower rank had one. */
  inARow = 0;
}

export class HandshakeTurns<T> {
  readonly #ranks: readonly Rank<T>[] = [KNOWN, UNKNOWN, SLOW].map(() => new Rank<T>());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(client: ClientHolder, waiting: T): void {
    const { lines } = this.#ranks[rankOf(client)]!;
    const line = lines.get(client);
    if (line) line.push(waiting);
    else lines.set(client, [waiting]);
    this.#size++;
  }

  /** The one whose turn it is; it waits no more. */
  next(): T | undefined {
    const due = this.#ranks.findIndex(
      ({ lines, inARow }, rank) =>
        lines.size > 0 &&
        !(inARow >= IN_A_ROW && this.#ranks.some((each, i) => i > rank && each.lines.size > 0)),
    );
    const rank = this.#ranks[due];
    if (!rank) return undefined;
    for (let higher = 0; higher < due; higher++) this.#ranks[higher]!.inARow = 0;
    rank.inARow++;
    const [client, line] = rank.lines.entries().next().value!;
    rank.lines.delete(client);
    if (line.length > 1) rank.lines.set(client, line);
    this.#size--;
    return line.shift();
  }

  /** The last of the client that has most, and of clients that have as much of one of the lowest rank: for it there is no room. It waits no more. */
  last(): T | undefined {
    let most:
      | { readonly lines: Map<ClientHolder, T[]>; readonly client: ClientHolder; readonly line: T[] }
      | undefined;
    for (const { lines } of this.#ranks) {
      for (const [client, line] of lines) {
        if (line.length >= (most?.line.length ?? 1)) most = { lines, client, line };
      }
    }
    if (!most) return undefined;
    const { lines, client, line } = most;
    if (line.length === 1) lines.delete(client);
    this.#size--;
    return line.pop();
  }
}

const rankOf = ({ slowUntil, wasServed, places }: ClientHolder): number => {
  if (slowUntil > performance.now()) return SLOW;
  return wasServed && places <= OF_ONE ? KNOWN : UNKNOWN;
};
