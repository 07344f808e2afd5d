/** HTTPPathModifier: how RequestRedirect and URLRewrite change a path. */
import type { PathModifier } from '../api/http-filter.ts';
import { normalizePath } from '../match/normalize.ts';
import type { PathMatch } from '../snapshot/snapshot.ts';
import type { TranslateContext } from './definition.ts';

export type PathChange =
  /** A whole path, normalized. */
  | { readonly type: 'full'; readonly path: string }
  /** What stands in place of the matched prefix, normalized, without a trailing slash: empty for "/". */
  | { readonly type: 'prefix'; readonly path: string };

export function translatePathModifier(
  modifier: PathModifier,
  context: TranslateContext,
): PathChange | undefined {
  const full = modifier.type === 'ReplaceFullPath';
  const given = (full ? modifier.replaceFullPath : modifier.replacePrefixMatch) ?? '';
  const absolute = given.startsWith('/') ? given : `/${given}`;
  const path = absolute.includes('?') ? { problem: 'it has a "?"' } : normalizePath(absolute);
  if (typeof path !== 'string') {
    return context.refuse(
      'UnsupportedValue',
      `${JSON.stringify(given)} can't stand in a path (${path.problem}); give an absolute path such as /new`,
    );
  }
  return full ? { type: 'full', path } : { type: 'prefix', path: withoutTrailingSlash(path) };
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The function that changes a normalized path. "Path prefix" means whole segments, so what follows the prefix begins with "/"
 * or is empty (table at HTTPPathModifier.replacePrefixMatch).
 */
export function compilePathChange(change: PathChange, matched: PathMatch): (path: string) => string {
  const replacement = change.path;
  if (change.type === 'full') return () => replacement;
  const prefix = withoutTrailingSlash(matched.value);
  return (path) => {
    // A rule's own rewrite may have changed the path before a backend's filter sees it.
    if (!path.startsWith(prefix) || (path.length > prefix.length && path[prefix.length] !== '/')) return path;
    return replacement + path.slice(prefix.length) || '/';
  };
}

export function explainPathChange(change: PathChange): string {
  return change.type === 'full'
    ? `the path ${change.path}`
    : `${change.path || '/'} in place of the matched prefix`;
}
