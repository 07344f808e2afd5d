/** A request of a set that is not in any of some others: the one that is shown, and that proves that there is one. */
import { hostPort, normalizeAuthority, normalizeHost, normalizePath } from '../match/normalize.ts';
import { queryValue } from '../match/query.ts';
import type { HttpMatch } from '../snapshot/snapshot.ts';
import {
  type Conjunction,
  isSendableField,
  isSendableText,
  isWithin,
  type ReadRequest,
  takes,
  type Wanted,
} from './conjunction.ts';
import type { Expressions } from './expressions.ts';
import { textsFor } from './regex-texts.ts';

/** A request at a port; as it is, with credentials. */
export interface WitnessRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Without "?"; empty where there is none. */
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Requests that are tried, where expressions leave it to luck. */
const MOST_TRIES = 400;
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

/**
 * Without expressions in the set or in what is left out it finds one wherever there is one: none of `others` takes the whole set, so
 * a path, method and values that nothing names get by all of them.
 */
export function findWitness(
  set: Conjunction,
  host: string,
  others: readonly HttpMatch[],
  expressions: Expressions,
): WitnessRequest | undefined {
  const paths = pathsOf(set, others, expressions);
  const methods = set.method === undefined ? freeMethods(others) : [set.method];
  const headers = combinations(set.headers, isSendableField, expressions);
  const queries = combinations(set.query, isSendableText, expressions);
  let tries = 0;
  for (const query of queries) {
    for (const fields of headers) {
      const named = fields.find(([name]) => name === 'host')?.[1];
      // No other spelling of it is ever seen.
      if (named !== undefined && !isCanonical(named, host)) continue;
      for (const path of paths) {
        for (const method of methods) {
          if (++tries > MOST_TRIES) return undefined;
          const request = { method, host, path, query: asQuery(query), headers: fields };
          const read = asRead(request);
          if (!others.some((other) => takes(other, read, expressions))) return request;
        }
      }
    }
  }
  return undefined;
}

/** As matchers see it, at a port. */
export function asRead(request: WitnessRequest, port?: number): ReadRequest {
  const { method, host, path, query, headers } = request;
  const fields = new Map(headers);
  // Every request has one, also where none was asked for.
  const authority = port === undefined || port === 80 || port === 443 ? host : `${host}:${port}`;
  return {
    method,
    host,
    path,
    query,
    header: (name) => fields.get(name) ?? (name === 'host' ? authority : undefined),
    param: (name) => queryValue(query, name),
  };
}

const isCanonical = (authority: string, host: string): boolean =>
  normalizeHost(authority) === host && normalizeAuthority(authority, host) === authority;

/** Whether its Host names a port other than the one it is for. */
export const namesPort = (request: WitnessRequest): boolean =>
  request.headers.some(([name, value]) => name === 'host' && hostPort(value) !== undefined);

function pathsOf(
  { path: { type, value }, pathExpressions }: Conjunction,
  others: readonly HttpMatch[],
  expressions: Expressions,
): readonly string[] {
  if (type === 'Exact') return [value];
  const below = value === '/' ? '/' : `${value}/`;
  const fresh = `${below}${unlike(
    'any',
    others.map(({ path }) => path.value),
  )}`;
  const plain = [value, below, fresh, `${below}0`, `${below}A-b`, `${fresh}/${fresh}`];
  if (pathExpressions.length === 0) return plain;
  const pieces = [value, below, fresh, ...[value, below, fresh].map((each) => each.slice(1))];
  for (const part of value.split('/')) if (part) pieces.push(part);
  return [...plain, ...pathExpressions.flatMap((each) => textsFor(each, pieces))].filter(
    (path) =>
      path.startsWith('/') &&
      isWithin(path, value) &&
      normalizePath(path) === path &&
      pathExpressions.every((each) => expressions.matches(each, path)),
  );
}

/** A text that is in none of others. */
function unlike(text: string, others: readonly string[]): string {
  for (let i = 0; ; i++) {
    const candidate = i === 0 ? text : `${text}${i}`;
    if (!others.some((other) => other.includes(candidate))) return candidate;
  }
}

function freeMethods(others: readonly HttpMatch[]): readonly string[] {
  const named = others.flatMap(({ method }) => method ?? []);
  return named.length === 0 ? ['GET'] : [...METHODS, unlike('ANY', named)];
}

type Values = readonly (readonly [name: string, value: string])[];

/** Values for all names, in each way that there is to choose them. */
function combinations(
  wanted: ReadonlyMap<string, Wanted>,
  isSendable: (text: string) => boolean,
  expressions: Expressions,
): Values[] {
  let all: Values[] = [[]];
  for (const [name, { value, expressions: asked }] of wanted) {
    const values =
      value === undefined
        ? asked
            .flatMap((each) => textsFor(each))
            .filter((text) => isSendable(text) && asked.every((each) => expressions.matches(each, text)))
        : [value];
    all = values
      .flatMap((text) => all.map((before) => [...before, [name, text] as const]))
      .slice(0, MOST_TRIES);
  }
  return all;
}

const asQuery = (values: Values): string =>
  values.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
