/** What the tests of the provisioner have around them: CRDs, rights as they are synthesized, a namespace, and gateways in it. */
import { randomBytes } from 'node:crypto';
import { Chart, Testing } from 'cdk8s';
import { GatewayRuntime } from '../../../constructs/gateway-runtime.ts';
import { http } from '../../../constructs/index.ts';
import { SharedGateway } from '../../../constructs/shared-gateway.ts';
import { synthesize } from '../../../constructs/synthesize.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { ApiClient, isStatus, PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import { eventually } from '../../cluster/command.ts';
import { restrictedNamespace } from '../echo.ts';
import { installGatewayApi } from '../gateway-api-crds.ts';
import { KubeApi } from '../kube-api.ts';
import { installOwnCrds } from '../own-crds.ts';
import { PATIENCE } from '../waiting.ts';
import { accountConnection, adminConnection, Provisioning } from './provisioning.ts';

export interface Found extends RawObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    }[];
  };
  // biome-ignore lint/suspicious/noExplicitAny: of whatever kind it is
  readonly spec: any;
}

const PLURALS: Readonly<Record<string, string>> = {
  ServiceAccount: '/api/v1 serviceaccounts',
  ConfigMap: '/api/v1 configmaps',
  Service: '/api/v1 services',
  PodDisruptionBudget: '/apis/policy/v1 poddisruptionbudgets',
  Deployment: '/apis/apps/v1 deployments',
  HorizontalPodAutoscaler: '/apis/autoscaling/v2 horizontalpodautoscalers',
  Role: '/apis/rbac.authorization.k8s.io/v1 roles',
};
const ALL = ['ServiceAccount', 'ConfigMap', 'Service', 'PodDisruptionBudget', 'Deployment'];

export class Surroundings {
  readonly id = randomBytes(3).toString('hex');
  readonly namespace = `gatewright-prov-${this.id}`;
  readonly system = `gatewright-prov-${this.id}-system`;
  /** Of the GatewayClass, and another one of ours. */
  readonly className = `prov-${this.id}`;
  readonly otherClass = `other-${this.id}`;
  readonly api: KubeApi;
  readonly admin = new ApiClient(adminConnection());
  readonly #undo: (() => Promise<void>)[] = [];

  private constructor(api: KubeApi) {
    this.api = api;
  }

  /** With rights for the Gateways of these names. */
  static async make(gateways: readonly string[]): Promise<Surroundings> {
    const surroundings = new Surroundings(await KubeApi.connect());
    await surroundings.#install(gateways);
    return surroundings;
  }

  async #install(gateways: readonly string[]): Promise<void> {
    this.#undo.push(await installGatewayApi(this.api));
    this.#undo.push(await installOwnCrds(this.api));
    await this.api.applyAll([restrictedNamespace(this.namespace)]);
    const app = Testing.app();
    const runtime = new GatewayRuntime(new Chart(app, 'runtime'), 'runtime', {
      image: 'unused',
      namespace: this.system,
      classes: { [this.className]: {}, [this.otherClass]: {} },
    });
    const chart = new Chart(app, 'gateways', { namespace: this.namespace });
    for (const name of gateways) {
      new SharedGateway(chart, name, { class: runtime, listeners: { web: http(80) } });
    }
    const objects = synthesize(app).objects.map(({ object }) => object as RawObject);
    const others = ['Gateway', 'Deployment', 'CustomResourceDefinition'];
    const rights = objects.filter(({ kind }) => !others.includes(String(kind)));
    await this.api.applyAll(rights);
    this.#undo.push(async () => {
      for (const object of [...rights].reverse()) await this.api.remove(object);
      await this.api.remove(restrictedNamespace(this.namespace));
    });
  }

  async remove(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
    this.admin.close();
    this.api.close();
  }

  async provision(bundle?: string): Promise<Provisioning> {
    return new Provisioning(await accountConnection(this.system, 'gatewright'), this.system, bundle);
  }

  gateway(name: string, spec: Readonly<Record<string, unknown>> = {}): RawObject {
    return {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name, namespace: this.namespace },
      spec: {
        gatewayClassName: this.className,
        listeners: [{ name: 'web', port: 80, protocol: 'HTTP' }],
        ...spec,
      },
    };
  }

  generated(gateway: string, className = this.className): string {
    return `${gateway}-${className}`;
  }

  pathOf(kind: string, name: string): string {
    const [root, plural] = PLURALS[kind]!.split(' ');
    return `${root}/namespaces/${this.namespace}/${plural}/${name}`;
  }

  /** An object of a Gateway, as it is now; undefined where there is none. */
  async find(kind: string, gateway: string, className = this.className): Promise<Found | undefined> {
    try {
      return await this.admin.get<Found>(this.pathOf(kind, this.generated(gateway, className)));
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Everything that a Gateway always has, once all of it is there. */
  async all(gateway: string, className?: string): Promise<Record<string, Found>> {
    return eventually(PATIENCE, async () => {
      const found: Record<string, Found> = {};
      for (const kind of ALL) {
        const object = await this.find(kind, gateway, className);
        if (!object) throw new Error(`there is no ${kind} of ${gateway}`);
        found[kind] = object;
      }
      return found;
    });
  }

  /** Waits until the API server has nothing of a Gateway. */
  async none(gateway: string, className?: string, kinds: readonly string[] = ALL): Promise<void> {
    await eventually(PATIENCE, async () => {
      for (const kind of kinds) {
        if (await this.find(kind, gateway, className))
          throw new Error(`there is still a ${kind} of ${gateway}`);
      }
    });
  }

  /** Alters something of an object as somebody else would. */
  async alter(kind: string, gateway: string, patch: object): Promise<void> {
    await this.admin.call('PATCH', this.pathOf(kind, this.generated(gateway)), {
      body: patch,
      contentType: PATCH.merge,
    });
  }
}
