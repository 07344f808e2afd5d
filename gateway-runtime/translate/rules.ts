/** Rules of an HTTPRoute as the snapshot has them. What can't be served makes its rule answer 500, with the reason. */
import { durationMilliseconds } from '../api/fields.ts';
import type { KindObject } from '../api/kinds.ts';
import type { TranslateContext } from '../filters/definition.ts';
import { translateFilters } from '../filters/index.ts';
import type { RegexEngine } from '../match/regex.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type {
  Backend,
  HttpMatch,
  HttpRule,
  RuleRetry,
  RuleTimeouts,
  TlsRule,
  WeightedBackend,
} from '../snapshot/snapshot.ts';
import { type BackendRef, type Backends, backendName } from './backends.ts';
import type { Finding } from './findings.ts';
import { translateMatch } from './matches.ts';
import { translateSession } from './session.ts';

type RuleSpec = KindObject<'HTTPRoute'>['spec']['rules'][number];

/** A rule without what depends on where it is attached. */
export type RuleBody = Pick<
  HttpRule,
  | 'matches'
  | 'filters'
  | 'backends'
  | 'timeouts'
  | 'retry'
  | 'session'
  | 'maxRequestBytes'
  | 'allow'
  | 'policies'
  | 'refusal'
>;

export type TranslatedRule = (
  | { readonly type: 'http-rule'; readonly body: RuleBody }
  | { readonly type: 'tls-rule'; readonly body: Pick<TlsRule, 'backends'> }
) & {
  /** Hash of `body`. */
  readonly bodyHash: string;
  /** Everything that the rule may send to, filters included. */
  readonly uses: readonly Backend[];
  /** Why the rule can't be served: set exactly where `body.refusal` is. */
  readonly refusals: readonly Finding[];
  /** References that did not resolve. */
  readonly unresolved: readonly Finding[];
  readonly warnings: readonly Finding[];
};

const EVERYTHING: HttpMatch = { path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] };

/** Where a retry leaves them open. */
const RETRY_ATTEMPTS = 1;
const RETRY_BACKOFF = 25;

export function translateRule(
  namespace: string,
  spec: RuleSpec,
  field: string,
  backends: Backends,
  regex: RegexEngine,
): TranslatedRule {
  const refusals: Finding[] = [];
  const unresolved: Finding[] = [];
  const uses: Backend[] = [];

  const refuse = (at: string, message: string, fix: string) =>
    refusals.push({ reason: 'UnsupportedValue', field: at, message, fix });
  const resolve = (ref: BackendRef, at: string): Backend | Finding => {
    const resolved = backends.resolve('HTTPRoute', namespace, ref, at);
    if ('reason' in resolved) unresolved.push(resolved);
    else uses.push(resolved);
    return resolved;
  };
  const contextAt = (at: string): TranslateContext => ({
    backend(ref, name) {
      const resolved = resolve(ref, `${at}.${name}`);
      const shown = backendName(ref, namespace);
      return 'reason' in resolved ? { name: shown } : { name: shown, backend: resolved.key };
    },
    refuse(reason, message) {
      const finding = { reason, field: at, message, fix: 'remove the filter or correct it' };
      refusals.push(finding);
      if (reason === 'InvalidKind' || reason === 'BackendNotFound') unresolved.push(finding);
      return undefined;
    },
  });

  const session =
    spec.sessionPersistence &&
    translateSession(spec.sessionPersistence, `${field}.sessionPersistence`, refuse);
  const matches = spec.matches.map((match, index) =>
    translateMatch(match, `${field}.matches[${index}]`, regex, refuse),
  );
  const filters = translateFilters(spec.filters ?? [], 'rule', (index) =>
    contextAt(`${field}.filters[${index}]`),
  );
  const weighted = (spec.backendRefs ?? []).map((ref, index): WeightedBackend => {
    const at = `${field}.backendRefs[${index}]`;
    const resolved = resolve(ref, at);
    return {
      weight: ref.weight,
      name: backendName(ref, namespace),
      ...('reason' in resolved
        ? { unresolved: { reason: resolved.reason, message: resolved.message } }
        : { backend: resolved.key }),
      filters: translateFilters(ref.filters ?? [], 'backend', (each) => contextAt(`${at}.filters[${each}]`)),
    };
  });
  const body = {
    matches: matches.length > 0 ? matches : [EVERYTHING],
    filters,
    backends: weighted,
    ...(spec.timeouts ? { timeouts: timeoutsOf(spec.timeouts) } : {}),
    ...(spec.retry ? { retry: retryOf(spec.retry) } : {}),
    ...(session ? { session } : {}),
    ...(refusals.length > 0 ? { refusal: refusals.map(({ message }) => message).join('; ') } : {}),
  };
  return {
    type: 'http-rule',
    body,
    bodyHash: contentHash(body),
    uses,
    refusals,
    unresolved,
    warnings: noBackends(spec, field),
  };
}

function timeoutsOf({ request, backendRequest }: NonNullable<RuleSpec['timeouts']>): RuleTimeouts {
  return {
    ...(request === undefined ? {} : { request: durationMilliseconds(request) }),
    ...(backendRequest === undefined ? {} : { backendRequest: durationMilliseconds(backendRequest) }),
  };
}

function retryOf({ codes, attempts, backoff }: NonNullable<RuleSpec['retry']>): RuleRetry {
  return {
    codes: codes ?? [],
    attempts: attempts ?? RETRY_ATTEMPTS,
    backoff: backoff === undefined ? RETRY_BACKOFF : durationMilliseconds(backoff),
  };
}

/** Nothing in the rule can answer a request but 500 ("If *all* entries in BackendRefs are invalid, and there are also no filters"). */
function noBackends(spec: RuleSpec, field: string): Finding[] {
  if (spec.backendRefs?.length || spec.filters?.some(({ type }) => type === 'RequestRedirect')) return [];
  return [
    {
      reason: 'NoBackends',
      field: `${field}.backendRefs`,
      message: 'found no backend, so requests that match get 500',
      fix: 'add a backendRef, or a RequestRedirect filter',
    },
  ];
}
