/** A Gateway that serves a team: runtime, certificate, backends, route, in namespaces of their own. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { NODE } from '../../cluster/images.ts';
import { authority, issue } from '../../support/certificates.ts';
import { RESTRICTED, restrictedNamespace } from '../echo.ts';
import { KubeApi } from '../kube-api.ts';
import { ask } from '../runtime/edge.ts';
import { CLASS, type Conditioned, gone, hasTrue, installRuntime } from '../runtime/installed.ts';
import { observed, PATIENCE } from '../waiting.ts';
import { Load, type LoadPlan } from './load.ts';

export const HOST = 'shop.example.com';
/** Whoever likes may have hosts below this one; all others are the team's. */
export const OPEN = 'open.example.com';
export const API = 'gateway.networking.k8s.io/v1';
const PORT = 3000;

interface Addressed extends Conditioned {
  readonly status?: Conditioned['status'] & { readonly addresses?: readonly { readonly value: string }[] };
}

export class Site {
  readonly api: KubeApi;
  readonly #uninstall: () => Promise<void>;
  readonly #suffix = randomBytes(3).toString('hex');
  readonly infra = `infra-${this.#suffix}`;
  readonly team = `shop-${this.#suffix}`;
  address = '';
  readonly #namespaces: RawObject[] = [];
  readonly #loads: Load[] = [];

  private constructor(api: KubeApi, uninstall: () => Promise<void>) {
    this.api = api;
    this.#uninstall = uninstall;
  }

  /** Resolves once `/` is answered by every backend that there is. Two replicas of everything. */
  static async open(): Promise<Site> {
    const api = await KubeApi.connect();
    try {
      const site = new Site(api, await installRuntime(api, { replicas: 2 }));
      await site.#fill();
      return site;
    } catch (error) {
      // What was installed is left to be looked at; the connection would keep the test from ending.
      api.close();
      throw error;
    }
  }

