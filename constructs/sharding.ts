/**
 * An HTTPRoute holds 16 rules with 128 matches; a TeamRoute holds any number, as several HTTPRoutes. Between routes, ties are broken
 * by age and name, which nobody wrote down, so rules that could tie stay in one route, in their order; all others are told apart
 * by what they match, wherever they stand.
 *
 * Which route a rule is in depends on a hash of what its group matches and on nothing else: a tree over the bits of that hash,
 * in which only a node that is too full is split. A rule that is added changes its own leaf, and no other route's name or
 * rules; another backend or weight changes no name at all. A leaf is named by its bits without the zeros at the end, so that a
 * node keeps its name for one of its halves, and the route that was there before the first split stays.
 */
import { normalizePath } from '../gateway-runtime/match/normalize.ts';
import { contentHash } from '../gateway-runtime/snapshot/canonical.ts';

/** Limits of HTTPRouteSpec.rules: items, and matches over all of them. */
const MOST_RULES = 16;
const MOST_MATCHES = 128;

/** The part of a rule of the API that says which requests it takes. */
export interface MatchedRule {
  readonly matches: readonly ApiMatch[];
}

export interface ApiMatch {
  readonly path: { readonly type: string; readonly value: string };
  readonly method?: string | undefined;
  readonly headers?: readonly ValueMatch[] | undefined;
  readonly queryParams?: readonly ValueMatch[] | undefined;
}

interface ValueMatch {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

export interface Shard<R> {
  /** What is appended to the name of the route; empty for the one that keeps it. */
  readonly suffix: string;
  /** In the order of the whole. */
  readonly rules: readonly R[];
}

/** Rules that must stay together, and are too many for that. */
export interface TooLarge<R> {
  readonly tooLarge: readonly R[];
}

/** A match with the parts that decide in one form. */
interface Condition {
  /** Equal for paths that no precedence tells apart. */
  readonly path: string;
  readonly method: string | undefined;
  readonly headers: ReadonlyMap<string, ValueMatch>;
  readonly query: ReadonlyMap<string, ValueMatch>;
}

interface Group {
  readonly rules: number[];
  matches: number;
  /** Hash as bits. */
  readonly bits: string;
}

/** The routes that these rules make; in the order of their suffixes. */
export function shard<R extends MatchedRule>(rules: readonly R[]): Shard<R>[] | TooLarge<R> {
  const groups = groupsOf(rules);
  const large = groups.find((group) => !fits([group]));
  if (large) return { tooLarge: large.rules.map((index) => rules[index]!) };
  return split(groups, '').map(({ bits, groups: leaf }) => ({
    suffix: bits.replace(/0+$/, ''),
    rules: leaf
      .flatMap((group) => group.rules)
      .sort((a, b) => a - b)
      .map((index) => rules[index]!),
  }));
}

const sum = (groups: readonly Group[], count: (group: Group) => number) =>
  groups.reduce((total, group) => total + count(group), 0);

const fits = (groups: readonly Group[]) =>
  sum(groups, (group) => group.rules.length) <= MOST_RULES &&
  sum(groups, (group) => group.matches) <= MOST_MATCHES;

function split(groups: readonly Group[], bits: string): { bits: string; groups: readonly Group[] }[] {
  if (fits(groups)) return groups.length > 0 || bits === '' ? [{ bits, groups }] : [];
  return ['0', '1'].flatMap((bit) =>
    split(
      groups.filter((group) => group.bits[bits.length] === bit),
      bits + bit,
    ),
  );
}

/** The rules, joined where any match of one could tie with any of the other. */
function groupsOf(rules: readonly MatchedRule[]): Group[] {
  const conditions = rules.map((rule) => rule.matches.map(conditionOf));
  const joined = rules.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (joined[at] !== at) at = joined[at]!;
    return at;
  };
  const byPath = new Map<string, { rule: number; condition: Condition }[]>();
  for (const [rule, ofRule] of conditions.entries()) {
    for (const condition of ofRule) {
      const samePath = byPath.get(condition.path) ?? [];
      for (const other of samePath) {
        if (couldTie(condition, other.condition)) joined[root(rule)] = root(other.rule);
      }
      samePath.push({ rule, condition });
      byPath.set(condition.path, samePath);
    }
  }
  const members = new Map<number, number[]>();
  for (const index of rules.keys()) {
    const at = root(index);
    members.set(at, [...(members.get(at) ?? []), index]);
  }
  return [...members.values()].map((group) => ({
    rules: group,
    matches: group.reduce((total, index) => total + rules[index]!.matches.length, 0),
    bits: bitsOf(
      group
        .flatMap((index) => conditions[index]!)
        .map(keyOf)
        .sort()[0]!,
    ),
  }));
}

export function conditionOf({ path, method, headers = [], queryParams = [] }: ApiMatch): Condition {
  return {
    path: pathKey(path),
    method,
    headers: firstOfEachName(headers.map((header) => ({ ...header, name: header.name.toLowerCase() }))),
    query: firstOfEachName(queryParams),
  };
}

function pathKey({ type, value }: ApiMatch['path']): string {
  // Which of two expressions goes first is left to implementations, so any two could tie.
  if (type === 'RegularExpression') return type;
  const normal = normalizePath(value);
  const path = typeof normal === 'string' ? normal : value;
  return `${type} ${type === 'PathPrefix' && path !== '/' ? path.replace(/\/$/, '') : path}`;
}

/** "Only the first entry with an equivalent name" counts (HTTPHeaderMatch.name, HTTPQueryParamMatch.name). */
function firstOfEachName(values: readonly ValueMatch[]): Map<string, ValueMatch> {
  return new Map([...values].reverse().map((value) => [value.name, value]));
}

/** Whether two matches of the same path have the same precedence (HTTPRouteRule.matches) and may hold for one request. */
function couldTie(a: Condition, b: Condition): boolean {
  if (a.method !== b.method || a.headers.size !== b.headers.size || a.query.size !== b.query.size)
    return false;
  return !contradict(a.headers, b.headers) && !contradict(a.query, b.query);
}

export function contradict(a: Condition['headers'], b: Condition['headers']): boolean {
  for (const [name, { type, value }] of a) {
    const other = b.get(name);
    if (other && type === 'Exact' && other.type === 'Exact' && value !== other.value) return true;
  }
  return false;
}

const keyOf = (condition: Condition) =>
  JSON.stringify([
    condition.path,
    condition.method ?? '',
    [...condition.headers.values()].map(Object.values).sort(),
    [...condition.query.values()].map(Object.values).sort(),
  ]);

function bitsOf(key: string): string {
  return BigInt(`0x${contentHash(key)}`)
    .toString(2)
    .padStart(256, '0');
}
