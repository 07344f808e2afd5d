/** The policies that have a say in where a request goes, or how it gets there: each with its object, so that it can be told where that stands. */
import type {
  AppliedPolicy,
  BackendKey,
  BackendTls,
  HttpRule,
  Listener,
  Snapshot,
} from '../snapshot/snapshot.ts';
import type { ExplainedPolicy } from './explanation.ts';
import { ruleInWords, ruleNameOf, tlsInWords } from './words.ts';

/** Those of backends, each once, in their order. `backends` as the route names them. */
export function policiesOf(
  snapshot: Snapshot,
  backends: readonly { readonly name: string; readonly backend?: BackendKey }[],
): ExplainedPolicy[] {
  const policies = new Map<string, ExplainedPolicy>();
  for (const { name, backend } of backends) {
    const tls = backend === undefined ? undefined : tlsOf(snapshot, backend);
    if (!tls) continue;
    const [namespace = '', policy = ''] = tls.policy.split('/');
    policies.set(`${tls.policy} ${name}`, {
      kind: 'BackendTLSPolicy',
      namespace,
      name: policy,
      target: name,
      effect:
        tls.refusal === undefined
          ? tlsInWords(tls, identityOf(snapshot))
          : `every request is answered 500: ${tls.refusal}`,
    });
  }
  return [...policies.values()];
}

/** Those of a rule and of the listener that the request came to, which are in what these do already. */
export function policiesAt(rule: HttpRule, listener: Listener | undefined): ExplainedPolicy[] {
  const of = (policies: readonly AppliedPolicy[] | undefined, target: string) =>
    (policies ?? []).map((each): ExplainedPolicy => ({ ...each, target }));
  return [
    ...of(rule.policies, ruleInWords(ruleNameOf(rule))),
    ...of(listener?.policies, `listener ${listener?.source.listener}`),
  ];
}

/** What a BackendTLSPolicy demands of a backend. */
export function tlsOf({ resources }: Snapshot, backend: BackendKey): BackendTls | undefined {
  const found = resources.find(({ key }) => key === backend);
  return found?.type === 'backend' ? found.tls : undefined;
}

/** The Secret whose certificate the gateway shows to backends. */
export function identityOf({ resources }: Snapshot): string | undefined {
  return resources.find((each) => each.type === 'gateway-identity')?.certificate;
}
