/** Which connection goes for a new one, where all places are taken. */
import { OF_ONE } from '../allowance.ts';
import type { Newcomer, Place } from './place.ts';

/** Connections that are looked at for one that is new, twice; and how many of them can go before no more are looked at. */
const [LOOKED_AT, COMPARED] = [32, 8];
/** Milliseconds in which a client that was served before most probably asks for something on a new connection. */
const ABOUT_TO_ASK = 500;
/** For the connection that is to go for one of this client; not one that has only just come, of who has fewer. */
export class Search {
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
