/** Rules of an HTTPRoute as the snapshot has them. What can't be served makes its rule answer 500, with the reason. */
import type { KindObject } from '../api/kinds.ts';
import type { TranslateContext } from '../filters/definition.ts';
import { translateFilters } from '../filters/index.ts';
import { normalizePath } from '../match/normalize.ts';
import type { RegexEngine } from '../match/regex.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type {
  Backend,
  HttpMatch,
  HttpRule,
  PathMatch,
  ValueMatch,
  WeightedBackend,
} from '../snapshot/snapshot.ts';
import { type BackendRef, type Backends, backendName } from './backends.ts';
import type { Finding } from './findings.ts';

type RuleSpec = KindObject<'HTTPRoute'>['spec']['rules'][number];
type MatchSpec = RuleSpec['matches'][number];

/** A rule without what depends on where it is attached. */
export type RuleBody = Pick<HttpRule, 'matches' | 'filters' | 'backends' | 'refusal'>;

export interface TranslatedRule {
  readonly body: RuleBody;
  /** Hash of `body`. */
  readonly bodyHash: string;
  /** Everything that the rule may send to, filters included. */
  readonly uses: readonly Backend[];
  /** Why the rule can't be served: set exactly where `body.refusal` is. */
  readonly refusals: readonly Finding[];
  /** References that did not resolve. */
  readonly unresolved: readonly Finding[];
  readonly warnings: readonly Finding[];
}

const EVERYTHING: HttpMatch = { path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] };

/** Fields of a rule that are not served yet. */
const NOT_SERVED = ['timeouts', 'retry', 'sessionPersistence'] as const;

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
    const resolved = backends.resolve(namespace, ref, at);
    if ('reason' in resolved) unresolved.push(resolved);
    else uses.push(resolved);
    return resolved;
  };
  const contextAt = (at: string): TranslateContext => ({
    backend(ref, name) {
      const resolved = resolve(ref, `${at}.${name}`);
      return 'reason' in resolved ? undefined : resolved.key;
    },
    refuse(reason, message) {
      const finding = { reason, field: at, message, fix: 'remove the filter or correct it' };
      refusals.push(finding);
      if (reason === 'InvalidKind' || reason === 'BackendNotFound') unresolved.push(finding);
      return undefined;
    },
  });

  for (const name of NOT_SERVED) {
    if (spec[name] === undefined) continue;
    refuse(`${field}.${name}`, `found ${name}, which is not served`, `remove ${name}`);
  }
  const matches = spec.matches.map((match, index) =>
    translateMatch(match, `${field}.matches[${index}]`, regex, refuse),
  );
  const filters = translateFilters(spec.filters ?? [], 'rule', contextAt(`${field}.filters`));
  const weighted = (spec.backendRefs ?? []).map((ref, index): WeightedBackend => {
    const at = `${field}.backendRefs[${index}]`;
    const resolved = resolve(ref, at);
    return {
      weight: ref.weight,
      name: backendName(ref, namespace),
      ...('reason' in resolved
        ? { unresolved: { reason: resolved.reason, message: resolved.message } }
        : { backend: resolved.key }),
      filters: translateFilters(ref.filters ?? [], 'backend', contextAt(`${at}.filters`)),
    };
  });
  const body = {
    matches: matches.length > 0 ? matches : [EVERYTHING],
    filters,
    backends: weighted,
    ...(refusals.length > 0 ? { refusal: refusals.map(({ message }) => message).join('; ') } : {}),
  };
  return { body, bodyHash: contentHash(body), uses, refusals, unresolved, warnings: noBackends(spec, field) };
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

type Refuse = (field: string, message: string, fix: string) => void;

function translateMatch(match: MatchSpec, field: string, regex: RegexEngine, refuse: Refuse): HttpMatch {
  const checkRegex = (type: string, value: string, at: string) => {
    if (type !== 'RegularExpression') return;
    const compiled = regex.compile(value);
    if ('problem' in compiled) {
      refuse(
        at,
        `found a regular expression that can't be used: ${compiled.problem}`,
        'correct it (RE2 syntax)',
      );
    }
  };
  const values = (list: readonly ValueMatch[] | undefined, name: 'headers' | 'queryParams'): ValueMatch[] =>
    (list ?? []).map((each, index) => {
      checkRegex(each.type, each.value, `${field}.${name}[${index}].value`);
      return {
        name: name === 'headers' ? each.name.toLowerCase() : each.name,
        type: each.type,
        value: each.value,
      };
    });

  checkRegex(match.path.type, match.path.value, `${field}.path.value`);
  return {
    path: translatePath(match.path, field, refuse),
    ...(match.method ? { method: match.method } : {}),
    // "If multiple entries specify equivalent header names, only the first entry with an equivalent name MUST be
    // considered for a match" (HTTPHeaderMatch.name), names being compared without case.
    headers: firstOfEachName(values(match.headers, 'headers')),
    queryParams: firstOfEachName(values(match.queryParams, 'queryParams')),
  };
}

function translatePath({ type, value }: PathMatch, field: string, refuse: Refuse): PathMatch {
  if (type === 'RegularExpression') return { type, value };
  const normal = normalizePath(value);
  if (typeof normal !== 'string') {
    refuse(
      `${field}.path.value`,
      `found the path ${value}, which no request can have: ${normal.problem}`,
      'correct it',
    );
    return { type, value };
  }
  // "A path prefix match of /abc/ [...] the trailing slash is ignored" (PathMatchPathPrefix).
  const trimmed =
    type === 'PathPrefix' && normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
  return { type, value: trimmed };
}

function firstOfEachName(values: readonly ValueMatch[]): ValueMatch[] {
  return values.filter((each, index) => values.findIndex(({ name }) => name === each.name) === index);
}
