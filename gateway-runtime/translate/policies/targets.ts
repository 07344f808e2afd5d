/**
 * Which policy has a Service, or a port of it, where several name it (GEP-713): one that names the port goes before one that names the
 * whole Service; of those that name the same, the older one goes first, then the one that comes first in the alphabet.
 */
import type { KindObject } from '../../api/kinds.ts';
import { creationTime } from '../gateways.ts';
import type { Derived, Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';

export type TargetRef = KindObject<'BackendTLSPolicy'>['spec']['targetRefs'][number];

/** All of the Service; no port has such a name. */
const WHOLE = '';

export const isService = ({ group, kind }: TargetRef): boolean => group === '' && kind === 'Service';

export class PolicyTargets {
  readonly #holders: Derived<Name | undefined>;

  constructor(memo: Memo, objects: Objects) {
    this.#holders = memo.derive((namespace, service, section) => {
      let holder: { readonly name: Name; readonly created: number } | undefined;
      // In the order of the alphabet.
      for (const name of objects.tlsPoliciesOf({ namespace: namespace!, name: service! })) {
        const { metadata, spec } = objects.get('BackendTLSPolicy', name.namespace, name.name)!;
        const isMeant = spec.targetRefs.some(
          (ref) => isService(ref) && ref.name === service && (ref.sectionName ?? WHOLE) === section,
        );
        const created = creationTime(metadata.creationTimestamp);
        if (isMeant && (!holder || created < holder.created)) holder = { name, created };
      }
      return holder?.name;
    });
  }

  /** The policy that has exactly this target. */
  holder(namespace: string, { name, sectionName = WHOLE }: TargetRef): Name | undefined {
    return this.#holders.get(namespace, name, sectionName);
  }

  /** The policy for a port of a Service; its name is empty where it has none. */
  policyOf({ namespace, name }: Name, port: string): Name | undefined {
    const own = port === WHOLE ? undefined : this.#holders.get(namespace, name, port);
    return own ?? this.#holders.get(namespace, name, WHOLE);
  }
}
