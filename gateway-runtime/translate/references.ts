/**
 * References from one namespace into another: every one goes through here. The owner of the target's namespace must have
 * allowed it with a ReferenceGrant, and a grant that goes takes its references with it.
 */
import { GATEWAY_GROUP, GATEWAY_VERSION } from '../api/names.ts';
import { type Finding, named } from './findings.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

export interface Referent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export class References {
  readonly #permitted: Derived<boolean>;

  constructor(memo: Memo, objects: Objects) {
    this.#permitted = memo.derive((fromGroup, fromKind, fromNamespace, group, kind, namespace, name) =>
      objects.grantsIn(namespace!).some((grant) => {
        const { from, to } = objects.get('ReferenceGrant', grant.namespace, grant.name)!.spec;
        return (
          from.some(
            (each) => each.group === fromGroup && each.kind === fromKind && each.namespace === fromNamespace,
          ) &&
          // "When unspecified, this policy refers to all resources of the specified Group and Kind" (to.name).
          to.some(
            (each) =>
              each.group === group && each.kind === kind && (each.name === undefined || each.name === name),
          )
        );
      }),
    );
  }

  /**
   * Why an object may not refer to another; undefined where it may. Says nothing about whether the target exists, which
   * is not for strangers to know.
   */
  refusal(from: Referrer, to: Referent, field: string): Finding | undefined {
    if (from.namespace === to.namespace) return undefined;
    if (
      this.#permitted.get(from.group, from.kind, from.namespace, to.group, to.kind, to.namespace, to.name)
    ) {
      return undefined;
    }
    return {
      reason: 'RefNotPermitted',
      field,
      message: `no ReferenceGrant in namespace ${to.namespace} lets ${from.kind} objects of namespace ${from.namespace} refer to ${named(to)}`,
      fix: `have the owner of namespace ${to.namespace} apply ${JSON.stringify(grantFor(from, to))}`,
      related: [to],
    };
  }
}

/** The narrowest grant that would do. As JSON it is YAML too. */
function grantFor(from: Referrer, to: Referent) {
  return {
    apiVersion: `${GATEWAY_GROUP}/${GATEWAY_VERSION}`,
    kind: 'ReferenceGrant',
    metadata: { namespace: to.namespace, name: `${from.namespace}-to-${to.name}` },
    spec: {
      from: [{ group: from.group, kind: from.kind, namespace: from.namespace }],
      to: [{ group: to.group, kind: to.kind, name: to.name }],
    },
  };
}
