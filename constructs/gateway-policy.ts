/** What the platform says of all routes of a gateway: one GatewayPolicy, beside the Gateway and of its name. */
import type { Construct } from 'constructs';
import { gatewayObject } from './api-object.ts';
import { DEFAULTS, type DefaultPolicy, ENFORCED, type EnforcedPolicy, policySpec } from './policy-values.ts';

interface Governed {
  readonly name: string;
  readonly namespace: string;
}

export class GatewayPolicyObject {
  readonly #overrides: Record<string, unknown> = {};
  readonly #defaults: Record<string, unknown> = {};
  /** What is wrong with what was said. */
  readonly problems: string[] = [];

  constructor(gateway: Construct & Governed) {
    gatewayObject(gateway, 'Policy', {
      kind: 'GatewayPolicy',
      name: gateway.name,
      namespace: gateway.namespace,
      spec: () => ({
        targetRefs: [{ kind: 'Gateway', name: gateway.name }],
        ...(Object.keys(this.#overrides).length > 0 ? { overrides: this.#overrides } : {}),
        ...(Object.keys(this.#defaults).length > 0 ? { defaults: this.#defaults } : {}),
      }),
    });
  }

  enforce(policy: EnforcedPolicy): void {
    this.#say('enforce()', policySpec('enforce()', policy, ENFORCED), this.#overrides);
  }

  defaults(policy: DefaultPolicy): void {
    this.#say('defaults()', policySpec('defaults()', policy, DEFAULTS), this.#defaults);
  }

  #say(call: string, { spec, problems }: ReturnType<typeof policySpec>, said: Record<string, unknown>): void {
    this.problems.push(...problems);
    for (const [name, value] of Object.entries(spec)) {
      if (Object.hasOwn(said, name)) {
        this.problems.push(`${call} was told ${name} before: say it once`);
      } else said[name] = value;
    }
  }
}
