/** One rule of a route while it is written: matches, filters, and where the requests go. */
import { apiBackend, type Backend, backendsOf, type ServiceConstruct, type Split } from './backend.ts';
import { apiFilters, type Filter, filterProblems, type Redirect } from './filter.ts';
import { apiMatch, type Match, matchProblems, matchText } from './match.ts';
import { propsOr, propsProblems } from './props.ts';
import type { ApiMatch } from './sharding.ts';

export interface RuleProps extends Match {
  /**
   * The name of the rule, for status, metrics and policies.
   * @default - none
   */
  readonly name?: string;
  /**
   * What is done to the requests and their responses.
   * @default - nothing
   */
  readonly filters?: readonly Filter[];
}

export type Destination = Backend | ServiceConstruct | Split;

const MATCH_KEYS = ['path', 'headers', 'query', 'method'];

/** A rule of a route; `.to()` completes it. */
export class Rule<Route> {
  readonly #route: Route;
  readonly #props: RuleProps;
  readonly #matches: Match[];
  readonly #shape: string[];
  #destinations: readonly unknown[] | undefined;

  /** @internal Made by `TeamRoute.rule`. */
  constructor(route: Route, props: RuleProps) {
    this.#route = route;
    this.#props = propsOr(props);
    this.#matches = [this.#props];
    this.#shape = propsProblems('rule()', props, [...MATCH_KEYS, 'name', 'filters']);
  }

  /** Takes requests of this match too. */
  or(match: Match): this {
    this.#matches.push(propsOr(match));
    this.#shape.push(...propsProblems('or()', match, MATCH_KEYS));
    return this;
  }

  /** Answers with a redirect. */
  to(redirect: Redirect): Route;
  /** Sends the requests to these backends, by their weights. */
  to(...backends: Destination[]): Route;
  to(...destinations: unknown[]): Route {
    this.#destinations = destinations;
    return this.#route;
  }

  /** @internal */
  get _name(): string | undefined {
    return this.#props.name;
  }

  /** @internal */
  get _text(): string {
    return this.#props.name ?? this.#matches.map(matchText).join(' or ');
  }

  /** @internal What is wrong with it, beyond the field rules of the API. */
  _problems(): string[] {
    return [...this.#shape, ...this.#matches.flatMap(matchProblems), ...this.#destinationProblems()];
  }

  #destinationProblems(): string[] {
    if (!this.#destinations?.length)
      return ['it goes nowhere: end it with .to(service(name, port)) or .to(redirect({ ... }))'];
    const splits = this.#destinations.flatMap((each) => (isSplit(each) ? (each.problems ?? []) : []));
    const others = this.#destinations
      .filter((each) => !isRedirect(each) && backendsOf(each) === undefined)
      .map(
        (each) => `.to() takes service(), canary(), a Service construct or redirect(), not ${String(each)}`,
      );
    const redirects = this.#destinations.filter(isRedirect);
    const ofRule = filterProblems([...(this.#props.filters ?? []), ...redirects]);
    const ofBackends = this.#backends().flatMap(({ name, filters = [] }) =>
      filterProblems(filters).map((problem) => `service ${name}: ${problem}`),
    );
    return [...splits, ...others, ...ofRule, ...ofBackends];
  }

  /** @internal What is odd about it, and no error. */
  _warnings(): string[] {
    const backends = this.#backends();
    return backends.length > 0 && backends.every(({ weight }) => weight === 0)
      ? ['the weights of its backends sum to 0, so every request gets a 500: give one of them a weight']
      : [];
  }

  #backends(): Backend[] {
    return (this.#destinations ?? []).flatMap((each) => backendsOf(each) ?? []);
  }

  /** @internal In the form of the API. */
  _api(routeNamespace: string): ApiRule {
    const { name, filters = [] } = this.#props;
    const destinations = this.#destinations ?? [];
    const backends = this.#backends();
    return {
      name,
      matches: this.#matches.map(apiMatch),
      filters: apiFilters([...filters, ...destinations.filter(isRedirect)]),
      backendRefs: backends.length ? backends.map((each) => apiBackend(each, routeNamespace)) : undefined,
    };
  }
}

export interface ApiRule {
  readonly name: string | undefined;
  readonly matches: readonly ApiMatch[];
  readonly filters: readonly Record<string, unknown>[] | undefined;
  readonly backendRefs: readonly Record<string, unknown>[] | undefined;
}

function isSplit(value: unknown): value is Split {
  return typeof value === 'object' && value !== null && 'backends' in value;
}

function isRedirect(value: unknown): value is Redirect {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'RequestRedirect';
}
