/**
 * Gateways for which a policy has no place in its status: "If this slice is full, implementations MUST NOT add further entries. Instead they
 * MUST consider the policy unimplementable and signal that on any related resources such as the ancestor" (PolicyStatus.ancestors).
 */
import type { Finding } from '../findings.ts';

/** "A maximum of 16 ancestors will be represented in this list" (PolicyStatus.ancestors). */
export const MOST_ANCESTORS = 16;

export class LeftOut {
  /** By policy, `namespace/name`: Gateways. */
  readonly #gateways = new Map<string, ReadonlySet<string>>();
  /** By Gateway, `namespace/name`: policies. */
  readonly #policies = new Map<string, Set<string>>();

  /** The Gateways that a policy leaves out from now on. Gives those for which that is new, or no longer so. */
  replace(policy: string, gateways: readonly string[]): string[] {
    const before = this.#gateways.get(policy) ?? new Set();
    const after = new Set(gateways);
    if (after.size > 0) this.#gateways.set(policy, after);
    else this.#gateways.delete(policy);
    const come = [...after].filter((each) => !before.has(each));
    const gone = [...before].filter((each) => !after.has(each));
    for (const each of come) {
      this.#policies.set(each, (this.#policies.get(each) ?? new Set()).add(policy));
    }
    for (const each of gone) {
      const policies = this.#policies.get(each)!;
      policies.delete(policy);
      if (policies.size === 0) this.#policies.delete(each);
    }
    return [...come, ...gone];
  }

  has(gateway: string, policy: string): boolean {
    return this.#policies.get(gateway)?.has(policy) ?? false;
  }

  /** For the status of a Gateway. */
  findings(gateway: string): Finding[] {
    return [...(this.#policies.get(gateway) ?? [])].sort().map((policy) => ({
      reason: 'LimitExceeded',
      message: `BackendTLSPolicy ${policy} has no place left for this Gateway in its status, which tells of ${MOST_ANCESTORS} at most, the oldest first: requests here to what it targets get 500`,
      fix: 'have routes of fewer Gateways send to its targets, or give each part of the Gateways a Service and a policy of its own',
    }));
  }
}
