/**
 * The second and third layer: what the reference matcher and the router choose for a request. Both know rules, not
 * what a backend says, so an answer is checked as far as the rule decides it.
 */
import { normalizeHost } from '../../gateway-runtime/match/normalize.ts';
import { evaluate } from '../../gateway-runtime/match/reference.ts';
import { Router } from '../../gateway-runtime/match/router.ts';
import { evaluateTls } from '../../gateway-runtime/match/tls-reference.ts';
import { TlsTable } from '../../gateway-runtime/match/tls-table.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type {
  BackendKey,
  BackendShare,
  Listener,
  RouteRule,
  Snapshot,
} from '../../gateway-runtime/snapshot/snapshot.ts';
import { type Addressed, matchRequest } from './addressed.ts';
import type { Answer, CaseRequest } from './case.ts';
import { type Mismatch, mismatch, unequal } from './mismatch.ts';

/** What a matcher chose: a rule, or the status that is answered where none serves. */
interface Choice {
  readonly listener?: Listener | undefined;
  readonly rule?: RouteRule;
  readonly status?: number;
}

type Matcher = (snapshot: Snapshot, addressed: Addressed, request: CaseRequest) => Choice;

const canonical = (host: string): string => {
  const normal = normalizeHost(host);
  return typeof normal === 'string' ? normal : '';
};

const reference: Matcher = (snapshot, addressed, request) => {
  const seen = matchRequest(addressed, request);
  if ('problem' in seen) return { status: 400 };
  const { port, tls, serverName } = addressed;
  const name = serverName === undefined ? '' : canonical(serverName);
  const ofConnection = tls ? evaluateTls(snapshot, port, name) : undefined;
  if (ofConnection?.listener?.protocol === 'TLS') {
    const { listener, winner } = ofConnection;
    return winner ? { listener, rule: winner } : { listener };
  }
  const at = { port, ...(tls ? { serverName: serverName === undefined ? '' : canonical(serverName) } : {}) };
  const { listener, winner, status } = evaluate(snapshot, at, seen, re2);
  return winner ? { listener, rule: winner.rule } : { listener, status: status! };
};

const routed: Matcher = (snapshot, addressed, request) => {
  const seen = matchRequest(addressed, request);
  if ('problem' in seen) return { status: 400 };
  const all = { gateway: snapshot.gateway, to: snapshot.version, put: snapshot.resources, remove: [] };
  const router = Router.empty<true>({ regex: re2, compile: () => true }).with(all);
  const { port, tls, serverName } = addressed;
  const name = serverName === undefined ? '' : canonical(serverName);
  const ofConnection = tls ? router.listener(port, name)?.listener : undefined;
  if (ofConnection?.protocol === 'TLS') {
    const rules = TlsTable.empty(() => true).with(all);
    const entry = rules.find(ofConnection.key, name);
    return { listener: ofConnection, ...(entry ? { rule: entry.rule } : {}) };
  }
  const table = router.listener(port, seen.host);
  if (!table) return { status: 404 };
  // A connection made for another listener than the host's is misdirected (RFC 9110 section 15.5.20).
  if (tls && router.listener(port, serverName === undefined ? '' : canonical(serverName)) !== table)
    return { status: 421 };
  const { listener } = table;
  const entry = table.find(seen);
  return entry ? { listener, rule: entry.rule } : { listener, status: 404 };
};

export const MATCHERS = { 'reference matcher': reference, router: routed } as const;

/** Whether the matchers can know anything of the outcome. */
export function concernsMatchers({ raw, answer }: CaseRequest): boolean {
  return raw === undefined && !answer?.refused;
}

export function checkMatch(
  matcher: Matcher,
  snapshot: Snapshot | undefined,
  addressed: Addressed,
  request: CaseRequest,
): Mismatch[] {
  if (!snapshot) return [mismatch('snapshot', `one of Gateway ${addressed.gateway}`, 'none')];
  const choice = matcher(snapshot, addressed, request);
  const refused = new Set(
    snapshot.resources.flatMap((each) => (each.type === 'backend' && each.tls?.refusal ? [each.key] : [])),
  );
  return [
    ...(request.answer ? checkAnswer(request, request.answer, choice, refused) : []),
    ...(request.shares ? checkShares(request.shares, choice, refused) : []),
  ];
}

