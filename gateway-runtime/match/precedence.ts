/**
 * Which of two matches serves a request that both match: one comparator, one line for each sentence of Gateway API v1.6.1, in the
 * order of the API. A line has a stable id and says in words what decided.
 */
import type { HttpMatch, HttpRule, RuleSource, ValueMatch } from '../snapshot/snapshot.ts';
import { hostnameCharacters, nonWildcardCharacters } from './hostname.ts';

/** A match of a rule that a request satisfies. */
export interface Contender {
  readonly rule: HttpRule;
  /** Index in `rule.matches`. */
  readonly match: number;
  /** The most specific hostname of the rule that matches. */
  readonly hostname: string;
}

export interface PrecedenceLine {
  /** Stable, for machines and tests. */
  readonly id: string;
  /** What goes first. */
  readonly sentence: string;
  /** Negative where `a` goes first, 0 where this line does not decide. */
  readonly compare: (a: Contender, b: Contender) => number;
}

const matchOf = ({ rule, match }: Contender): HttpMatch => rule.matches[match]!;
const sourceOf = ({ rule }: Contender): RuleSource => rule.source;
const yesFirst = (a: boolean, b: boolean) => Number(b) - Number(a);
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const hasPath = (contender: Contender, type: HttpMatch['path']['type']) =>
  matchOf(contender).path.type === type;
const pathLength = (contender: Contender) => matchOf(contender).path.value.length;
const routeName = (contender: Contender) => `${sourceOf(contender).namespace}/${sourceOf(contender).name}`;

/** Entries with the name of an earlier one are ignored (HTTPHeaderMatch.name, HTTPQueryParamMatch.name), so they don't count either. */
const distinctNames = (values: readonly ValueMatch[]) => new Set(values.map(({ name }) => name)).size;

/** Text that sorts after every timestamp: a route without one is not in a cluster yet, so it counts as the newest. */
const NEWEST = '~';

export const PRECEDENCE: readonly PrecedenceLine[] = [
  // HTTPRouteSpec.hostnames: "precedence must be given to rules from the HTTPRoute with the largest number of ..."
  {
    id: 'hostname-without-wildcard',
    sentence: 'the longest matching hostname without a wildcard goes first',
    compare: (a, b) => nonWildcardCharacters(b.hostname) - nonWildcardCharacters(a.hostname),
  },
  {
    id: 'hostname-length',
    sentence: 'the longest matching hostname goes first',
    compare: (a, b) => hostnameCharacters(b.hostname) - hostnameCharacters(a.hostname),
  },
  // HTTPRouteRule.matches: "precedence must be given to the match having ..."
  {
    id: 'path-exact',
    sentence: 'an Exact path goes before every other',
    compare: (a, b) => yesFirst(hasPath(a, 'Exact'), hasPath(b, 'Exact')),
  },
  // "The precedence of RegularExpression path matches are implementation-specific": ours is between the two others, longest first,
  // since who writes an expression means something narrower than a prefix.
  {
    id: 'path-expression',
    sentence: 'a RegularExpression path goes before a PathPrefix (this is left to the implementation)',
    compare: (a, b) => yesFirst(hasPath(a, 'RegularExpression'), hasPath(b, 'RegularExpression')),
  },
  {
    id: 'path-expression-length',
    sentence: 'the longest RegularExpression path goes first (this is left to the implementation)',
    compare: (a, b) => (hasPath(a, 'RegularExpression') ? pathLength(b) - pathLength(a) : 0),
  },
  {
    id: 'path-prefix-length',
    sentence: 'the longest PathPrefix goes first',
    compare: (a, b) => (hasPath(a, 'PathPrefix') ? pathLength(b) - pathLength(a) : 0),
  },
  {
    id: 'method',
    sentence: 'a match with a method goes first',
    compare: (a, b) => yesFirst(matchOf(a).method !== undefined, matchOf(b).method !== undefined),
  },
  {
    id: 'header-count',
    sentence: 'the match with the most headers goes first',
    compare: (a, b) => distinctNames(matchOf(b).headers) - distinctNames(matchOf(a).headers),
  },
  {
    id: 'query-count',
    sentence: 'the match with the most query parameters goes first',
    compare: (a, b) => distinctNames(matchOf(b).queryParams) - distinctNames(matchOf(a).queryParams),
  },
  // "If ties still exist across multiple Routes ..."
  {
    id: 'oldest-route',
    sentence: 'the oldest route goes first',
    compare: (a, b) => byText(sourceOf(a).created || NEWEST, sourceOf(b).created || NEWEST),
  },
  {
    id: 'route-name',
    sentence: 'the route that comes first by "namespace/name" goes first',
    compare: (a, b) => byText(routeName(a), routeName(b)),
  },
  // "If ties still exist within an HTTPRoute ..."
  {
    id: 'rule-order',
    sentence: 'the first rule of the route goes first',
    compare: (a, b) => sourceOf(a).rule - sourceOf(b).rule,
  },
  {
    id: 'match-order',
    sentence: 'the first match of the rule goes first',
    compare: (a, b) => a.match - b.match,
  },
];

/** The first line that tells the two apart; undefined only for one match compared with itself. */
export function decidingLine(a: Contender, b: Contender): PrecedenceLine | undefined {
  return PRECEDENCE.find((line) => line.compare(a, b) !== 0);
}

/** Negative where `a` serves rather than `b`. */
export function comparePrecedence(a: Contender, b: Contender): number {
  return decidingLine(a, b)?.compare(a, b) ?? 0;
}
