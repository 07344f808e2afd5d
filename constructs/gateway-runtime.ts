import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { GATEWAY_PARAMETERS_DEFINITION } from '../gateway-runtime/api/gateway-parameters.ts';
import { CONTROLLER_NAME } from '../gateway-runtime/api/names.ts';
import { generatedName } from '../gateway-runtime/snapshot/generated-names.ts';
import { clusterObject, gatewayObject } from './api-object.ts';
import { clientCertificateIn, policyAuthoritiesIn } from './backend-certificates.ts';
import { requireChecks } from './checks.ts';
import { controlPlane, NAME } from './control-plane-objects.ts';
import { DEFAULT_CLASS, isGateway } from './gateway.ts';
import { type DataPlaneProps, parametersObject } from './gateway-parameters.ts';
import type { PlatformScope } from './granted.ts';
import {
  AUTHORITY_RULES,
  CLUSTER_RULES,
  caBundleRules,
  LEASE_RULES,
  provisionerRules,
  RBAC_GROUP,
  secretRules,
} from './permissions.ts';
import { isObject, number, oneOf, optional, read, record, type Shape, text, type } from './props.ts';
import { platformProblems } from './role.ts';
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
}

const PROPS: Shape<GatewayRuntimeProps<string>> = {
  image: text,
  classes: optional(record('classes by name, { gatewright: {} },', type('a class', isObject))),
  namespace: optional(text),
  replicas: optional(number),
  permissions: optional(oneOf('namespaced', 'cluster')),
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
  /** Roles in namespaces of gateways, by the id of their construct. */
  #roles: string[] = [];

  constructor(scope: PlatformScope<Scope, 'runtime'>, id: string, given: GatewayRuntimeProps<Classes>) {
    super(scope as Construct, id);
    const { props, problems } = read<GatewayRuntimeProps<string>>('GatewayRuntime', given, PROPS);
    const classes = props.classes ?? { [DEFAULT_CLASS]: {} };
    this.namespace = props.namespace ?? 'gatewright-system';
    this.#classes = Object.keys(classes) as Classes[];
    this.className = this.#classes[0]!;
    this.#permissions = props.permissions ?? 'namespaced';
    requireChecks(this, () => [
      ...problems,
      ...platformProblems(this, 'runtime'),
      ...Object.entries(classes).flatMap(([name, each]) => classProblems(name, each)),
    ]);
    clusterObject(this, 'GatewayParameters', GATEWAY_PARAMETERS_DEFINITION);
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

  /** @internal Rights for what the gateways of the app need and nothing else, each in a Role of its namespace. */
  [MATERIALIZE](): void {
    for (const id of this.#roles) this.node.tryRemoveChild(id);
    this.#roles = [];
    if (this.#permissions === 'cluster') return;
    const generated = new Names();
    const secrets = new Names();
    const configMaps = new Names();
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
    this.#roles.push(this.#role(purpose, namespace, rules, `${purpose}-${namespace}`));
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

/** Names by namespace. */
class Names {
  readonly #all = new Map<string, Set<string>>();

  add(namespace: string, name: string): void {
    this.#all.set(namespace, (this.#all.get(namespace) ?? new Set()).add(name));
  }

  get namespaces(): Iterable<string> {
    return this.#all.keys();
  }

  /** Sorted. */
  in(namespace: string): string[] {
    return [...(this.#all.get(namespace) ?? [])].sort();
  }

  get sorted(): [namespace: string, names: string[]][] {
    return [...this.#all]
      .map(([namespace, names]): [string, string[]] => [namespace, [...names].sort()])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
