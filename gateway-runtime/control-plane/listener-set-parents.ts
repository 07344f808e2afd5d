/** The Gateway of each ListenerSet, as its `spec.parentRef` names it. */
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';

export class ListenerSetParents {
  readonly #gateways = new Map<string, string>();

  /** `gatewayKey` of the Gateway of a ListenerSet, by its `refKey`. Undefined where it is none, or none that is known. */
  of(key: string): string | undefined {
    return this.#gateways.get(key);
  }

  /** A ListenerSet as it is now. Gives its Gateway of before, where that was another one. */
  put(ref: ObjectRef, object: RawObject | undefined): string | undefined {
    const key = refKey(ref);
    const before = this.#gateways.get(key);
    const parent = parentOf(ref, object);
    const after = parent && gatewayKey(parent);
    // Each write of its status comes by here too.
    if (after === before) return undefined;
    if (after === undefined) this.#gateways.delete(key);
    else this.#gateways.set(key, after);
    return before;
  }
}

function parentOf({ namespace }: ObjectRef, object: RawObject | undefined): GatewayId | undefined {
  const { parentRef } = (object?.spec ?? {}) as {
    parentRef?: { namespace?: unknown; name?: unknown };
  };
  if (typeof parentRef?.name !== 'string') return undefined;
  return {
    namespace: typeof parentRef.namespace === 'string' ? parentRef.namespace : namespace,
    name: parentRef.name,
  };
}
