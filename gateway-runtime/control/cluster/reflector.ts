/**
 * Keeps up with one collection of objects: list, then watch from where the list ended, for ever. What makes a watch good
 * for months is here: bookmarks, so that a quiet collection stays resumable; a new list where the API server no longer has
 * the events in between (410), and now and then without a reason, against whatever went missing unseen; backoff with
 * chance in it; and a watchdog, since a connection can be dead without anybody saying so.
 *
 * Nothing is kept of an object but its resource version.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { groupOf } from '../../api/object.ts';
import { Backoff } from './backoff.ts';
import { type ApiClient, ApiError, isStatus, UnreachableError, type WatchEvent } from './client.ts';

/** An object as the API server wrote it, as far as it is sure to be there. */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    managedFields?: unknown;
  };
  status?: unknown;
  [field: string]: unknown;
}

/** How it stands with a collection. */
export type CollectionState =
  | { readonly phase: 'starting' }
  | { readonly phase: 'synced' }
  /** The API server has no such kind. */
  | { readonly phase: 'absent' }
  /** We may not read it. */
  | { readonly phase: 'denied'; readonly message: string }
  /** It can't be read now; what was read before stays. */
  | { readonly phase: 'unreachable'; readonly message: string };

export interface Timings {
  /** Milliseconds without a byte after which a watch is made anew, from where it was. */
  readonly silence: number;
  /** Milliseconds after which the whole collection is listed anew. */
  readonly relist: number;
  /** The longest wait between attempts, in milliseconds. */
  readonly longestWait: number;
}

export const TIMINGS: Timings = { silence: 60_000, relist: 30 * 60_000, longestWait: 5_000 };

export interface Collection {
  /** Paths in order of preference: those of the versions that can be read. */
  readonly paths: readonly string[];
  readonly kind: string;
  /** Such as `metadata.name=shop`. */
  readonly fieldSelector?: string;
  /** Such as `app.kubernetes.io/managed-by=gatewright`. */
  readonly labelSelector?: string;
  /** Whether objects come without spec and status. */
  readonly metadataOnly?: boolean;
}

export interface Sink {
  /** A new or changed object. */
  set(object: ApiObject): void;
  remove(name: { readonly namespace: string; readonly name: string }): void;
  state(state: CollectionState): void;
  /** The API server's state of this resource version was read. */
  version?(resourceVersion: string): void;
}

const PAGE = 100;
const FIRST_WAIT = 200;
/** Watches that fail one after the other until the collection is listed anew, in case the version is what is wrong. */
const FAILURES_BEFORE_LIST = 4;
/** Shorter than the load balancers in front of API servers let a connection live. */
const WATCH_SECONDS = 290;

export class Reflector {
  readonly #client: ApiClient;
  readonly #collection: Collection;
  readonly #sink: Sink;
  readonly #timings: Timings;
  readonly #backoff: Backoff;
  /** `namespace/name` to resource version. */
  readonly #known = new Map<string, string>();
  #path: string | undefined;
  /** Where the watch goes on; absent before the first list, and where there has to be a new one. */
  #resourceVersion: string | undefined;
  #listedAt = 0;
  #watchFailures = 0;
  #lists404 = 0;
  #state: CollectionState = { phase: 'starting' };
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #poked = false;
  #running: Promise<void> | undefined;

  constructor(client: ApiClient, collection: Collection, sink: Sink, timings: Timings = TIMINGS) {
    this.#client = client;
    this.#collection = collection;
    this.#sink = sink;
    this.#timings = timings;
    this.#backoff = new Backoff({ first: FIRST_WAIT, longest: timings.longestWait });
  }

