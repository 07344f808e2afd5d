/** Who is behind a change of a rule that was brought about by policies, and not by its route. */
import type { AppliedPolicy, HttpRule } from '../snapshot/snapshot.ts';

/**
 * Whose the policies are that have another say in a rule than before: of `team` where they stand in the namespace of its route, else of the
 * platform, by the namespace. Nobody where the rules are of different routes, since then it is not a policy that decides.
 */
export function policyAuthors(
  before: HttpRule | undefined,
  after: HttpRule | undefined,
  team: (rule: HttpRule) => string,
): string[] {
  if (!before || !after || before.source.namespace !== after.source.namespace) return [];
  if (before.source.name !== after.source.name || before.source.rule !== after.source.rule) return [];
  const [was, is] = [textsOf(before), textsOf(after)];
  return [...was, ...is]
    .filter(([text]) => was.has(text) !== is.has(text))
    .map(([, { namespace }]) => (namespace === after.source.namespace ? team(after) : namespace));
}

const textsOf = ({ policies = [] }: HttpRule): ReadonlyMap<string, AppliedPolicy> =>
  new Map(policies.map((each) => [JSON.stringify(each), each]));