/** `shop/cart#0`, with the index of the rule or its name. */
export function isRule(expected: string, { source }: RouteRule): boolean {
  const [route, rule] = expected.split('#');
  return (
    route === `${source.namespace}/${source.name}` && (rule === `${source.rule}` || rule === source.ruleName)
  );
}
export const ruleLabel = ({ source }: RouteRule) =>
  `${source.namespace}/${source.name}#${source.ruleName ?? source.rule}`;
/** `shop/cart:8080` of `backend/shop/cart/8080`. */
export const backendName = (key: BackendKey) => key.replace(/^backend\/(.*)\/(\d+)$/, '$1:$2');

/** Where requests or connections go and in which share, `500` for what no backend gets. */
function sharesOf(rule: RouteRule, refused: ReadonlySet<string>): Map<string, number> {
  const refusal = rule.type === 'http-rule' ? rule.refusal : undefined;
  const backends: readonly BackendShare[] = rule.backends;
  const shares = new Map<string, number>();
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  if (refusal !== undefined || total === 0) return shares.set('500', 1);
  for (const { weight, backend } of backends) {
    const to = backend && !refused.has(backend) ? backendName(backend) : '500';
    shares.set(to, (shares.get(to) ?? 0) + weight / total);
  }
  return shares;
}

const inWords = (shares: ReadonlyMap<string, number>) =>
  [...shares].map(([to, share]) => `${to} ${(share * 100).toFixed(2)} %`).join(', ');

function checkAnswer(
  request: CaseRequest,
  answer: Answer,
  { listener, rule, status }: Choice,
  refused: ReadonlySet<string>,
): Mismatch[] {
  const what = 'choice';
  const found = unequal('listener', answer.listener, listener?.source.listener ?? 'none');
  if (!rule) {
    const servedByNobody = answer.backend === undefined && answer.rule === undefined;
    return servedByNobody && (answer.status === undefined || answer.status === status)
      ? found
      : [...found, mismatch(what, answer, `${status}, no rule`)];
  }
  if (answer.rule !== undefined && !isRule(answer.rule, rule)) {
    found.push(mismatch('rule', answer.rule, ruleLabel(rule)));
  }
  // A filter answers in place of a backend: its rule is all that a matcher knows.
  const answering = answer.backend === undefined ? ['RequestRedirect', 'ExternalAuth'] : ['RequestRedirect'];
  if (
    rule.type === 'http-rule' &&
    rule.refusal === undefined &&
    rule.filters.some(({ type }) => answering.includes(type))
  )
    return found;
  const shares = sharesOf(rule, refused);
  const only = shares.size === 1 && shares.has('500');
  if (answer.backend !== undefined && !shares.get(answer.backend)) {
    found.push(mismatch(what, answer.backend, `rule ${ruleLabel(rule)}: ${inWords(shares)}`));
  }
  const byBackend = answer.backend !== undefined || request.echo !== undefined;
  if (!byBackend && (answer.status === 404 || answer.status === 421 || answer.status === 400)) {
    found.push(mismatch(what, `${answer.status}, no rule`, `rule ${ruleLabel(rule)}`));
  }
  if (
    !byBackend &&
    (answer.status === 500) !== only &&
    answer.status !== 503 &&
    answer.status !== 502 &&
    answer.status !== undefined
  ) {
    found.push(mismatch(what, `status ${answer.status}`, `rule ${ruleLabel(rule)}: ${inWords(shares)}`));
  }
  return found;
}

function checkShares(
  expected: ReadonlyMap<string, number>,
  { rule, status }: Choice,
  refused: ReadonlySet<string>,
): Mismatch[] {
  if (!rule) return [mismatch('shares', [...expected.keys()].join(), `${status}, no rule`)];
  const total = [...expected.values()].reduce((sum, weight) => sum + weight, 0);
  const wanted = new Map([...expected].map(([to, weight]) => [to, weight / total]));
  const given = sharesOf(rule, refused);
  const same = [...new Set([...wanted.keys(), ...given.keys()])].every(
    (to) => Math.abs((wanted.get(to) ?? 0) - (given.get(to) ?? 0)) < 1e-9,
  );
  return same ? [] : [mismatch('shares', inWords(wanted), inWords(given))];
}
