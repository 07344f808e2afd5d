/**
 * The matches of one hostname in one listener, found by path. The order is that of Gateway API, kept by structure: exact paths sit
 * in a tree at their end, prefixes are met on the way back from the longest to the shortest, expressions come between the two (API: "The
 * precedence of RegularExpression path matches are implementation-specific"), and what shares a path is a list in the order of a key.
 */
import type { HttpMatch, HttpRule } from '../snapshot/snapshot.ts';
import { type Conditions, conditionsHold } from './conditions.ts';
import { EMPTY_RADIX, type RadixNode, radixChild, radixUpdate } from './radix.ts';
import type { CompiledRegex } from './regex.ts';
import type { MatchRequest } from './request.ts';

/** Where a request was routed. */
export interface RouteEntry<P> {
  readonly rule: HttpRule;
  readonly match: HttpMatch;
  /** The hostname of the rule that matched; "*" is any. */
  readonly hostname: string;
  /** What `compile` made of rule and match; undefined where it failed: answer 500. `Router.problems` says why. */
  readonly payload: P | undefined;
}

/** One match of a rule under one hostname. */
export interface Candidate<P> extends RouteEntry<P> {
  readonly conditions: Conditions;
  /** For a path of type RegularExpression. */
  readonly regex: CompiledRegex | undefined;
  /** Sorts the candidates that have the same path: the one that comes first wins. */
  readonly order: string;
}

interface PathEnd<P> {
  readonly exact: readonly Candidate<P>[];
  readonly prefix: readonly Candidate<P>[];
}

/** Text that sorts as the tie-breaks of one path do, from "Method match" on. */
export function candidateOrder(rule: HttpRule, matchIndex: number, conditions: Conditions): string {
  const { source } = rule;
  const { path } = rule.matches[matchIndex]!;
  return [
    path.type === 'RegularExpression' ? mostFirst(path.value.length) : '',
    conditions.method === undefined ? '1' : '0',
    mostFirst(conditions.headers.length),
    mostFirst(conditions.query.length),
    // "~" sorts after every date: without a timestamp a route counts as the newest.
    source.created || '~',
    `${source.namespace}/${source.name}`,
    leastFirst(source.rule),
    leastFirst(matchIndex),
    // No name has a character below this one, so a name sorts before those it begins.
  ].join('\0');
}

const DIGITS = 7;
const leastFirst = (count: number) => String(count).padStart(DIGITS, '0');
const mostFirst = (count: number) => leastFirst(10 ** DIGITS - 1 - count);

const SLASH = 47;
const NONE: readonly never[] = [];
const EMPTY_END: PathEnd<never> = { exact: NONE, prefix: NONE };

export class PathTable<P> {
  readonly #paths: RadixNode<PathEnd<P>>;
  readonly #expressions: readonly Candidate<P>[];

  constructor(paths: RadixNode<PathEnd<P>> = EMPTY_RADIX, expressions: readonly Candidate<P>[] = NONE) {
    this.#paths = paths;
    this.#expressions = expressions;
  }

  get isEmpty(): boolean {
    return this.#paths.children.length === 0 && !this.#paths.value && this.#expressions.length === 0;
  }

  with(candidate: Candidate<P>): PathTable<P> {
    return this.#changed(candidate.match, (list) => inserted(list, candidate));
  }

  /** Without the candidates of a rule at the path of this match. */
  without(rule: HttpRule, match: HttpMatch): PathTable<P> {
    return this.#changed(match, (list) => {
      const rest = list.filter((candidate) => candidate.rule.key !== rule.key);
      return rest.length === list.length ? list : rest;
    });
  }

  #changed(
    { path }: HttpMatch,
    change: (list: readonly Candidate<P>[]) => readonly Candidate<P>[],
  ): PathTable<P> {
    if (path.type === 'RegularExpression') return new PathTable(this.#paths, change(this.#expressions));
    // A prefix ends before the "/" that goes on, so "/" is the empty one.
    const key = path.type === 'PathPrefix' && path.value === '/' ? '' : path.value;
    const paths = radixUpdate(this.#paths, key, (end = EMPTY_END) => {
      const changed =
        path.type === 'Exact'
          ? { exact: change(end.exact), prefix: end.prefix }
          : { exact: end.exact, prefix: change(end.prefix) };
      return changed.exact.length + changed.prefix.length ? changed : undefined;
    });
    return new PathTable(paths, this.#expressions);
  }

  find(request: MatchRequest): Candidate<P> | undefined {
    return this.#findBelow(this.#paths, 0, request);
  }

  /** `node` agrees with the path up to `position`. Deeper nodes have priority, so they are asked first. */
  #findBelow(node: RadixNode<PathEnd<P>>, position: number, request: MatchRequest): Candidate<P> | undefined {
    const { path } = request;
    const atEnd = position === path.length;
    const child = atEnd ? undefined : radixChild(node, path.charCodeAt(position));
    const found =
      child && path.startsWith(child.label, position)
        ? this.#findBelow(child, position + child.label.length, request)
        : (atEnd && node.value && firstThatHolds(node.value.exact, request)) || this.#findExpression(request);
    if (found || !node.value) return found;
    // "Matching is ... done on a path element by element basis": a prefix ends where an element does.
    if (!atEnd && path.charCodeAt(position) !== SLASH) return undefined;
    return firstThatHolds(node.value.prefix, request);
  }

  #findExpression(request: MatchRequest): Candidate<P> | undefined {
    for (let i = 0; i < this.#expressions.length; i++) {
      const candidate = this.#expressions[i]!;
      if (conditionsHold(candidate.conditions, request) && candidate.regex!.test(request.path)) {
        return candidate;
      }
    }
    return undefined;
  }
}

function firstThatHolds<P>(list: readonly Candidate<P>[], request: MatchRequest): Candidate<P> | undefined {
  for (let i = 0; i < list.length; i++) if (conditionsHold(list[i]!.conditions, request)) return list[i];
  return undefined;
}

function inserted<P>(list: readonly Candidate<P>[], candidate: Candidate<P>): readonly Candidate<P>[] {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.order < candidate.order) low = middle + 1;
    else high = middle;
  }
  return list.toSpliced(low, 0, candidate);
}
