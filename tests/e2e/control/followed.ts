/**
 * Every event of a collection, from one moment on. An API server ends watches as it likes, those of readers that it finds slow too, and
 * connections break: each time it goes on from the last event that was seen.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ApiClient,
  ApiError,
  UnreachableError,
  type WatchEvent,
} from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';

/** Milliseconds that a watch has to open. */
const OPENS = 3_000;
/** Milliseconds before a broken connection is replaced. */
const PAUSE = 100;

type OnObject = (type: WatchEvent['type'], object: ApiObject) => void;

export class Followed {
  readonly #client: ApiClient;
  readonly #path: string;
  readonly #onObject: OnObject;
  readonly #stop = new AbortController();
  /** The version of the collection from which on all is seen. */
  readonly #from: string;
  /** The versions of objects, by name. */
  readonly #seen = new Map<string, string>();
  /** Of the last event. */
  #resourceVersion: string;
  /** Why nothing is seen any more, or not now. */
  #failure: unknown;
  #running: Promise<void> = Promise.resolve();

  private constructor(client: ApiClient, path: string, resourceVersion: string, onObject: OnObject) {
    this.#client = client;
    this.#path = path;
    this.#from = this.#resourceVersion = resourceVersion;
    this.#onObject = onObject;
  }

  /** From now on. An API server that has just learned of the kind may still refuse to watch it. */
  static on(client: ApiClient, path: string, onObject: OnObject): Promise<Followed> {
    return eventually(10_000, async () => {
      const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
      const followed = new Followed(client, path, metadata.resourceVersion, onObject);
      const { promise, resolve: onOpen, reject: onFailure } = Promise.withResolvers<void>();
      followed.#running = followed.#watch(onOpen).catch((error: unknown) => {
        if (!followed.#stop.signal.aborted) followed.#failure = error;
        onFailure(error);
      });
      const timer = setTimeout(onFailure, OPENS, new Error(`the watch of ${path} does not open`));
      try {
        await promise;
      } catch (error) {
        await followed.stop();
        throw error;
      } finally {
        clearTimeout(timer);
      }
      return followed;
    });
  }

  /** Throws where what was seen may not be all. */
  expectAll(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Waits until each object was seen as it is now: what a watch tells may be behind what is read. */
  async untilNow(): Promise<void> {
    await eventually(10_000, async () => {
      this.expectAll();
      const { items } = await this.#client.get<{ items: readonly ApiObject[] }>(this.#path);
      for (const { metadata } of items) {
        const { name, resourceVersion } = metadata;
        if (BigInt(resourceVersion) <= BigInt(this.#from) || this.#seen.get(name) === resourceVersion)
          continue;
        throw new Error(`the watch of ${this.#path} has not told of ${name} as it is`);
      }
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #watch(onFirstOpen: () => void): Promise<void> {
    const { signal } = this.#stop;
    let hasOpened = false;
    const onOpen = () => {
      hasOpened = true;
      this.#failure = undefined;
      onFirstOpen();
    };
    for (;;) {
      try {
        await this.#client.watch(`${this.#path}?watch=1&resourceVersion=${this.#resourceVersion}`, {
          silence: 600_000,
          signal,
          onOpen,
          onEvent: (event) => this.#take(event),
        });
        this.#failure = new Error(`the watch of ${this.#path} has ended, and is not open again yet`);
        process.stderr.write(`The API server ended a watch of ${this.#path}, which goes on\n`);
      } catch (error) {
        if (signal.aborted || !hasOpened || !(error instanceof UnreachableError)) throw error;
        this.#failure = error;
        process.stderr.write(`${error.message}: the watch goes on\n`);
        await sleep(PAUSE, undefined, { signal });
      }
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
    this.#seen.set(name, resourceVersion);
    this.#onObject(type, changed);
  }
}
