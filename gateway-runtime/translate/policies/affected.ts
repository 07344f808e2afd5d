/**
 * What objects say of the policies that they are under, in conditions of our own: "implementations of Policies kinds SHOULD put a condition into
 * `status.Conditions` of any objects affected by the policy", named after the kind (GEP-713, target object status).
 */
import { OWN_GROUP } from '../../api/names.ts';
import type { ObjectRef } from '../../api/object.ts';
import type { AppliedPolicy } from '../../snapshot/snapshot.ts';
import { type Conditions, type Finding, named } from '../findings.ts';
import type { Name } from '../objects.ts';
import type { Overridden } from './levels.ts';
import type { PolicedRule } from './policed-rule.ts';

const KINDS = ['GatewayPolicy', 'RoutePolicy'] as const;

export const affectedBy = (kind: AppliedPolicy['kind']): string => `${OWN_GROUP}/${kind}Affected`;

/** Of a parent of a route, by the rules as they are at its listeners. */
export function addAffected(conditions: Conditions, rules: readonly PolicedRule[]): void {
  const applied = rules.flatMap((rule) => rule.applied);
  for (const kind of KINDS) {
    const lines = distinct(
      applied.flatMap((each) =>
        each.kind === kind ? [`${named(each)}: ${each.effect} (${each.field})`] : [],
      ),
    );
    if (lines.length === 0) continue;
    const held = distinct(
      rules.flatMap(({ overridden }) =>
        overridden.flatMap((each) =>
          !each.from.policy && each.by.policy?.kind === kind ? [overriddenInWords(each)] : [],
        ),
      ),
    );
    const notAsSaid = held.length > 0 ? ` Not as the route says: ${held.join('; ')}.` : '';
    const reason = held.length > 0 ? 'Overridden' : 'Affected';
    conditions.add(affectedBy(kind), 'True', reason, `${lines.join('; ')}.${notAsSaid}`);
  }
}

/** Of a Gateway or ListenerSet. */
export function addOver(conditions: Conditions, policies: ReadonlyMap<string, Name>): void {
  if (policies.size === 0) return;
  const lines = [...policies].map(
    ([section, name]) =>
      `${section ? `Listener ${section}` : 'It'} is under ${named({ kind: 'GatewayPolicy', ...name })}.`,
  );
  conditions.add(affectedBy('GatewayPolicy'), 'True', 'Affected', lines.join(' '));
}

const overriddenInWords = ({ from, found, holds, by }: Overridden): string =>
  `${from.field} is ${found}, and ${holds} holds by ${named(by.policy!)} (${by.field})`;

/** For whoever said what does not hold. */
export function overriddenFinding({ from, found, holds, by }: Overridden): Finding {
  const policy: ObjectRef = by.policy!;
  return {
    reason: 'Overridden',
    field: from.field,
    message: `found ${found}, and ${named(policy)} does not let it be so (${by.field}): ${holds} holds`,
    fix: `remove it, or stay within what ${by.field} says; what that is, the platform decides`,
    related: [policy],
  };
}

export const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Several rules and listeners may say the same. */
export const distinctOverridden = (all: readonly Overridden[]): Overridden[] => [
  ...new Map(
    all.map((each) => [
      JSON.stringify([
        each.from.policy,
        each.from.field,
        each.found,
        each.holds,
        each.by.policy,
        each.by.field,
      ]),
      each,
    ]),
  ).values(),
];
