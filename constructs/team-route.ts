import { ApiObject, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { gatewayObject } from './api-object.ts';
import {
  type Attachment,
  foreignProblem,
  hostnameProblem,
  isAttachment,
  kindProblem,
  listenerProblem,
  parentRefs,
} from './attachment.ts';
import { requireChecks } from './checks.ts';
import type { ExternalAuth } from './external-auth.ts';
import type { Filter } from './filter.ts';
import { isGateway } from './gateway.ts';
import type { HostnameWithin, HostsOf, ListenersOf, OnOf, OnProp } from './granted.ts';
import type { GivenOf, PathsOf } from './granted-paths.ts';
import type { PathCondition } from './match.ts';
import { boundedName, nameProblem } from './naming.ts';
import { pathProblem } from './path-limits.ts';
import { inOrder, type Prioritized, type PrioritizedRoute } from './priorities.ts';
import { anything, found, isObject, optional, read, type Shape, text, texts } from './props.ts';
import { hostnamesText, missingGrant, onOf, teamOf } from './role.ts';
import { type ApiRule, Rule, type RuleProps } from './rule.ts';
import { shard } from './sharding.ts';
import { MATERIALIZE, PRIORITIZED, WARNINGS } from './synth-hooks.ts';
import type { TeamRef } from './team.ts';

export type TeamRouteProps<On, Hosts extends readonly string[], Scope> = OnProp<On, 'HTTPRoute', Scope> &
  TeamRouteOptions<OnOf<On, Scope>, Hosts>;

export interface TeamRouteOptions<On, Hosts extends readonly string[]> {
  /**
   * The hostnames that the route serves, at least one, each inside the grant.
   * @default - every hostname of the grant
   */
  readonly hostnames?: { readonly [Index in keyof Hosts]: HostnameWithin<Hosts[Index], HostsOf<On>> };
  /**
   * The listeners of the grant that the route attaches to, such as only `web` for a redirect to HTTPS.
   * @default - all of them
   */
  readonly listeners?: readonly ListenersOf<On>[];
  /**
   * The name of the HTTPRoute.
   * @default - the id of the construct
   */
  readonly name?: string;
}

type AnyProps = TeamRouteOptions<unknown, readonly string[]> & { readonly on?: unknown };

const PROPS: Shape<AnyProps> = {
  on: optional(anything),
  hostnames: optional(texts),
  listeners: optional(texts),
  name: optional(text),
};

const present = <Value>(value: Value | undefined): Value[] => (value === undefined ? [] : [value]);

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
  readonly #on: readonly unknown[];
  readonly #attachments: readonly Attachment[];
  readonly #listeners: readonly string[] | undefined;
  readonly #writesHostnames: boolean;
  readonly #rules: Rule<this, Scope, PathsOf<OnOf<On, Scope>>, GivenOf<OnOf<On, Scope>>>[] = [];
  /** As of the last synth that began. */
  #planned: Map<string, readonly ApiRule[]> | undefined;

  constructor(scope: Scope, id: string, given: TeamRouteProps<On, Hosts, Scope>) {
    super(scope, id);
    const { props, problems } = read<AnyProps>('TeamRoute', given, PROPS);
    this.#shape = problems;
    this.name = props.name ?? id;
    this.#on = [props.on === undefined ? onOf(this) : props.on].flat();
    this.#attachments = this.#on.filter(isAttachment);
    this.#listeners = props.listeners;
    const granted = new Set(this.#attachments.flatMap((each) => each.hostnames));
    granted.delete('*');
    this.hostnames = props.hostnames ?? [...granted];
    // Where all are meant, the listeners say them too, and may say more than a route has room for.
    this.#writesHostnames =
      this.hostnames.length > 0 && (props.hostnames !== undefined || granted.size <= 16);
    const team = teamOf(this) ?? this.#attachments.find((each) => each.team)?.team;
    this.namespace = team?.namespace ?? Chart.of(this).namespace ?? 'default';
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
    const attachments = this.#attachments;
    const places = new Set(
      attachments.flatMap((each) =>
        each
          .places()
          .filter(({ listener }) => this.#listeners?.includes(listener) ?? true)
          .map(({ kind, namespace, name, sectionName }) => `${kind}/${namespace}/${name}/${sectionName}`),
      ),
    );
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
    return this.#inOrder.flatMap((rule, index) =>
      rule._warnings().map((warning) => `spec.rules[${index}] (${rule._text}): ${warning}`),
    );
  }

  #object(suffix: string): void {
    gatewayObject(this, objectId(suffix), {
      kind: 'HTTPRoute',
      name: suffix ? boundedName([this.name, suffix]) : this.name,
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
    return {
      parentRefs: this.#attachments.flatMap((each) => parentRefs(each, this.hostnames, this.#listeners)),
      hostnames: this.#writesHostnames ? this.hostnames : undefined,
      rules,
    };
  }

  #problems(): string[] {
    return [
      ...this.#shape,
      ...nameProblem('HTTPRoute', this.name),
      ...(this.#on.length === 0
        ? ['the route attaches to nothing, so it serves nothing: name a grant in on']
        : []),
      ...this.#on.flatMap((each) => this.#attachmentProblems(each)),
      ...(this.#attachments.length > 0
        ? this.hostnames.flatMap((host, index) =>
            present(hostnameProblem(host, this.#attachments)).map(
              (problem) => `hostnames[${index}]: ${problem}`,
            ),
          )
        : []),
      ...(this.#rules.length === 0 ? ['the route has no rule: add one with .rule({ ... }).to(...)'] : []),
      ...this.#ruleProblems(),
    ];
  }

  get #inOrder() {
    return inOrder(this.#rules);
  }

  /** The path of rules that name none: that of the grant, where all are for the same. */
  get #base(): string {
    const paths = new Set(this.#attachments.flatMap((each) => each.paths));
    return paths.size === 1 ? [...paths][0]! : '/';
  }

  /** What a rule takes of paths that its team was not granted, or gave away. */
  #pathProblems(rule: Rule<unknown>): string[] {
    return rule
      ._api(this.namespace)
      .matches.flatMap(({ path }, index) =>
        this.#attachments
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

  #attachmentProblems(on: unknown): string[] {
    if (!isAttachment(on)) {
      const what = isObject(on) && !(on instanceof Construct) ? 'an object that no grant() made' : found(on);
      const team = teamOf(this)?.name;
      const missing =
        on instanceof Construct && isGateway(on) && team !== undefined
          ? `. ${missingGrant(hostnamesText(this.hostnames), `${on.namespace}/${on.name}`, team)}`
          : '';
      return [
        `a route attaches to a grant, not to ${what}: use gateway.grant(team, { hostnames })${missing}`,
      ];
    }
    const problems: string[] = [];
    const own = teamOf(this);
    const chartNamespace = Chart.of(this).namespace;
    const foreign = foreignProblem(on, own, this.hostnames);
    if (foreign) {
      problems.push(foreign);
    } else if (on.team && this.namespace !== on.team.namespace) {
      problems.push(
        `${on.title} is for team ${on.team.name} in namespace ${on.team.namespace}, this route is in namespace ${this.namespace}`,
      );
    } else if (on.team && chartNamespace !== undefined && chartNamespace !== on.team.namespace) {
      problems.push(
        `${on.title} admits routes of namespace ${on.team.namespace}, this chart is in namespace ${chartNamespace}`,
      );
    }
    problems.push(...present(kindProblem(on, 'HTTPRoute', this.hostnames)));
    for (const [index, name] of (this.#listeners ?? []).entries()) {
      if (this.#attachments.some((each) => each.listeners.includes(name))) continue;
      problems.push(`listeners[${index}]: ${listenerProblem(name, on, this.hostnames)}`);
    }
    const isInside = this.hostnames.every((host) => hostnameProblem(host, this.#attachments) === undefined);
    if (problems.length === 0 && isInside && parentRefs(on, this.hostnames, this.#listeners).length === 0) {
      problems.push(
        `none of the hostnames ${this.hostnames.join(', ')} is one of ${on.title} (granted: ${on.hostnames.join(', ')})`,
      );
    }
    return problems;
  }
}
