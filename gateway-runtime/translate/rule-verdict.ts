/** What the rules of a route as such, attachment aside, mean for its status. */
import { ruleField } from '../snapshot/rule-field.ts';
import { type Conditions, type Finding, sentences } from './findings.ts';
import type { RefusedMatch } from './granted-rules.ts';
import type { Reason } from './reasons.ts';
import type { TranslatedRule } from './rules.ts';

export class RuleVerdict {
  readonly #names: readonly (string | undefined)[];
  /** Why the route is not accepted; set where no rule is left that can be served. */
  readonly refused: { readonly reason: Reason; readonly message: string } | undefined;
  readonly #unresolved: readonly Finding[];
  readonly #partly: string | undefined;

  /** `names`: names of the rules, where they have one. */
  constructor(rules: readonly TranslatedRule[], names: readonly (string | undefined)[]) {
    this.#names = names;
    const refused = [...rules.entries()].filter(([, rule]) => rule.refusals.length > 0);
    const refusals = refused.flatMap(([, rule]) => rule.refusals);
    this.#unresolved = rules.flatMap((rule) => rule.unresolved);
    if (refused.length === 0) return;
    const why = `requests that match get 500. ${sentences(refusals)}`;
    if (refused.length === rules.length) {
      const incompatible = refusals.every(({ reason }) => reason === 'IncompatibleFilters');
      this.refused = {
        reason: incompatible ? 'IncompatibleFilters' : 'UnsupportedValue',
        message: `No rule of the route can be served: ${why}`,
      };
      return;
    }
    // "The message for this condition MUST start with the prefix "Dropped Rule"" (PartiallyInvalid).
    this.#partly = `Dropped Rule ${this.#shown(refused.map(([rule]) => rule))}: ${why}`;
  }

  /** Adds ResolvedRefs and PartiallyInvalid for a parent by which the route is accepted, or not. */
  addTo(conditions: Conditions, accepted: boolean, notGranted: readonly RefusedMatch[]): void {
    const [first] = this.#unresolved;
    if (first) conditions.add('ResolvedRefs', 'False', first.reason, sentences(this.#unresolved));
    else conditions.add('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference of the route resolves.');
    // "This condition MUST NOT be set if a Route is fully valid, fully invalid, or not accepted".
    if (!accepted) return;
    const left =
      notGranted.length > 0
        ? `Dropped Rule ${this.#shown(notGranted.map(({ rule }) => rule))}: not granted. ${sentences(notGranted.map(({ finding }) => finding))}`
        : undefined;
    if (this.#partly) {
      const both = left ? `${this.#partly} ${left}` : this.#partly;
      conditions.add('PartiallyInvalid', 'True', 'UnsupportedValue', both);
    } else if (left) conditions.add('PartiallyInvalid', 'True', 'NotAllowedByListeners', left);
  }

  #shown(rules: readonly number[]): string {
    return [...new Set(rules)].map((rule) => ruleField({ rule, ruleName: this.#names[rule] })).join(', ');
  }
}
