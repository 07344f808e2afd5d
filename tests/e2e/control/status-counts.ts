/** Counts the writes that objects get, as anybody can see them: one watch event each. */
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';

/** Milliseconds that a watch has to open. */
const OPENS = 3_000;

export class WriteCounts {
  readonly #stop = new AbortController();
  readonly #counts = new Map<string, number>();
  readonly #objects = new Map<string, ApiObject>();
  readonly #running: Promise<void>;

  private constructor(
    client: ApiClient,
    path: string,
    resourceVersion: string,
    { onOpen, onEnd }: { onOpen: () => void; onEnd: (error: unknown) => void },
  ) {
    this.#running = client
      .watch(`${path}?watch=1&resourceVersion=${resourceVersion}`, {
        silence: 600_000,
        signal: this.#stop.signal,
        onOpen,
        onEvent: ({ type, object }) => {
          const changed = object as unknown as ApiObject;
          const { name } = changed.metadata;
          this.#objects.set(name, changed);
          if (type === 'MODIFIED') this.#counts.set(name, this.of(name) + 1);
        },
      })
      .then(onEnd, onEnd);
  }

  /** From now on, of all objects in a collection. An API server that has just learned of its kind may still refuse to watch it. */
  static on(client: ApiClient, path: string): Promise<WriteCounts> {
    return eventually(10_000, async () => {
      const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
      const { promise, resolve: onOpen, reject: onEnd } = Promise.withResolvers<void>();
      const counts = new WriteCounts(client, path, metadata.resourceVersion, { onOpen, onEnd });
      const timer = setTimeout(onEnd, OPENS, new Error(`the watch of ${path} does not open`));
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

  /** How often an object was modified after it was made. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** As last seen. */
  get objects(): ReadonlyMap<string, ApiObject> {
    return this.#objects;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
