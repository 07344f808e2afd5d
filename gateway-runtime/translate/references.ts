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

/** Grants that are looked through for a target that a reference may have meant. */
const MOST_GRANTS = 16;

export class References {
  readonly #objects: Objects;
  readonly #permitted: Derived<boolean>;

  constructor(memo: Memo, objects: Objects) {
    this.#objects = objects;
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
    if (this.#isPermitted(from, to)) return undefined;
    return {
      reason: 'RefNotPermitted',
      field,
      message: `no ReferenceGrant in namespace ${to.namespace} lets ${from.kind} objects of namespace ${from.namespace} refer to ${named(to)}`,
      fix: `have the owner of namespace ${to.namespace} apply ${spaced(grantFor(from, to))}`,
      related: [to],
    };
  }

  /**
   * Other namespaces whose owners let an object refer to one of this name there: what it may be told of them, where it
   * named none. In stable order.
   */
  permittedElsewhere(from: Referrer, to: Omit<Referent, 'namespace'>): string[] {
    const grants = this.#objects.grantsTo(from.namespace).slice(0, MOST_GRANTS);
    return [...new Set(grants.map(({ namespace }) => namespace))].filter(
      (namespace) => namespace !== from.namespace && this.#isPermitted(from, { ...to, namespace }),
    );
  }

  #isPermitted(from: Referrer, to: Referent): boolean {
    return this.#permitted.get(
      from.group,
      from.kind,
      from.namespace,
      to.group,
      to.kind,
      to.namespace,
      to.name,
    );
  }
}

/** As JSON, which is YAML too, with spaces at which lines can be broken. */
const spaced = (value: unknown) => JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ');

/** The narrowest grant that would do. */
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
