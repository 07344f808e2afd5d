/** What the router carries for a match of a rule: everything that can be made once, so that a request allocates nothing for it. */
import type { CompiledAuthorization, CompiledFilter, CompiledMirror } from '../../filters/definition.ts';
import { compileFilters } from '../../filters/index.ts';
import type { BackendKey, HttpMatch, HttpRule, Listener } from '../../snapshot/snapshot.ts';
import { RuleSessions } from '../sessions/rule-sessions.ts';
import { SessionKeys } from '../sessions/session-keys.ts';
import type { Series } from '../telemetry/series.ts';
import { type Admission, admissionOf } from './admission.ts';
import { CompiledRetry } from './retries.ts';

/** Most rules have none of most things: one list for all of them is less to hold, and less to fetch for a request. */
const NONE: readonly never[] = [];
const kept = <T>(list: readonly T[]): readonly T[] => (list.length > 0 ? list : NONE);

/** What observers keep beside a rule and each of its backends, so that they look nothing up for a request. */
interface Noted {
  /** Where its requests are counted, those that came last, and the listener that they came to. */
  series: Series | undefined;
  listener: Listener | undefined;
  /** What lines of the access log say of it. */
  text: string | undefined;
}

export interface CompiledBackend extends Noted {
  /** Sum of the weights up to and with this one: the backend of a draw is the first above it. 0 where it has no weight. */
  readonly upTo: number;
  /** Absent where the reference did not resolve. */
  readonly backend: BackendKey | undefined;
  readonly filters: readonly CompiledFilter[];
  /** Those of its filters, in one list. */
  readonly mirrors: readonly CompiledMirror[];
}

export interface CompiledRule extends Noted {
  /** It can't be served: `HttpRule.refusal`. */
  readonly isRefused: boolean;
  /** Where not every request is taken that matches. */
  readonly admission: Admission | undefined;
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

/** Throws where a filter is not known, or a network can't be read; the router then answers 500 for the rule. */
export function compileRule(
  rule: HttpRule,
  match: HttpMatch,
  publicPort: (port: number) => number,
  keys?: SessionKeys,
): CompiledRule {
  const context = { path: match.path, publicPort };
  let totalWeight = 0;
  const all = rule.backends.map(({ weight, backend, filters }): CompiledBackend => {
    const compiled = kept(compileFilters(filters, context));
    totalWeight += weight;
    return {
      upTo: weight > 0 ? totalWeight : 0,
      backend,
      filters: compiled,
      mirrors: mirrorsOf(compiled),
      series: undefined,
      listener: undefined,
      text: undefined,
    };
  });
  const backends = all.every(({ upTo }) => upTo > 0) ? all : all.filter(({ upTo }) => upTo > 0);
  const filters = kept(compileFilters(rule.filters, context));
  const { request = 0, backendRequest = 0 } = rule.timeouts ?? {};
  return {
    isRefused: rule.refusal !== undefined,
    admission: admissionOf(rule),
    filters,
    authorizations: kept(filters.flatMap(({ authorization }) => (authorization ? [authorization] : []))),
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
    series: undefined,
    listener: undefined,
    text: undefined,
  };
}

function mirrorsOf(filters: readonly CompiledFilter[]): readonly CompiledMirror[] {
  return kept(filters.flatMap(({ mirror }) => (mirror ? [mirror] : [])));
}
