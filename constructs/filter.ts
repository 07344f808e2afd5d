/** Filters of a rule or a backend: `setHeaders({ 'x-tier': 'gold' })`, `rewrite({ path: replacePrefix('/') })`. */

import {
  isObject,
  list,
  noted,
  number,
  oneOf,
  optional,
  read,
  record,
  type Shape,
  text,
  texts,
  type,
  valueProblems,
} from './props.ts';

/** What a filter does, in the form of the API; made by the functions of this file. */
export interface Filter {
  readonly type: 'RequestHeaderModifier' | 'ResponseHeaderModifier' | 'URLRewrite';
  readonly config: Readonly<Record<string, unknown>>;
}

/** A redirect answers by itself, so it stands where backends would: `.to(redirect({ scheme: 'https' }))`. */
export interface Redirect {
  readonly type: 'RequestRedirect';
  readonly config: Readonly<Record<string, unknown>>;
}

/** A list of what the functions of this file make. */
export const filterList = list(
  'a list of filters, such as [setHeaders({ name: value })],',
  type(
    'a filter',
    (value) => isObject(value) && 'type' in value && FILTERS.has(value.type) && 'config' in value,
  ),
);

type Headers = Readonly<Record<string, string>>;
type ModifierType = 'RequestHeaderModifier' | 'ResponseHeaderModifier';

const HEADERS = record('texts by name', text);

function modifier(call: string, target: ModifierType, action: 'set' | 'add', headers: Headers): Filter {
  const problems = valueProblems(call, 'headers', HEADERS, headers);
  const values = Object.entries(problems.length > 0 ? {} : headers)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return noted({ type: target, config: { [action]: values } }, problems);
}

function removal(call: string, target: ModifierType, names: readonly string[]): Filter {
  return noted({ type: target, config: { remove: names } }, valueProblems(call, 'names', texts, names));
}

/** Sets headers of the request, in place of what the client sent. */
export const setHeaders = (headers: Headers): Filter =>
  modifier('setHeaders()', 'RequestHeaderModifier', 'set', headers);
/** Adds headers to the request, beside what the client sent. */
export const addHeaders = (headers: Headers): Filter =>
  modifier('addHeaders()', 'RequestHeaderModifier', 'add', headers);
/** Removes headers from the request. */
export const removeHeaders = (...names: string[]): Filter =>
  removal('removeHeaders()', 'RequestHeaderModifier', names);
/** Sets headers of the response, in place of what the backend sent. */
export const setResponseHeaders = (headers: Headers): Filter =>
  modifier('setResponseHeaders()', 'ResponseHeaderModifier', 'set', headers);
/** Adds headers to the response, beside what the backend sent. */
export const addResponseHeaders = (headers: Headers): Filter =>
  modifier('addResponseHeaders()', 'ResponseHeaderModifier', 'add', headers);
/** Removes headers from the response. */
export const removeResponseHeaders = (...names: string[]): Filter =>
  removal('removeResponseHeaders()', 'ResponseHeaderModifier', names);

export type PathReplacement =
  | { readonly type: 'ReplaceFullPath'; readonly replaceFullPath: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly replacePrefixMatch: string };

/** Another path in place of the whole. */
export const replacePath = (path: `/${string}`): PathReplacement => ({
  type: 'ReplaceFullPath',
  replaceFullPath: path,
});
/** Another path in place of the prefix that the rule matched; the rest stays. Needs a rule with one `prefix()` match. */
export const replacePrefix = (path: `/${string}`): PathReplacement => ({
  type: 'ReplacePrefixMatch',
  replacePrefixMatch: path,
});

export interface RewriteProps {
  /**
   * The Host that the backend gets.
   * @default - as the client sent it
   */
  readonly hostname?: string;
  /**
   * The path that the backend gets.
   * @default - as the client sent it
   */
  readonly path?: PathReplacement;
}

const REPLACEMENT = type(
  "replacePath('/...') or replacePrefix('/...')",
  (value) =>
    isObject(value) &&
    (('replaceFullPath' in value && typeof value.replaceFullPath === 'string') ||
      ('replacePrefixMatch' in value && typeof value.replacePrefixMatch === 'string')),
);
const REWRITE: Shape<RewriteProps> = { hostname: optional(text), path: optional(REPLACEMENT) };

/** Changes the host or the path on the way to the backend. */
export function rewrite(given: RewriteProps): Filter {
  const { props, problems } = read('rewrite()', given, REWRITE);
  return noted({ type: 'URLRewrite', config: props }, problems);
}

export interface RedirectProps {
  /** @default - that of the request */
  readonly scheme?: 'http' | 'https';
  /** @default - that of the request */
  readonly hostname?: string;
  /** @default - that of the request */
  readonly path?: PathReplacement;
  /** @default - that which the scheme implies, else that of the listener */
  readonly port?: number;
  /** @default 302 */
  readonly status?: 301 | 302 | 303 | 307 | 308;
}

const REDIRECT: Shape<RedirectProps> = {
  scheme: optional(oneOf('http', 'https')),
  hostname: optional(text),
  path: optional(REPLACEMENT),
  port: optional(number),
  status: optional(number),
};

/** Sends the client elsewhere. */
export function redirect(given: RedirectProps): Redirect {
  const { props, problems } = read('redirect()', given, REDIRECT);
  const { status, ...config } = props;
  return noted(
    {
      type: 'RequestRedirect',
      config: { ...(status === undefined ? {} : { statusCode: status }), ...config },
    },
    problems,
  );
}

const FILTERS = new Set<unknown>(['RequestHeaderModifier', 'ResponseHeaderModifier', 'URLRewrite']);
const FIELDS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  URLRewrite: 'urlRewrite',
  RequestRedirect: 'requestRedirect',
} as const;

/** A rule has one rewrite and one redirect: the later of two would win in silence. */
export function filterProblems(filters: readonly (Filter | Redirect)[]): string[] {
  return (['URLRewrite', 'RequestRedirect'] as const)
    .filter((type) => filters.filter((each) => each.type === type).length > 1)
    .map((type) =>
      type === 'URLRewrite'
        ? 'it has several rewrite(): write one, with hostname and path'
        : 'it has several redirect(): a request gets one answer',
    );
}

/** Filters in the form of the API, which has one header modifier per direction: those of one type become one. */
export function apiFilters(filters: readonly (Filter | Redirect)[]): Record<string, unknown>[] | undefined {
  const byType = new Map<Filter['type'] | Redirect['type'], Record<string, unknown>>();
  for (const { type, config } of filters) {
    const merged = byType.get(type) ?? {};
    for (const [field, value] of Object.entries(config)) {
      const before = merged[field];
      merged[field] =
        Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : (value ?? before);
    }
    byType.set(type, merged);
  }
  if (byType.size === 0) return undefined;
  return [...byType].map(([type, config]) => ({ type, [FIELDS[type]]: config }));
}
