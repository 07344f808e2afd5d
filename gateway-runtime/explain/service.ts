/** How the rule that was chosen serves a request: why this one, its filters in order, its backends with their shares. */
import { explainFilter } from '../filters/index.ts';
import { decidingLine } from '../match/precedence.ts';
import type { EvaluatedMatch, Evaluation } from '../match/reference.ts';
import type { MatchRequest } from '../match/request.ts';
import type { FilterConfig, Snapshot, WeightedBackend } from '../snapshot/snapshot.ts';
import { boundsInWords, refusedAtOnce } from './admission.ts';
import { applyFilters, type Effects, type FilterContext, ImaginedHead } from './effects.ts';
import type { ExplainedAt } from './explain.ts';
import type { ExplainedBackend, ExplainedDecision, Explanation } from './explanation.ts';
import { identityOf, policiesAt, policiesOf, tlsOf } from './policies.ts';
import {
  retryInWords,
  ruleInWords,
  ruleNameOf,
  sessionInWords,
  timeoutsInWords,
  tlsInWords,
} from './words.ts';

type Service = Pick<
  Explanation,
  | 'summary'
  | 'status'
  | 'decision'
  | 'filters'
  | 'reply'
  | 'forwarded'
  | 'backends'
  | 'policies'
  | 'limits'
  | 'session'
>;

export function explainService(
  evaluation: Evaluation,
  request: MatchRequest,
  at: ExplainedAt,
  snapshot: Snapshot,
): Service {
  const winner = evaluation.winner!;
  const { rule } = winner;
  const name = ruleInWords(ruleNameOf(rule));
  const decision = decisionOf(winner, evaluation.matches);
  const common = {
    ...(decision ? { decision } : {}),
    filters: rule.filters.map(filterInWords),
  };
  const context: FilterContext = {
    path: rule.matches[winner.match]!.path,
    publicPort: at.publicPort ?? ((port) => port),
  };
  const head = new ImaginedHead(request, at.tls ? 'https' : 'http', at.port);
  const bounds = boundsInWords(rule);
  const policiesIn = (backends: readonly ExplainedBackend[]) => {
    const policies = [
      ...policiesAt(rule, evaluation.listener),
      ...(backends.length > 0 ? policiesOf(snapshot, rule.backends) : []),
    ];
    return policies.length > 0 ? { policies } : {};
  };
  const refused = (reason: string, backends: readonly ExplainedBackend[] = []): Service => ({
    ...common,
    backends,
    ...policiesIn(backends),
    status: 500,
    summary: `answered 500 by ${name}: ${reason}`,
  });

  if (rule.refusal !== undefined) return refused(rule.refusal);
  const turnedAway = refusedAtOnce(rule, request, at.client);
  if (turnedAway) {
    const { status, reason } = turnedAway;
    return {
      ...common,
      backends: [],
      ...policiesIn([]),
      status,
      limits: bounds,
      summary: `answered ${status} by ${name}: ${reason}`,
    };
  }
  let effects: Effects;
  let backends: readonly ExplainedBackend[];
  try {
    effects = applyFilters(rule.filters, head, context);
    backends = effects.reply ? [] : explainBackends(rule.backends, head, context, snapshot);
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
  const { reply, asked } = effects;
  const once = asked.length > 0 ? `, once ${asked.join(' and ')} allows it` : '';
  if (reply) {
    const to = reply.location === undefined ? '' : ` with Location ${reply.location}`;
    return {
      ...common,
      backends,
      ...policiesIn(backends),
      reply,
      ...(bounds.length > 0 ? { limits: bounds } : {}),
      status: reply.status,
      summary: `answered ${reply.status} by ${name}${to}${once}`,
    };
  }
  const used = backends.filter(({ weight }) => weight > 0);
  if (backends.length === 0) return refused('it has no backend', backends);
  if (used.length === 0) return refused('all its backends have weight 0', backends);
  if (used.every(({ unresolved }) => unresolved))
    return refused('none of its backends can be used', backends);
  const limits = [
    ...bounds,
    ...(rule.timeouts ? timeoutsInWords(rule.timeouts) : []),
    ...(rule.retry ? [retryInWords(rule.retry)] : []),
  ];
  const isChanged = head.path !== request.path || head.authority !== request.host;
  return {
    ...common,
    ...(isChanged ? { forwarded: { host: head.authority, path: head.path } } : {}),
    backends,
    ...policiesIn(backends),
    ...(limits.length > 0 ? { limits } : {}),
    ...(rule.session ? { session: sessionInWords(rule) } : {}),
    summary: `served by ${name}${once}`,
  };
}

/** Over the next match of another rule: which match of one rule goes first is of no interest here. */
function decisionOf(
  winner: EvaluatedMatch,
  matches: readonly EvaluatedMatch[],
): ExplainedDecision | undefined {
  const next = matches.find(({ rule, loss }) => loss?.on === 'precedence' && rule !== winner.rule);
  const line = next && decidingLine(winner, next);
  return line && { precedence: line.id, sentence: line.sentence, over: ruleNameOf(next.rule) };
}

function explainBackends(
  backends: readonly WeightedBackend[],
  head: ImaginedHead,
  context: FilterContext,
  snapshot: Snapshot,
): ExplainedBackend[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends.map(({ name, weight, backend, unresolved, filters }) => {
    const { reply } = applyFilters(filters, head.copy(), context);
    const tls = backend === undefined ? undefined : tlsOf(snapshot, backend);
    const refusal = tls?.refusal;
    return {
      name,
      weight,
      share: total === 0 ? 0 : Math.round((weight / total) * 1000) / 10,
      ...(backend === undefined ? { unresolved: unresolved ?? NOT_RESOLVED } : {}),
      ...(refusal === undefined ? {} : { unresolved: { reason: 'BackendTLSPolicy', message: refusal } }),
      ...(tls && refusal === undefined ? { tls: tlsInWords(tls, identityOf(snapshot)) } : {}),
      filters: filters.map(filterInWords),
      ...(reply ? { reply } : {}),
    };
  });
}

const NOT_RESOLVED = { reason: 'BackendNotFound', message: 'the backend was not found' };

function filterInWords(filter: FilterConfig): string {
  try {
    return explainFilter(filter);
  } catch {
    return `${filter.type}, which this version does not know`;
  }
}
