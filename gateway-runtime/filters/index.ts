/** The filters that are served: the registry, the order in which they run, and the ways into them. */
import type { FilterType, HttpFilter } from '../api/http-filter.ts';
import type { FilterConfig } from '../snapshot/snapshot.ts';
import { cors } from './cors.ts';
import type { CompileContext, CompiledFilter, FilterDefinition, TranslateContext } from './definition.ts';
import { externalAuth } from './external-auth.ts';
import { requestHeaderModifier } from './request-header-modifier.ts';
import { requestMirror } from './request-mirror.ts';
import { requestRedirect } from './request-redirect.ts';
import { responseHeaderModifier } from './response-header-modifier.ts';
import { urlRewrite } from './url-rewrite.ts';

/**
 * In the order in which they run, whatever the order in the route, so that a route means the same on every data plane:
 * 1. CORS: browsers follow no redirect of a preflight request; on the way back, a ResponseHeaderModifier has the last word.
 * 2. ExternalAuth: is asked about the request as the client sent it, and before anything else of the rule shows or is sent anywhere. Only
 *    a preflight request goes by it, since browsers send no credentials with one. Several are asked one after the other.
 * 3. RequestRedirect: answers at once, so nothing that follows would show.
 * 4. RequestHeaderModifier: sees the request as the client sent it, and what ExternalAuth put into it.
 * 5. URLRewrite: after it, host and path are the backend's.
 * 6. RequestMirror: the copy is what the backends of the rule get.
 * 7. ResponseHeaderModifier: works on the way back.
 */
const ORDER = [
  'CORS',
  'ExternalAuth',
  'RequestRedirect',
  'RequestHeaderModifier',
  'URLRewrite',
  'RequestMirror',
  'ResponseHeaderModifier',
] as const;

/** Every filter type of the API: its definition, or `null` where it is not served and its rule answers 500. */
const FILTERS = {
  RequestHeaderModifier: requestHeaderModifier,
  ResponseHeaderModifier: responseHeaderModifier,
  RequestRedirect: requestRedirect,
  URLRewrite: urlRewrite,
  RequestMirror: requestMirror,
  CORS: cors,
  ExternalAuth: externalAuth,
  ExtensionRef: null,
} satisfies { [T in FilterType]: FilterDefinition<T> | null };

const SERVED: readonly FilterDefinition[] = ORDER.map((type) => FILTERS[type] as FilterDefinition);
const byType = new Map<string, FilterDefinition>(SERVED.map((filter) => [filter.type, filter]));
const rank = new Map<string, number>(ORDER.map((type, index) => [type, index]));

/**
 * Filters of a rule or of a backendRef, as they go into the snapshot. One that can't be served is reported by
 * `context.refuse` and left out: the caller makes its rule answer 500.
 *
 * @param contextOf the context of the filter at an index
 */
export function translateFilters(
  filters: readonly HttpFilter[],
  place: 'rule' | 'backend',
  contextOf: (index: number) => TranslateContext,
): FilterConfig[] {
  const configs: FilterConfig[] = [];
  for (const [index, filter] of filters.entries()) {
    const context = contextOf(index);
    const definition = byType.get(filter.type);
    if (!definition) {
      context.refuse(
        filter.type === 'ExtensionRef' ? 'InvalidKind' : 'UnsupportedValue',
        `the filter ${filter.type} is not served; requests that match get 500 until it is removed`,
      );
      continue;
    }
    if (!(place === 'rule' ? definition.onRules : definition.onBackends)) {
      context.refuse(
        'UnsupportedValue',
        `the filter ${filter.type} can't stand on a ${place}; requests that match get 500`,
      );
      continue;
    }
    const config = definition.translate(filter, context);
    if (config !== undefined) configs.push({ type: filter.type, config });
  }
  return configs.sort((a, b) => rank.get(a.type)! - rank.get(b.type)!);
}

/** Throws on a filter that this version does not know: then the rule must answer 500, never go on without it. */
export function compileFilters(configs: readonly FilterConfig[], context: CompileContext): CompiledFilter[] {
  return configs.map(({ type, config }) => definitionOf(type).compile(config, context));
}

export function explainFilter({ type, config }: FilterConfig): string {
  return definitionOf(type).explain(config);
}

function definitionOf(type: string): FilterDefinition {
  const definition = byType.get(type);
  if (!definition) throw new Error(`the filter ${type} is not known to this version; update the data plane`);
  return definition;
}

/** `supportedFeatures` that exist because of filters. */
export function supportedFeatures(): string[] {
  return SERVED.flatMap((filter) => filter.features);
}
