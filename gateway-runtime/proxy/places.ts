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
import { OF_ONE } from './allowance.ts';
import type { ClientHolder } from './exchange.ts';

/** Who serves a connection. */
export interface PlacedClient {
  /** Milliseconds for which it has waited for a request, or with one that stands back behind those of others; undefined where there is any other. */
  idleFor(): number | undefined;
  /** Milliseconds for which there has been a request that waits for its own client; undefined where it is the client who waits, or for less than `grace`. Default: as long as it takes to tell. */
  heldUpFor?(grace?: number): number | undefined;
}

/** One client, as far as its address tells. */
export interface Holder extends ClientHolder {
  /** Its address, as `networkOf` has it. */
  readonly network: string;
  places: number;
  /** Those that were looked at last are last. */
  readonly held: Set<Place>;
}

class Client implements Holder {
  readonly network: string;
  slowUntil: number;
  places = 0;
  underWay = 0;
  readonly held = new Set<Place>();
  readonly #onServed: (gone: Holder) => void;
  #wasServed: boolean;

  constructor(network: string, slowUntil: number, wasServed: boolean, onServed: (gone: Holder) => void) {
    this.network = network;
    this.slowUntil = slowUntil;
    this.#wasServed = wasServed;
    this.#onServed = onServed;
  }

  get wasServed(): boolean {
    return this.#wasServed;
  }

  /** What it was served may be known only once its connection has closed, as of a tunnel. */
  set wasServed(value: boolean) {
    if (value === this.#wasServed) return;
    this.#wasServed = value;
    if (value && this.places === 0) this.#onServed(this);
  }
}

export class Place {
  readonly holder: Holder;
  readonly socket: Socket;
  /** As of `performance.now()`. */
  readonly since = performance.now();
  /** Undefined: in its handshake. */
  client: PlacedClient | undefined;

  constructor(holder: Holder, socket: Socket) {
    this.holder = holder;
    this.socket = socket;
  }

  idleFor(): number | undefined {
    return this.client ? this.client.idleFor() : performance.now() - this.since;
  }
}

/** Connections that are looked at for one that is new, twice; and how many of them can go before no more are looked at. */
const [LOOKED_AT, COMPARED] = [32, 8];
/** Milliseconds in which a client that was served before most probably asks for something on a new connection. */
const ABOUT_TO_ASK = 500;
/** Clients without a connection of which it is known that they are slow, and as many of which it is known that they were served. */
const MOST_KNOWN = 16_384;

export class Places {
  readonly #most: number;
  /** How many are kept free, where something can go for it. */
  readonly #reserve: number;
  readonly #forServed: number;
  readonly #places = new Map<Socket, Place>();
  /** Those that were looked at last are last. */
  readonly #holders = new Map<string, Holder>();
  /** Those that hold nothing, and for how long they are slow all the same. Those that left last are last. */
  readonly #slow = new Map<string, number>();
  /** Those that hold nothing, are not slow and were served before. Those that left last are last. */
  readonly #served = new Set<string>();
  /**
   * By how many they hold; the last of these sets is never empty. Those below it may be: they are no more than the connections of whoever holds most, each
   * of which costs a hundred times as much, and they go with those.
   */
  readonly #byCount: Set<Holder>[] = [];

  /** @param forServed how many of them are for clients that were served before, fewer than a 64th */
  constructor(most: number, forServed = 0) {
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
    const network = networkOf(socket.remoteAddress ?? '');
    let holder = this.#holders.get(network);
    if (!holder) {
      const slowUntil = this.#slow.get(network) ?? 0;
      this.#slow.delete(network);
      const wasServed = this.#served.delete(network);
      holder = new Client(network, slowUntil, wasServed, this.#onServed);
      this.#holders.set(network, holder);
    }
    const place = new Place(holder, socket);
    this.#places.set(socket, place);
    holder.held.add(place);
    this.#count(holder, 1);
    socket.on('close', () => this.leave(place));
    return place;
  }

  /** It counts no more, though its socket may be open. */
  leave(place: Place): void {
    const { holder } = place;
    this.#leave(place);
    if (holder.places === 0 && this.#holders.get(holder.network) === holder) {
      this.#holders.delete(holder.network);
      this.#remember(holder);
    }
  }

  /** A client whose last connection had closed by then. */
  readonly #onServed = (gone: Holder): void => {
    const again = this.#holders.get(gone.network);
    if (again) again.wasServed = true;
    else this.#remember(gone);
  };

