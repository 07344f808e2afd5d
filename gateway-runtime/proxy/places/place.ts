/** What holds a place of a port: a connection, of a client as far as its address tells. */
import type { Socket } from 'node:net';
import type { ClientHolder } from '../exchange.ts';

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

export type Newcomer = Pick<Holder, 'places' | 'wasServed'>;

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
