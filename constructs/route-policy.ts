import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { gatewayObject } from './api-object.ts';
import { requireChecks } from './checks.ts';
import { boundedName } from './naming.ts';
import { type PolicyValues, policySpec, VALUES } from './policy-values.ts';
import { found, isObject, optional, read, type Shape, text, type } from './props.ts';
import type { TeamRoute } from './team-route.ts';

export interface RoutePolicyProps extends PolicyValues {
  /** A route of the same team. */
  readonly route: PolicedRoute;
  /**
   * One rule of it, by name.
   * @default - all of its rules
   */
  readonly rule?: string;
}

/** A TeamRoute, whatever it is attached to. */
export type PolicedRoute = Pick<TeamRoute, 'name' | 'namespace'> & {
  /** @internal The names of its HTTPRoutes: those with a rule of this name, or all. */
  _objectsWith(rule: string | undefined): readonly string[];
};

const isRoute = (value: unknown): value is PolicedRoute => isObject(value) && '_objectsWith' in value;

const PROPS: Shape<RoutePolicyProps> = {
  route: type('a TeamRoute', isRoute),
  rule: optional(text),
  ...VALUES,
};

/** "A maximum of 16" targets has one object. */
const MOST_TARGETS = 16;

/**
 * What a team says of a route, or of one rule of it, beside the route's own fields. What the platform enforces at the gateway it can narrow; what
 * is beyond that is an error at synth, and does not hold. Throws an Error where it is given no route.
 */
export class RoutePolicy extends Construct {
  constructor(scope: Construct, id: string, given: RoutePolicyProps) {
    super(scope, id);
    const call = 'RoutePolicy';
    const route: unknown = isObject(given) && 'route' in given ? given.route : undefined;
    if (!isRoute(route)) {
      throw new Error(`${this.node.path}: ${call} takes a TeamRoute as route, this is ${found(route)}`);
    }
    const { props, problems } = read<RoutePolicyProps>(call, given, PROPS);
    const { route: _, rule, ...values } = { ...props };
    const { spec, problems: ofValues } = policySpec(call, values, VALUES);
    const targets = () => route._objectsWith(rule);
    requireChecks(this, () => [
      ...problems,
      ...ofValues,
      ...(Object.keys(spec).length === 0 && problems.length === 0
        ? [`it says nothing: give it at least one of ${Object.keys(VALUES).join(', ')}`]
        : []),
      ...(Chart.of(this).namespace !== undefined && Chart.of(this).namespace !== route.namespace
        ? [
            `the route is in namespace ${route.namespace}, and a policy stands beside it: put it into the chart of the route`,
          ]
        : []),
      ...targetProblems(targets(), rule, route.name),
    ]);
    gatewayObject(this, 'Resource', {
      kind: 'RoutePolicy',
      name: boundedName([route.name, ...(rule === undefined ? [] : [rule])]),
      namespace: route.namespace,
      spec: () => ({
        targetRefs: targets().map((name) => ({
          kind: 'HTTPRoute',
          name,
          ...(rule === undefined ? {} : { sectionName: rule }),
        })),
        ...spec,
      }),
    });
  }
}

function targetProblems(targets: readonly string[], rule: string | undefined, route: string): string[] {
  if (targets.length === 0) return [`route ${route} has no rule named ${rule}: give the rule that name`];
  if (targets.length <= MOST_TARGETS) return [];
  return [
    `the route is written as ${targets.length} HTTPRoutes, and a policy names ${MOST_TARGETS} at most: give rules of it policies by name`,
  ];
}
