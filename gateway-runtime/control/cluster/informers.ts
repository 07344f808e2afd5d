/**
 * All objects that translate reads, Secrets aside, as they are in the cluster: what changes in one turn of the event loop
 * is handed on as one batch, and nothing before every kind was read once.
 */
import { KINDS, type KindName } from '../../api/kinds.ts';
import { type ObjectRef, type RawObject, refKey } from '../../api/object.ts';
import type { Change } from '../../translate/translation.ts';
import type { ApiClient } from './client.ts';
import { type ApiObject, type CollectionState, Reflector, TIMINGS, type Timings } from './reflector.ts';
import { collectionPath } from './resources.ts';

export interface InformersOptions {
  readonly client: ApiClient;
  readonly kinds: readonly KindName[];
  readonly timings?: Timings;
  /** Of several changes of one object only the last one is there. The first batch is everything. */
  readonly onChanges: (changes: readonly Change[]) => void;
  /** Every version of every object, as it comes; undefined where it is gone. */
  readonly onObject: (ref: ObjectRef, object: ApiObject | undefined) => void;
  readonly onState: (kind: KindName, state: CollectionState) => void;
  /** Every resource version up to which some kind was read. */
  readonly onVersion?: (resourceVersion: string) => void;
}

export class Informers {
  readonly #options: InformersOptions;
  readonly #reflectors = new Map<KindName, Reflector>();
  readonly #pending = new Map<string, Change>();
  /** By object, what of it translate can see: a status that was written is no change. */
  readonly #seen = new Map<string, string>();
  #scheduled = false;
  #synced = false;

  constructor(options: InformersOptions) {
    this.#options = options;
    for (const kind of options.kinds) {
      const { group, namespaced, versions } = KINDS[kind];
      const refOf = (namespace: string, name: string): ObjectRef => ({
        group,
        kind,
        namespace: namespaced ? namespace : '',
        name,
      });
      this.#reflectors.set(
        kind,
        new Reflector(
          options.client,
          { kind, paths: versions.map((version) => collectionPath(kind, version)) },
          {
            set: (object) => this.#set(refOf(object.metadata.namespace ?? '', object.metadata.name), object),
            remove: ({ namespace, name }) => this.#remove(refOf(namespace, name)),
            state: (state) => {
              options.onState(kind, state);
              this.#schedule();
            },
            version: (resourceVersion) => options.onVersion?.(resourceVersion),
          },
          options.timings ?? TIMINGS,
        ),
      );
    }
  }

  /** Whether every kind was read once. */
  get synced(): boolean {
    return this.#synced;
  }

  stateOf(kind: KindName): CollectionState | undefined {
    return this.#reflectors.get(kind)?.state;
  }

  start(): void {
    for (const reflector of this.#reflectors.values()) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
  }

  /** Looks at once for kinds that could not be read so far. */
  poke(): void {
    for (const reflector of this.#reflectors.values()) {
      if (reflector.state.phase !== 'synced') reflector.poke();
    }
  }

  #set(ref: ObjectRef, object: ApiObject): void {
    this.#options.onObject(ref, object);
    const key = refKey(ref);
    const visible = visiblePart(object);
    if (visible !== undefined && this.#seen.get(key) === visible) return;
    if (visible !== undefined) this.#seen.set(key, visible);
    this.#pending.set(key, { set: object as RawObject });
    this.#schedule();
  }

  #remove(ref: ObjectRef): void {
    this.#options.onObject(ref, undefined);
    const key = refKey(ref);
    this.#seen.delete(key);
    this.#pending.set(key, { remove: ref });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#synced) {
      const phases = [...this.#reflectors.values()].map(({ state }) => state.phase);
      if (!phases.every((phase) => phase === 'synced' || phase === 'absent')) return;
      this.#synced = true;
    } else if (this.#pending.size === 0) return;
    const changes = [...this.#pending.values()];
    this.#pending.clear();
    this.#options.onChanges(changes);
  }
}

/** Undefined for kinds whose spec has no generation: then every version counts. */
function visiblePart({ metadata }: ApiObject): string | undefined {
  const { uid, generation, labels, annotations, deletionTimestamp } = metadata;
  if (generation === undefined) return undefined;
  return JSON.stringify([uid, generation, labels, annotations, deletionTimestamp]);
}
