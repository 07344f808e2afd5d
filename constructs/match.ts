/** Conditions of a rule: `{ path: prefix('/cart'), headers: { 'x-tier': 'gold' } }`. */
import type { HttpRouteMatch } from '../gateway-runtime/api/http-route.ts';
import { shownValue } from '../gateway-runtime/snapshot/credential.ts';
import { isObject, optional, record, type Shape, text, type } from './props.ts';
import type { ApiMatch } from './sharding.ts';

export type Method = NonNullable<HttpRouteMatch['method']>;

/** A regular expression of RE2 syntax that the whole value must match. */
export interface Regex {
  readonly type: 'RegularExpression';
  readonly value: string;
}

export interface PathCondition<
  Type extends string = 'Exact' | 'PathPrefix' | 'RegularExpression',
  Value extends string = string,
> {
  readonly type: Type;
  readonly value: Value;
}

/** This path and no other. */
export const exact = <const Value extends `/${string}`>(value: Value): PathCondition<'Exact', Value> => ({
  type: 'Exact',
  value,
});
/** This path and all below it: `/cart` takes `/cart` and `/cart/items`, not `/carts`. */
export const prefix = <const Value extends `/${string}`>(
  value: Value,
): PathCondition<'PathPrefix', Value> => ({ type: 'PathPrefix', value });
/** A regular expression for a path, a header or a query parameter, as text in RE2 syntax. */
export const regex = (value: string): Regex => ({ type: 'RegularExpression', value });

/** All of it must hold. A rule takes several with `.or()`. */
export interface Match<Path = PathCondition> {
  /**
   * The path.
   * @default prefix('/'), or the path that was delegated
   */
  readonly path?: Path;
  /**
   * Headers by name, in any case; a text must be the whole value.
   * @default - any headers
   */
  readonly headers?: Readonly<Record<string, string | Regex>>;
  /**
   * Query parameters by name; a text must be the whole value.
   * @default - any query
   */
  readonly query?: Readonly<Record<string, string | Regex>>;
  /**
   * The method.
   * @default - any method
   */
  readonly method?: Method;
}

const isCondition = (value: unknown) =>
  isObject(value) && 'type' in value && 'value' in value && typeof value.value === 'string';
export const valuesShape = record(
  "texts or regex('...') by name",
  type("a text or regex('...')", (value) => typeof value === 'string' || isCondition(value)),
);

export const MATCH: Shape<Match> = {
  path: optional(type("exact('/...'), prefix('/...') or regex('...')", isCondition)),
  headers: optional(valuesShape),
  query: optional(valuesShape),
  method: optional(text),
};

type ValueMatch = { name: string; type: 'Exact' | 'RegularExpression'; value: string };

export function valueMatches(
  values: Readonly<Record<string, string | Regex>> = {},
): ValueMatch[] | undefined {
  const names = Object.keys(values).sort();
  if (names.length === 0) return undefined;
  return names.map((name) => {
    const value = values[name]!;
    return typeof value === 'string'
      ? { name, type: 'Exact', value }
      : { name, type: value.type, value: value.value };
  });
}

/** A match in the form of the API. */
export function apiMatch({ path = prefix('/'), headers, query, method }: Match): ApiMatch {
  return {
    path: { type: path.type, value: path.value },
    headers: valueMatches(headers),
    queryParams: valueMatches(query),
    method,
  };
}

/** A match in few words, for messages: `GET prefix /cart x-tier: gold ?page=1`, without credentials. */
export function matchText({ path = prefix('/'), headers = {}, query = {}, method }: Match): string {
  const where = {
    Exact: path.value,
    PathPrefix: `prefix ${path.value}`,
    RegularExpression: `regex ${path.value}`,
  };
  const parts = [
    method,
    where[path.type],
    ...Object.entries(headers).map(([name, value]) => `${name}: ${valueText(name, value)}`),
    ...Object.entries(query).map(([name, value]) => `?${name}=${valueText(name, value)}`),
  ];
  return parts.filter(Boolean).join(' ');
}

function valueText(name: string, value: string | Regex): string {
  return typeof value === 'string' ? shownValue(name, value) : `regex ${shownValue(name, value.value)}`;
}
