/**
 * The Secrets or ConfigMaps that translate wants, each by its name: list and watch with a field selector need no more right
 * than a Role that names the object. What is not wanted any more is forgotten at once.
 */
import type { ObjectRef, RawObject } from '../../api/object.ts';
import type { Change, Withhold } from '../../translate/translation.ts';
import type { ApiClient } from './client.ts';
import { type CollectionState, Reflector, TIMINGS, type Timings } from './reflector.ts';
import { collectionPath, pluralOf } from './resources.ts';

/** As the constructs write it into each namespace that holds certificates of listeners, or of authorities. */
const ROLE = 'gatewright-certificates';
/** Milliseconds that a change may wait for the first answer about an object. */
const PATIENCE = 3_000;
/** Milliseconds for which an object that was read stays in use where it may not be read any more: a Role can be replaced. */
const GRACE = 30_000;

/** Kinds of which nobody should read more than is referred to. */
export type NamedKind = 'Secret' | 'ConfigMap';

interface Watched {
  readonly reflector: Reflector;
  answered: boolean;
  /** Whether it was read and is there. */
  present: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class FollowedByName {
  readonly #kind: NamedKind;
  readonly #client: ApiClient;
  readonly #timings: Timings;
  readonly #onChange: (change: Change | Withhold) => void;
  readonly #onVersion: (resourceVersion: string) => void;
  /** By `namespace/name`. */
  readonly #watched = new Map<string, Watched>();
  #unanswered = 0;

  constructor(
    kind: NamedKind,
    client: ApiClient,
    onChange: (change: Change | Withhold) => void,
    timings: Timings = TIMINGS,
    onVersion: (resourceVersion: string) => void = () => {},
  ) {
    this.#kind = kind;
    this.#client = client;
    this.#onChange = onChange;
    this.#onVersion = onVersion;
    this.#timings = timings;
  }

  /** Whether it is not known of every object that is wanted what it holds. Not for long. */
  get pending(): boolean {
    return this.#unanswered > 0;
  }

  /** Follows objects from now on, or no longer. What is let go is the caller's to forget. */
  want(changes: ReadonlyMap<string, true | undefined>): void {
    for (const [id, wanted] of changes) {
      if (wanted) this.#follow(id);
      else this.#letGo(id);
    }
  }

  async stop(): Promise<void> {
    const stopped = [...this.#watched.values()].map(({ reflector }) => reflector.stop());
    for (const id of [...this.#watched.keys()]) this.#letGo(id);
    await Promise.all(stopped);
  }

  #follow(id: string): void {
    const kind = this.#kind;
    const ref = namedRef(kind, id);
    const reflector = new Reflector(
      this.#client,
      {
        kind,
        paths: [collectionPath(kind, 'v1', ref.namespace)],
        fieldSelector: `metadata.name=${ref.name}`,
      },
      {
        set: (object) => {
          watched.present = true;
          this.#answer(watched, { set: object as RawObject });
        },
        remove: () => {
          watched.present = false;
          this.#answer(watched, { remove: ref });
        },
        state: (state) => this.#state(ref, watched, state),
        version: this.#onVersion,
      },
      this.#timings,
    );
    const watched: Watched = { reflector, answered: false, present: false, timer: undefined };
    this.#watched.set(id, watched);
    this.#unanswered++;
    this.#later(watched, PATIENCE, () => withheld(ref, 'can not be read now', 'wait for the API server'));
    reflector.start();
  }

  #state(ref: ObjectRef, watched: Watched, { phase }: CollectionState): void {
    if (phase === 'synced') {
      if (watched.present) clearTimeout(watched.timer);
      else this.#answer(watched, { remove: ref });
    } else if (phase === 'denied') {
      if (watched.present) this.#later(watched, GRACE, () => denied(this.#kind, ref));
      else this.#answer(watched, denied(this.#kind, ref));
    }
  }

  #answer(watched: Watched, change: Change | Withhold): void {
    clearTimeout(watched.timer);
    if (!watched.answered) this.#unanswered--;
    watched.answered = true;
    this.#onChange(change);
  }

  #later(watched: Watched, wait: number, change: () => Withhold): void {
    clearTimeout(watched.timer);
    watched.timer = setTimeout(() => this.#answer(watched, change()), wait);
    watched.timer.unref();
  }

  #letGo(id: string): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    this.#watched.delete(id);
    clearTimeout(watched.timer);
    if (!watched.answered) this.#unanswered--;
    watched.answered = true;
    void watched.reflector.stop();
  }
}

/** The object of an id, `namespace/name`. */
export function namedRef(kind: NamedKind, id: string): ObjectRef {
  const [namespace, name] = id.split('/') as [string, string];
  return { group: '', kind, namespace, name };
}

const withheld = (ref: ObjectRef, problem: string, fix: string): Withhold => ({
  withhold: ref,
  problem,
  fix,
});

function denied(kind: NamedKind, ref: ObjectRef): Withhold {
  const rule = {
    apiGroups: [''],
    resources: [pluralOf(kind)],
    resourceNames: [ref.name],
    verbs: ['get', 'list', 'watch'],
  };
  return withheld(
    ref,
    `may not be read by the control plane: Role ${ROLE} in namespace ${ref.namespace} is missing or does not name it`,
    `have the owner of the namespace synthesize and apply the Role anew, or add the rule ${JSON.stringify(rule)} to it`,
  );
}
