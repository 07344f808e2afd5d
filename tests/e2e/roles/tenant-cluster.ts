/** The platform of `tests/roles/fixture.ts` in the cluster: runtime, rights and admission as synth gives them, and every team's route with pods behind it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayRuntime, synthesize } from 'gatewright';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { NODE } from '../../cluster/images.ts';
import { fixture, TEAMS } from '../../roles/fixture.ts';
import { addRoutes, certificateObjects, SERVICES } from '../../roles/tenant-objects.ts';
import { authority } from '../../support/certificates.ts';
import { RESTRICTED } from '../echo.ts';
import { installGatewayApi } from '../gateway-api-crds.ts';
import { KubeApi, type Person } from '../kube-api.ts';
import { installOwnCrds } from '../own-crds.ts';
import { ask, type EdgeAnswer, type EdgeRequest } from '../runtime/edge.ts';
import { type Conditioned, hasTrue, imageReference, removeAll, rolledOut } from '../runtime/installed.ts';
import { observed, PATIENCE } from '../waiting.ts';

/** The app of the platform and of all teams. */
export function tenantApp() {
  const made = fixture();
  new GatewayRuntime(made.platform, 'runtime', {
    image: imageReference(),
    replicas: 1,
    classes: { gatewright: { parameters: { replicas: 1 } } },
  });
  return { ...made, ...addRoutes(made) };
}

export const objectsOf = ({ app }: Pick<ReturnType<typeof tenantApp>, 'app'>): RawObject[] =>
  synthesize(app).objects.map(({ object }) => object as RawObject);

/** Somebody of a team, with the rights that the platform gives it. */
export const member = (team: keyof typeof TEAMS): Person => ({
  user: `somebody-of-${team}`,
  groups: [TEAMS[team].group, 'system:authenticated'],
});

const nameOf = ({ metadata }: RawObject) => (metadata as { name: string }).name;
const namespaceOf = ({ metadata }: RawObject) => (metadata as { namespace?: string }).namespace;

export class TenantCluster {
  readonly api: KubeApi;
  /** As they were applied. */
  readonly objects: readonly RawObject[];
  readonly #uninstall: readonly (() => Promise<void>)[];
  address = '';

  private constructor(
    api: KubeApi,
    objects: readonly RawObject[],
    uninstall: readonly (() => Promise<void>)[],
  ) {
    this.api = api;
    this.objects = objects;
    this.#uninstall = uninstall;
  }

  /** Resolves once the shared gateway is programmed. */
  static async open(): Promise<TenantCluster> {
    const api = await KubeApi.connect();
    const uninstall = [await installGatewayApi(api), await installOwnCrds(api)];
    const made = objectsOf(tenantApp());
    const backends = Object.entries(SERVICES).flatMap(([name, namespace]) => backendOf(name, namespace));
    const objects = [...made, ...certificateObjects(), ...backends].toSorted((a, b) => rank(a) - rank(b));
    const cluster = new TenantCluster(api, objects, uninstall);
    try {
      await cluster.#install();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  async #install(): Promise<void> {
    await this.api.applyAll(this.objects.filter((each) => rank(each) < OF_TEAMS));
    // The API server hears of Grants in its own time, and before takes no route of a team.
    const ofTeams = this.objects.filter((each) => rank(each) === OF_TEAMS);
    await eventually(PATIENCE, () => this.api.applyAll(ofTeams));
    await this.#isUp();
  }

  async #isUp(): Promise<void> {
    for (const each of this.objects.filter(({ kind }) => kind === 'Deployment'))
      await observed(this.api, await this.api.pathOf(each), 'ready pods', rolledOut);
    const gateway = await this.api.pathOf(this.object('Gateway', 'infra', 'shared-gw'));
    await observed<Conditioned, true>(this.api, gateway, 'Programmed=True', hasTrue('Programmed'));
    const { status } = await this.api.get<{ status: { addresses: { value: string }[] } }>(gateway);
    this.address = status.addresses[0]!.value;
  }

  async close(): Promise<void> {
    await removeAll(this.api, this.objects);
    for (const each of this.#uninstall) await each();
    this.api.close();
  }

  /** One of those that were applied. */
  find(kind: unknown, namespace: string | undefined, name: string): RawObject | undefined {
    return this.objects.find(
      (each) => each.kind === kind && namespaceOf(each) === namespace && nameOf(each) === name,
    );
  }

  object(kind: string, namespace: string, name: string): RawObject {
    const found = this.find(kind, namespace, name);
    if (!found) throw new Error(`${kind} ${namespace}/${name} was not applied`);
    return found;
  }

  /** That which was applied under the name of this one, if any. */
  counterpart(object: RawObject): RawObject | undefined {
    return this.find(object.kind, namespaceOf(object), nameOf(object));
  }

  /** As it was before anybody applied this. */
  async takeBack(object: RawObject): Promise<void> {
    const before = this.counterpart(object);
    if (before) await this.api.applyAll([before]);
    else await this.api.remove(object);
  }

  ask(url: string, more: Partial<EdgeRequest> = {}): Promise<EdgeAnswer> {
    const { protocol, hostname, pathname } = new URL(url);
    const trusted = protocol === 'https:' ? { ca: authority } : {};
    return ask({ address: this.address, host: hostname, path: pathname, ...trusted, ...more });
  }

  /** The status and the body, which names the Service; or why there was no answer. */
  async answer(url: string): Promise<string> {
    try {
      const { status, body } = await this.ask(url);
      return `${status} ${body}`;
    } catch (error) {
      return `error ${(error as Error).message}`;
    }
  }

  async answers(urls: readonly string[]): Promise<Record<string, string>> {
    return Object.fromEntries(await Promise.all(urls.map(async (url) => [url, await this.answer(url)])));
  }

  /** All conditions in the status of an object, those of its listeners, parents and ancestors too, a line each. */
  async saidOf(object: RawObject): Promise<string> {
    const { status } = await this.api.get<{ status?: unknown }>(await this.api.pathOf(object));
    return conditionsIn(status)
      .map(({ type, status: is, reason, message }) => `${type}=${is} ${reason}: ${message}`)
      .join('\n');
  }
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function conditionsIn(value: unknown): Condition[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('type' in value && 'status' in value && 'message' in value) return [value as Condition];
  return Object.values(value).flatMap(conditionsIn);
}

/** What others live in goes first; what admission judges by what is there goes last. */
function rank(object: RawObject): number {
  if (object.kind === 'Namespace') return 0;
  const isOfTeams = String(object.apiVersion).startsWith('gateway.') && namespaceOf(object) !== 'infra';
  return isOfTeams && namespaceOf(object) !== undefined ? OF_TEAMS : 1;
}
const OF_TEAMS = 2;

/** The pod behind a Service of the fixture. */
function backendOf(name: string, namespace: string): RawObject[] {
  const labels = { app: name };
  const script = readFileSync(join(import.meta.dirname, 'backend.mjs'), 'utf8');
  const metadata = { name, namespace };
  const container = {
    name: 'backend',
    image: NODE,
    args: ['/backend/backend.mjs'],
    env: [{ name: 'NAME', value: name }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    securityContext: RESTRICTED,
    volumeMounts: [{ name: 'script', mountPath: '/backend' }],
  };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'backend.mjs': script } },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: {
        selector: { matchLabels: labels },
        replicas: 1,
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [container],
            volumes: [{ name: 'script', configMap: { name } }],
          },
        },
      },
    },
  ];
}
