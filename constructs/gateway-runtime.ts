import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { CONTROLLER_NAME } from '../gateway-runtime/api/names.ts';
import { OWN_DEFINITIONS } from '../gateway-runtime/api/own-kinds.ts';
import { generatedName } from '../gateway-runtime/snapshot/generated-names.ts';
import { clusterObject, gatewayObject } from './api-object.ts';
import { clientCertificateIn, policyAuthoritiesIn } from './backend-certificates.ts';
import { requireChecks } from './checks.ts';
import { controlPlane, NAME } from './control-plane-objects.ts';
import { DEFAULT_CLASS, isGateway } from './gateway.ts';
import { type DataPlaneProps, parametersObject } from './gateway-parameters.ts';
import type { PlatformScope } from './granted.ts';
import { NamesByNamespace } from './names-by-namespace.ts';
import { NetworkGraph } from './network-graph.ts';
import { NETWORKING } from './network-policies.ts';
import {
  AUTHORITY_RULES,
  CLUSTER_RULES,
  caBundleRules,
  LEASE_RULES,
  provisionerRules,
  RBAC_GROUP,
  secretRules,
} from './permissions.ts';
import { flagOr, isObject, number, oneOf, optional, read, record, type Shape, text, type } from './props.ts';
import { platformProblems } from './role.ts';
import { RUNTIME_NETWORK, type RuntimeNetworkProps, runtimePolicies } from './runtime-network.ts';
import { MATERIALIZE } from './synth-hooks.ts';

export interface GatewayClassProps {
  /**
   * What the class is for, in at most 64 characters.
   * @default - none
   */
  readonly description?: string;
  /**
   * How the data planes of all gateways of the class run, where a gateway does not say otherwise.
   * @default - two data planes behind a Service of type LoadBalancer
   */
  readonly parameters?: DataPlaneProps;
  /**
   * An object with parameters for all gateways of the class, in place of `parameters`.
   * @default - none
   */
  readonly parametersRef?: {
    readonly group: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  };
}

export interface GatewayRuntimeProps<Classes extends string> {
  /** The container image, best with a digest. */
  readonly image: string;
  /**
   * The GatewayClasses that it serves, by name.
   * @default { gatewright: {} }
   */
  readonly classes?: Readonly<Record<Classes, GatewayClassProps>>;
  /**
   * The namespace of the runtime, made by this construct.
   * @default 'gatewright-system'
   */
  readonly namespace?: string;
  /**
   * How many pods of the control plane run; one of them writes.
   * @default 2
   */
  readonly replicas?: number;
  /**
   * Where the runtime may make data planes and read certificates. `namespaced`: in each namespace of the app that has a Gateway of
   * one of the classes, what is named after that Gateway, the Secrets and ConfigMaps that the Gateway names, and the ConfigMaps that
   * BackendTLSPolicies of the app name. `cluster`: in every namespace, every Secret and ConfigMap included; for clusters whose Gateways
   * or BackendTLSPolicies are written without this app.
   * @default 'namespaced'
   */
  readonly permissions?: 'namespaced' | 'cluster';
  /**
   * Whether NetworkPolicies hold both planes to what this app says of them. Data planes are reached by anybody at the ports of their listeners, and
   * reach the cluster's DNS, the control plane, and pods of namespaces whose routes their gateway admits or that lend those a Service by a
   * ReferenceGrant. The control plane is reached by data planes alone. What the app does not have is not seen: ReferenceGrants, gateways and
   * ListenerSets that are written elsewhere, and backends outside of the cluster; a NetworkPolicy beside these can allow more. The network of the
   * cluster has to enforce policies.
   * @default false
   */
  readonly networkPolicies?: boolean | RuntimeNetworkProps;
}

