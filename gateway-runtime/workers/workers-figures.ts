/** What workers see of endpoints, as one: of each backend what all of them have under way, and the worst that one of them knows of its endpoints. */
import type { UpstreamFigures } from '../proxy/upstream/upstream.ts';
import type { BackendKey } from '../snapshot/snapshot.ts';
import type { Place } from './place.ts';

export class WorkersFigures {
  readonly #byPlace = new Map<Place, Map<BackendKey, UpstreamFigures>>();
  /** Ejections that workers counted which have ended: sums do not fall. */
  readonly #before = new Map<BackendKey, number>();

  put(place: Place, figures: Iterable<readonly [BackendKey, UpstreamFigures]>): void {
    const known = this.#byPlace.get(place) ?? new Map<BackendKey, UpstreamFigures>();
    this.#byPlace.set(place, known);
    for (const [key, each] of figures) known.set(key, each);
  }

  ended(place: Place): void {
    for (const [key, { ejections }] of this.#byPlace.get(place) ?? []) {
      this.#before.set(key, (this.#before.get(key) ?? 0) + ejections);
    }
    this.#byPlace.delete(place);
  }

  /** Forgets backends that are gone. */
  keep(isThere: (key: BackendKey) => boolean): void {
    for (const map of [this.#before, ...this.#byPlace.values()]) {
      for (const key of map.keys()) if (!isThere(key)) map.delete(key);
    }
  }

  *all(): Generator<readonly [BackendKey, UpstreamFigures]> {
    const sums = new Map<BackendKey, UpstreamFigures>();
    for (const figures of this.#byPlace.values()) {
      for (const [key, each] of figures) {
        const sum = sums.get(key);
        sums.set(key, sum ? both(sum, each) : each);
      }
    }
    for (const [key, sum] of sums) {
      yield [key, { ...sum, ejections: sum.ejections + (this.#before.get(key) ?? 0) }];
    }
  }
}

function both(a: UpstreamFigures, b: UpstreamFigures): UpstreamFigures {
  const worst = (condition: keyof UpstreamFigures['endpoints']) =>
    Math.max(a.endpoints[condition], b.endpoints[condition]);
  return {
    endpoints: {
      usable: Math.min(a.endpoints.usable, b.endpoints.usable),
      ejected: worst('ejected'),
      unreachable: worst('unreachable'),
      terminating: worst('terminating'),
    },
    active: a.active + b.active,
    ejections: a.ejections + b.ejections,
  };
}
