/** The clients of a port, those that hold places and, for a while, those that did: which were slow, and which were served. */
import type { Holder, Newcomer, Place } from './place.ts';

/** Clients without a connection of which it is known that they are slow, and as many of which it is known that they were served. */
const MOST_KNOWN = 16_384;

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

export class Clients {
  /** Those that were looked at last are last. */
  readonly #holders = new Map<string, Holder>();
  /** Those that hold nothing, and for how long they are slow all the same. Those that left last are last. */
  readonly #slow = new Map<string, number>();
  /** Those that hold nothing, are not slow and were served before. Those that left last are last. */
  readonly #served = new Set<string>();

  /** For a connection of it. */
  take(network: string): Holder {
    let holder = this.#holders.get(network);
    if (!holder) {
      const slowUntil = this.#slow.get(network) ?? 0;
      this.#slow.delete(network);
      const wasServed = this.#served.delete(network);
      holder = new Client(network, slowUntil, wasServed, this.#onServed);
      this.#holders.set(network, holder);
    }
    return holder;
  }

  /** What it would be with one connection more. */
  newcomer(network: string): Newcomer {
    const holder = this.#holders.get(network);
    if (holder) return { places: holder.places + 1, wasServed: holder.wasServed };
    return { places: 1, wasServed: this.#served.has(network) };
  }

  /** One of its connections is gone. */
  left(holder: Holder): void {
    if (holder.places > 0 || this.#holders.get(holder.network) !== holder) return;
    this.#holders.delete(holder.network);
    this.#remember(holder);
  }

  /** One place of every client, of those first that were not looked at for the longest time. */
  *oneOfEach(): Generator<Place> {
    for (const { held } of this.#holders.values()) {
      const [first] = held;
      if (first) yield first;
    }
  }

  wasLookedAt(holder: Holder): void {
    this.#holders.delete(holder.network);
    this.#holders.set(holder.network, holder);
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
}
