/** ValidatingAdmissionPolicies of a gateway: what teams were not granted is refused by the API server, whoever applies it. */
import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { GRANT_KIND, GRANT_VERSION } from '../gateway-runtime/api/grant.ts';
import { GATEWAY_GROUP, NAMESPACE_NAME_LABEL, OWN_GROUP, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import { ROUTE_POLICY_PLURAL } from '../gateway-runtime/api/route-policy.ts';
import { ATTACH_VERB, grantedRules, MATCH_CONDITIONS, ungrantedRules } from './admission-rules.ts';
import type { AdmittedGateway, Rules } from './admission-terms.ts';
import { clusterObject } from './api-object.ts';
import { type GatewayBase, isGateway } from './gateway.ts';
import { teamGrants } from './grant-objects.ts';
import type { ListenerSpec } from './listener.ts';
import { boundedName } from './naming.ts';
import { RBAC_GROUP } from './permissions.ts';
import { MATERIALIZE } from './synth-hooks.ts';

type Gateway = GatewayBase<Readonly<Record<string, ListenerSpec>>>;

const API = 'admissionregistration.k8s.io/v1';
const RBAC = `${RBAC_GROUP}/v1`;
const RESOURCES = ['httproutes', 'grpcroutes', 'tlsroutes', 'tcproutes', 'udproutes', 'listenersets'];
const POLICIES = {
  apiGroups: [OWN_GROUP],
  apiVersions: ['*'],
  operations: ['CREATE', 'UPDATE'],
  resources: [ROUTE_POLICY_PLURAL],
};

/**
 * One policy holds each team to its Grant, which is the parameter of a binding of its own; the other keeps out namespaces that have none. So a new
 * team changes neither. That a namespace has a Grant is a right of its service accounts, since CEL can look up rights and no objects.
 */
export class AdmissionPolicies extends Construct {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    super(gateway, 'Admission');
    this.#gateway = gateway;
  }

  [MATERIALIZE](): void {
    for (const { node } of this.node.children) this.node.tryRemoveChild(node.id);
    const { name, namespace } = this.#gateway;
    const gateway = admitted(this.#gateway);
    // A namespace has no dot in its name, so no two gateways share a name.
    const granted = boundedName([`${name}.${namespace}.granted.${OWN_GROUP}`]);
    const ungranted = boundedName([`${name}.${namespace}.ungranted.${OWN_GROUP}`]);
    this.#policy('Granted', granted, grantedRules(gateway), { kind: GRANT_KIND });
    this.#policy('Ungranted', ungranted, ungrantedRules(gateway));
    clusterObject(this, 'UngrantedBinding', binding(ungranted, ungranted, {}));
    const role = boundedName(['gatewright-attach', name]);
    new ApiObject(this, 'Role', {
      apiVersion: RBAC,
      kind: 'Role',
      metadata: { name: role, namespace },
      rules: [
        { apiGroups: [GATEWAY_GROUP], resources: ['gateways'], resourceNames: [name], verbs: [ATTACH_VERB] },
      ],
    });
    for (const { team, name: grant } of teamGrants(this.#gateway)) {
      const labels = { [TEAM_LABEL]: team.name };
      new ApiObject(this, `${team.name}-rights`, {
        apiVersion: RBAC,
        kind: 'RoleBinding',
        metadata: { name: boundedName([role, team.name]), namespace, labels },
        roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: role },
        subjects: [{ apiGroup: RBAC_GROUP, kind: 'Group', name: `system:serviceaccounts:${team.namespace}` }],
      });
      clusterObject(
        this,
        `${team.name}-binding`,
        binding(
          boundedName([`${team.name}.${granted}`]),
          granted,
          {
            paramRef: { name: grant, namespace, parameterNotFoundAction: 'Deny' },
            matchResources: {
              namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: team.namespace } },
            },
          },
          labels,
        ),
      );
    }
  }

  #policy(id: string, name: string, { variables, validations }: Rules, param?: { kind: string }): void {
    const { namespace } = this.#gateway;
    clusterObject(this, id, {
      apiVersion: API,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        ...(param ? { paramKind: { apiVersion: `${OWN_GROUP}/${GRANT_VERSION}`, ...param } } : {}),
        matchConstraints: {
          // Who may write where the gateway is may write its listeners as well.
          ...(param
            ? {}
            : {
                namespaceSelector: {
                  matchExpressions: [{ key: NAMESPACE_NAME_LABEL, operator: 'NotIn', values: [namespace] }],
                },
              }),
          resourceRules: [
            {
              apiGroups: [GATEWAY_GROUP],
              apiVersions: ['*'],
              operations: ['CREATE', 'UPDATE'],
              resources: RESOURCES,
            },
            ...(param ? [POLICIES] : []),
          ],
        },
        matchConditions: MATCH_CONDITIONS,
        variables,
        validations: validations.map((each) => ({ ...each, reason: 'Forbidden' })),
      },
    });
  }
}

const binding = (name: string, policyName: string, spec: object, labels?: Record<string, string>) => ({
  apiVersion: API,
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name, ...(labels ? { labels } : {}) },
  spec: { policyName, validationActions: ['Deny'], ...spec },
});

function admitted(gateway: Gateway): AdmittedGateway {
  const { name, namespace, object, _specs: specs } = gateway;
  return {
    name,
    namespace,
    open: Object.keys(specs).filter((each) => specs[each]!.routes),
    // No prop sets it; a patch of the object may.
    isDefault: object.toJson().spec?.defaultScope === 'All',
    ports: new Map(Object.entries(specs).map(([listener, { port }]) => [port, listener])),
    longer: gateway.node.root.node
      .findAll()
      .filter((each) => isGateway(each))
      .filter((each) => each.namespace === namespace && each.name.startsWith(`${name}-`))
      .map((each) => each.name)
      .sort(),
  };
}
