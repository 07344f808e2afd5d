/** What anybody can see of routes and Gateways by a watch: when a write arrives there, and how many there are. */
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';

interface Generation {
  readonly metadata: { readonly name: string; readonly generation: number; readonly resourceVersion: string };
}

export class Watching {
  readonly #stop = new AbortController();
  /** By name, of every write: when it was seen, and the object's generation then. */
  readonly #seen = new Map<
    string,
    { readonly at: number; readonly generation: number; readonly object: ApiObject }[]
  >();
  #from = '';
  #ended: Promise<void> = Promise.resolve();

  /** From now on. */
  static async on(client: ApiClient, path: string): Promise<Watching> {
    const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
    const watching = new Watching();
    watching.#from = metadata.resourceVersion;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    watching.#ended = watching.#follow(client, path, resolve).catch((error) => {
      reject(error);
      if (!watching.#stop.signal.aborted) throw error;
    });
    await promise;
    return watching;
  }

  /** The API server ends the watches of those who read too slowly: each goes on where the last one ended. */
  async #follow(client: ApiClient, path: string, onOpen: () => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await client.watch(`${path}?watch=1&resourceVersion=${this.#from}`, {
        silence: 3_600_000,
        signal: this.#stop.signal,
        onOpen,
        onEvent: ({ type, object }) => {
          if (type === 'ERROR') throw new Error(`the watch of ${path} ended: ${JSON.stringify(object)}`);
          this.#take(object as unknown as ApiObject & Generation, type);
        },
      });
    }
  }

  #take(object: ApiObject & Generation, type: string): void {
    const { name, generation, resourceVersion } = object.metadata;
    this.#from = resourceVersion;
    if (type !== 'ADDED' && type !== 'MODIFIED') return;
    const all = this.#seen.get(name) ?? [];
    all.push({ at: performance.now(), generation, object });
    this.#seen.set(name, all);
  }

  /** When the first write of an object was seen. */
  first(name: string): number | undefined {
    return this.#seen.get(name)?.[0]?.at;
  }

  /** Writes that changed the status alone, by object. */
  statusWrites(): number[] {
    return [...this.#seen.values()].map(
      (all) =>
        all.filter(({ generation }, index) => index > 0 && all[index - 1]!.generation === generation).length,
    );
  }

  all(name: string): readonly { readonly at: number; readonly object: ApiObject }[] {
    return this.#seen.get(name) ?? [];
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended.catch(() => {});
  }
}
