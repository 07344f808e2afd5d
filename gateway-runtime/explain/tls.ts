/** Where a connection goes whose server name chooses a listener of protocol TLS: nothing of what is said on it is looked at. */
import { ANY_HOST } from '../match/hostname.ts';
import type { LostOn } from '../match/reference.ts';
import { type EvaluatedTlsRule, evaluateTls, type TlsEvaluation } from '../match/tls-reference.ts';
import type { BackendShare, Listener, Snapshot, TlsRule } from '../snapshot/snapshot.ts';
import type { ExplainedBackend, ExplainedMatch, Explanation } from './explanation.ts';
import { policiesOf, tlsOf } from './policies.ts';
import { ruleInWords, ruleNameOf, tlsInWords } from './words.ts';

type Outcome = Pick<Explanation, 'summary' | 'listeners' | 'matches' | 'filters' | 'backends' | 'policies'>;

/** `serverName` is canonical and chooses `listener`, which is of protocol TLS. */
export function explainTls(
  snapshot: Snapshot,
  listener: Listener,
  serverName: string,
  listeners: Explanation['listeners'],
): Outcome {
  const evaluation = evaluateTls(snapshot, listener.port, serverName);
  const matches = evaluation.rules.map((each) => explainedRule(each, evaluation));
  const { winner } = evaluation;
  const shown = serverName ? `the server name ${serverName}` : 'a connection without a server name';
  if (!winner) {
    const summary = `closed: no rule at the listener ${listener.source.listener} is for ${shown}`;
    return { summary, listeners, matches, filters: [], backends: [] };
  }
  const backends = explainedBackends(winner, listener, snapshot);
  const isAny = backends.some(({ share, unresolved }) => share > 0 && !unresolved);
  const name = ruleInWords(ruleNameOf(winner));
  const how = listener.tlsMode === 'Passthrough' ? 'passed through as it is' : 'decrypted and passed on';
  const summary = isAny ? `${how} by ${name}` : `closed by ${name}: none of its backends can be used`;
  // What is passed through is the client's own TLS.
  const policies = listener.tlsMode === 'Passthrough' ? [] : policiesOf(snapshot, winner.backends);
  const inForce = policies.length > 0 ? { policies } : {};
  return { summary, listeners, matches, filters: [], backends, ...inForce };
}

function explainedRule(
  { rule, hostname, reason }: EvaluatedTlsRule,
  { winner, listener }: TlsEvaluation,
): ExplainedMatch {
  const place = rule.parents.find((each) => each.listener === listener?.key);
  const lostOn: LostOn = !place ? 'listener' : hostname ? 'precedence' : 'hostname';
  const names = [...new Set(rule.parents.flatMap(({ hostnames }) => hostnames))];
  return {
    ...ruleNameOf(rule),
    match: 0,
    asks: `server name ${names.map((each) => (each === ANY_HOST ? 'any' : each)).join(' or ')}`,
    ...(hostname ? { hostname } : {}),
    outcome: rule === winner ? 'serves' : lostOn === 'precedence' ? 'outranked' : 'does not match',
    ...(rule === winner ? {} : { lostOn, reason: reason! }),
  };
}

function explainedBackends(
  { backends }: TlsRule,
  { tlsMode }: Listener,
  snapshot: Snapshot,
): ExplainedBackend[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends.map((each) => ({
    name: each.name,
    weight: each.weight,
    share: total === 0 ? 0 : Math.round((each.weight / total) * 1000) / 10,
    ...transportOf(each, tlsMode, snapshot),
    filters: [],
  }));
}

function transportOf(
  { backend, unresolved }: BackendShare,
  mode: Listener['tlsMode'],
  snapshot: Snapshot,
): Pick<ExplainedBackend, 'unresolved' | 'tls'> {
  if (backend === undefined) {
    return { unresolved: unresolved ?? { reason: 'BackendNotFound', message: 'the backend was not found' } };
  }
  const tls = tlsOf(snapshot, backend);
  if (tls?.refusal !== undefined) {
    return { unresolved: { reason: 'BackendTLSPolicy', message: tls.refusal } };
  }
  // What is passed through is the client's own TLS.
  return tls && mode !== 'Passthrough' ? { tls: tlsInWords(tls, undefined) } : {};
}
