/**
 * The connections of a listener port, by who holds them. When nearly all places are taken, those go that wait for nothing but a request:
 * first of the clients that hold most, and of these the ones that have waited longest. So many connections that say nothing, or say it
 * slowly, keep nobody out.
 */
import type { Socket } from 'node:net';

/** Who serves a connection. */
export interface PlacedClient {
  /** Milliseconds for which there has been no whole request; undefined where one is served, or its answer is not sent. */
  idleFor(): number | undefined;
}

/** One client, as far as its address tells. */
export interface Holder {
  places: number;
}

export class Place {
  readonly holder: Holder;
  readonly socket: Socket;
  readonly #since = performance.now();
  /** Undefined: in its handshake. */
  client: PlacedClient | undefined;

  constructor(holder: Holder, socket: Socket) {
    this.holder = holder;
    this.socket = socket;
  }

  idleFor(): number | undefined {
    return this.client ? this.client.idleFor() : performance.now() - this.#since;
  }
}

/** Milliseconds until they are looked through again where none could go. */
const PAUSE = 100;

export class Places {
  readonly #most: number;
  /** How many are kept free, and how many go at once, so that few connections have all looked through. */
  readonly #reserve: number;
  readonly #places = new Map<Socket, Place>();
  readonly #holders = new Map<string, Holder>();
  #notBefore = 0;

  constructor(most: number) {
    this.#most = most;
    this.#reserve = Math.max(1, most >> 6);
  }

  get size(): number {
    return this.#places.size;
  }

  get sockets(): Iterable<Socket> {
    return this.#places.keys();
  }

  /** Until its socket closes. */
  take(socket: Socket): Place {
    const network = networkOf(socket.remoteAddress ?? '');
    let holder = this.#holders.get(network);
    if (!holder) {
      holder = { places: 0 };
      this.#holders.set(network, holder);
    }
    const place = new Place(holder, socket);
    holder.places++;
    this.#places.set(socket, place);
    socket.on('close', () => {
      this.#places.delete(socket);
      if (--holder.places === 0) this.#holders.delete(network);
    });
    return place;
  }

  /** Where few places are left, closes connections that do nothing, `newcomer` aside. How many. */
  makeRoom(newcomer: Place): number {
    if (this.#places.size <= this.#most - this.#reserve) return 0;
    const now = performance.now();
    if (now < this.#notBefore) return 0;
    const idle: { readonly place: Place; readonly time: number }[] = [];
    for (const place of this.#places.values()) {
      const time = place === newcomer ? undefined : place.idleFor();
      if (time !== undefined) idle.push({ place, time });
    }
    if (idle.length === 0) this.#notBefore = now + PAUSE;
    idle.sort((a, b) => b.place.holder.places - a.place.holder.places || b.time - a.time);
    const going = idle.slice(0, this.#reserve);
    for (const { place } of going) place.socket.destroy();
    return going.length;
  }
}

/** An IPv4 address, or the first 64 bits of one of IPv6, all of which one client may have. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4).join(':');
}
