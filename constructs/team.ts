import { ApiObject, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import { GATEWAY_GROUP, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import { clusterObject } from './api-object.ts';
import { requireChecks } from './checks.ts';
import { fixFields } from './fixed.ts';
import type { PlatformScope } from './granted.ts';
import { labelProblem } from './naming.ts';
import { isObject, optional, read, record, type Shape, text, texts, type } from './props.ts';
import { platformProblems } from './role.ts';
import { ROUTE_RESOURCES, type RouteKind } from './route-kind.ts';

/** A team, as far as grants and charts need to know it; what a team's own repository holds of it. */
export interface TeamRef<Name extends string = string> {
  readonly name: Name;
  /** The namespace in which its routes and services live. */
  readonly namespace: string;
}

export interface TeamProps {
  /**
   * The namespace of the team, made by this construct.
   * @default - the name of the team
   */
  readonly namespace?: string;
  /**
   * The group, as the API server's authentication names it, whose members work in the namespace.
   * @default - nobody is bound to a role
   */
  readonly group?: string;
  /**
   * ClusterRoles that the group holds inside the namespace, besides the right to edit routes of the kinds granted to the team.
   * @default ['edit']
   */
  readonly clusterRoles?: readonly string[];
  /**
   * More labels for the namespace.
   * @default - only the team's label
   */
  readonly labels?: Readonly<Record<string, string>>;
}

const PROPS: Shape<TeamProps> = {
  namespace: optional(text),
  group: optional(text),
  clusterRoles: optional(texts),
  labels: optional(record('texts by name', text)),
};

/** A team where one is asked for, as a construct or not. */
export const teamType = type('a team with name and namespace', (value) => isTeamRef(value));

export const isTeamRef = (value: unknown): value is TeamRef =>
  isObject(value) &&
  typeof (value as TeamRef).name === 'string' &&
  typeof (value as TeamRef).namespace === 'string';

/** By a registered symbol, so that a copy of this package knows the teams of another. */
const ALLOW = Symbol.for('gatewright.dev/allow');

/** Whether it is a team that an app makes, and not only what is known of one. */
export const isTeam = (value: unknown): value is Team => isObject(value) && ALLOW in value;

/** A grant allows a team these kinds of routes, so its members may edit them. */
export function allow(team: TeamRef, kinds: readonly RouteKind[]): void {
  if (isTeam(team)) team[ALLOW](kinds);
}

/** A team: its namespace, and what its members may do there. The id is the team's name, a DNS label. */
export class Team<const Name extends string = string, Scope = Construct>
  extends Construct
  implements TeamRef<Name>
{
  readonly name: Name;
  readonly namespace: string;
  readonly #kinds = new Set<RouteKind>();

  constructor(scope: PlatformScope<Scope, 'team'>, name: Name, given: TeamProps = {}) {
    super(scope as Construct, name);
    const { props, problems } = read('Team', given, PROPS);
    this.name = name;
    this.namespace = props.namespace ?? name;
    fixFields(this, ['name', 'namespace']);
    requireChecks(this, () => [
      ...problems,
      ...platformProblems(this, 'team'),
      ...labelProblem('team', this.name),
      ...labelProblem('namespace', this.namespace),
    ]);
    clusterObject(this, 'Resource', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace, labels: { ...props.labels, [TEAM_LABEL]: name } },
    });
    if (props.group) this.#bind(props.group, props.clusterRoles ?? ['edit']);
  }

  /** @internal A grant allows the team these kinds, so its members may edit them. */
  [ALLOW](kinds: readonly RouteKind[]): void {
    for (const kind of kinds) this.#kinds.add(kind);
  }

  #bind(group: string, clusterRoles: readonly string[]): void {
    const { namespace } = this;
    const resources = () =>
      ['referencegrants', ...[...this.#kinds].map((kind) => ROUTE_RESOURCES[kind])].sort();
    new ApiObject(this, 'Role', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'gatewright-routes', namespace },
      rules: [
        {
          apiGroups: [GATEWAY_GROUP],
          resources: Lazy.any({ produce: resources }),
          verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
        },
      ],
    });
    const bindings = [
      { name: 'gatewright-routes', kind: 'Role', role: 'gatewright-routes' },
      ...clusterRoles.map((role) => ({ name: `${this.name}-${role}`, kind: 'ClusterRole', role })),
    ];
    for (const { name, kind, role } of bindings) {
      new ApiObject(this, `${name}-binding`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
      });
    }
  }
}
