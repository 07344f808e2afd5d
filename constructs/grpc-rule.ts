/** One rule of a GRPCRoute while it is written. */
import { apiBackend } from './backend.ts';
import { foreignServices, serviceProblems, servicesOf, strangerProblems } from './destinations.ts';
import { apiFilters, type Filter, filtersOf } from './filter.ts';
import type { DestinationWithin, FilterWithin } from './granted.ts';
import type { Regex } from './match.ts';
import { valueMatches, valuesShape } from './match.ts';
import { optional, problemsOf, read, type Shape, text } from './props.ts';
import type { Destination } from './rule.ts';
import type { TeamRef } from './team.ts';

/** What a GRPCRoute can do to calls (GRPCRouteFilter). */
const FILTERS = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror'];

export interface GrpcRuleProps<Scope = unknown> {
  /**
   * The service of the calls with its package, such as `shop.Cart`.
   * @default - any service
   */
  readonly service?: string;
  /**
   * The method of the calls, such as `GetItems`.
   * @default - any method
   */
  readonly method?: string;
  /**
   * Headers by name, in any case; a text must be the whole value.
   * @default - any headers
   */
  readonly headers?: Readonly<Record<string, string | Regex>>;
  /**
   * The name of the rule, for status, metrics and policies.
   * @default - none
   */
  readonly name?: string;
  /**
   * What is done to the calls and their responses: headers, and mirrors.
   * @default - nothing
   */
  readonly filters?: readonly FilterWithin<Filter, Scope>[];
}

const RULE: Shape<GrpcRuleProps> = {
  service: optional(text),
  method: optional(text),
  headers: optional(valuesShape),
  name: optional(text),
  filters: optional(filtersOf('filters of headers, and mirrors', FILTERS)),
};

/** What the API server writes into a mirror. */
function withDefaults(filter: Record<string, unknown>): Record<string, unknown> {
  const { requestMirror } = filter as { requestMirror?: { backendRef: object } };
  if (!requestMirror) return filter;
  const backendRef = { group: '', kind: 'Service', ...requestMirror.backendRef };
  return { ...filter, requestMirror: { ...requestMirror, backendRef } };
}

/** A rule of a GRPCRoute; `.to()` completes it. */
export class GrpcRule<Route, Scope = unknown> {
  readonly #route: Route;
  readonly #props: GrpcRuleProps;
  readonly #shape: readonly string[];
  #destinations: readonly unknown[] = [];

  /** @internal Made by `TeamGrpcRoute.rule`. */
  constructor(route: Route, given: GrpcRuleProps<Scope>) {
    const { props, problems } = read<GrpcRuleProps>('rule()', given, RULE);
    this.#route = route;
    this.#props = props;
    this.#shape = problems;
  }

  /** Sends the calls to these backends, by their weights. */
  to<const To extends readonly Destination[]>(
    ...backends: { readonly [Index in keyof To]: DestinationWithin<To[Index], To, Scope> }
  ): Route {
    this.#destinations = backends;
    return this.#route;
  }

  /** @internal */
  get _text(): string {
    const { name, service = '*', method = '*' } = this.#props;
    return name ?? `${service}/${method}`;
  }

  /** @internal */
  _problems(team: TeamRef | undefined): string[] {
    const backends = servicesOf(this.#destinations);
    const filters = this.#props.filters ?? [];
    const problems = [
      ...this.#shape,
      ...filters.flatMap(problemsOf),
      ...(this.#destinations.length === 0 ? ['it goes nowhere: end it with .to(service(name, port))'] : []),
      ...strangerProblems(this.#destinations),
      ...serviceProblems(backends),
    ];
    return problems.length > 0 || !team ? problems : foreignServices(backends, filters, team, 'GRPCRoute');
  }

  /** @internal In the form of the API, with its defaults. */
  _api(namespace: string): Record<string, unknown> {
    const { service, method, headers, name, filters = [] } = this.#props;
    const match = {
      ...(service === undefined && method === undefined
        ? {}
        : { method: { type: 'Exact', service, method } }),
      ...(headers ? { headers: valueMatches(headers) } : {}),
    };
    return {
      name,
      matches: Object.keys(match).length > 0 ? [match] : undefined,
      filters: apiFilters(filters, namespace)?.map(withDefaults),
      backendRefs: servicesOf(this.#destinations).map((each) => ({
        group: '',
        kind: 'Service',
        ...apiBackend(each, namespace),
      })),
    };
  }
}
