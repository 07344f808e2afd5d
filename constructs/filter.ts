/** Filters of a rule or a backend: `setHeaders({ 'x-tier': 'gold' })`, `rewrite({ path: replacePrefix('/') })`. */

import type { ExternalAuth } from './external-auth.ts';
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
import type { ServiceRef } from './service-ref.ts';

/** What a filter does, in the form of the API; made by the functions of this file, `mirror()` and `cors()`. */
export interface Filter {
  readonly type: 'RequestHeaderModifier' | 'ResponseHeaderModifier' | 'URLRewrite' | 'RequestMirror' | 'CORS';
  readonly config: Readonly<Record<string, unknown>>;
}

/** A redirect answers by itself, so it stands where backends would: `.to(redirect({ scheme: 'https' }))`. */
export interface Redirect {
  readonly type: 'RequestRedirect';
  readonly config: Readonly<Record<string, unknown>>;
}

export const filtersOf = (what: string, types: readonly string[]) =>
  list(
    `a list of ${what}, such as [setHeaders({ name: value })],`,
    type(
      'a filter',
      (value) =>
        isObject(value) && 'type' in value && types.includes(value.type as string) && 'config' in value,
    ),
  );
const ON_BACKENDS = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'URLRewrite',
  'RequestMirror',
  'CORS',
] as const satisfies Filter['type'][];

/** What may stand on a rule. */
export const filterList = filtersOf('filters', [...ON_BACKENDS, 'ExternalAuth']);
/** What may stand on one of its backends. */
export const backendFilterList = filtersOf('filters that can stand on a backend', ON_BACKENDS);

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

const FIELDS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  URLRewrite: 'urlRewrite',
  RequestRedirect: 'requestRedirect',
  RequestMirror: 'requestMirror',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
} as const;

type AnyFilter = Filter | Redirect | ExternalAuth;

/** What there can be one of: the later of two would win in silence. */
const ONCE = {
  URLRewrite: 'it has several rewrite(): write one, with hostname and path',
  RequestRedirect: 'it has several redirect(): a request gets one answer',
  CORS: 'it has several cors(): write one, with all origins',
} as const;

export function filterProblems(filters: readonly AnyFilter[]): string[] {
  return Object.entries(ONCE)
    .filter(([type]) => filters.filter((each) => each.type === type).length > 1)
    .map(([, problem]) => problem);
}

/**
 * Filters in the form of the API, which has one header modifier per direction: those of one type become one, but for mirrors and Services
 * that are asked, of which each stands for itself.
 */
export function apiFilters(
  filters: readonly AnyFilter[],
  routeNamespace: string,
): Record<string, unknown>[] | undefined {
  if (filters.length === 0) return undefined;
  const result: Record<string, unknown>[] = [];
  const byType = new Map<AnyFilter['type'], Record<string, unknown>>();
  for (const { type, config } of filters) {
    const { backendRef } = config as { backendRef?: ServiceRef };
    if (type === 'RequestMirror' || type === 'ExternalAuth') {
      const { lent: _, ...ref } = backendRef ?? {};
      const namespace = backendRef?.namespace === routeNamespace ? undefined : backendRef?.namespace;
      result.push({ type, [FIELDS[type]]: { ...config, backendRef: { ...ref, namespace } } });
      continue;
    }
    let merged = byType.get(type);
    if (!merged) {
      merged = {};
      byType.set(type, merged);
      result.push({ type, [FIELDS[type]]: merged });
    }
    for (const [field, value] of Object.entries(config)) {
      const before = merged[field];
      merged[field] =
        Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : (value ?? before);
    }
  }
  return result;
}
