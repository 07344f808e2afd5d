/**
 * The connections of a port, by who holds them. When nearly all places are taken, those go that wait for nothing but their own client:
 * first of who holds an eighth of all or more; else for the longest time, where each of a client with many counts for as much longer. A few
 * are looked at, of who holds most and one each of others. So many connections that say nothing, or say it slowly, keep nobody out; and a new connection costs the same, however
 * many there are.
 *
 * While nobody can tell yet who holds up a request, clients that have taken an answer before come first: the last few places can be for them, a connection
 * that they have just opened stays, and for a new one of theirs a request goes that waits for a client nobody knows, however short.
 */
import type { Socket } from 'node:net';
import { type Guard, guardedBy } from '../guard.ts';
import { Clients } from './clients.ts';
import { type Holder, type Newcomer, networkOf, Place } from './place.ts';
import { Search } from './search.ts';

export class Places {
  readonly #most: number;
  /** How many are kept free, where something can go for it. */
  readonly #reserve: number;
  readonly #forServed: number;
  readonly #places = new Map<Socket, Place>();
  readonly #clients = new Clients();
  /**
   * By how many they hold; the last of these sets is never empty. Those below it may be: they are no more than the connections of whoever holds most, each
   * of which costs a hundred times as much, and they go with those.
   */
  readonly #byCount: Set<Holder>[] = [];
  readonly #guard: Guard;

  /**
   * @param forServed how many of them are for clients that were served before, fewer than a 64th
   * @param onError is told what the end of a connection throws; default: console.error
   */
  constructor(most: number, forServed = 0, onError: (error: unknown) => void = console.error) {
    this.#guard = guardedBy(onError);
    this.#most = most;
    this.#reserve = Math.max(1, most >> 6);
    this.#forServed = forServed;
  }

  get size(): number {
    return this.#places.size;
  }

  get sockets(): Iterable<Socket> {
    return this.#places.keys();
  }

  /** Until its socket closes, or it leaves. */
  take(socket: Socket): Place {
    const holder = this.#clients.take(networkOf(socket.remoteAddress ?? ''));
    const place = new Place(holder, socket);
    this.#places.set(socket, place);
    holder.held.add(place);
    this.#count(holder, 1);
    socket.on(
      'close',
      this.#guard(() => this.leave(place)),
    );
    return place;
  }

  /** It counts no more, though its socket may be open. */
  leave(place: Place): void {
    this.#leave(place);
    this.#clients.left(place.holder);
  }

  #leave({ holder, socket }: Place): void {
    const place = this.#places.get(socket);
    if (!place) return;
    this.#places.delete(socket);
    holder.held.delete(place);
    this.#count(holder, -1);
  }

  #count(holder: Holder, change: 1 | -1): void {
    const byCount = this.#byCount;
    byCount[holder.places]?.delete(holder);
    holder.places += change;
    while (byCount.length <= holder.places) byCount.push(new Set());
    if (holder.places > 0) byCount[holder.places]!.add(holder);
    while (byCount.at(-1)?.size === 0) byCount.pop();
  }

  /**
   * Where few places are left, closes a connection that waits for its client, but not the newcomer; or the newcomer, where there is none and what is left is
   * for others. Whether one was closed.
   */
  makeRoom(newcomer?: Place): boolean {
    if (this.#places.size <= this.#most - this.#reserve) return false;
    return this.#close(this.#goingFor(newcomer?.holder, newcomer) ?? this.#turnedAway(newcomer));
  }

  /** The same for a client that was turned away, for when it comes again. */
  makeRoomFor(address: string): boolean {
    return this.#close(this.#goingFor(this.#clients.newcomer(networkOf(address))));
  }

  #close(going: Place | undefined): boolean {
    if (!going) return false;
    // Its socket tells only later that it is closed.
    this.#leave(going);
    going.socket.destroy();
    return true;
  }

  #goingFor(holder: Newcomer | undefined, newcomer?: Place): Place | undefined {
    const search = new Search(holder, this.#isFavoured(holder), newcomer);
    search.lookAt(this.#ofMost());
    const ofMost = search.looked.length;
    if (!search.found || search.found.holder.places < this.#most >> 3)
      search.lookAt(this.#clients.oneOfEach());
    search.lookAgain();
    for (const place of search.looked) {
      place.holder.held.delete(place);
      place.holder.held.add(place);
    }
    for (const { holder } of search.looked.slice(ofMost)) this.#clients.wasLookedAt(holder);
    return search.found;
  }

  #turnedAway(newcomer: Place | undefined): Place | undefined {
    const hasRoom = this.#forServed === 0 || this.#places.size <= this.#most - this.#forServed;
    return hasRoom || this.#isFavoured(newcomer?.holder) ? undefined : newcomer;
  }

  /** It was served before, and has not most of what there is. */
  #isFavoured(holder: Newcomer | undefined): boolean {
    return holder?.wasServed === true && holder.places < this.#most >> 3;
  }

  /** Of clients that hold most. */
  *#ofMost(): Generator<Place> {
    for (let count = this.#byCount.length - 1; count > 0; count--) {
      for (const { held } of this.#byCount[count]!) yield* held;
    }
  }
}
