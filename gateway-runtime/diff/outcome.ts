/**
 * What becomes of the requests that a rule takes, in a form in which two rules can be compared: what makes no difference to a request (the
 * order of backends, 50:50 for 1:1, the name of the route) makes none here.
 */

import { boundsInWords } from '../explain/admission.ts';
import { retryInWords, sessionInWords, timeoutsInWords, tlsInWords } from '../explain/words.ts';
import { explainFilter } from '../filters/index.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import { sessionBinding, sessionName } from '../snapshot/session.ts';
import type {
  BackendKey,
  FilterConfig,
  HttpRule,
  Resource,
  ResourceKey,
  Snapshot,
  WeightedBackend,
} from '../snapshot/snapshot.ts';

export interface Outcome {
  /** Equal where the outcomes are. Holds credentials: to compare, never to show. */
  readonly key: string;
  /** The part of the requests that the gateway answers with an error: 0 to 1. */
  readonly errors: number;
  /** Where requests go, shares and edits left out: equal where they go to the same backends, or to the same redirect. */
  readonly target: string;
  /** In words, without credentials. */
  readonly text: string;
  /** What the gateway answers itself, where it answers all of the requests. */
  readonly status?: number;
  /** Backends with their share of the requests, 0 to 1; none for what the gateway answers. */
  readonly backends: readonly ShownShare[];
  /** What filters do, in words. */
  readonly filters: readonly string[];
  /** From where clients may come, how large bodies may be, timeouts, retries and sessions, in words. */
  readonly limits: readonly string[];
  /** Networks from which clients may come; absent where they may from anywhere. */
  readonly allow?: readonly string[];
}

export interface ShownShare {
  /** `shop/cart:8080`, or as the route names what could not be resolved. */
  readonly name: string;
  readonly share: number;
  /** Why this share is answered 500. */
  readonly unresolved?: string;
  /** Another protocol than HTTP/1.1 in the clear, and TLS, in words. */
  readonly way?: string;
  readonly filters: readonly string[];
}

/** No rule takes the request, or there is no way to the gateway. */
export const NOT_SERVED: Outcome = {
  key: 'none',
  errors: 1,
  target: '',
  text: '404: no rule matches',
  status: 404,
  backends: [],
  filters: [],
  limits: [],
};

/** Clients may come from nowhere. */
const NOBODY: Outcome = {
  key: '403',
  errors: 1,
  target: '',
  text: '403: clients may come from nowhere',
  status: 403,
  backends: [],
  filters: [],
  limits: [],
};

export class Outcomes {
  readonly #resources: ReadonlyMap<ResourceKey, Resource>;
  readonly #known = new Map<string, Outcome>();

  constructor(snapshot: Snapshot | undefined) {
    this.#resources = new Map(snapshot?.resources.map((each) => [each.key, each]));
  }

  /** Of what a match of a rule takes. */
  of(rule: HttpRule, match: number): Outcome {
    // Only what replaces the matched prefix differs from match to match.
    const matched = replacesPrefix(rule) ? rule.matches[match]!.path.value : '';
    const key = `${rule.key} ${matched}`;
    const known = this.#known.get(key);
    if (known) return known;
    const outcome = this.#outcome(rule, matched);
    this.#known.set(key, outcome);
    return outcome;
  }

  /** What is said of a backend beside the rule: the same text where it is reached in the same way. */
  wayTo(key: BackendKey): string {
    const backend = this.#resources.get(key);
    if (backend?.type !== 'backend') return '';
    const { appProtocol, tls } = backend;
    if (!appProtocol && !tls) return '';
    const authorities = tls && tls.authorities !== 'System' ? tls.authorities : [];
    return canonicalJson([
      appProtocol,
      tls && { ...tls, policy: undefined },
      authorities.map((each) => this.#resources.get(each)?.hash),
      tls && this.#resources.get('gateway-identity')?.hash,
    ]);
  }

  #wayInWords(key: BackendKey | undefined): string | undefined {
    const backend = this.#resources.get(key ?? '');
    if (backend?.type !== 'backend') return undefined;
    const { appProtocol, tls } = backend;
    const identity = this.#resources.get('gateway-identity');
    const shown = identity?.type === 'gateway-identity' ? identity.certificate : undefined;
    return [appProtocol, tls && tlsInWords(tls, shown)].filter(Boolean).join(', ') || undefined;
  }

  /** Whether no endpoint of a backend is reached at all. */
  isRefused(key: BackendKey): boolean {
    const backend = this.#resources.get(key);
    return backend?.type === 'backend' && backend.tls?.refusal !== undefined;
  }

