/** The explanation of a request: it must foretell the answer, since people believe it; and it is shown where a case fails. */
import { explain } from '../../gateway-runtime/explain/explain.ts';
import type { Explanation } from '../../gateway-runtime/explain/explanation.ts';
import { explanationText } from '../../gateway-runtime/explain/text.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { type Addressed, splitTarget } from './addressed.ts';
import type { Answer, CaseForm, CaseRequest } from './case.ts';
import { clientCertificate, isAccepted } from './certificates.ts';
import { type Mismatch, mismatch, textMatches, unequal } from './mismatch.ts';

function explained(
  snapshot: Snapshot,
  addressed: Addressed,
  { request, headers, body = '', clientCertificate: authority }: CaseRequest,
  { agent }: CaseForm,
): Explanation {
  const { port, tls, serverName, hostHeader, target } = addressed;
  const values = new Map([...(headers ?? [])].map(([name, each]) => [name.toLowerCase(), each.join(', ')]));
  if (body !== '' && !values.has('transfer-encoding'))
    values.set('content-length', String(Buffer.byteLength(body)));
  const ports = agent?.publicPorts ?? {};
  const hasCertificate = authority !== undefined && isAccepted(clientCertificate(authority), snapshot, port);
  return explain(
    snapshot,
    {
      port,
      tls,
      serverName: serverName ?? '',
      clientCertificate: hasCertificate,
      client: '127.0.0.1',
      publicPort: (each) => Number(ports[each] ?? each),
    },
    {
      method: request.method,
      host: hostHeader,
      ...splitTarget(target),
      header: (name) => values.get(name),
    },
    re2,
  );
}

/** For a message about a request that was not answered as its case says. */
export function explanationOf(
  snapshot: Snapshot | undefined,
  addressed: Addressed,
  request: CaseRequest,
  form: CaseForm,
): string {
  if (!snapshot || request.raw !== undefined) return '';
  return explanationText(explained(snapshot, addressed, request, form));
}

export function checkExplanation(
  snapshot: Snapshot | undefined,
  addressed: Addressed,
  request: CaseRequest,
  form: CaseForm,
): Mismatch[] {
  // A Gateway that is not served has nothing to explain.
  if (!snapshot) return request.answer?.refused ? [] : [mismatch('snapshot', addressed.gateway, 'none')];
  const explanation = explained(snapshot, addressed, request, form);
  return [
    ...(request.answer ? checkAnswer(request, request.answer, explanation) : []),
    ...(request.shares ? checkShares(request.shares, explanation) : []),
  ];
}

function checkAnswer(request: CaseRequest, answer: Answer, explanation: Explanation): Mismatch[] {
  const { status, backends, summary, matches, listeners, reply, forwarded } = explanation;
  const notConnected =
    status === undefined && !backends.some(({ share, unresolved }) => share > 0 && !unresolved);
  if (answer.refused || notConnected) {
    return answer.refused === notConnected ? [] : [mismatch('explanation', answer, summary)];
  }
  const foretold = statusToForetell(request, answer);
  const found = foretold === undefined ? [] : unequal('status', foretold, statusOf(explanation));
  const serving = matches.find(({ outcome }) => outcome === 'serves');
  const rule = serving && `${serving.namespace}/${serving.name}#`;
  const isNamed =
    rule && [`${rule}${serving.rule}`, `${rule}${serving.ruleName}`].includes(answer.rule ?? '');
  if (answer.rule !== undefined && !isNamed) found.push(mismatch('rule', answer.rule, summary));
  const listener = listeners.find(({ serves }) => serves);
  if (answer.listener !== undefined)
    found.push(...unequal('listener', answer.listener, listener?.listener ?? 'none'));
  const location = (reply ?? backends.find((each) => each.reply)?.reply)?.location;
  if (answer.location !== undefined && !textMatches(answer.location, location ?? 'none')) {
    found.push(mismatch('Location', answer.location, location));
  }
  if (answer.backend !== undefined && !sharesOf(explanation).get(answer.backend)) {
    found.push(mismatch('backend', answer.backend, summary));
  }
  if (answer.saw?.path !== undefined && forwarded) {
    found.push(...unequal('path at the backend', splitTarget(answer.saw.path).path, forwarded.path));
  }
  return found;
}

/** Filters of a backend may answer too. */
function statusOf({ status, backends }: Explanation): number | undefined {
  const used = backends.filter(({ share }) => share > 0);
  return status ?? used.find(({ reply }) => reply)?.reply?.status;
}

/** What the gateway answers itself; undefined where a backend does. */
function statusToForetell(
  { echo, authorizes }: CaseRequest,
  { status, backend, endpoint }: Answer,
): number | undefined {
  // What an authorization service says is not in a snapshot either.
  const isAsked = authorizes !== undefined;
  const byBackend = backend !== undefined || endpoint !== undefined || echo !== undefined || isAsked;
  // Whether a backend has endpoints, and what they speak, is not in a snapshot.
  return byBackend || status === 503 || status === 502 ? undefined : status;
}

function sharesOf({ backends, status }: Explanation): Map<string, number> {
  const shares = new Map<string, number>();
  if (status === 500) shares.set('500', 100);
  for (const { name, share, unresolved } of status === undefined ? backends : []) {
    const to = unresolved ? '500' : name.replace(/^Service /, '');
    shares.set(to, (shares.get(to) ?? 0) + share);
  }
  return shares;
}

function checkShares(expected: ReadonlyMap<string, number>, explanation: Explanation): Mismatch[] {
  const total = [...expected.values()].reduce((sum, weight) => sum + weight, 0);
  const given = sharesOf(explanation);
  return [...new Set([...expected.keys(), ...given.keys()])].flatMap((to) => {
    const wanted = Math.round(((expected.get(to) ?? 0) / total) * 1000) / 10;
    return unequal(`share of ${to} in percent`, wanted, given.get(to) ?? 0);
  });
}
