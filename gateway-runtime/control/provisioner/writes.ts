/** Writes of generated objects: when, and of which kind. An object that another made is not written. */
import type { GatewayId } from '../../snapshot/snapshot.ts';
import { type ApiClient, isStatus, PATCH } from '../cluster/client.ts';
import type { ApiObject } from '../cluster/reflector.ts';
import { Pace } from '../status-writer-pace.ts';
import type { Problem } from './addresses.ts';
import { differenceAt } from './difference.ts';
import { type GeneratedKind, type GeneratedObject, isGateway, ownerOf, placeOf } from './kinds.ts';
import { APPLIED_ANNOTATION, FIELD_MANAGER, gatewayLabels, isManaged } from './names.ts';
import { isPassing, refused, taken } from './problems.ts';

export interface Outcome {
  /** As it is now. */
  readonly object?: ApiObject;
  readonly problem?: Problem;
  /** Milliseconds after which to look again. */
  readonly again?: number;
}

interface Due {
  readonly at: number;
  readonly hash: string | undefined;
}

/** What is remembered of an object between two looks at it. */
interface Memory {
  readonly pace: Pace;
  /** Not written before, on the clock of `performance.now`, and what is to be written then. */
  due: Due | undefined;
  /** What was applied last. */
  applied: string | undefined;
  /** Generation or version that came of it, where the API server made something else of it than was asked for. */
  settled: unknown;
}

const TIMEOUT = 10_000;

export class Writes {
  readonly #client: Pick<ApiClient, 'call'>;
  readonly #onEvent: (message: string) => void;
  readonly #memory = new Map<string, Memory>();

  constructor(client: Pick<ApiClient, 'call'>, onEvent: (message: string) => void) {
    this.#client = client;
    this.#onEvent = onEvent;
  }

  /** There is reason to hope that what failed will not fail again. */
  retry(namespace: string): void {
    for (const key of this.#memory.keys()) {
      if (key.startsWith(`${namespace}/`)) this.#memory.delete(key);
    }
  }

  /** Brings an object to what is wanted, if it is not so and its time has come. `found` is what is known of it. */
  async bring(
    wanted: GeneratedObject,
    gateway: GatewayId,
    found: ApiObject | undefined,
    signal: AbortSignal,
    asksForAddress: boolean,
  ): Promise<Outcome> {
    const { kind, metadata } = wanted;
    const key = keyOf(kind, metadata.namespace, metadata.name);
    const memory = this.#memoryOf(key);
    // Its annotation is another, too, where something is wanted no longer.
    const drift = found && differenceAt(found, wanted);
    if (found && (drift === undefined || isSettled(found, wanted, memory))) {
      memory.due = undefined;
      return { object: found };
    }
    const now = performance.now();
    const hash = appliedOf(wanted);
    const isRepair = memory.applied === hash;
    // A wait for the repair of another state is over.
    const due: Due =
      memory.due && memory.due.hash === hash
        ? memory.due
        : { at: now + memory.pace.wait(now, isRepair), hash };
    memory.due = due;
    if (due.at > now) return { ...(found ? { object: found } : {}), again: due.at - now };
    memory.due = undefined;
    try {
      const before = found ?? (await this.#read(wanted, signal));
      if (before && !isMadeFor(before, gateway)) {
        memory.pace.failed(now);
        return { problem: taken(wanted, gateway), again: memory.pace.wait(now, false) };
      }
      if (found && isRepair && drift) {
        this.#onEvent(
          `${kind} ${metadata.namespace}/${metadata.name} was changed by somebody else at ${drift}; it is put back.`,
        );
      }
      const object = await this.#apply(wanted, before, signal);
      memory.pace.wrote(performance.now());
      memory.applied = hash;
      memory.settled = differenceAt(object, wanted) === undefined ? undefined : stateOf(object);
      return { object };
    } catch (error) {
      memory.pace.failed(performance.now());
      const again = memory.pace.wait(now, false);
      // It is another than we thought, or the API server is busy: what is there does its work meanwhile.
      if (found && (isStatus(error, 404, 409) || isPassing(error))) return { object: found, again };
      return { problem: refused(wanted, error as Error, asksForAddress), again };
    }
  }