  #outcome(rule: HttpRule, matched: string): Outcome {
    if (rule.refusal !== undefined) return error500(rule.refusal);
    if (rule.allow?.length === 0) return NOBODY;
    const bounds = [rule.allow, rule.maxRequestBytes];
    const allow = rule.allow ? { allow: rule.allow } : {};
    const filters = rule.filters.map(inWords);
    const edits = rule.filters.map((each) => this.#filterKey(each));
    const redirect = rule.filters.find(({ type }) => type === 'RequestRedirect');
    if (redirect) {
      return {
        key: canonicalJson(['redirect', matched, edits, bounds]),
        errors: 0,
        target: canonicalJson(redirect),
        text: filters.join(', '),
        status: (redirect.config as { status: number }).status,
        backends: [],
        filters,
        limits: boundsInWords(rule),
        ...allow,
      };
    }
    const shares = this.#shares(rule.backends);
    const limits = limitsOf(rule);
    const session = rule.session && [
      { ...rule.session, name: sessionName(rule) },
      // "Route rules referencing the same service MUST NOT share persistent sessions": another rule begins them anew.
      sessionBinding(rule.source),
    ];
    const errors = shares.length === 0 ? 1 : sum(shares.filter(({ unresolved }) => unresolved));
    const isError = errors > 1 - 1e-9;
    // What nobody gets shows no edit of requests.
    const shownEdits = rule.filters.flatMap(({ type }, index) =>
      EDITS_OF_REQUESTS.has(type) ? [] : [edits[index]],
    );
    return {
      key: isError
        ? error500Key(shownEdits)
        : canonicalJson([
            shares.map(({ key, share }) => [key, share.toFixed(9)]).sort(),
            matched,
            edits,
            rule.timeouts,
            rule.retry,
            session,
            bounds,
          ]),
      errors: isError ? 1 : errors,
      target: shares
        .map(({ name }) => name)
        .sort()
        .join(),
      text: [
        isError ? `500: ${whyNone(rule)}` : shares.map((each) => shareText(each)).join(', '),
        ...(filters.length > 0 ? [`(${filters.join(', ')})`] : []),
      ].join(' '),
      ...(isError ? { status: 500 } : {}),
      backends: shares.map(({ key: _, ...each }) => each),
      filters,
      limits: isError ? [] : limits,
      ...(isError ? {} : allow),
    };
  }

  #filterKey({ type, config }: FilterConfig): unknown {
    const { backend } = config as { backend?: BackendKey };
    return backend === undefined ? [type, config] : [type, config, this.wayTo(backend)];
  }

  /** What has a share, those that are alike added up. */
  #shares(backends: readonly WeightedBackend[]): (ShownShare & { readonly key: string })[] {
    const total = backends.reduce((all, { weight }) => all + weight, 0);
    const shares = new Map<string, ShownShare & { readonly key: string }>();
    for (const { weight, backend, name, unresolved, filters } of backends) {
      if (weight === 0) continue;
      const refusal = backend !== undefined && this.isRefused(backend) ? 'BackendTLSPolicy' : undefined;
      const problem = backend === undefined ? (unresolved?.reason ?? 'BackendNotFound') : refusal;
      const key =
        problem === undefined
          ? canonicalJson([backend, this.wayTo(backend!), filters.map((each) => this.#filterKey(each))])
          : '500';
      const before = shares.get(key)?.share ?? 0;
      const way = problem === undefined ? this.#wayInWords(backend) : undefined;
      shares.set(key, {
        key,
        name: name.replace(/^Service /, ''),
        share: before + weight / total,
        ...(problem === undefined ? {} : { unresolved: problem }),
        ...(way === undefined ? {} : { way }),
        filters: filters.map(inWords),
      });
    }
    return [...shares.values()];
  }
}

const sum = (shares: readonly ShownShare[]) => shares.reduce((all, { share }) => all + share, 0);

function replacesPrefix(rule: HttpRule): boolean {
  const replaces = ({ config }: FilterConfig) =>
    (config as { path?: { type?: string } } | null)?.path?.type === 'prefix';
  return rule.filters.some(replaces) || rule.backends.some(({ filters }) => filters.some(replaces));
}

const EDITS_OF_REQUESTS: ReadonlySet<string> = new Set(['RequestHeaderModifier', 'URLRewrite']);

const error500Key = (edits: readonly unknown[]): string => canonicalJson([500, ...edits]);

const error500 = (reason: string): Outcome => ({
  key: error500Key([]),
  errors: 1,
  target: '',
  text: `500: ${reason}`,
  status: 500,
  backends: [],
  filters: [],
  limits: [],
});

function whyNone({ backends }: HttpRule): string {
  if (backends.length === 0) return 'no backend';
  if (backends.every(({ weight }) => weight === 0)) return 'all weights are 0';
  const reasons = new Set(backends.map(({ unresolved }) => unresolved?.reason ?? 'BackendTLSPolicy'));
  return `${[...reasons].join(', ')} (${backends.map(({ name }) => name.replace(/^Service /, '')).join(', ')})`;
}

function limitsOf(rule: HttpRule): string[] {
  return [
    ...boundsInWords(rule),
    ...(rule.timeouts ? timeoutsInWords(rule.timeouts) : []),
    ...(rule.retry ? [retryInWords(rule.retry)] : []),
    ...(rule.session ? [sessionInWords(rule)] : []),
  ];
}

/** @param problem what becomes of a share that did not resolve */
export function shareText({ name, share, unresolved, way, filters }: ShownShare, problem = '500'): string {
  const percent = share > 1 - 1e-9 ? '' : ` ${Math.round(share * 1000) / 10} %`;
  const rest = [...(way === undefined ? [] : [way]), ...filters].join(', ');
  const edits = rest ? ` (${rest})` : '';
  return `${unresolved === undefined ? name : `${problem} (${unresolved} ${name})`}${percent}${edits}`;
}

function inWords(filter: FilterConfig): string {
  try {
    return explainFilter(filter);
  } catch {
    return `${filter.type}, which this version does not know`;
  }
}
