import { ApiObject, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import { GATEWAY_GROUP, OWN_GROUP, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import { clusterObject } from './api-object.ts';
import { requireChecks } from './checks.ts';
import { fixFields } from './fixed.ts';
import type { PlatformScope } from './granted.ts';
import { labelProblem } from './naming.ts';
import { NetworkGraph } from './network-graph.ts';
import { NETWORKING, teamPolicy } from './network-policies.ts';
import { flagOr, isObject, optional, read, record, type Shape, text, texts, type } from './props.ts';
import { platformProblems } from './role.ts';
import { ROUTE_RESOURCES, type RouteKind } from './route-kind.ts';
import { MATERIALIZE } from './synth-hooks.ts';

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
  /**
   * Whether a NetworkPolicy holds off from pods of the namespace all but each other and the data planes of gateways that send to them: by a grant to
   * the team, or to another one that a ReferenceGrant of the app lends a Service of it. With `from`, pods of these namespaces come in as well. Nobody
   * else does, so it is for namespaces of which is known who uses them; where pods connect to is left open.
   * @default false
   */
  readonly isolated?: boolean | { readonly from: readonly string[] };
}

const PROPS: Shape<TeamProps> = {
  namespace: optional(text),
  group: optional(text),
  clusterRoles: optional(texts),
  labels: optional(record('texts by name', text)),
  isolated: optional(flagOr('{ from: namespaces }')),
};
const ISOLATED: Shape<{ from: readonly string[] }> = { from: texts };

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

/** What a grant, or a gateway of the team alone, says of what its members may edit. */
interface Allowed {
  readonly kinds: readonly RouteKind[];
  readonly ownListeners: readonly unknown[];
}

const EDIT = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** Lets the members of a team edit what a grant is about: routes of its kinds, and ListenerSets where they bring certificates. */
export function allow(team: TeamRef, granted: Allowed): void {
  if (isTeam(team)) team[ALLOW](granted);
}

/** A team: its namespace, and what its members may do there. The id is the team's name, a DNS label. */
export class Team<const Name extends string = string, Scope = Construct>
  extends Construct
  implements TeamRef<Name>
{
  readonly name: Name;
  readonly namespace: string;
  /** The namespaces that come in, where not all do. */
  readonly #comesIn: readonly string[] | undefined;
  /** Of Gateway API. */
  readonly #resources = new Set(['referencegrants']);

  constructor(scope: PlatformScope<Scope, 'team'>, name: Name, given: TeamProps = {}) {
    super(scope as Construct, name);
    const { props, problems } = read('Team', given, PROPS);
    this.name = name;
    this.namespace = props.namespace ?? name;
    fixFields(this, ['name', 'namespace']);
    const isolated = isObject(props.isolated)
      ? read('isolated', props.isolated, ISOLATED)
      : { props: {}, problems: [] };
    if (props.isolated) this.#comesIn = isolated.props.from ?? [];
    requireChecks(this, () => [
      ...problems,
      ...isolated.problems,
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

  /** @internal */
  [ALLOW]({ kinds, ownListeners }: Allowed): void {
    for (const kind of kinds) this.#resources.add(ROUTE_RESOURCES[kind]);
    if (ownListeners.length > 0) this.#resources.add('listenersets');
  }

  /** @internal Which gateways send here is known once all grants are made. */
  [MATERIALIZE](): void {
    if (!this.#comesIn) return;
    const graph = new NetworkGraph(this);
    const senders = graph.gateways.filter((each) => graph.backendsOf(each).names.includes(this.namespace));
    this.node.tryRemoveChild('NetworkPolicy');
    new ApiObject(this, 'NetworkPolicy', {
      apiVersion: NETWORKING,
      kind: 'NetworkPolicy',
      metadata: { name: 'gatewright-team', namespace: this.namespace },
      spec: teamPolicy(senders, this.#comesIn),
    });
  }

  #bind(group: string, clusterRoles: readonly string[]): void {
    const { namespace } = this;
    const resources = () => [...this.#resources].sort();
    new ApiObject(this, 'Role', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'gatewright-routes', namespace },
      rules: [
        {
          apiGroups: [GATEWAY_GROUP],
          resources: Lazy.any({ produce: resources }),
          verbs: EDIT,
        },
        // Within what the platform enforces, whatever they say.
        { apiGroups: [OWN_GROUP], resources: ['routepolicies'], verbs: EDIT },
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
