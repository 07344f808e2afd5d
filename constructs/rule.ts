/** One rule of a route while it is written: matches, filters, and where the requests go. */
import { apiBackend, type Backend, backendsOf, type ServiceConstruct, type Split } from './backend.ts';
import { foreignServices, serviceProblems, servicesOf } from './destinations.ts';
import type { ExternalAuth } from './external-auth.ts';
import { apiFilters, type Filter, filterList, filterProblems, type Redirect } from './filter.ts';
import type { DestinationWithin, FilterWithin } from './granted.ts';
import type { ConditionWithin } from './granted-paths.ts';
import { apiMatch, MATCH, type Match, matchText, type PathCondition, prefix } from './match.ts';
import { found, isObject, optional, problemsOf, read, type Shape, text, type } from './props.ts';
import { apiLimits, LIMITS, limitProblems, type RuleLimits } from './rule-limits.ts';
import { apiSession, type SessionPersistence, sessionProblems } from './session-persistence.ts';
import type { ApiMatch } from './sharding.ts';
import type { TeamRef } from './team.ts';

export interface RuleProps<
  Filters extends readonly (Filter | ExternalAuth)[] = readonly (Filter | ExternalAuth)[],
  Scope = unknown,
  Path extends PathCondition = PathCondition,
  Paths extends string = '/',
  Given extends string = '',
> extends Match<ConditionWithin<Path, Paths, Given>>,
    RuleLimits {
  /**
   * Keeps a client at the endpoint that its first request went to; `{}` for a cookie that lasts as long as the browser runs.
   * @default - each request goes wherever there is room
   */
  readonly sessionPersistence?: SessionPersistence;
  /**
   * The name of the rule, for status, metrics and policies.
   * @default - none
   */
  readonly name?: string;
  /**
   * Of two rules that could take the same request, the one with the higher priority is to. Gateway API has an order of its own (the longer
   * path, a method, more headers), so a priority is the order of rules that tie in one route, and an error wherever the API says otherwise or
   * leaves it open.
   * @default 0
   */
  readonly priority?: number;
  /**
   * What is done to the requests and their responses.
   * @default - nothing
   */
  readonly filters?: { readonly [Index in keyof Filters]: FilterWithin<Filters[Index], Scope> };
}

export type Destination = Backend | ServiceConstruct | Split;

const RULE: Shape<RuleProps> = {
  ...MATCH,
  ...LIMITS,
  name: optional(text),
  priority: optional(type('a whole number', Number.isInteger)),
  filters: optional(filterList),
  sessionPersistence: optional(type("how sessions are kept, such as { type: 'Cookie' },", isObject)),
};

/** A rule of a route; `.to()` completes it. */
export class Rule<Route, Scope = unknown, Paths extends string = '/', Given extends string = ''> {
  readonly #route: Route;
  readonly #base: PathCondition;
  readonly #props: RuleProps;
  readonly #matches: Match[];
  readonly #shape: string[];
  #destinations: readonly unknown[] | undefined;

  /**
   * @internal Made by `TeamRoute.rule`.
   *
   * @param base The path of matches that name none.
   */
  constructor(route: Route, given: RuleProps, base: string) {
    const { props, problems } = read<RuleProps>('rule()', given, RULE);
    this.#route = route;
    this.#base = prefix(base as '/');
    this.#props = props;
    this.#matches = [this.#based(props)];
    this.#shape = [...problems];
  }

  /** Takes requests of this match too. */
  or<const Path extends PathCondition = PathCondition>(
    match: Match<ConditionWithin<Path, Paths, Given>>,
  ): this {
    const { props, problems } = read<Match>('or()', match, MATCH);
    this.#matches.push(this.#based(props));
    this.#shape.push(...problems);
    return this;
  }

  /** Sends the requests to these backends, by their weights, or answers with one redirect. */
  to<const To extends readonly (Destination | Redirect)[]>(
    ...destinations: { readonly [Index in keyof To]: DestinationWithin<To[Index], To, Scope> }
  ): Route {
    this.#destinations = destinations;
    return this.#route;
  }

  #based(match: Match): Match {
    return { ...match, path: match.path ?? this.#base };
  }

  /** @internal */
  get _name(): string | undefined {
    return this.#props.name;
  }

  /** @internal */
  get _priority(): number | undefined {
    return this.#props.priority;
  }

  /** @internal */
  get _text(): string {
    return this.#props.name ?? this.#matches.map(matchText).join(' or ');
  }

  /** @internal What is wrong with it, beyond the field rules of the API. */
  _problems(): string[] {
    const ofFilters = (this.#props.filters ?? []).flatMap(problemsOf);
    return [
      ...this.#shape,
      ...limitProblems(this.#props),
      ...sessionProblems(this.#props.sessionPersistence ?? {}),
      ...ofFilters,
      ...this.#destinationProblems(),
    ];
  }

  #destinationProblems(): string[] {
    if (!this.#destinations?.length)
      return ['it goes nowhere: end it with .to(service(name, port)) or .to(redirect({ ... }))'];
    const ofCalls = this.#destinations
      .filter((each) => isSplit(each) || isRedirect(each))
      .flatMap(problemsOf);
    const others = this.#destinations
      .filter((each) => !isRedirect(each) && backendsOf(each) === undefined)
      .map(
        (each) =>
          `.to() takes service(), canary(), a Service construct or redirect(), this is ${found(each)}`,
      );
    const redirects = this.#destinations.filter(isRedirect);
    const ofRule = filterProblems([...(this.#props.filters ?? []), ...redirects]);
    return [...ofCalls, ...others, ...ofRule, ...serviceProblems(this.#backends())];
  }

  /** @internal What it sends to Services of other namespaces without their owners' consent. */
  _foreign(team: TeamRef): string[] {
    return foreignServices(this.#backends(), this.#props.filters ?? [], team, 'HTTPRoute');
  }

  /** @internal What is odd about it, and no error. */
  _warnings(): string[] {
    const backends = this.#backends();
    return backends.length > 0 && backends.every(({ weight }) => weight === 0)
      ? ['the weights of its backends sum to 0, so every request gets a 500: give one of them a weight']
      : [];
  }

  #backends(): Backend[] {
    return servicesOf(this.#destinations);
  }

  /** @internal In the form of the API. */
  _api(routeNamespace: string): ApiRule {
    const { name, filters = [], sessionPersistence } = this.#props;
    const destinations = this.#destinations ?? [];
    const backends = this.#backends();
    return {
      name,
      matches: this.#matches.map(apiMatch),
      filters: apiFilters([...filters, ...destinations.filter(isRedirect)], routeNamespace),
      backendRefs: backends.length ? backends.map((each) => apiBackend(each, routeNamespace)) : undefined,
      ...apiLimits(this.#props),
      sessionPersistence: sessionPersistence && apiSession(sessionPersistence),
    };
  }
}

export interface ApiRule {
  readonly name: string | undefined;
  readonly matches: readonly ApiMatch[];
  readonly filters: readonly Record<string, unknown>[] | undefined;
  readonly backendRefs: readonly Record<string, unknown>[] | undefined;
  readonly timeouts: Readonly<Record<string, unknown>> | undefined;
  readonly retry: Readonly<Record<string, unknown>> | undefined;
  readonly sessionPersistence: Readonly<Record<string, unknown>> | undefined;
}

function isSplit(value: unknown): value is Split {
  return typeof value === 'object' && value !== null && 'backends' in value;
}

function isRedirect(value: unknown): value is Redirect {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'RequestRedirect';
}
