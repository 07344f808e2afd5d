/** What the rules of a route as such, attachment aside, mean for its status. */
import { ruleField } from '../snapshot/rule-field.ts';
import { type Conditions, type Finding, sentences } from './findings.ts';
import type { Reason } from './reasons.ts';
import type { TranslatedRule } from './rules.ts';

export class RuleVerdict {
  /** Why the route is not accepted; set where no rule is left that can be served. */
  readonly refused: { readonly reason: Reason; readonly message: string } | undefined;
  readonly #unresolved: readonly Finding[];
  readonly #partly: string | undefined;

  /** `names`: names of the rules, where they have one. */
  constructor(rules: readonly TranslatedRule[], names: readonly (string | undefined)[]) {
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
    const shown = refused.map(([rule]) => ruleField({ rule, ruleName: names[rule] }));
    // "The message for this condition MUST start with the prefix "Dropped Rule"" (PartiallyInvalid).
    this.#partly = `Dropped Rule ${shown.join(', ')}: ${why}`;
  }

  /** Adds ResolvedRefs and PartiallyInvalid for a parent by which the route is accepted, or not. */
  addTo(conditions: Conditions, accepted: boolean): void {
    const [first] = this.#unresolved;
    if (first) conditions.add('ResolvedRefs', 'False', first.reason, sentences(this.#unresolved));
    else conditions.add('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference of the route resolves.');
    // "This condition MUST NOT be set if a Route is fully valid, fully invalid, or not accepted".
    if (accepted && this.#partly) {
      conditions.add('PartiallyInvalid', 'True', 'UnsupportedValue', this.#partly);
    }
  }
}