const PROPS: Shape<GatewayRuntimeProps<string>> = {
  image: text,
  classes: optional(record('classes by name, { gatewright: {} },', type('a class', isObject))),
  namespace: optional(text),
  replicas: optional(number),
  permissions: optional(oneOf('namespaced', 'cluster')),
  networkPolicies: optional(flagOr('an object with monitoring and backends')),
};
const CLASS: Shape<GatewayClassProps> = {
  description: optional(text),
  parameters: optional(type('an object such as { replicas: 3 }', isObject)),
  parametersRef: optional(type('an object with group, kind and name', isObject)),
};
const PARAMETERS: Shape<NonNullable<GatewayClassProps['parametersRef']>> = {
  group: text,
  kind: text,
  name: text,
  namespace: optional(text),
};

function classProblems(name: string, given: GatewayClassProps): string[] {
  const { props, problems } = read('it', given, CLASS);
  const ofParameters = props.parametersRef
    ? read('parametersRef', props.parametersRef, PARAMETERS).problems
    : [];
  const both =
    props.parameters && props.parametersRef ? ['it takes parameters or parametersRef, this is both'] : [];
  return [...problems, ...ofParameters, ...both].map((problem) => `class ${name}: ${problem}`);
}

const RBAC = `${RBAC_GROUP}/v1`;

/** What the infrastructure provider runs in a cluster: the classes of gateways, and the control plane that serves them. */
export class GatewayRuntime<
  const Classes extends string = typeof DEFAULT_CLASS,
  Scope = Construct,