  #remember({ network, slowUntil, wasServed }: Holder): void {
    const isSlow = slowUntil > performance.now();
    if (!isSlow && !wasServed) return;
    const known = isSlow ? this.#slow : this.#served;
    if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!);
    if (isSlow) this.#slow.set(network, slowUntil);
    else this.#served.add(network);
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
    const network = networkOf(address);
    const { places, wasServed } = this.#holders.get(network) ?? {
      places: 0,
      wasServed: this.#served.has(network),
    };
    return this.#close(this.#goingFor({ places: places + 1, wasServed }));
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
    if (!search.found || search.found.holder.places < this.#most >> 3) search.lookAt(this.#oneOfEach());
    search.lookAgain();
    for (const place of search.looked) {
      place.holder.held.delete(place);
      place.holder.held.add(place);
    }
    for (const { holder } of search.looked.slice(ofMost)) {
      this.#holders.delete(holder.network);
      this.#holders.set(holder.network, holder);
    }
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

  /** Of every client. */
  *#oneOfEach(): Generator<Place> {
    for (const { held } of this.#holders.values()) {
      const [first] = held;
      if (first) yield first;
    }
  }
}

type Newcomer = Pick<Holder, 'places' | 'wasServed'>;

/** For the connection that is to go for one of this client; not one that has only just come, of who has fewer. */
class Search {
  readonly looked: Place[] = [];
  found: Place | undefined;
  readonly #isFavoured: boolean;
  readonly #newcomer: Place | undefined;
  #most: number;

  constructor(holder: Newcomer | undefined, isFavoured: boolean, newcomer: Place | undefined) {
    this.#isFavoured = isFavoured;
    this.#newcomer = newcomer;
    // Of an address with many there may be as many clients: they give way for some milliseconds, and no longer.
    this.#most = Math.max(0, Math.min(holder?.places ?? 0, OF_ONE) - 1);
  }

  /** At those that are idle. */
  lookAt(places: Iterable<Place>): void {
    const until = this.looked.length + LOOKED_AT;
    const now = performance.now();
    let compared = 0;
    for (const place of places) {
      if (place === this.#newcomer) continue;
      this.looked.push(place);
      if (!isAboutToAsk(place, now) && this.#compare(place, place.idleFor())) compared++;
      if (compared === COMPARED || this.looked.length === until) return;
    }
  }

  /** Where none of those is idle: at requests that are held up. To end one lets in another, which costs more than what is idle. */
  lookAgain(): void {
    if (this.found) return;
    for (const place of this.looked) this.#compare(place, place.client?.heldUpFor?.());
    if (this.found || !this.#isFavoured) return;
    for (const place of this.looked) {
      if (!place.holder.wasServed) this.#compare(place, place.client?.heldUpFor?.(0));
    }
    if (this.found) return;
    for (const place of this.looked) this.#compare(place, place.idleFor());
  }

  /** Whether it can go. */
  #compare(place: Place, time: number | undefined): boolean {
    if (time === undefined) return false;
    const weight = weightOf(place, time);
    if (weight > this.#most) [this.found, this.#most] = [place, weight];
    return true;
  }
}

/** One that has only just come to wait counts, too. */
const weightOf = ({ holder }: Place, time: number): number => (time + 1) * holder.places;

const isAboutToAsk = ({ holder, since }: Place, now: number): boolean =>
  holder.wasServed && holder.places <= OF_ONE && now - since < ABOUT_TO_ASK;

/** By which a socket of TLS finds the place of the one that it is on. */
export const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/** An IPv4 address, or the first 64 bits of one of IPv6, all of which one client may have. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4).join(':');
}
