/** Filters of a rule or a backend: `setHeaders({ 'x-tier': 'gold' })`, `rewrite({ path: replacePrefix('/') })`. */

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

type Headers = Readonly<Record<string, string>>;
const headerList = (headers: Headers) =>
  Object.entries(headers)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Sets headers of the request, in place of what the client sent. */
export const setHeaders = (headers: Headers): Filter => ({
  type: 'RequestHeaderModifier',
  config: { set: headerList(headers) },
});
/** Adds headers to the request, beside what the client sent. */
export const addHeaders = (headers: Headers): Filter => ({
  type: 'RequestHeaderModifier',
  config: { add: headerList(headers) },
});
/** Removes headers from the request. */
export const removeHeaders = (...names: string[]): Filter => ({
  type: 'RequestHeaderModifier',
  config: { remove: names },
});
/** Sets headers of the response, in place of what the backend sent. */
export const setResponseHeaders = (headers: Headers): Filter => ({
  type: 'ResponseHeaderModifier',
  config: { set: headerList(headers) },
});
/** Adds headers to the response, beside what the backend sent. */
export const addResponseHeaders = (headers: Headers): Filter => ({
  type: 'ResponseHeaderModifier',
  config: { add: headerList(headers) },
});
/** Removes headers from the response. */
export const removeResponseHeaders = (...names: string[]): Filter => ({
  type: 'ResponseHeaderModifier',
  config: { remove: names },
});

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

/** Changes the host or the path on the way to the backend. */
export const rewrite = ({ hostname, path }: RewriteProps): Filter => ({
  type: 'URLRewrite',
  config: { hostname, path },
});

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

/** Sends the client elsewhere. */
export const redirect = ({ status, scheme, hostname, path, port }: RedirectProps): Redirect => ({
  type: 'RequestRedirect',
  config: { statusCode: status, scheme, hostname, path, port },
});

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
