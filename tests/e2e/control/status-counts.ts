/** Counts the writes that objects get, as anybody can see them: one watch event each. */
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { Followed } from './followed.ts';

export class WriteCounts {
  readonly #followed: Followed;
  readonly #counts: ReadonlyMap<string, number>;
  readonly #objects: ReadonlyMap<string, ApiObject>;

  private constructor(
    followed: Followed,
    counts: ReadonlyMap<string, number>,
    objects: ReadonlyMap<string, ApiObject>,
  ) {
    this.#followed = followed;
    this.#counts = counts;
    this.#objects = objects;
  }

  /** From now on, of all objects in a collection. */
  static async on(client: ApiClient, path: string): Promise<WriteCounts> {
    const counts = new Map<string, number>();
    const objects = new Map<string, ApiObject>();
    const followed = await Followed.on(client, path, (type, object) => {
      const { name } = object.metadata;
      objects.set(name, object);
      if (type === 'MODIFIED') counts.set(name, (counts.get(name) ?? 0) + 1);
    });
    return new WriteCounts(followed, counts, objects);
  }

  /** How often an object was modified after it was made. Throws, as all others do, where the count may lack some. */
  of(name: string): number {
    this.#followed.expectAll();
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    this.#followed.expectAll();
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** As last seen. */
  get objects(): ReadonlyMap<string, ApiObject> {
    this.#followed.expectAll();
    return this.#objects;
  }

  stop(): Promise<void> {
    return this.#followed.stop();
  }
}
