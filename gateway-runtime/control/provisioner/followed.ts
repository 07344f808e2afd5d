/**
 * The generated objects of the namespaces that have any, as they are now, by their label. Services are not among what is followed here:
 * the control plane reads those of all namespaces anyway, and hands them in.
 */
import type { ApiClient } from '../cluster/client.ts';
import { type ApiObject, Reflector, TIMINGS, type Timings } from '../cluster/reflector.ts';
import { collectionOf, GENERATED, type GeneratedKind } from './kinds.ts';
import { isManaged, MANAGED_SELECTOR } from './names.ts';

export interface FollowedOptions {
  readonly client: ApiClient;
  /** The object is another than before, or gone. */
  readonly onObject: (namespace: string, before: ApiObject | undefined, after: ApiObject | undefined) => void;
  /** Something can be read that could not, or the other way round. */
  readonly onState: (namespace: string) => void;
  readonly timings?: Timings;
}

const KINDS = (Object.keys(GENERATED) as GeneratedKind[]).filter((kind) => kind !== 'Service');

export class Followed {
  readonly #options: FollowedOptions;
  /** By namespace, then by `Kind/name`. */
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #reflectors = new Map<string, Map<GeneratedKind, Reflector>>();

  constructor(options: FollowedOptions) {
    this.#options = options;
  }

  get namespaces(): Iterable<string> {
    return this.#reflectors.keys();
  }

  get(kind: GeneratedKind, namespace: string, name: string): ApiObject | undefined {
    return this.#objects.get(namespace)?.get(`${kind}/${name}`);
  }

  in(namespace: string): Iterable<ApiObject> {
    return this.#objects.get(namespace)?.values() ?? [];
  }

  /** Whether all that is there is known. */
  isKnown(namespace: string): boolean {
    const reflectors = this.#reflectors.get(namespace);
    return (
      reflectors !== undefined && [...reflectors.values()].every(({ state }) => state.phase === 'synced')
    );
  }

  /** Whether some of it may not be read. */
  isDenied(namespace: string): boolean {
    const reflectors = this.#reflectors.get(namespace);
    return reflectors !== undefined && [...reflectors.values()].some(({ state }) => state.phase === 'denied');
  }

  follow(namespace: string): void {
    if (this.#reflectors.has(namespace)) return;
    const { client, onState, timings = TIMINGS } = this.#options;
    const reflectors = new Map(
      KINDS.map((kind) => [
        kind,
        new Reflector(
          client,
          { kind, paths: [collectionOf(kind, namespace)], labelSelector: MANAGED_SELECTOR },
          {
            set: (object) => this.take({ ...object, kind }),
            remove: ({ name }) => this.drop(kind, namespace, name),
            state: () => onState(namespace),
          },
          timings,
        ),
      ]),
    );
    this.#reflectors.set(namespace, reflectors);
    for (const reflector of reflectors.values()) reflector.start();
  }

  /** Forgets all but Services, which go on being handed in. */
  async unfollow(namespace: string): Promise<void> {
    const reflectors = this.#reflectors.get(namespace);
    this.#reflectors.delete(namespace);
    for (const [key, { kind }] of this.#objects.get(namespace) ?? []) {
      if (kind !== 'Service') this.#put(namespace, key, undefined);
    }
    await Promise.all([...(reflectors?.values() ?? [])].map((reflector) => reflector.stop()));
  }

  /** An object as the API server gave it; an answer to a write can be newer than what the watch brings after it. */
  take(object: ApiObject): void {
    const { namespace = '', name, labels, resourceVersion } = object.metadata;
    const kind = object.kind as GeneratedKind;
    if (!isManaged(labels)) {
      this.drop(kind, namespace, name);
      return;
    }
    const known = this.get(kind, namespace, name);
    if (
      known?.metadata.uid === object.metadata.uid &&
      isOlder(resourceVersion, known.metadata.resourceVersion)
    )
      return;
    this.#put(namespace, `${kind}/${name}`, object);
  }

  drop(kind: GeneratedKind, namespace: string, name: string): void {
    this.#put(namespace, `${kind}/${name}`, undefined);
  }

  #put(namespace: string, key: string, object: ApiObject | undefined): void {
    const objects = this.#objects.get(namespace) ?? new Map<string, ApiObject>();
    const before = objects.get(key);
    if (!before && !object) return;
    if (object) this.#objects.set(namespace, objects.set(key, object));
    else if (objects.delete(key) && objects.size === 0) this.#objects.delete(namespace);
    this.#options.onObject(namespace, before, object);
  }
}

/** Resource versions of one kind are decimal numbers that grow; anything else can't be compared and counts as newer. */
function isOlder(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}
