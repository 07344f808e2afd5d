/**
 * Counts the writes that objects get, as anybody can see them: one watch event each. An API server ends watches as it likes, those of
 * readers that it finds slow too, so the count goes on from the last event that was seen.
 */
import {
  type ApiClient,
  ApiError,
  type WatchEvent,
} from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';

/** Milliseconds that a watch has to open. */
const OPENS = 3_000;

export class WriteCounts {
  readonly #client: ApiClient;
  readonly #path: string;
  readonly #stop = new AbortController();
  readonly #counts = new Map<string, number>();
  readonly #objects = new Map<string, ApiObject>();
  /** Of the last event. */
  #resourceVersion: string;
  /** Why nothing is counted any more. */
  #failure: unknown;
  #running: Promise<void> = Promise.resolve();

  private constructor(client: ApiClient, path: string, resourceVersion: string) {
    this.#client = client;
    this.#path = path;
    this.#resourceVersion = resourceVersion;
  }

  /** From now on, of all objects in a collection. An API server that has just learned of its kind may still refuse to watch it. */
  static on(client: ApiClient, path: string): Promise<WriteCounts> {
    return eventually(10_000, async () => {
      const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
      const counts = new WriteCounts(client, path, metadata.resourceVersion);
      const { promise, resolve: onOpen, reject: onFailure } = Promise.withResolvers<void>();
      counts.#running = counts.#watch(onOpen).catch((error: unknown) => {
        if (!counts.#stop.signal.aborted) counts.#failure = error;
        onFailure(error);
      });
      const timer = setTimeout(onFailure, OPENS, new Error(`the watch of ${path} does not open`));
      try {
        await promise;
      } catch (error) {
        await counts.stop();
        throw error;
      } finally {
        clearTimeout(timer);
      }
      return counts;
    });
  }

  /** How often an object was modified after it was made. Throws, as all others do, where the count could not go on. */
  of(name: string): number {
    this.#expectCounting();
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    this.#expectCounting();
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** As last seen. */
  get objects(): ReadonlyMap<string, ApiObject> {
    this.#expectCounting();
    return this.#objects;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #watch(onOpen: () => void): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await this.#client.watch(`${this.#path}?watch=1&resourceVersion=${this.#resourceVersion}`, {
        silence: 600_000,
        signal,
        onOpen,
        onEvent: (event) => this.#take(event),
      });
      process.stderr.write(`The API server ended a watch of ${this.#path}, which goes on\n`);
    }
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') {
      const { code, reason, message } = object as { code?: number; reason?: string; message?: string };
      throw new ApiError(code ?? 0, reason ?? '', `the watch of ${this.#path}: ${message}`);
    }
    const changed = object as unknown as ApiObject;
    const { name, resourceVersion } = changed.metadata;
    this.#resourceVersion = resourceVersion;
    this.#objects.set(name, changed);
    if (type === 'MODIFIED') this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  #expectCounting(): void {
    if (this.#failure) throw this.#failure;
  }
}
