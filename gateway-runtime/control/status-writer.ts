/**
 * Brings the status of objects to what translate says, one object at a time: what is wanted and what is there are both
 * known as of now, the difference is written, and of several states that were wanted meanwhile only the last one. Nothing is
 * written where nothing of ours differs, and nothing at all while another replica leads.
 */

import type { KindName } from '../api/kinds.ts';
import { type ObjectRef, refKey } from '../api/object.ts';
import { type ApiClient, isStatus, PATCH } from './cluster/client.ts';
import { type ApiObject, versionOf } from './cluster/reflector.ts';
import { objectPath } from './cluster/resources.ts';
import {
  type Edit,
  type FoundStatus,
  latestGeneration,
  statusEdits,
  type WantedStatus,
} from './status-writer-merge.ts';
import { Pace } from './status-writer-pace.ts';
import { statusPatch } from './status-writer-patch.ts';

export interface StatusWriterOptions {
  readonly client: Pick<ApiClient, 'call' | 'get'>;
  /** Asked right before each write. */
  readonly mayWrite: () => boolean;
  /** A status that can't be written, as a sentence. */
  readonly onProblem: (ref: ObjectRef, message: string) => void;
  /** Writes under way at a time. Default: 16. */
  readonly concurrency?: number;
  /** Most writes in a second. Default: 500. */
  readonly rate?: number;
}

/** What is known of one object. */
interface Entry {
  readonly ref: ObjectRef;
  apiVersion: string;
  resourceVersion: string;
  generation: number | undefined;
  /** Undefined while the object is not there, or not yet. */
  found: { readonly status: FoundStatus | undefined } | undefined;
  wanted: WantedStatus | undefined;
  /** The state that was last written, to tell a new one from one that somebody altered; null where none was. */
  written: WantedStatus | undefined | null;
  /** What it should say is not known yet, and what stands there stays. */
  held: boolean;
  readonly pace: Pace;
  /** Waits its turn or for its time, or is being written. */
  queued: boolean;
  timer: NodeJS.Timeout | undefined;
  conflicts: number;
  /** Fields that the API server took and dropped: CRDs of another version have no place for them. */
  readonly dropped: Set<string>;
}