  async #fill(): Promise<void> {
    await this.namespace(this.infra);
    await this.namespace(this.team);
    await this.renewCertificate();
    await this.api.applyAll([
      ...backendObjects(this.team),
      this.gateway(),
      this.route('shop', [{ backendRefs: [BACKEND] }]),
    ]);
    const path = await this.api.pathOf(this.gateway());
    await observed<Addressed, true>(this.api, path, 'Programmed=True', hasTrue('Programmed'));
    this.address = (await this.api.get<Addressed>(path)).status!.addresses![0]!.value;
    await eventually(PATIENCE, async () => {
      const { status } = await ask({ address: this.address, host: HOST, path: '/' });
      if (status !== 200) throw new Error(`answered ${status}`);
    });
    await this.isWhole(`/apis/apps/v1/namespaces/${this.team}/deployments/backend`);
    await this.isWhole(this.dataPlanes);
  }

  /** Path of the Deployment of the data planes. */
  get dataPlanes(): string {
    return `/apis/apps/v1/namespaces/${this.infra}/deployments/edge-${CLASS}`;
  }

  gateway(): RawObject {
    const allowedRoutes = {
      namespaces: {
        from: 'Selector',
        selector: { matchLabels: { 'kubernetes.io/metadata.name': this.team } },
      },
    };
    const open = { hostname: `*.${OPEN}`, allowedRoutes: { namespaces: { from: 'All' } } };
    return {
      apiVersion: API,
      kind: 'Gateway',
      metadata: { name: 'edge', namespace: this.infra },
      spec: {
        gatewayClassName: CLASS,
        listeners: [
          { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes },
          { name: 'open', port: 80, protocol: 'HTTP', ...open },
          {
            ...{ name: 'secure', port: 443, protocol: 'HTTPS', hostname: HOST, allowedRoutes },
            tls: { certificateRefs: [{ name: 'edge' }] },
          },
        ],
      },
    };
  }

  /** A route of the team, or of another namespace. */
  route(name: string, rules: readonly object[], more: { namespace?: string; host?: string } = {}): RawObject {
    const { namespace = this.team, host = HOST } = more;
    return {
      apiVersion: API,
      kind: 'HTTPRoute',
      metadata: { name, namespace },
      spec: { hostnames: [host], parentRefs: [{ name: 'edge', namespace: this.infra }], rules },
    };
  }

  /** Taken away at the end, with all that is in it. */
  async namespace(name: string): Promise<void> {
    const namespace = restrictedNamespace(name);
    this.#namespaces.push(namespace);
    await this.api.applyAll([namespace]);
  }

  /** The one that is served from now on, PEM. */
  async renewCertificate(): Promise<string> {
    const { certificate, privateKey } = issue(`${this.infra}/edge`, [HOST]);
    await this.api.applyAll([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'edge', namespace: this.infra },
        type: 'kubernetes.io/tls',
        stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
      },
    ]);
    return certificate;
  }

  /** Load of HTTP/1.1 in the clear, and of HTTP/2 under TLS. */
  async loads(plan: Partial<LoadPlan> = {}): Promise<Load[]> {
    return [await this.load(plan), await this.load({ ...plan, tls: true, protocol: 'h2' })];
  }

  /** Load on the team's host. It ends with the site at the latest. */
  async load(plan: Partial<LoadPlan> & { readonly tls?: boolean } = {}): Promise<Load> {
    const { tls, ...rest } = plan;
    const load = await Load.on({
      ...{ address: this.address, host: HOST, path: '/' },
      ...(tls ? { ca: authority } : {}),
      ...rest,
    });
    this.#loads.push(load);
    return load;
  }

  /** Replaces the pods of a Deployment one after the other, as `kubectl rollout restart` does, and waits until that is done. */
  async restart(path: string): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
    const patch = { spec: { template: { metadata: { annotations } } } };
    const { status, body } = await this.api.call('PATCH', path, patch, 'application/merge-patch+json');
    if (status >= 300) throw new Error(`${path}: ${status} ${body}`);
    await this.isWhole(path);
  }

  /** Waits until a Deployment runs as its template says, and no pod of before is left. */
  async isWhole(path: string): Promise<void> {
    const namespace = /\/namespaces\/([^/]+)\//.exec(path)![1]!;
    await eventually(3 * PATIENCE, async () => {
      const { spec, metadata, status } = await this.api.get<Deployed>(path);
      const selector = Object.entries(spec.selector.matchLabels).map(([key, value]) => `${key}=${value}`);
      const { items } = await this.api.get<{ items: readonly unknown[] }>(
        `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector.join(','))}`,
      );
      const wanted = spec.replicas;
      const counts = [status.updatedReplicas, status.availableReplicas, status.replicas, items.length];
      if (status.observedGeneration !== metadata.generation || counts.some((count) => count !== wanted)) {
        throw new Error(`${path}: found ${counts.join(', ')} pods, expected ${wanted}`);
      }
    });
  }

  endLoads(): void {
    for (const load of this.#loads.splice(0)) load.end();
  }

  async close(): Promise<void> {
    this.endLoads();
    await this.api.remove(this.gateway());
    for (const namespace of this.#namespaces) await this.api.remove(namespace);
    for (const namespace of this.#namespaces) await gone(this.api, namespace);
    await this.#uninstall();
    this.api.close();
  }
}

interface Deployed {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly replicas?: number;
  };
}

export const BACKEND = { name: 'backend', port: 80 };

const labels = { app: 'backend' };

/** Two pods, on two nodes where there are, and their Service. */
export function backendObjects(namespace: string): RawObject[] {
  const script = readFileSync(join(import.meta.dirname, 'backend.mjs'), 'utf8');
  const metadata = { name: 'backend', namespace };
  const pod = {
    terminationGracePeriodSeconds: 30,
    topologySpreadConstraints: [
      {
        ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
        ...{ labelSelector: { matchLabels: labels }, matchLabelKeys: ['pod-template-hash'] },
      },
    ],
    containers: [
      {
        name: 'backend',
        image: NODE,
        args: ['/backend/backend.mjs'],
        env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
        securityContext: RESTRICTED,
        volumeMounts: [{ name: 'script', mountPath: '/backend' }],
      },
    ],
    volumes: [{ name: 'script', configMap: { name: 'backend' } }],
  };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'backend.mjs': script } },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { metadata: { labels }, spec: pod },
      },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { selector: labels, ports: [{ port: 80, targetPort: PORT }] },
    },
  ];
}
