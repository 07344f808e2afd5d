/** An API server in memory, as far as the provisioner sees one: lists, watches, server-side apply over whole fields, deletes. */
import { type ApiClient, ApiError } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';

type Watch = Parameters<ApiClient['watch']>[1];

export class MemoryCluster {
  readonly objects = new Map<string, ApiObject>();
  readonly #watches = new Map<string, Set<Watch>>();
  #version = 0;
  readonly writes: string[] = [];
  /** What an admission webhook makes of an object, or throws. */
  admit: (object: ApiObject) => ApiObject = (object) => object;
  /** Told of Services, as those who read them for all namespaces are. */
  onService: (name: string, object: ApiObject | undefined) => void = () => {};

  readonly client = {
    get: (path: string) => this.#get(path),
    call: async (method: string, path: string, { body }: { body?: unknown } = {}) => {
      const [place] = path.split('?');
      // Never at once: whoever asks goes on with something else.
      await new Promise(setImmediate);
      if (method === 'GET') return this.#get(place!);
      this.writes.push(`${method} ${place!.split('/').slice(-2).join('/')}`);
      return method === 'DELETE' ? this.delete(place!) : this.#apply(place!, body as ApiObject);
    },
    watch: (path: string, watch: Watch) =>
      new Promise<void>((resolve) => {
        const [place] = path.split('?');
        const watches = this.#watches.get(place!) ?? new Set();
        this.#watches.set(place!, watches.add(watch));
        watch.signal.addEventListener('abort', () => {
          watches.delete(watch);
          resolve();
        });
        watch.onOpen();
      }),
  } as unknown as ApiClient;

  find(place: string): ApiObject | undefined {
    const [, found] = [...this.objects].find(([path]) => path.endsWith(`/${place}`)) ?? [];
    return found;
  }

  put(path: string, object: Partial<ApiObject>): ApiObject {
    const before = this.objects.get(path);
    const stored = structuredClone({
      ...object,
      metadata: {
        ...(object.metadata as ApiObject['metadata']),
        uid: before?.metadata.uid ?? `uid-${++this.#version}`,
        resourceVersion: `${++this.#version}`,
        generation: (before?.metadata.generation ?? 0) + 1,
      },
    }) as ApiObject;
    this.objects.set(path, stored);
    this.#tell(path, before ? 'MODIFIED' : 'ADDED', stored);
    return structuredClone(stored);
  }

  delete(path: string): ApiObject {
    const object = this.#get(path) as ApiObject;
    this.objects.delete(path);
    this.#tell(path, 'DELETED', object);
    return object;
  }

  #get(path: string): unknown {
    const [place] = path.split('?');
    const found = this.objects.get(place!);
    if (found) return structuredClone(found);
    if (!path.includes('?')) throw new ApiError(404, 'NotFound', `${place} not found`);
    const items = [...this.objects].filter(([each]) => each.slice(0, each.lastIndexOf('/')) === place);
    return {
      apiVersion: 'v1',
      metadata: { resourceVersion: `${this.#version}` },
      items: items.map(([, item]) => structuredClone(item)),
    };
  }

  #apply(path: string, wanted: ApiObject): ApiObject {
    const before = this.objects.get(path);
    if (wanted.metadata.uid !== undefined && wanted.metadata.uid !== before?.metadata.uid) {
      throw new ApiError(409, 'Conflict', 'uid mismatch');
    }
    return this.put(path, this.admit(structuredClone(wanted)));
  }

  #tell(path: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ApiObject): void {
    const collection = path.slice(0, path.lastIndexOf('/'));
    for (const { onEvent } of this.#watches.get(collection) ?? []) {
      onEvent({ type, object: structuredClone(object) as unknown as Record<string, unknown> });
    }
    if (collection.endsWith('/services')) {
      this.onService(object.metadata.name, type === 'DELETED' ? undefined : structuredClone(object));
    }
  }
}
