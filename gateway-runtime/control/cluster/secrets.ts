/**
 * The Secrets that translate wants, each by its name: list and watch with a field selector need no more right than a Role
 * that names the Secret. What is not wanted any more is forgotten at once.
 */
import type { ObjectRef, RawObject } from '../../api/object.ts';
import type { CertificateId } from '../../snapshot/snapshot.ts';
import type { Change, Withhold } from '../../translate/translation.ts';
import type { ApiClient } from './client.ts';
import { type CollectionState, Reflector, TIMINGS, type Timings } from './reflector.ts';
import { collectionPath } from './resources.ts';

/** As the constructs write it into each namespace that holds certificates of listeners. */
const ROLE = 'gatewright-certificates';
/** Milliseconds that a change may wait for the first answer about a Secret. */
const PATIENCE = 3_000;
/** Milliseconds for which a Secret that was read stays in use where it may not be read any more: a Role can be replaced. */
const GRACE = 30_000;

interface Watched {
  readonly reflector: Reflector;
  answered: boolean;
  /** Whether it was read and is there. */
  present: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class Secrets {
  readonly #client: ApiClient;
  readonly #timings: Timings;
  readonly #onChange: (change: Change | Withhold) => void;
  readonly #onVersion: (resourceVersion: string) => void;
  readonly #watched = new Map<CertificateId, Watched>();
  #unanswered = 0;

  constructor(
    client: ApiClient,
    onChange: (change: Change | Withhold) => void,
    timings: Timings = TIMINGS,
    onVersion: (resourceVersion: string) => void = () => {},
  ) {
    this.#client = client;
    this.#onChange = onChange;
    this.#onVersion = onVersion;
    this.#timings = timings;
  }

  /** Whether it is not known of every Secret that is wanted what it holds. Not for long. */
  get pending(): boolean {
    return this.#unanswered > 0;
  }

  /** Follows Secrets from now on, or no longer. What is let go is the caller's to forget. */
  want(changes: ReadonlyMap<CertificateId, true | undefined>): void {
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

  #follow(id: CertificateId): void {
    const ref = refOf(id);
    const reflector = new Reflector(
      this.#client,
      {
        kind: 'Secret',
        paths: [collectionPath('Secret', 'v1', ref.namespace)],
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
      if (watched.present) this.#later(watched, GRACE, () => denied(ref));
      else this.#answer(watched, denied(ref));
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

  #letGo(id: CertificateId): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    this.#watched.delete(id);
    clearTimeout(watched.timer);
    if (!watched.answered) this.#unanswered--;
    watched.answered = true;
    void watched.reflector.stop();
  }
}

/** The Secret of an id, as an object reference. */
export function refOf(id: CertificateId): ObjectRef {
  const [namespace, name] = id.split('/') as [string, string];
  return { group: '', kind: 'Secret', namespace, name };
}

const withheld = (ref: ObjectRef, problem: string, fix: string): Withhold => ({
  withhold: ref,
  problem,
  fix,
});

function denied(ref: ObjectRef): Withhold {
  const rule = {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: [ref.name],
    verbs: ['get', 'list', 'watch'],
  };
  return withheld(
    ref,
    `may not be read by the control plane: Role ${ROLE} in namespace ${ref.namespace} is missing or does not name it`,
    `have the owner of the namespace synthesize and apply the Role anew, or add the rule ${JSON.stringify(rule)} to it`,
  );
}
