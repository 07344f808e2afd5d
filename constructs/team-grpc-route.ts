import { Construct } from 'constructs';
import { requireChecks } from './checks.ts';
import type { OnOf, OnProp } from './granted.ts';
import { GrpcRule, type GrpcRuleProps } from './grpc-rule.ts';
import { read } from './props.ts';
import { teamOf } from './role.ts';
import { ATTACHMENT_OPTIONS, type AttachmentOptions, RouteAttachment } from './route-attachment.ts';
import { routeObject, unservedWarnings } from './route-object.ts';
import { WARNINGS } from './synth-hooks.ts';

export type TeamGrpcRouteProps<On, Hosts extends readonly string[], Scope> = OnProp<On, 'GRPCRoute', Scope> &
  AttachmentOptions<OnOf<On, Scope>, Hosts>;

/** GRPCRouteSpec.rules holds so many. */
const MOST_RULES = 16;

/**
 * A GRPCRoute of a team, on what the team was granted for this kind: calls by service, method and headers. Errors are told at synth, with the
 * path of the construct; so is, as a warning, what the runtime does not serve.
 */
export class TeamGrpcRoute<
  const On = unknown,
  const Hosts extends readonly string[] = readonly string[],
  Scope extends Construct = Construct,
> extends Construct {
  readonly name: string;
  /** The namespace of the team. */
  readonly namespace: string;
  readonly hostnames: readonly string[];
  readonly #attachment: RouteAttachment;
  readonly #rules: GrpcRule<this, Scope>[] = [];

  constructor(scope: Scope, id: string, given: TeamGrpcRouteProps<On, Hosts, Scope>) {
    super(scope, id);
    const { props, problems } = read('TeamGrpcRoute', given, ATTACHMENT_OPTIONS);
    const attachment = new RouteAttachment(this, 'GRPCRoute', props);
    this.#attachment = attachment;
    const { name, namespace, hostnames } = attachment;
    this.name = name;
    this.namespace = namespace;
    this.hostnames = hostnames;
    requireChecks(this, () => [...problems, ...attachment.problems(), ...this.#problems()]);
    routeObject(this, 'GRPCRoute', attachment, () => this.#rules.map((rule) => rule._api(namespace)));
  }

  /** Begins a rule; `.to()` completes it. Without conditions it takes every call that no other rule takes. */
  rule(props: GrpcRuleProps<Scope> = {}): GrpcRule<this, Scope> {
    const rule = new GrpcRule<this, Scope>(this, props);
    this.#rules.push(rule);
    return rule;
  }

  /** @internal */
  [WARNINGS](): string[] {
    const unserved = unservedWarnings(
      'GRPCRoute',
      'calls are answered where an HTTPRoute takes them, or by a gateway of another make',
    );
    return unserved.length > 0 ? unserved : this.#attachment.warnings();
  }

  #problems(): string[] {
    const team = teamOf(this);
    return [
      ...(this.#rules.length === 0 ? ['the route has no rule: add one with .rule({ ... }).to(...)'] : []),
      ...(this.#rules.length > MOST_RULES
        ? [
            `${this.#rules.length} rules are more than the ${MOST_RULES} that a GRPCRoute holds: write some in another TeamGrpcRoute`,
          ]
        : []),
      ...this.#rules.flatMap((rule, index) =>
        rule._problems(team).map((problem) => `spec.rules[${index}] (${rule._text}): ${problem}`),
      ),
    ];
  }
}