  get state(): CollectionState {
    return this.#state;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Ends a wait for the next attempt: there is reason to hope. */
  poke(): void {
    this.#poked = true;
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
        await this.#wait((error as Partial<ApiError>).retryAfter ?? this.#backoff.next());
      }
    }
  }

  async #step(): Promise<void> {
    const due = this.#listedAt + this.#timings.relist;
    if (this.#resourceVersion === undefined || performance.now() >= due) await this.#list();
    const began = performance.now();
    await this.#watch();
    // One that ends as soon as it began is no better than one that fails.
    if (performance.now() - began < FIRST_WAIT) await this.#wait(this.#backoff.next());
    else this.#backoff.reset();
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (isStatus(error, 403, 401)) this.#setState({ phase: 'denied', message });
    else if (error instanceof NoSuchKind) this.#absent();
    else this.#setState({ phase: 'unreachable', message });
    if (isStatus(error, 410, 404)) this.#resourceVersion = undefined;
    else if (++this.#watchFailures >= FAILURES_BEFORE_LIST && !(error instanceof UnreachableError)) {
      this.#resourceVersion = undefined;
    }
  }

  /** What was there is taken to be gone only where it was not found twice: a false alarm would be an outage. */
  #absent(): void {
    this.#resourceVersion = undefined;
    if (++this.#lists404 < 2 && this.#known.size > 0) return;
    this.#forget(this.#known.keys());
    this.#setState({ phase: 'absent' });
  }

  /** Reads the whole collection page by page, and hands on how it differs from what is known. */
  async #list(): Promise<void> {
    const found = new Set<string>();
    let resourceVersion: string | undefined;
    let next: string | undefined;
    do {
      const page = await this.#page(next);
      const apiVersion = page.apiVersion ?? '';
      for (const object of page.items ?? []) {
        // Items of built-in kinds say neither.
        object.apiVersion ??= apiVersion;
        object.kind ??= this.#collection.kind;
        const key = keyOf(object);
        const version = object.metadata.resourceVersion;
        found.add(key);
        if (this.#known.get(key) === version) continue;
        this.#known.set(key, version);
        this.#sink.set(withoutBallast(object));
      }
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue || undefined;
    } while (next);
    this.#forget([...this.#known.keys()].filter((key) => !found.has(key)));
    this.#resourceVersion = resourceVersion;
    this.#sink.version?.(resourceVersion);
    this.#listedAt = performance.now();
    this.#lists404 = 0;
    this.#watchFailures = 0;
    this.#setState({ phase: 'synced' });
  }

  async #page(next: string | undefined): Promise<ObjectList> {
    const { paths } = this.#collection;
    const [preferred, ...others] = next ? [this.#path!] : paths;
    for (const path of [preferred!, ...others]) {
      try {
        const page = await this.#client.get<ObjectList>(
          `${path}?${this.#query({ limit: `${PAGE}`, ...(next ? { continue: next } : {}) })}`,
          { signal: this.#stop.signal, timeout: 60_000, ...this.#accept('List') },
        );
        this.#path = path;
        return page;
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    }
    throw new NoSuchKind();
  }

  async #watch(): Promise<void> {
    const { silence, relist } = this.#timings;
    const seconds = Math.ceil(Math.min(WATCH_SECONDS * (0.8 + Math.random() / 5), relist / 1000));
    await this.#client.watch(
      `${this.#path}?${this.#query({
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#resourceVersion!,
        timeoutSeconds: `${seconds}`,
      })}`,
      {
        silence,
        signal: this.#stop.signal,
        ...this.#accept(''),
        onOpen: () => {
          this.#watchFailures = 0;
          this.#setState({ phase: 'synced' });
        },
        onEvent: (event) => this.#take(event),
      },
    );
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') {
      const { code = 500, reason = '', message = 'the watch failed' } = object as Partial<Status>;
      throw new ApiError(code, reason, message);
    }
    const changed = object as unknown as ApiObject;
    this.#resourceVersion = changed.metadata.resourceVersion;
    this.#sink.version?.(changed.metadata.resourceVersion);
    if (type === 'BOOKMARK') return;
    const key = keyOf(changed);
    if (type === 'DELETED') {
      if (this.#known.has(key)) this.#forget([key]);
      return;
    }
    this.#known.set(key, changed.metadata.resourceVersion);
    this.#sink.set(withoutBallast(changed));
  }

  #forget(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#known.delete(key);
      const slash = key.indexOf('/');
      this.#sink.remove({ namespace: key.slice(0, slash), name: key.slice(slash + 1) });
    }
  }

  #query(query: Readonly<Record<string, string>>): string {
    const { fieldSelector, labelSelector } = this.#collection;
    return new URLSearchParams({
      ...(fieldSelector ? { fieldSelector } : {}),
      ...(labelSelector ? { labelSelector } : {}),
      ...query,
    }).toString();
  }

  #accept(form: '' | 'List'): { accept?: string } {
    if (!this.#collection.metadataOnly) return {};
    return { accept: `application/json;as=PartialObjectMetadata${form};g=meta.k8s.io;v=v1` };
  }

  #setState(state: CollectionState): void {
    const before = this.#state;
    this.#state = state;
    if (before.phase !== state.phase) this.#sink.state(state);
  }

  async #wait(milliseconds: number): Promise<void> {
    this.#wake = new AbortController();
    // It may have come while the last attempt was under way.
    if (this.#poked) this.#wake.abort();
    this.#poked = false;
    const signal = AbortSignal.any([this.#wake.signal, this.#stop.signal]);
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
  }
}

interface ObjectList {
  readonly apiVersion?: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** Null where there are none, in some forms. */
  readonly items: ApiObject[] | null;
}

interface Status {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

class NoSuchKind extends Error {
  override readonly message = 'the API server has no such kind';
}

const keyOf = ({ metadata }: ApiObject) => `${metadata.namespace ?? ''}/${metadata.name}`;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Bookkeeping that is often longer than the object itself. */
function withoutBallast(object: ApiObject): ApiObject {
  delete object.metadata.managedFields;
  if (object.metadata.annotations) delete object.metadata.annotations[LAST_APPLIED];
  return object;
}

/** `v1` of `gateway.networking.k8s.io/v1`. */
export function versionOf(apiVersion: string): string {
  const group = groupOf(apiVersion);
  return group ? apiVersion.slice(group.length + 1) : apiVersion;
}
