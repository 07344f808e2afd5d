/** What the router carries for a match of a rule: everything that can be made once, so that a request allocates nothing for it. */
import type { CompiledAuthorization, CompiledFilter, CompiledMirror } from '../../filters/definition.ts';
import { compileFilters } from '../../filters/index.ts';
import type { BackendKey, HttpMatch, HttpRule } from '../../snapshot/snapshot.ts';
import { RuleSessions } from '../sessions/rule-sessions.ts';
import { SessionKeys } from '../sessions/session-keys.ts';
import { CompiledRetry } from './retries.ts';

export interface CompiledBackend {
  /** Sum of the weights up to and with this one: the backend of a draw is the first above it. 0 where it has no weight. */
  readonly upTo: number;
  /** Absent where the reference did not resolve. */
  readonly backend?: BackendKey;
  readonly filters: readonly CompiledFilter[];
  /** Those of its filters, in one list. */
  readonly mirrors: readonly CompiledMirror[];
}

export interface CompiledRule {
  readonly filters: readonly CompiledFilter[];
  /** Those of its filters that ask before a request goes on, in order. */
  readonly authorizations: readonly CompiledAuthorization[];
  /** Filters that run before they do. */
  readonly unauthorized: number;
  readonly mirrors: readonly CompiledMirror[];
  /** Some filter has fields for what the gateway answers itself. */
  readonly editsReplies: boolean;
  /** Those with a weight above 0. */
  readonly backends: readonly CompiledBackend[];
  readonly totalWeight: number;
  /** Milliseconds; 0 is none. */
  readonly requestTimeout: number;
  readonly backendTimeout: number;
  /** The rule says how long to wait for a backend, so what the gateway would wait without does not count. */
  readonly hasTimeouts: boolean;
  readonly retry: CompiledRetry | undefined;
  readonly sessions: RuleSessions<CompiledBackend> | undefined;
}

/** Throws where a filter is not known; the router then answers 500 for the rule. */
export function compileRule(
  rule: HttpRule,
  match: HttpMatch,
  publicPort: (port: number) => number,
  keys?: SessionKeys,
): CompiledRule {
  const context = { path: match.path, publicPort };
  let totalWeight = 0;
  const all: CompiledBackend[] = [];
  for (const { weight, backend, filters } of rule.backends) {
    const compiled = compileFilters(filters, context);
    totalWeight += weight;
    all.push({
      upTo: weight > 0 ? totalWeight : 0,
      ...(backend ? { backend } : {}),
      filters: compiled,
      mirrors: mirrorsOf(compiled),
    });
  }
  const backends = all.filter(({ upTo }) => upTo > 0);
  const filters = compileFilters(rule.filters, context);
  const { request = 0, backendRequest = 0 } = rule.timeouts ?? {};
  return {
    filters,
    authorizations: filters.flatMap(({ authorization }) => (authorization ? [authorization] : [])),
    unauthorized: Math.max(
      0,
      filters.findIndex(({ authorization }) => authorization),
    ),
    mirrors: mirrorsOf(filters),
    editsReplies: [filters, ...backends.map((each) => each.filters)].flat().some(({ reply }) => reply),
    backends,
    totalWeight,
    requestTimeout: request,
    backendTimeout: backendRequest,
    hasTimeouts: rule.timeouts?.request !== undefined || rule.timeouts?.backendRequest !== undefined,
    retry: rule.retry && new CompiledRetry(rule.retry),
    sessions: rule.session && new RuleSessions(rule, match.path, all, keys ?? new SessionKeys()),
  };
}

function mirrorsOf(filters: readonly CompiledFilter[]): CompiledMirror[] {
  return filters.flatMap(({ mirror }) => (mirror ? [mirror] : []));
}