> extends Construct {
  readonly namespace: string;
  /** The first class, for `new SharedGateway(..., { class: runtime })`. */
  readonly className: Classes;
  readonly #classes: readonly Classes[];
  readonly #permissions: 'namespaced' | 'cluster';
  /** Undefined for no NetworkPolicies. */
  readonly #network: RuntimeNetworkProps | undefined;
  /** What depends on the gateways of the app, by the id of the construct. */
  #ofGateways: string[] = [];

  constructor(scope: PlatformScope<Scope, 'runtime'>, id: string, given: GatewayRuntimeProps<Classes>) {
    super(scope as Construct, id);
    const { props, problems } = read<GatewayRuntimeProps<string>>('GatewayRuntime', given, PROPS);
    const classes = props.classes ?? { [DEFAULT_CLASS]: {} };
    this.namespace = props.namespace ?? 'gatewright-system';
    this.#classes = Object.keys(classes) as Classes[];
    this.className = this.#classes[0]!;
    this.#permissions = props.permissions ?? 'namespaced';
    const network = isObject(props.networkPolicies)
      ? read('networkPolicies', props.networkPolicies, RUNTIME_NETWORK)
      : { props: {}, problems: [] };
    this.#network = props.networkPolicies ? network.props : undefined;
    requireChecks(this, () => [
      ...problems,
      ...network.problems,
      ...platformProblems(this, 'runtime'),
      ...Object.entries(classes).flatMap(([name, each]) => classProblems(name, each)),
    ]);
    for (const each of OWN_DEFINITIONS) clusterObject(this, each.spec.names.kind, each);
    for (const [name, { description, parameters, parametersRef: given }] of Object.entries(classes)) {
      const { namespace } = this;
      const parametersRef = parameters
        ? { ...parametersObject(this, `parameters-${name}`, { name, namespace, parameters }), namespace }
        : given;
      gatewayObject(this, `class-${name}`, {
        kind: 'GatewayClass',
        name,
        spec: () => ({ controllerName: CONTROLLER_NAME, description, parametersRef }),
      });
    }
    clusterObject(this, 'Namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    this.#permit();
    controlPlane(this, {
      namespace: this.namespace,
      image: props.image ?? '',
      replicas: props.replicas ?? 2,
    });
  }

  /** One of the classes, for `new SharedGateway(..., { class: runtime.class('internal') })`. */
  class(name: Classes): { readonly className: Classes } {
    return { className: name };
  }

  /** @internal What the gateways of the app need and nothing else: rights, and ways through the network. */
  [MATERIALIZE](): void {
    for (const id of this.#ofGateways) this.node.tryRemoveChild(id);
    this.#ofGateways = [];
    if (this.#permissions === 'namespaced') this.#gatewayRoles();
    if (!this.#network) return;
    const reach = {
      controlPlane: this.namespace,
      classes: this.#classes,
      isEverywhere: this.#permissions === 'cluster',
    };
    for (const { name, namespace, spec } of runtimePolicies(new NetworkGraph(this), reach, this.#network))
      this.#networkPolicy(name, namespace, spec);
  }

  #networkPolicy(name: string, namespace: string, spec: Record<string, unknown>): void {
    const id = `network-${namespace}-${name}`;
    new ApiObject(this, id, {
      apiVersion: NETWORKING,
      kind: 'NetworkPolicy',
      metadata: { name, namespace },
      spec,
    });
    this.#ofGateways.push(id);
  }

  /** Each in a Role of its namespace. */
  #gatewayRoles(): void {
    const generated = new NamesByNamespace();
    const secrets = new NamesByNamespace();
    const configMaps = new NamesByNamespace();
    for (const gateway of this.node.root.node.findAll()) {
      if (!isGateway(gateway) || !this.#classes.includes(gateway.className as Classes)) continue;
      generated.add(gateway.namespace, generatedName(gateway.name, gateway.className));
      for (const { name, namespace } of gateway._certificates) secrets.add(namespace, name);
      for (const { name, namespace } of gateway._authorities) configMaps.add(namespace, name);
      const client = clientCertificateIn(gateway.object);
      if (client) secrets.add(client.namespace, client.name);
    }
    // Which policies matter depends on the routes of its gateways, which others may write: without any gateway, none does.
    if (generated.sorted.length > 0) {
      for (const { name, namespace } of policyAuthoritiesIn(this.node.root)) configMaps.add(namespace, name);
    }
    for (const [namespace, names] of generated.sorted) {
      this.#gatewayRole('provisioner', namespace, provisionerRules(names));
    }
    for (const namespace of [...new Set([...secrets.namespaces, ...configMaps.namespaces])].sort()) {
      const [certificates, authorities] = [secrets.in(namespace), configMaps.in(namespace)];
      this.#gatewayRole('certificates', namespace, [
        ...(certificates.length > 0 ? secretRules(certificates) : []),
        ...(authorities.length > 0 ? caBundleRules(authorities) : []),
      ]);
    }
  }

  #permit(): void {
    this.#clusterRole(`${NAME}-control-plane`, 'ClusterRole', CLUSTER_RULES);
    this.#role('leader-election', this.namespace, LEASE_RULES);
    this.#role('authority', this.namespace, AUTHORITY_RULES);
    if (this.#permissions !== 'cluster') return;
    this.#clusterRole(`${NAME}-provisioner`, 'ProvisionerRole', provisionerRules());
    this.#clusterRole(`${NAME}-certificates`, 'CertificatesRole', [...secretRules(), ...caBundleRules()]);
  }

  #clusterRole(name: string, id: string, rules: readonly object[]): void {
    const metadata = { name };
    clusterObject(this, id, { apiVersion: RBAC, kind: 'ClusterRole', metadata, rules });
    clusterObject(this, `${id}Binding`, {
      apiVersion: RBAC,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
      subjects: this.#subjects,
    });
  }

  #gatewayRole(purpose: string, namespace: string, rules: readonly object[]): void {
    this.#ofGateways.push(this.#role(purpose, namespace, rules, `${purpose}-${namespace}`));
  }

  #role(purpose: string, namespace: string, rules: readonly object[], id = purpose): string {
    const name = `${NAME}-${purpose}`;
    const metadata = { name, namespace };
    const holder = new Construct(this, id);
    new ApiObject(holder, 'Role', { apiVersion: RBAC, kind: 'Role', metadata, rules });
    new ApiObject(holder, 'RoleBinding', {
      apiVersion: RBAC,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name },
      subjects: this.#subjects,
    });
    return id;
  }

  get #subjects() {
    return [{ kind: 'ServiceAccount', name: NAME, namespace: this.namespace }];
  }
}
