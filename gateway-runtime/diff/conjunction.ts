/**
 * Sets of requests at one host, as what they all have: a conjunction of a path, a method, and values of headers and query parameters, as
 * matches are. All but expressions is decided exactly.
 */
import type { MatchRequest } from '../match/request.ts';
import type { HttpMatch, PathMatch, ValueMatch } from '../snapshot/snapshot.ts';
import { EVERY_PATH, EVERY_VALUE, type Expressions } from './expressions.ts';

/** What is asked of a header or query parameter that must be there. */
export interface Wanted {
  /** Where it is known, it matches all `expressions`. */
  readonly value?: string;
  readonly expressions: readonly string[];
}

export interface Conjunction {
  /** One path, or all below a prefix ("/" is every path). */
  readonly path: { readonly type: 'Exact' | 'PathPrefix'; readonly value: string };
  /** All of which the path matches. None for an exact path, where that is decided. */
  readonly pathExpressions: readonly string[];
  readonly method?: string;
  readonly headers: ReadonlyMap<string, Wanted>;
  readonly query: ReadonlyMap<string, Wanted>;
}

export const EVERYTHING: Conjunction = {
  path: { type: 'PathPrefix', value: '/' },
  pathExpressions: [],
  headers: new Map(),
  query: new Map(),
};

/** Whether a path is the prefix, or below it by whole elements. */
export const isWithin = (path: string, prefix: string): boolean =>
  prefix === '/' || path === prefix || (path.startsWith(prefix) && path[prefix.length] === '/');

/** "Only the first entry with an equivalent name MUST be considered" (HTTPHeaderMatch.name). */
export function firstOfEachName(matches: readonly ValueMatch[]): readonly ValueMatch[] {
  if (matches.length < 2) return matches;
  const names = new Set<string>();
  return matches.filter(({ name }) => !names.has(name) && names.add(name));
}

/** The requests of `set` that a match takes; undefined where there are none. */
export function narrowed(
  set: Conjunction,
  match: HttpMatch,
  expressions: Expressions,
): Conjunction | undefined {
  if (match.method !== undefined && set.method !== undefined && match.method !== set.method) return undefined;
  const path = narrowedPath(set, match.path, expressions);
  const headers = path && narrowedValues(set.headers, match.headers, isSendableField, expressions);
  const query = headers && narrowedValues(set.query, match.queryParams, isSendableText, expressions);
  if (!path || !headers || !query) return undefined;
  const method = match.method ?? set.method;
  return { ...path, ...(method === undefined ? {} : { method }), headers, query };
}

function narrowedPath(
  { path, pathExpressions }: Conjunction,
  asked: PathMatch,
  expressions: Expressions,
): Pick<Conjunction, 'path' | 'pathExpressions'> | undefined {
  const { type, value } = asked;
  if (path.type === 'Exact') {
    const holds =
      type === 'Exact'
        ? path.value === value
        : type === 'PathPrefix'
          ? isWithin(path.value, value)
          : expressions.matches(value, path.value);
    return holds ? { path, pathExpressions } : undefined;
  }
  const only = type === 'Exact' ? value : type === 'PathPrefix' ? undefined : expressions.only(value);
  if (only !== undefined) {
    const holds =
      isWithin(only, path.value) && pathExpressions.every((each) => expressions.matches(each, only));
    return holds ? { path: { type: 'Exact', value: only }, pathExpressions: [] } : undefined;
  }
  if (type === 'PathPrefix') {
    const isDeeper = isWithin(value, path.value);
    if (!isDeeper && !isWithin(path.value, value)) return undefined;
    if (!isDeeper) return { path, pathExpressions };
    const mayMeet = pathExpressions.every((each) => beginsWithin(expressions.beginning(each), value));
    return mayMeet ? { path: { type, value }, pathExpressions } : undefined;
  }
  if (EVERY_PATH.has(value) || pathExpressions.includes(value)) return { path, pathExpressions };
  if (!expressions.mayMatch(value) || !beginsWithin(expressions.beginning(value), path.value))
    return undefined;
  return { path, pathExpressions: [...pathExpressions, value] };
}

/** Whether a path within a prefix can begin with a text. */
function beginsWithin(beginning: string, prefix: string): boolean {
  return prefix === '/'
    ? beginning === '' || beginning.startsWith('/')
    : prefix.startsWith(beginning) || beginning.startsWith(`${prefix}/`);
}

