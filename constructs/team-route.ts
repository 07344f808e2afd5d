import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { gatewayObject } from './api-object.ts';
import { requireChecks } from './checks.ts';
import type { BytesWithin, EnforcedOn, RedirectWithin } from './enforced.ts';
import type { ExternalAuth } from './external-auth.ts';
import type { Filter } from './filter.ts';
import type { OnOf, OnProp } from './granted.ts';
import type { GivenOf, PathsOf } from './granted-paths.ts';
import type { PathCondition } from './match.ts';
import { boundedName } from './naming.ts';
import { pathProblem } from './path-limits.ts';
import type { HttpsRedirect, PolicyValues } from './policy-values.ts';
import { inOrder, type Prioritized, type PrioritizedRoute } from './priorities.ts';
import { read } from './props.ts';
import { teamOf } from './role.ts';
import { ATTACHMENT_OPTIONS, type AttachmentOptions, RouteAttachment } from './route-attachment.ts';
import { RoutePolicy } from './route-policy.ts';
import { type ApiRule, Rule, type RuleProps } from './rule.ts';
import { shard } from './sharding.ts';
import { MATERIALIZE, PRIORITIZED, WARNINGS } from './synth-hooks.ts';
import type { TeamRef } from './team.ts';

export type TeamRouteProps<On, Hosts extends readonly string[], Scope> = OnProp<On, 'HTTPRoute', Scope> &
  TeamRouteOptions<OnOf<On, Scope>, Hosts>;

export type TeamRouteOptions<On, Hosts extends readonly string[]> = AttachmentOptions<On, Hosts>;

function problemsOfRule(rule: Rule<unknown>, team: TeamRef | undefined): string[] {
  const problems = rule._problems();
  return problems.length > 0 || !team ? problems : rule._foreign(team);
}

/** See `pathOf` in `app-objects.ts`. */
const objectId = (suffix: string) => (suffix ? `Resource-${suffix}` : 'Resource');

/**
 * An HTTPRoute of a team, on what the team was granted; several where one does not hold all rules.
 *
 * Of the team of a grant the compiler knows as much as the type of the scope says: a TeamChart, and any construct with
 * `readonly team: TeamRef<'shop'>`. The type of other constructs does not say in which chart they stand, so for them synth alone
 * tells a grant of another team. Errors are told at synth, with the path of the construct.
 */
export class TeamRoute<
  const On = unknown,
  const Hosts extends readonly string[] = readonly string[],
  Scope extends Construct = Construct,
