/** What becomes of TLS connections by their server name, in a form in which two sides can be compared. Nothing of what is said on them counts. */
import { canonicalJson } from '../snapshot/canonical.ts';
import type { Listener, TlsRule } from '../snapshot/snapshot.ts';
import type { Outcomes, ShownShare } from './outcome.ts';
import { NOT_SERVED, type Outcome, shareText } from './outcome.ts';

/** All connections are closed, whatever for. */
export function closed(text: string): Outcome {
  const { status: _, ...rest } = NOT_SERVED;
  return { ...rest, key: 'closed', text };
}

/** Of a rule at a listener of protocol TLS. */
export function tlsOutcome(rule: TlsRule, listener: Listener, outcomes: Outcomes): Outcome {
  const isPassedThrough = listener.tlsMode === 'Passthrough';
  if (!isPassedThrough && listener.certificates.length === 0) {
    return closed(`the TLS handshake fails: the listener ${listener.source.listener} has no certificate`);
  }
  const shares = sharesOf(rule, isPassedThrough, outcomes);
  const errors = shares.filter(({ unresolved }) => unresolved).reduce((sum, { share }) => sum + share, 0);
  if (shares.length === 0) return closed('closed: no backend has a weight above 0');
  if (errors > 1 - 1e-9) {
    const reasons = new Set(shares.map(({ unresolved }) => unresolved));
    return closed(`closed: ${[...reasons].join(', ')} (${shares.map(({ name }) => name).join(', ')})`);
  }
  const { certificates, minTlsVersion } = listener;
  return {
    key: canonicalJson([
      isPassedThrough ? 'through' : [[...certificates].sort(), minTlsVersion],
      shares.map(({ key, share }) => [key, share.toFixed(9)]).sort(),
    ]),
    errors,
    target: shares
      .map(({ name }) => name)
      .sort()
      .join(),
    text: `${howText(listener)} to ${shares.map((each) => shareText(each, 'closed')).join(', ')}`,
    backends: shares.map(({ key: _, ...each }) => each),
    filters: [],
    limits: [],
  };
}

function howText({ tlsMode, certificates, minTlsVersion }: Listener): string {
  if (tlsMode === 'Passthrough') return 'passed through';
  const names = certificates.map((id) => `Secret ${id}`).join(', ');
  const version = minTlsVersion === undefined ? '' : `, ${minTlsVersion.replace('v', ' ')} and above`;
  return `decrypted with the certificate of ${names}${version}, and passed on`;
}

type Share = ShownShare & { readonly key: string };

/** What has a share, those that are alike added up. */
function sharesOf({ backends }: TlsRule, isPassedThrough: boolean, outcomes: Outcomes): Share[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const shares = new Map<string, Share>();
  for (const { weight, backend, name, unresolved } of backends) {
    if (weight === 0) continue;
    const refusal = backend !== undefined && outcomes.isRefused(backend) ? 'BackendTLSPolicy' : undefined;
    const problem = backend === undefined ? (unresolved?.reason ?? 'BackendNotFound') : refusal;
    // What is passed through is the client's own TLS.
    const way = problem === undefined && !isPassedThrough ? outcomes.wayTo(backend!) : undefined;
    const key = problem === undefined ? canonicalJson([backend, way]) : 'closed';
    shares.set(key, {
      key,
      name: name.replace(/^Service /, ''),
      share: (shares.get(key)?.share ?? 0) + weight / total,
      ...(problem === undefined ? {} : { unresolved: problem }),
      filters: [],
    });
  }
  return [...shares.values()];
}