  /** Deletes what was made for a Gateway and is there still as it is known. Rejects where that is not possible. */
  async remove(object: ApiObject, signal: AbortSignal): Promise<void> {
    const { name, namespace = '', uid } = object.metadata;
    const kind = object.kind as GeneratedKind;
    this.forget(object);
    try {
      await this.#client.call('DELETE', placeOf(kind, namespace, name), {
        body: { preconditions: { uid }, propagationPolicy: 'Background' },
        signal,
        timeout: TIMEOUT,
      });
    } catch (error) {
      // It is gone, or another has its name.
      if (!isStatus(error, 404, 409)) throw error;
    }
  }

  forget({ kind, metadata }: ApiObject): void {
    this.#memory.delete(keyOf(kind!, metadata.namespace ?? '', metadata.name));
  }

  /** What is not followed, since it has no label of ours, may be there nevertheless. */
  async #read({ kind, metadata }: GeneratedObject, signal: AbortSignal): Promise<ApiObject | undefined> {
    try {
      const place = placeOf(kind, metadata.namespace, metadata.name);
      return await this.#client.call<ApiObject>('GET', place, { signal, timeout: TIMEOUT });
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Only over the very object that is known, and where there is none only where nobody else has made one meanwhile. */
  async #apply(
    wanted: GeneratedObject,
    before: ApiObject | undefined,
    signal: AbortSignal,
  ): Promise<ApiObject> {
    const { kind, metadata } = wanted;
    const parameters = new URLSearchParams({ fieldManager: FIELD_MANAGER, force: `${before !== undefined}` });
    const replicas = kind === 'Deployment' ? keptReplicas(wanted, before) : undefined;
    const object = await this.#client.call<ApiObject>(
      'PATCH',
      `${placeOf(kind, metadata.namespace, metadata.name)}?${parameters}`,
      {
        contentType: PATCH.apply,
        body: {
          ...wanted,
          ...(replicas === undefined
            ? {}
            : { spec: { ...(wanted.spec as Record<string, unknown>), replicas } }),
          metadata: before ? { ...metadata, uid: before.metadata.uid } : metadata,
        },
        signal,
        timeout: TIMEOUT,
      },
    );
    delete object.metadata.managedFields;
    return object;
  }

  #memoryOf(key: string): Memory {
    const known = this.#memory.get(key);
    if (known) return known;
    const memory: Memory = { pace: new Pace(), due: undefined, applied: undefined, settled: undefined };
    this.#memory.set(key, memory);
    return memory;
  }
}

const keyOf = (kind: string, namespace: string, name: string) => `${namespace}/${kind}/${name}`;

const appliedOf = (object: GeneratedObject | ApiObject) => object.metadata.annotations?.[APPLIED_ANNOTATION];

/** Not every object has a generation. */
const stateOf = ({ metadata }: ApiObject) => metadata.generation ?? metadata.resourceVersion;

/** An admission webhook may have its own idea of an object: it is not fought. */
const isSettled = (found: ApiObject, wanted: GeneratedObject, memory: Memory) =>
  memory.settled !== undefined &&
  memory.applied === appliedOf(wanted) &&
  appliedOf(found) === memory.applied &&
  memory.settled === stateOf(found);

/** Where something scales the Deployment, its number stays what it is; without one the API server would set it to 1. */
function keptReplicas(wanted: GeneratedObject, before: ApiObject | undefined): number | undefined {
  const replicasOf = (object: GeneratedObject | ApiObject) =>
    (object.spec as { readonly replicas?: number } | undefined)?.replicas;
  if (replicasOf(wanted) !== undefined) return undefined;
  return before && replicasOf(before);
}

/** Either says so: its label can be taken away by hand, and its owner be another of the same name. */
export function isMadeFor({ metadata }: ApiObject, gateway: GatewayId): boolean {
  const owner = ownerOf(metadata);
  if (owner) return isGateway(owner) && owner.name === gateway.name;
  if (!isManaged(metadata.labels)) return false;
  return Object.entries(gatewayLabels(gateway)).every(([label, value]) => metadata.labels?.[label] === value);
}