const FIELD_MANAGER = 'gatewright-status';
const WRITE_TIMEOUT = 10_000;
/** Conflicts one after the other that are answered by reading the object; more are a matter for later. */
const MOST_CONFLICTS = 5;

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #concurrency: number;
  readonly #rate: number;
  readonly #entries = new Map<string, Entry>();
  /** Gateways and their like: they are not to wait for the thousand routes that have just attached to them. */
  #urgent: Entry[] = [];
  #ready: Entry[] = [];
  #active = 0;
  #writes = 0;
  /** Present while we may write. */
  #session: AbortController | undefined;
  /** Writes that may begin now; refilled with time. */
  #tokens: number;
  #refilledAt = performance.now();
  #refill: NodeJS.Timeout | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 16;
    this.#rate = options.rate ?? 500;
    this.#tokens = this.#rate;
  }

  /** How many writes the API server has taken. */
  get writes(): number {
    return this.#writes;
  }

  /** What an object should say; undefined where we have nothing to say of it. */
  want(ref: ObjectRef, status: WantedStatus | undefined): void {
    const entry = this.#entryOf(ref);
    entry.wanted = status;
    entry.held = false;
    entry.dropped.clear();
    // The wait may have been for the repair of another state.
    clearTimeout(entry.timer);
    entry.timer = undefined;
    this.#changed(entry);
  }

  /** Leaves the status of an object as it is until it is known what it should say. */
  hold(ref: ObjectRef): void {
    const entry = this.#entryOf(ref);
    entry.held = true;
    clearTimeout(entry.timer);
    entry.timer = undefined;
  }

  /** An object as the API server has it; undefined where it is gone. */
  observe(ref: ObjectRef, object: ApiObject | undefined): void {
    const entry = this.#entryOf(ref);
    if (object) this.#take(entry, object);
    else {
      entry.found = undefined;
      entry.written = null;
    }
    this.#changed(entry);
  }

  /** From now on we may write: all that differs. */
  start(): void {
    if (this.#session) return;
    this.#session = new AbortController();
    for (const entry of this.#entries.values()) this.#changed(entry);
  }

  /** Stops at once, in the middle of writes too. */
  stop(): void {
    if (!this.#session) return;
    this.#session.abort();
    this.#session = undefined;
    clearTimeout(this.#refill);
    this.#refill = undefined;
    for (const entry of this.#entries.values()) {
      clearTimeout(entry.timer);
      entry.timer = undefined;
    }
    for (const entry of [...this.#urgent, ...this.#ready]) entry.queued = false;
    this.#urgent = [];
    this.#ready = [];
  }

  #entryOf(ref: ObjectRef): Entry {
    const key = refKey(ref);
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = {
        ref,
        apiVersion: '',
        resourceVersion: '',
        generation: undefined,
        found: undefined,
        wanted: undefined,
        written: null,
        held: false,
        pace: new Pace(),
        queued: false,
        timer: undefined,
        conflicts: 0,
        dropped: new Set(),
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** An answer to a write can be newer than what the watch brings after it. */
  #take(entry: Entry, object: ApiObject): void {
    const { resourceVersion } = object.metadata;
    if (entry.found && isOlder(resourceVersion, entry.resourceVersion)) return;
    entry.apiVersion = object.apiVersion ?? entry.apiVersion;
    entry.resourceVersion = resourceVersion;
    entry.generation = object.metadata.generation;
    entry.found = { status: object.status as FoundStatus | undefined };
  }

  #changed(entry: Entry): void {
    if (entry.queued) return;
    if (!entry.found && !entry.wanted && !entry.held) {
      clearTimeout(entry.timer);
      this.#entries.delete(refKey(entry.ref));
      return;
    }
    if (!this.#session || !entry.found || entry.timer || entry.held) return;
    if (this.#edits(entry).length === 0) return;
    const isRepair = entry.wanted === entry.written;
    const wait = entry.pace.wait(performance.now(), isRepair);
    if (wait <= 0) this.#enqueue(entry);
    else {
      entry.timer = setTimeout(() => {
        entry.timer = undefined;
        this.#enqueue(entry);
      }, wait);
      entry.timer.unref();
    }
  }

  #enqueue(entry: Entry): void {
    if (entry.queued || !this.#session) return;
    entry.queued = true;
    if (entry.wanted && 'listeners' in entry.wanted) this.#urgent.push(entry);
    else this.#ready.push(entry);
    this.#pump();
  }

  #pump(): void {
    while (this.#session && this.#active < this.#concurrency) {
      if (this.#urgent.length + this.#ready.length === 0 || !this.#takeToken()) return;
      const entry = (this.#urgent.shift() ?? this.#ready.shift())!;
      this.#active++;
      void this.#write(entry, this.#session.signal).finally(() => {
        this.#active--;
        entry.queued = false;
        this.#changed(entry);
        this.#pump();
      });
    }
  }

  #takeToken(): boolean {
    const now = performance.now();
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#refilledAt) / 1000) * this.#rate);
    this.#refilledAt = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return true;
    }
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      this.#pump();
    }, 1000 / this.#rate);
    return false;
  }

  #edits({ ref, found, wanted, dropped, generation }: Entry): Edit[] {
    // It was wanted of an object that is gone by now, and another has its name: what that is to say comes next.
    if (wanted && generation !== undefined && latestGeneration(wanted) > generation) return [];
    const edits = statusEdits(ref, found!.status, wanted, rfc3339(new Date()));
    return dropped.size === 0 ? edits : edits.filter(({ field }) => !dropped.has(field));
  }

  /** One write of one object. Never throws: what failed is tried again when its time has come. */
  async #write(entry: Entry, signal: AbortSignal): Promise<void> {
    if (!entry.found || entry.held) return;
    if (!this.#options.mayWrite()) return this.stop();
    const { ref, wanted, found, resourceVersion } = entry;
    const edits = this.#edits(entry);
    if (edits.length === 0) return;
    const path = objectPath(ref.kind as KindName, versionOf(entry.apiVersion), ref);
    try {
      const object = await this.#options.client.call<ApiObject>(
        'PATCH',
        `${path}/status?fieldManager=${FIELD_MANAGER}`,
        {
          contentType: PATCH.json,
          body: statusPatch(found.status !== undefined, edits, resourceVersion),
          signal,
          timeout: WRITE_TIMEOUT,
        },
      );
      this.#writes++;
      this.#take(entry, object);
      const after = (object.status ?? {}) as FoundStatus;
      for (const { field } of edits) if (!(field in after)) entry.dropped.add(field);
      entry.pace.wrote(performance.now());
      entry.written = wanted;
      entry.conflicts = 0;
    } catch (error) {
      if (!signal.aborted) await this.#recover(entry, path, error, signal);
    }
  }

  async #recover(entry: Entry, path: string, error: unknown, signal: AbortSignal): Promise<void> {
    if (isStatus(error, 404)) {
      entry.found = undefined;
      return;
    }
    // A failed `test` is answered 422, and so is a status that the API server does not take.
    if (isStatus(error, 409, 422) && entry.conflicts++ < MOST_CONFLICTS) {
      try {
        this.#take(
          entry,
          await this.#options.client.get<ApiObject>(path, { signal, timeout: WRITE_TIMEOUT }),
        );
      } catch (failure) {
        if (isStatus(failure, 404)) entry.found = undefined;
        else entry.pace.failed(performance.now());
      }
      return;
    }
    entry.conflicts = 0;
    entry.pace.failed(performance.now());
    this.#options.onProblem(entry.ref, `Its status can't be written: ${(error as Error).message}`);
  }
}

/** "2006-01-02T15:04:05Z": metav1.Time has no fractions. */
const rfc3339 = (date: Date) => `${date.toISOString().slice(0, 19)}Z`;

/** Resource versions of one kind are decimal numbers that grow; anything else can't be compared and counts as newer. */
function isOlder(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}
