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
  /** Of the match, in its rule. */
  readonly index: number;
}

interface PathEnd<P> {
  readonly exact: readonly Candidate<P>[];
  readonly prefix: readonly Candidate<P>[];
}

/** Whether one goes before another that has the same path: the tie-breaks of the API, from "Method match" on. */
function isBefore<P>(a: Candidate<P>, b: Candidate<P>): boolean {
  const [x, y] = [a.conditions, b.conditions];
  const [from, other] = [a.rule.source, b.rule.source];
  // The longer expression; other paths are the same.
  const order =
    b.match.path.value.length - a.match.path.value.length ||
    Number(y.method !== undefined) - Number(x.method !== undefined) ||
    y.headers.length - x.headers.length ||
    y.query.length - x.query.length ||
    // "~" sorts after every date: without a timestamp a route counts as the newest.
    compared(from.created || '~', other.created || '~') ||
    compared(`${from.namespace}/${from.name}`, `${other.namespace}/${other.name}`) ||
    from.rule - other.rule ||
    a.index - b.index;
  return order < 0;
}

const compared = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const SLASH = 47;
const NONE: readonly never[] = [];
const EMPTY_END: PathEnd<never> = { exact: NONE, prefix: NONE };

export class PathTable<P> {
  readonly #paths: RadixNode<PathEnd<P>>;
  readonly #expressions: readonly Candidate<P>[];
  /** Where there is no other, and it is for a prefix, as at most hosts: then the tree is empty. */
  readonly #only: Candidate<P> | undefined;
  /** Of it. */
  readonly #prefix: string;

  constructor(
    paths: RadixNode<PathEnd<P>> = EMPTY_RADIX,
    expressions: readonly Candidate<P>[] = NONE,
    only?: Candidate<P>,
  ) {
    this.#paths = paths;
    this.#expressions = expressions;
    this.#only = only;
    this.#prefix = only ? keyOf(only.match) : '';
  }

  get isEmpty(): boolean {
    return !this.#only && isEmptyTree(this.#paths) && this.#expressions.length === 0;
  }

  with(candidate: Candidate<P>): PathTable<P> {
    if (this.isEmpty && candidate.match.path.type === 'PathPrefix') {
      return new PathTable(EMPTY_RADIX, NONE, candidate);
    }
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
    match: HttpMatch,
    change: (list: readonly Candidate<P>[]) => readonly Candidate<P>[],
  ): PathTable<P> {
    const { path } = match;
    if (path.type === 'RegularExpression') return this.#remade(this.#tree, change(this.#expressions));
    const paths = radixUpdate(this.#tree, keyOf(match), (end = EMPTY_END) => {
      const changed =
        path.type === 'Exact'
          ? { exact: change(end.exact), prefix: end.prefix }
          : { exact: end.exact, prefix: change(end.prefix) };
      return changed.exact.length + changed.prefix.length ? changed : undefined;
    });
    return this.#remade(paths, this.#expressions);
  }

  /** With the only one in it. */
  get #tree(): RadixNode<PathEnd<P>> {
    const only = this.#only;
    if (!only) return this.#paths;
    return radixUpdate(this.#paths, this.#prefix, () => ({ exact: NONE, prefix: [only] }));
  }

  #remade(paths: RadixNode<PathEnd<P>>, expressions: readonly Candidate<P>[]): PathTable<P> {
    const only = expressions.length === 0 ? onlyPrefix(paths) : undefined;
    return only ? new PathTable(EMPTY_RADIX, NONE, only) : new PathTable(paths, expressions);
  }

  find(request: MatchRequest): Candidate<P> | undefined {
    const only = this.#only;
    if (only) {
      const isBelow = hasPrefix(request.path, this.#prefix);
      return isBelow && conditionsHold(only.conditions, request) ? only : undefined;
    }
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

/** A prefix ends before the "/" that goes on, so "/" is the empty one. */
const keyOf = ({ path }: HttpMatch) => (path.type === 'PathPrefix' && path.value === '/' ? '' : path.value);

/** "Matching is ... done on a path element by element basis": a prefix ends where an element does. */
const hasPrefix = (path: string, prefix: string) =>
  path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH);

const isEmptyTree = ({ value, children }: RadixNode<unknown>) => !value && children.length === 0;

function onlyPrefix<P>({ value, children }: RadixNode<PathEnd<P>>): Candidate<P> | undefined {
  const [child] = children;
  if (!child) return value?.exact.length === 0 && value.prefix.length === 1 ? value.prefix[0] : undefined;
  return value || children.length > 1 ? undefined : onlyPrefix(child);
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
    if (isBefore(list[middle]!, candidate)) low = middle + 1;
    else high = middle;
  }
  return list.toSpliced(low, 0, candidate);
}
