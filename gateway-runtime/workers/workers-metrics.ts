/**
 * What all workers of a Gateway have counted, as one: each tells what it counted since it last told, so that sums never fall, whoever
 * ends, and their labels are those of one process.
 */
import type { GatewayMetrics } from '../proxy/telemetry/gateway-metrics.ts';
import type { Metrics, WorkerTotals } from '../proxy/telemetry/metrics.ts';
import { type GatewayId, isRule, type Resource, type SnapshotDelta } from '../snapshot/snapshot.ts';
import type { Counted } from './messages.ts';
import type { Place } from './place.ts';
import type { Served } from './served.ts';
import { WorkersFigures } from './workers-figures.ts';

/** Milliseconds that whoever asks for metrics waits for a worker. */
const PATIENCE = 500;

interface Asked {
  readonly places: Set<Place>;
  readonly done: () => void;
}

export class WorkersMetrics {
  readonly #all: Metrics;
  readonly #sums: GatewayMetrics;
  readonly #places: readonly Place[];
  /** By number of the question. */
  readonly #asked = new Map<number, Asked>();
  #questions = 0;
  readonly #figures = new WorkersFigures();

  constructor(all: Metrics, gateway: GatewayId, places: readonly Place[]) {
    this.#all = all;
    this.#sums = all.gateway(gateway);
    this.#places = places;
    this.#sums.figures = () => this.#figures.all();
    all.putWorkers(this.#sums, { totals: () => this.#totals(), refresh: () => this.#refresh() });
  }

  /** Before workers hear of it: what they count for new rules must find them. */
  know({ put }: SnapshotDelta): void {
    for (const each of put) this.#put(each);
  }

  took(before: Served, after: Served): void {
    this.#sums.count('snapshot-accepted');
    for (const [key, each] of before.resources) if (!after.resources.has(key)) this.#remove(each);
    this.#figures.keep((key) => after.resources.has(key));
  }

  refused({ put }: SnapshotDelta, before: Served): void {
    this.#sums.count('snapshot-refused');
    for (const each of put) {
      const kept = before.resources.get(each.key);
      if (kept) this.#put(kept);
      else this.#remove(each);
    }
  }

  ended(place: Place): void {
    this.#figures.ended(place);
    for (const { places, done } of this.#asked.values()) {
      if (places.delete(place) && places.size === 0) done();
    }
  }

  counted(place: Place, { counts, figures, cpu, memory, answers, more }: Counted): void {
    place.cpu = cpu;
    place.memory = memory;
    // Snapshots are counted here, once.
    const events = counts.events.filter(([event]) => !event.startsWith('snapshot-'));
    this.#sums.add({ ...counts, events });
    this.#figures.put(place, figures);
    const asked = answers !== undefined && !more ? this.#asked.get(answers) : undefined;
    if (asked?.places.delete(place) && asked.places.size === 0) asked.done();
  }

  close(): void {
    for (const { done } of this.#asked.values()) done();
    this.#all.remove(this.#sums);
  }

  #refresh(): Promise<void> {
    const places = new Set(this.#places.filter(({ serves }) => serves));
    if (places.size === 0) return Promise.resolve();
    const question = ++this.#questions;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(patience);
        this.#asked.delete(question);
        resolve();
      };
      const patience = setTimeout(done, PATIENCE);
      this.#asked.set(question, { places, done });
      for (const place of places) place.send({ type: 'count', question });
    });
  }

  #totals(): WorkerTotals {
    const totals = { serving: 0, restarts: 0, cpuSeconds: 0, residentBytes: 0 };
    for (const { serves, restarts, cpu, cpuBefore, memory } of this.#places) {
      if (serves) totals.serving++;
      totals.restarts += restarts;
      totals.cpuSeconds += (cpu + cpuBefore) / 1_000_000;
      totals.residentBytes += memory;
    }
    return totals;
  }

  #put(resource: Resource): void {
    if (isRule(resource)) this.#sums.putRule(resource);
    else if (resource.type === 'listener') this.#sums.putListener(resource);
  }

  #remove(resource: Resource): void {
    if (isRule(resource)) this.#sums.removeRule(resource.key);
    else if (resource.type === 'listener') this.#sums.removeListener(resource);
  }
}
