/**
 * The requests at one class of hosts that another rule takes than before, or the same one with another outcome. What a rule takes is its
 * match without what those before it take; so the requests that `before` took and `after` takes are those of both matches, without
 * what goes before either on its side. Two rules that are both unchanged have the same order on both sides, so at least one of the two
 * changed: pairs are formed around those, and whatever else the host has is only looked at where its path meets theirs.
 */
import { comparePrecedence } from '../match/precedence.ts';
import type { HttpMatch } from '../snapshot/snapshot.ts';
import { type Conjunction, EVERYTHING, meets, narrowed, takesAll } from './conjunction.ts';
import type { Expressions } from './expressions.ts';
import type { Entry, RuleBucket } from './rule-bucket.ts';

/** What decides about one class of hosts on one side. */
export interface Chain {
  /** Of the hostnames that take these hosts, the most specific first; ends with one that takes everything. */
  readonly buckets: readonly RuleBucket[];
  /** The entries that the other side does not have in the same form and with the same outcome. */
  readonly changed: ReadonlySet<Entry>;
}

/** Requests of `set`, without those that one of `others` takes. Never empty where no expression is involved. */
export interface RuleChange {
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
  readonly set: Conjunction;
  readonly others: readonly Entry[];
}

type Differs = (before: Entry | undefined, after: Entry | undefined) => boolean;

/** @param differs whether the outcomes do */
export function* ruleChanges(
  before: Chain,
  after: Chain,
  differs: Differs,
  expressions: Expressions,
): Generator<RuleChange> {
  const change = (was: Entry | undefined, is: Entry | undefined, set: Conjunction) => {
    if (!differs(was, is)) return undefined;
    const others = [...goingFirst(before, was, set, expressions), ...goingFirst(after, is, set, expressions)];
    if (others.some(({ condition }) => takesAll(condition, set, expressions))) return undefined;
    return { before: was, after: is, set, others };
  };
  for (const was of before.changed) {
    for (const [is, set] of pairs(was, before, after, (other) => !after.changed.has(other), expressions)) {
      const found = change(was, is, set);
      if (found) yield found;
    }
  }
  for (const is of after.changed) {
    for (const [was, set] of pairs(is, after, before, (other) => !before.changed.has(other), expressions)) {
      // Of two that changed, the loop above has seen to it.
      if (was && before.changed.has(was)) continue;
      const found = change(was, is, set);
      if (found) yield found;
    }
  }
}

/** What takes on the other side what `entry` takes on its own, with the requests in question; undefined for no rule. */
function* pairs(
  entry: Entry,
  own: Chain,
  other: Chain,
  isUnchanged: (entry: Entry) => boolean,
  expressions: Expressions,
): Generator<[Entry | undefined, Conjunction]> {
  const all = narrowed(EVERYTHING, entry.condition, expressions);
  if (!all) return;
  for (const { condition } of goingFirst(own, entry, all, expressions)) {
    if (takesAll(condition, all, expressions)) return;
  }
  for (const found of meeting(other, all)) {
    const set = narrowed(all, found.condition, expressions);
    if (!set) continue;
    // What is unchanged and goes first there goes first here too.
    if (!isUnchanged(found) || comparePrecedence(found, entry) > 0) yield [found, set];
    if (takesAll(found.condition, all, expressions)) return;
  }
  yield [undefined, all];
}

function* meeting(chain: Chain, set: Conjunction): Generator<Entry> {
  for (const bucket of chain.buckets) yield* bucket.meeting(set);
}

/** What takes requests of the set before `entry` does; without an entry, all that takes some. */
function* goingFirst(
  chain: Chain,
  entry: Entry | undefined,
  set: Conjunction,
  expressions: Expressions,
): Generator<Entry> {
  for (const each of meeting(chain, set)) {
    if (each === entry) return;
    if (meets(set, each.condition, expressions)) yield each;
  }
}

/** Beyond these, what others take along is not worth looking for. */
const MOST_COMPARED = 32;

/** The matches, each once, without those that another takes along. */
export function conditionsOf(entries: readonly Entry[], expressions: Expressions): HttpMatch[] {
  const all = [...new Map(entries.map(({ condition }) => [JSON.stringify(condition), condition])).values()];
  if (all.length > MOST_COMPARED) return all;
  return all.filter((each, index) => {
    const set = narrowed(EVERYTHING, each, expressions);
    return !all.some(
      (other, at) =>
        at !== index &&
        (!set || takesAll(other, set, expressions)) &&
        // Of two that take the same, the first stays.
        (at < index || !isWithinMatch(other, each, expressions)),
    );
  });
}

function isWithinMatch(inner: HttpMatch, outer: HttpMatch, expressions: Expressions): boolean {
  const set = narrowed(EVERYTHING, inner, expressions);
  return !set || takesAll(outer, set, expressions);
}
