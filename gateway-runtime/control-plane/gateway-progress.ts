/**
 * How far the data planes of one Gateway have come with what was published for it: which routes wait for them, and since when they
 * are behind. An ack costs what it sets free, not what there is.
 */
import { liveViews, type ReplicaView, serves, type Wanted } from '../control/distribution-view.ts';

/** Versions that are remembered, to tell what is older from what another replica of the control plane has and we have not. */
const REMEMBERED = 256;

export class GatewayProgress {
  #wanted: Wanted;
  /** By version, which publication it was. */
  readonly #published = new Map<string, number>();
  #count = 0;
  /** By object, the publication that data planes have to serve first; the oldest first. */
  readonly #waiting = new Map<string, Publication>();
  /** One that not all of them serve yet, and since when; not the newest one, where these come without a pause. */
  #behind: { readonly publication: Publication; readonly since: number } | undefined;

  constructor(wanted: Wanted, now: number) {
    this.#wanted = wanted;
    this.publish(wanted, now);
  }

  get wanted(): Wanted {
    return this.#wanted;
  }

  /** Milliseconds since 1970 from which on data planes are behind; undefined where they are not. */
  get behindSince(): number | undefined {
    return this.#behind?.since;
  }

  get waiting(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  publish(wanted: Wanted, now: number): void {
    this.#wanted = wanted;
    this.#published.delete(wanted.version);
    this.#published.set(wanted.version, ++this.#count);
    if (this.#published.size > REMEMBERED) this.#published.delete(this.#published.keys().next().value!);
    this.#behind ??= { publication: this.#newest, since: now };
  }

  /** The object waits for what was published last. */
  wait(key: string): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, this.#newest);
  }

  forget(key: string): void {
    this.#waiting.delete(key);
  }

  /** Whether a data plane serves what was published last. */
  serves(view: ReplicaView): boolean {
    return this.#serves(view, this.#newest);
  }

  /** Takes what is known of the data planes now, and gives the objects that wait no longer. */
  review(views: readonly ReplicaView[], now: number): string[] {
    const live = liveViews(views, now);
    if (live.length === 0) {
      this.#behind = undefined;
      return [];
    }
    const all = (publication: Publication) => live.every((view) => this.#serves(view, publication));
    if (all(this.#newest)) {
      this.#behind = undefined;
      const released = this.waiting;
      this.#waiting.clear();
      return [...released];
    }
    if (!this.#behind || all(this.#behind.publication)) {
      this.#behind = { publication: this.#newest, since: now };
    }
    const released: string[] = [];
    for (const [key, publication] of this.#waiting) {
      if (!all(publication)) break;
      this.#waiting.delete(key);
      released.push(key);
    }
    return released;
  }

  get #newest(): Publication {
    return { ...this.#wanted, index: this.#count };
  }

  #serves(view: ReplicaView, publication: Publication): boolean {
    const { acked, refused } = view;
    if (!acked || refused === publication.version) return false;
    const known = this.#published.get(acked.version);
    // A replica that is held up can be ahead in the number of its state, and behind in one kind of objects.
    return known === undefined ? serves(view, publication) : known >= publication.index;
  }
}

interface Publication extends Wanted {
  readonly index: number;
}
