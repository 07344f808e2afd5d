/** The rule of a TLSRoute as the snapshot has it. What it sends on is not read, so there is nothing in it but backends. */
import type { KindObject } from '../api/kinds.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { Backend, BackendShare } from '../snapshot/snapshot.ts';
import { type Backends, backendName } from './backends.ts';
import type { Finding } from './findings.ts';
import type { TranslatedRule } from './rules.ts';

type RuleSpec = KindObject<'TLSRoute'>['spec']['rules'][number];

export function translateTlsRule(
  namespace: string,
  spec: RuleSpec,
  field: string,
  backends: Backends,
): TranslatedRule {
  const unresolved: Finding[] = [];
  const uses: Backend[] = [];
  const shares = spec.backendRefs.map((ref, index): BackendShare => {
    const resolved = backends.resolve('TLSRoute', namespace, ref, `${field}.backendRefs[${index}]`);
    const share = { weight: ref.weight, name: backendName(ref, namespace) };
    if ('reason' in resolved) {
      unresolved.push(resolved);
      return { ...share, unresolved: { reason: resolved.reason, message: resolved.message } };
    }
    uses.push(resolved);
    return { ...share, backend: resolved.key };
  });
  const body = { backends: shares };
  return {
    type: 'tls-rule',
    body,
    bodyHash: contentHash(body),
    uses,
    refusals: [],
    unresolved,
    warnings: [],
  };
}