function narrowedValues(
  known: ReadonlyMap<string, Wanted>,
  asked: readonly ValueMatch[],
  isSendable: (text: string) => boolean,
  expressions: Expressions,
): ReadonlyMap<string, Wanted> | undefined {
  if (asked.length === 0) return known;
  const result = new Map(known);
  for (const { name, type, value } of firstOfEachName(asked)) {
    const before: Wanted = result.get(name) ?? { expressions: [] };
    if (type === 'Exact') {
      if (before.value !== undefined ? before.value !== value : !isSendable(value)) return undefined;
      if (!before.expressions.every((each) => expressions.matches(each, value))) return undefined;
      result.set(name, { ...before, value });
    } else if (before.value !== undefined) {
      if (!expressions.matches(value, before.value)) return undefined;
    } else {
      if (!expressions.mayMatch(value)) return undefined;
      result.set(
        name,
        before.expressions.includes(value) ? before : { expressions: [...before.expressions, value] },
      );
    }
  }
  return result;
}

/** A field value that can stand in a request (RFC 9110 section 5.5): spaces at its ends are none of it. */
export const isSendableField = (text: string): boolean =>
  /^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text === text.replace(/^[\t ]+|[\t ]+$/g, '');

/** Lone surrogates have no form in UTF-8. */
export const isSendableText = (text: string): boolean => text.isWellFormed();

/** Whether a match takes some requests of `set`, or may. */
export function meets(set: Conjunction, match: HttpMatch, expressions: Expressions): boolean {
  return narrowed(set, match, expressions) !== undefined;
}

/** Whether a match takes every request of `set`. Of expressions this is known only of the same one, and of a known value. */
export function takesAll(match: HttpMatch, set: Conjunction, expressions: Expressions): boolean {
  return (
    (match.method === undefined || match.method === set.method) &&
    takesEveryPath(match.path, set, expressions) &&
    takesEveryValue(match.headers, set.headers, expressions, true) &&
    takesEveryValue(match.queryParams, set.query, expressions, false)
  );
}

function takesEveryPath(
  { type, value }: PathMatch,
  { path, pathExpressions }: Conjunction,
  expressions: Expressions,
): boolean {
  if (type === 'PathPrefix') {
    if (isWithin(path.value, value)) return true;
    return pathExpressions.some((each) => expressions.beginning(each).startsWith(`${value}/`));
  }
  if (type === 'Exact') return path.type === 'Exact' && path.value === value;
  if (EVERY_PATH.has(value) || pathExpressions.includes(value)) return true;
  return path.type === 'Exact' && expressions.matches(value, path.value);
}

function takesEveryValue(
  asked: readonly ValueMatch[],
  known: ReadonlyMap<string, Wanted>,
  expressions: Expressions,
  isHeader: boolean,
): boolean {
  return firstOfEachName(asked).every(({ name, type, value }) => {
    const wanted = known.get(name);
    if (!wanted) return false;
    if (type === 'Exact') return wanted.value === value;
    if ((isHeader && value === EVERY_VALUE) || wanted.expressions.includes(value)) return true;
    return wanted.value !== undefined && expressions.matches(value, wanted.value);
  });
}

/** A request whose query is read already. */
export interface ReadRequest extends MatchRequest {
  param(name: string): string | undefined;
}

export function takes(match: HttpMatch, request: ReadRequest, expressions: Expressions): boolean {
  const { type, value } = match.path;
  const { path } = request;
  if (match.method !== undefined && match.method !== request.method) return false;
  if (type === 'Exact' ? path !== value : type === 'PathPrefix' ? !isWithin(path, value) : false)
    return false;
  return (
    hasValues(match.headers, (name) => request.header(name), expressions) &&
    hasValues(match.queryParams, (name) => request.param(name), expressions) &&
    (type !== 'RegularExpression' || expressions.matches(value, path))
  );
}

function hasValues(
  asked: readonly ValueMatch[],
  valueFor: (name: string) => string | undefined,
  expressions: Expressions,
): boolean {
  return firstOfEachName(asked).every(({ name, type, value }) => {
    const found = valueFor(name);
    if (found === undefined) return false;
    return type === 'Exact' ? found === value : expressions.matches(value, found);
  });
}
