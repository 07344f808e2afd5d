/** An API server in memory, as far as the status writer sees one: versions, JSON patches with tests, late watches. */
import { isDeepStrictEqual } from 'node:util';
import { ApiError, UnreachableError } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import type { PatchOperation } from '../../../gateway-runtime/control/status-writer-patch.ts';

/** What becomes of a write. */
export type Fate = 'done' | 'refused' | 'lost-before' | 'lost-after';

export class MemoryApi {
  readonly #objects = new Map<string, ApiObject>();
  #version = 0;
  /** Milliseconds that a call takes. */
  latency = 10;
  /** How the next writes end; `done` where it is empty. */
  readonly fates: Fate[] = [];
  writes = 0;
  reads = 0;
  active = 0;
  mostActive = 0;
  /** Told of every new version, as a watch is. */
  onChange: (object: ApiObject) => void = () => {};

  put(path: string, name: string, status: unknown): void {
    this.#store(path, {
      apiVersion: 'gateway.networking.k8s.io/v1',
      metadata: { name, uid: name, resourceVersion: '', generation: 1 },
      status,
    });
  }

  read(path: string): ApiObject {
    return structuredClone(this.#objects.get(path)!);
  }

  /** Somebody else's write. */
  alter(path: string, change: (status: unknown) => unknown): void {
    const object = this.read(path);
    this.#store(path, { ...object, status: change(object.status) });
  }

  readonly client = {
    get: async <T>(path: string): Promise<T> => {
      await this.#wait();
      this.reads++;
      return this.read(path) as T;
    },
    call: async <T>(
      _: string,
      target: string,
      { body, signal }: { body?: unknown; signal?: AbortSignal },
    ): Promise<T> => {
      this.mostActive = Math.max(this.mostActive, ++this.active);
      try {
        await this.#wait();
        if (signal?.aborted) throw new UnreachableError('aborted');
        const fate = this.fates.shift() ?? 'done';
        if (fate === 'lost-before') throw new UnreachableError('no answer in time');
        if (fate === 'refused') throw new ApiError(422, 'Invalid', 'not like this');
        const path = target.replace(/\/status\?.*$/, '');
        const patched = { status: undefined, ...this.read(path) } as Record<string, unknown>;
        for (const operation of body as PatchOperation[]) patch(patched, operation);
        this.writes++;
        this.#store(path, patched as unknown as ApiObject);
        if (fate === 'lost-after') throw new UnreachableError('no answer in time');
        return this.read(path) as T;
      } finally {
        this.active--;
      }
    },
  };

  #store(path: string, object: ApiObject): void {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: `${++this.#version}` } };
    this.#objects.set(path, structuredClone(stored));
    // A watch comes after, and in order.
    setTimeout(() => this.onChange(stored), this.latency);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.latency));
  }
}

/** RFC 6902, for the operations that are used. */
function patch(object: Record<string, unknown>, operation: PatchOperation): void {
  const keys = operation.path.slice(1).split('/');
  const last = keys.pop()!;
  let place = object as Record<string, unknown>;
  for (const key of keys) place = place?.[key] as Record<string, unknown>;
  const fail = () => {
    throw new ApiError(422, 'Invalid', `${operation.op} ${operation.path}`);
  };
  if (!place) fail();
  if (operation.op === 'test') {
    if (!isDeepStrictEqual(place[last], operation.value)) fail();
  } else if (operation.op === 'remove') {
    if (!(last in place)) fail();
    if (Array.isArray(place)) place.splice(Number(last), 1);
    else delete place[last];
  } else if (Array.isArray(place) && last === '-') place.push(operation.value);
  else if (operation.op === 'replace' && !(last in place)) fail();
  else place[last] = operation.value;
}