> extends Construct {
  readonly name: string;
  /** The namespace of the team. */
  readonly namespace: string;
  readonly hostnames: readonly string[];
  readonly #shape: readonly string[];
  readonly #attachment: RouteAttachment;
  readonly #rules: Rule<this, Scope, PathsOf<OnOf<On, Scope>>, GivenOf<OnOf<On, Scope>>>[] = [];
  /** As of the last synth that began. */
  #planned: Map<string, readonly ApiRule[]> | undefined;

  constructor(scope: Scope, id: string, given: TeamRouteProps<On, Hosts, Scope>) {
    super(scope, id);
    const { props, problems } = read('TeamRoute', given, ATTACHMENT_OPTIONS);
    this.#shape = problems;
    this.#attachment = new RouteAttachment(this, 'HTTPRoute', props);
    this.name = this.#attachment.name;
    this.namespace = this.#attachment.namespace;
    this.hostnames = this.#attachment.hostnames;
    requireChecks(this, () => this.#problems());
    this.#object('');
  }

  /** Begins a rule; `.to()` completes it. Without conditions it takes every request that no other rule takes. */
  rule<
    const Filters extends readonly (Filter | ExternalAuth)[] = readonly [],
    const Path extends PathCondition = PathCondition,
  >(
    props: RuleProps<Filters, Scope, Path, PathsOf<OnOf<On, Scope>>, GivenOf<OnOf<On, Scope>>> = {},
  ): Rule<this, Scope, PathsOf<OnOf<On, Scope>>, GivenOf<OnOf<On, Scope>>> {
    const rule = new Rule<this, Scope, PathsOf<OnOf<On, Scope>>, GivenOf<OnOf<On, Scope>>>(
      this,
      props as RuleProps,
      this.#base,
    );
    this.#rules.push(rule);
    return rule;
  }

  /** What the team says of all rules of the route, beside the rules' own fields. What is wrong with it is told at synth. */
  policy<const Redirect extends HttpsRedirect = HttpsRedirect, const Bytes extends number = number>(
    values: PolicyValues<
      RedirectWithin<Redirect, EnforcedOn<OnOf<On, Scope>>>,
      BytesWithin<Bytes, EnforcedOn<OnOf<On, Scope>>>
    >,
  ): this {
    new RoutePolicy(this, 'Policy', { ...(values as PolicyValues), route: this });
    return this;
  }

  /** @internal The names of its HTTPRoutes: those with a rule of this name, or all. */
  _objectsWith(rule: string | undefined): readonly string[] {
    const all = [...(this.#planned ?? this.#plan())];
    const meant =
      rule === undefined ? all : all.filter(([, rules]) => rules.some(({ name }) => name === rule));
    return meant.map(([suffix]) => this.#objectName(suffix));
  }

  #objectName(suffix: string): string {
    return suffix ? boundedName([this.name, suffix]) : this.name;
  }

  /** @internal Makes the HTTPRoutes that the rules need, by now; those before the first synth may have been others. */
  [MATERIALIZE](): void {
    this.#planned = this.#plan();
    const suffixes = [...this.#planned.keys()];
    const ids = new Set(suffixes.map(objectId));
    for (const child of this.node.children) {
      if (ApiObject.isApiObject(child) && !ids.has(child.node.id)) this.node.tryRemoveChild(child.node.id);
    }
    for (const suffix of suffixes) {
      if (!this.node.tryFindChild(objectId(suffix))) this.#object(suffix);
    }
    // The route that keeps the name loses rules to those that are new, so it is written, and applied, after them.
    const first = this.node.tryFindChild(objectId(''));
    first?.node.addDependency(...this.node.children.filter((child) => child !== first));
  }

  /** @internal */
  [PRIORITIZED](): PrioritizedRoute {
    const isUsed = this.#rules.some(({ _priority }) => _priority !== undefined);
    return { isUsed, rules: () => this.#prioritized() };
  }

  #prioritized(): Prioritized[] {
    const { places } = this.#attachment;
    return this.#inOrder.map((rule, index) => ({
      path: this.node.path,
      text: `spec.rules[${index}] (${rule._text})`,
      priority: rule._priority,
      hostnames: this.hostnames.length > 0 ? this.hostnames : ['*'],
      places,
      matches: rule._api(this.namespace).matches,
    }));
  }

  /** @internal */
  [WARNINGS](): string[] {
    const ofRules = this.#inOrder.flatMap((rule, index) =>
      rule._warnings().map((warning) => `spec.rules[${index}] (${rule._text}): ${warning}`),
    );
    return [...this.#attachment.warnings(), ...ofRules];
  }

  #object(suffix: string): void {
    gatewayObject(this, objectId(suffix), {
      kind: 'HTTPRoute',
      name: this.#objectName(suffix),
      namespace: this.namespace,
      spec: () => this.#spec((this.#planned ?? this.#plan()).get(suffix) ?? []),
    });
  }

  /** The rules of each HTTPRoute, by the suffix of its name. A group that is too large is reported, and left in one. */
  #plan(): Map<string, readonly ApiRule[]> {
    const rules = this.#inOrder.map((rule) => rule._api(this.namespace));
    const shards = shard(rules);
    return 'tooLarge' in shards
      ? new Map([['', rules]])
      : new Map(shards.map((each) => [each.suffix, each.rules]));
  }

  #spec(rules: readonly ApiRule[]): Record<string, unknown> {
    return { ...this.#attachment.spec, rules };
  }

  #problems(): string[] {
    return [
      ...this.#shape,
      ...this.#attachment.problems(),
      ...(this.#rules.length === 0 ? ['the route has no rule: add one with .rule({ ... }).to(...)'] : []),
      ...this.#ruleProblems(),
    ];
  }

  get #inOrder() {
    return inOrder(this.#rules);
  }

  /** The path of rules that name none: that of the grant, where all are for the same. */
  get #base(): string {
    const paths = new Set(this.#attachment.all.flatMap((each) => each.paths));
    return paths.size === 1 ? [...paths][0]! : '/';
  }

  /** What a rule takes of paths that its team was not granted, or gave away. */
  #pathProblems(rule: Rule<unknown>): string[] {
    return rule
      ._api(this.namespace)
      .matches.flatMap(({ path }, index) =>
        this.#attachment.all
          .flatMap((each) => pathProblem(path, this.hostnames, each) ?? [])
          .map((problem) => `matches[${index}].path: ${problem}`),
      );
  }

  #ruleProblems(): string[] {
    const team = teamOf(this);
    const problems = this.#inOrder.flatMap((rule, index) =>
      [...problemsOfRule(rule, team), ...this.#pathProblems(rule)].map(
        (problem) => `spec.rules[${index}] (${rule._text}): ${problem}`,
      ),
    );
    return problems.length > 0 ? problems : [...this.#sizeProblems(), ...this.#nameProblems()];
  }

  #sizeProblems(): string[] {
    const ordered = this.#inOrder;
    const apiRules = ordered.map((rule) => rule._api(this.namespace));
    const shards = shard(apiRules);
    if (!('tooLarge' in shards)) return [];
    const texts = shards.tooLarge.map((rule) => ordered[apiRules.indexOf(rule)]!._text);
    const matches = shards.tooLarge.reduce((total, rule) => total + rule.matches.length, 0);
    const more = texts.length > 3 ? ` and ${texts.length - 3} more` : '';
    return [
      `${texts.length} rules with ${matches} matches (${texts.slice(0, 3).join('; ')}${more}) could serve the same request with ` +
        'equal precedence, so they must stand in one HTTPRoute in this order, and one holds 16 rules with 128 matches: tell ' +
        'them apart by path, by method, or by different exact values of one header or query parameter',
    ];
  }

  #nameProblems(): string[] {
    const names = this.#rules.map((rule) => rule._name).filter((name) => name !== undefined);
    return names
      .filter((name, index) => names.indexOf(name) < index)
      .map((name) => `two rules have the name ${name}: give each rule a name of its own`);
  }
}
