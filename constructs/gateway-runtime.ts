import { ApiObject, JsonPatch, Size } from 'cdk8s';
import { Cpu, Deployment, LabelSelector, Probe, ServiceAccount } from 'cdk8s-plus-25';
import { Construct } from 'constructs';
import { CONTROLLER_NAME } from '../gateway-runtime/api/names.ts';
import { clusterObject, gatewayObject } from './api-object.ts';
import { requireChecks } from './checks.ts';
import { DEFAULT_CLASS, GatewayBase } from './gateway.ts';
import { CLUSTER_RULES, LEASE_RULES, secretRules } from './permissions.ts';
import { MATERIALIZE } from './synth-hooks.ts';

export interface GatewayClassProps {
  /**
   * What the class is for, in at most 64 characters.
   * @default - none
   */
  readonly description?: string;
  /**
   * An object with parameters for all gateways of the class.
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
}

/** Port of health, readiness and metrics. */
const ADMIN_PORT = 9902;
const NAME = 'gatewright';

/** What the infrastructure provider runs in a cluster: the classes of gateways, and the control plane that serves them. */
export class GatewayRuntime<const Classes extends string = typeof DEFAULT_CLASS> extends Construct {
  readonly namespace: string;
  /** The first class, for `new SharedGateway(..., { class: runtime })`. */
  readonly className: Classes;
  readonly #classes: readonly Classes[];
  /** Namespaces with a Role for the Secrets of listeners. */
  readonly #roles = new Set<string>();

  constructor(scope: Construct, id: string, props: GatewayRuntimeProps<Classes>) {
    super(scope, id);
    const classes: Readonly<Record<string, GatewayClassProps>> = props.classes ?? { [DEFAULT_CLASS]: {} };
    this.namespace = props.namespace ?? 'gatewright-system';
    this.#classes = Object.keys(classes) as Classes[];
    this.className = this.#classes[0]!;
    requireChecks(this);
    for (const [name, { description, parametersRef }] of Object.entries(classes)) {
      gatewayObject(this, `class-${name}`, {
        kind: 'GatewayClass',
        name,
        spec: () => ({ controllerName: CONTROLLER_NAME, description, parametersRef }),
      });
    }
    clusterObject(this, 'Namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace },
    });
    this.#permissions();
    this.#deployment(props);
  }

  /** One of the classes, for `new SharedGateway(..., { class: runtime.class('internal') })`. */
  class(name: Classes): { readonly className: Classes } {
    return { className: name };
  }

  /** @internal For the Secrets that listeners of its gateways name, and no others, a Role each namespace. */
  [MATERIALIZE](): void {
    const secrets = new Map<string, Set<string>>();
    for (const construct of this.node.root.node.findAll()) {
      if (!(construct instanceof GatewayBase) || !this.#classes.includes(construct.className as Classes))
        continue;
      for (const { name, namespace } of construct._certificates) {
        secrets.set(namespace, (secrets.get(namespace) ?? new Set()).add(name));
      }
    }
    for (const namespace of this.#roles) this.node.tryRemoveChild(`certificates-${namespace}`);
    this.#roles.clear();
    for (const [namespace, names] of [...secrets].sort(([a], [b]) => (a < b ? -1 : 1))) {
      this.#roles.add(namespace);
      this.#role(
        `certificates-${namespace}`,
        `${NAME}-certificates`,
        namespace,
        secretRules([...names].sort()),
      );
    }
  }

  #permissions(): void {
    const metadata = { name: `${NAME}-control-plane` };
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    clusterObject(this, 'ClusterRole', { apiVersion, kind: 'ClusterRole', metadata, rules: CLUSTER_RULES });
    clusterObject(this, 'ClusterRoleBinding', {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
      subjects: [this.#subject()],
    });
    this.#role('leader-election', `${NAME}-leader-election`, this.namespace, LEASE_RULES);
  }

  #role(id: string, name: string, namespace: string, rules: readonly object[]): void {
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const holder = new Construct(this, id);
    new ApiObject(holder, 'Role', { apiVersion, kind: 'Role', metadata: { name, namespace }, rules });
    new ApiObject(holder, 'RoleBinding', {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [this.#subject()],
    });
  }

  #subject() {
    return { kind: 'ServiceAccount', name: NAME, namespace: this.namespace };
  }

  #deployment({ image, replicas = 2 }: GatewayRuntimeProps<Classes>): void {
    const metadata = { name: NAME, namespace: this.namespace };
    const labels = { 'app.kubernetes.io/name': NAME };
    const serviceAccount = new ServiceAccount(this, 'ServiceAccount', { metadata });
    const deployment = new Deployment(this, 'Deployment', {
      metadata,
      replicas,
      serviceAccount,
      // A selector can't be changed later, so it is not derived from where the construct stands.
      select: false,
      podMetadata: { labels },
      automountServiceAccountToken: true,
      securityContext: { ensureNonRoot: true, user: 65532, group: 65532 },
      containers: [
        {
          name: 'control-plane',
          image,
          ports: [{ number: ADMIN_PORT, name: 'admin' }],
          startup: Probe.fromHttpGet('/healthz', { port: ADMIN_PORT }),
          liveness: Probe.fromHttpGet('/healthz', { port: ADMIN_PORT }),
          readiness: Probe.fromHttpGet('/readyz', { port: ADMIN_PORT }),
          resources: {
            cpu: { request: Cpu.millis(100), limit: Cpu.units(1) },
            memory: { request: Size.mebibytes(128), limit: Size.mebibytes(512) },
          },
          securityContext: {
            ensureNonRoot: true,
            user: 65532,
            group: 65532,
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
          },
        },
      ],
    });
    deployment.select(LabelSelector.of({ labels }));
    // cdk8s-plus has no words for these two.
    ApiObject.of(deployment).addJsonPatch(
      JsonPatch.add('/spec/template/spec/containers/0/securityContext/capabilities', { drop: ['ALL'] }),
      JsonPatch.add('/spec/template/spec/securityContext/seccompProfile', { type: 'RuntimeDefault' }),
    );
  }
}
