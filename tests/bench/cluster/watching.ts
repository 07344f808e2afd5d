/** What anybody can see of routes and Gateways by a watch: when a write arrives there, and how many there are. */
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';

export class Watching {
  readonly #stop = new AbortController();
  /** By name, of every write: when it was seen, and the object's generation then. */
  readonly #seen = new Map<
    string,
    { readonly at: number; readonly generation: number; readonly object: ApiObject }[]
  >();
  #ended: Promise<void> = Promise.resolve();

  /** From now on. */
  static async on(client: ApiClient, path: string): Promise<Watching> {
    const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const watching = new Watching();
    watching.#ended = client
      .watch(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}`, {
        silence: 3_600_000,
        signal: watching.#stop.signal,
        onOpen: resolve,
        onEvent: ({ type, object }) => {
          if (type !== 'ADDED' && type !== 'MODIFIED') return;
          const seen = object as unknown as ApiObject & { metadata: { generation: number } };
          const { name, generation } = seen.metadata;
          const all = watching.#seen.get(name) ?? [];
          watching.#seen.set(name, [...all, { at: performance.now(), generation, object: seen }]);
        },
      })
      .catch(reject);
    await promise;
    return watching;
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
