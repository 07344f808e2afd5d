/**
 * Which policy of a kind an object, or a part of it, is under where several name it (GEP-713): of those that name the same, the older one goes
 * first, then the one that comes first in the alphabet. Whether one that names the part goes before one that names the whole is for each kind to say.
 */
import type { ObjectRef } from '../../api/object.ts';
import { type Finding, named } from '../findings.ts';
import { creationTime } from '../gateways.ts';
import type { Derived, Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';
import type { PolicyKind } from '../translation.ts';

/** A target apart from its namespace, which is that of the policy. */
export interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

/** All of an object; no part has such a name. */
const WHOLE = '';

type Target = Pick<ObjectRef, 'kind' | 'namespace' | 'name'>;

export class PolicyTargets {
  /** By part, among the policies that name the object. */
  readonly #holders: Derived<ReadonlyMap<string, Name>>;

  /** `group`: of the objects that can be targets. */
  constructor(kind: PolicyKind, group: string, memo: Memo, objects: Objects) {
    this.#holders = memo.derive((targetKind, namespace, name) => {
      const names = objects.policiesOf(kind, { kind: targetKind!, namespace: namespace!, name: name! });
      if (names.length === 0) return NOBODY;
      const holders = new Map<string, { readonly name: Name; readonly created: number }>();
      // In the order of the alphabet.
      for (const policy of names) {
        const { metadata, spec } = objects.get(kind, policy.namespace, policy.name)!;
        const created = creationTime(metadata.creationTimestamp);
        for (const ref of spec.targetRefs as readonly TargetRef[]) {
          if (ref.group !== group || ref.kind !== targetKind || ref.name !== name) continue;
          const holder = holders.get(ref.sectionName ?? WHOLE);
          if (!holder || created < holder.created)
            holders.set(ref.sectionName ?? WHOLE, { name: policy, created });
        }
      }
      return new Map(
        [...holders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([section, each]) => [section, each.name]),
      );
    });
  }

  /** The policy that has exactly this target. */
  holder({ kind, namespace, name }: Target, section = WHOLE): Name | undefined {
    return this.#holders.get(kind, namespace, name).get(section);
  }

  /**
   * That another policy has exactly this target; undefined where `policy` has it.
   * @param what the target, in words
   */
  conflict(
    policy: ObjectRef,
    target: Target,
    section: string | undefined,
    what: string,
    field: string,
  ): Finding | undefined {
    const holder = this.holder(target, section)!;
    if (holder.name === policy.name) return undefined;
    const other = { ...policy, ...holder };
    return {
      reason: 'Conflicted',
      field,
      message: `${what} is under ${named(other)}, which is older or comes first by name`,
      fix: 'remove one of the two, or have it name another target',
      related: [other],
    };
  }

  /** Those of the object and of its parts, by part; that of the whole object has an empty name. */
  of({ kind, namespace, name }: Target): ReadonlyMap<string, Name> {
    return this.#holders.get(kind, namespace, name);
  }
}

const NOBODY: ReadonlyMap<string, Name> = new Map();
