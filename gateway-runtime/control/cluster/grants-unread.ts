/** What is said where listeners ask for Grants and the API server knows none: they admit no team then, and nothing else would say so. */
import { GRANT_KIND } from '../../api/grant.ts';
import { GATEWAY_GROUP, GRANTED_LISTENERS } from '../../api/names.ts';
import { type ObjectRef, refKey } from '../../api/object.ts';
import type { Diagnostic } from '../../snapshot/diagnostic.ts';
import type { ApiObject } from './reflector.ts';
import { resourceName } from './resources.ts';

export class GrantsUnread {
  /** Gateways and ListenerSets that ask for Grants. */
  readonly #asking = new Set<string>();

  /** Takes note of an object; undefined where it is gone. Whether what is said may be another thing now. */
  observe(ref: ObjectRef, object: ApiObject | undefined): boolean {
    if (ref.group !== GATEWAY_GROUP || (ref.kind !== 'Gateway' && ref.kind !== 'ListenerSet')) return false;
    const before = this.#asking.size;
    const annotations = object?.metadata.annotations ?? {};
    if (Object.hasOwn(annotations, GRANTED_LISTENERS)) this.#asking.add(refKey(ref));
    else this.#asking.delete(refKey(ref));
    return before !== this.#asking.size;
  }

  /** `isAbsent`: the API server has no such kind. */
  diagnostics(isAbsent: boolean): Diagnostic[] {
    const count = this.#asking.size;
    if (!isAbsent || count === 0) return [];
    const [first] = [...this.#asking].sort();
    return [
      {
        severity: 'error',
        code: 'crd/missing',
        object: {
          group: 'apiextensions.k8s.io',
          kind: 'CustomResourceDefinition',
          namespace: '',
          name: resourceName(GRANT_KIND),
        },
        message: `found none, and ${count === 1 ? `${first} asks` : `${first} and ${count - 1} more ask`} for Grants: their listeners admit no team`,
        fix: 'apply what synth gives of the runtime anew',
      },
    ];
  }
}
