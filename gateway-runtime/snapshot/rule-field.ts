/** Rules of routes as messages name them. */

interface RuleName {
  /** From 0. */
  readonly rule: number;
  readonly ruleName?: string | undefined;
}

/** `spec.rules[0].matches[1] (gold)`: the path of the field, counted from 0, and the name of the rule where it has one. */
export function ruleField({ rule, ruleName }: RuleName, match?: number): string {
  const ofMatch = match === undefined ? '' : `.matches[${match}]`;
  return `spec.rules[${rule}]${ofMatch}${ruleName ? ` (${ruleName})` : ''}`;
}
