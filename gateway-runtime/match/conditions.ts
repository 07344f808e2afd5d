/** What the router asks of a request beyond host and path, compiled once per match. */
import type { HttpMatch, ValueMatch } from '../snapshot/snapshot.ts';
import { queryValue } from './query.ts';
import type { CompiledRegex, RegexEngine } from './regex.ts';
import type { MatchRequest } from './request.ts';

/** One header or query parameter: its exact value, or an expression for it. */
interface ValueCondition {
  readonly name: string;
  readonly value: string;
  readonly regex: CompiledRegex | undefined;
}

export interface Conditions {
  readonly method: string | undefined;
  readonly headers: readonly ValueCondition[];
  readonly query: readonly ValueCondition[];
}

/** Of most matches: one object for all of them is less to hold, and less to fetch for a request. */
const NO_CONDITIONS: Conditions = { method: undefined, headers: [], query: [] };

const NEVER: CompiledRegex = { test: () => false };

/**
 * An expression that does not compile is told to `report` and never matches. (Routes with one are refused before they get here; this
 * holds for an engine that differs from the one that checked them.)
 */
export function compileRegex(
  regex: RegexEngine,
  source: string,
  report: (problem: string) => void,
): CompiledRegex {
  const compiled = regex.compile(source);
  if ('regex' in compiled) return compiled.regex;
  report(`the expression ${JSON.stringify(source)} does not compile: ${compiled.problem}`);
  return NEVER;
}

export function compileConditions(
  match: HttpMatch,
  regex: RegexEngine,
  report: (problem: string) => void,
): Conditions {
  if (match.method === undefined && match.headers.length + match.queryParams.length === 0)
    return NO_CONDITIONS;
  const compile = ({ name, type, value }: ValueMatch): ValueCondition => ({
    name,
    value,
    regex: type === 'RegularExpression' ? compileRegex(regex, value, report) : undefined,
  });
  return {
    method: match.method,
    headers: firstOfEachName(match.headers).map(compile),
    query: firstOfEachName(match.queryParams).map(compile),
  };
}

/** "Only the first entry with an equivalent name MUST be considered" (HTTPHeaderMatch.name, HTTPQueryParamMatch.name). */
function firstOfEachName(matches: readonly ValueMatch[]): ValueMatch[] {
  const names = new Set<string>();
  return matches.filter(({ name }) => !names.has(name) && names.add(name));
}

export function conditionsHold(conditions: Conditions, request: MatchRequest): boolean {
  const { method, headers, query } = conditions;
  if (method !== undefined && method !== request.method) return false;
  for (let i = 0; i < headers.length; i++) {
    if (!holds(headers[i]!, request.header(headers[i]!.name))) return false;
  }
  for (let i = 0; i < query.length; i++) {
    if (!holds(query[i]!, queryValue(request.query, query[i]!.name))) return false;
  }
  return true;
}

function holds(condition: ValueCondition, value: string | undefined): boolean {
  if (value === undefined) return false;
  return condition.regex ? condition.regex.test(value) : condition.value === value;
}
