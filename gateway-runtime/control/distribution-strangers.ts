/**
 * Connections that have not proved who they are: as many as there are places, shared out by address as those of a listener port are, so that an
 * address that says nothing, or nothing that anybody can judge, keeps no other out.
 */
import type { Socket } from 'node:net';
import type { Place, PlacedClient } from '../proxy/places/place.ts';
import { Places } from '../proxy/places/places.ts';

export class Strangers {
  readonly #most: number;
  readonly #places: Places;

  constructor(most: number) {
    this.#most = most;
    this.#places = new Places(most);
  }

  /** Another one goes for it where few places are left. Undefined, and it is closed, where there is none and none can go. */
  admit(socket: Socket): Stranger | undefined {
    const place = this.#places.take(socket);
    const stranger = new Stranger(place, () => this.#places.leave(place));
    place.client = stranger;
    this.#places.makeRoom(place);
    if (this.#places.size <= this.#most) return stranger;
    this.#places.leave(place);
    socket.destroy();
    return undefined;
  }
}

export class Stranger implements PlacedClient {
  /** It is none any more. */
  readonly known: () => void;
  readonly #place: Place;
  #since = performance.now();
  #hasSaidHello = false;

  constructor(place: Place, known: () => void) {
    this.#place = place;
    this.known = known;
  }

  saidHello(): void {
    this.#hasSaidHello = true;
    this.#since = performance.now();
  }

  idleFor(): number | undefined {
    return this.#hasSaidHello ? undefined : performance.now() - this.#since;
  }

  /** Until its token is judged. The only one of its address waits on: else many that dial at once would only take turns. */
  heldUpFor(): number | undefined {
    return this.#hasSaidHello && this.#place.holder.places > 1 ? performance.now() - this.#since : undefined;
  }
}
