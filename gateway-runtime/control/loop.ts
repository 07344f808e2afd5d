/**
 * From changed objects to changed traffic, in one process: the translator, one data plane (Agent) for each Gateway, and what a
 * cluster would provide around them: ports, and addresses for Services that run nowhere near. Whatever the new configuration
 * is, the last good one keeps serving. Reads nothing itself: sources hand their changes in.
 */

import { randomBytes } from 'node:crypto';
import { refOf } from '../api/kinds.ts';
import type { RawObject } from '../api/object.ts';
import { EchoBackends } from '../echo/echo.ts';
import type { RegexEngine } from '../match/regex.ts';
import { Agent } from '../proxy/agent.ts';
import type { Metrics } from '../proxy/telemetry/metrics.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { difference } from '../snapshot/difference.ts';
import {
  type Backend,
  type BackendEndpoints,
  type BackendKey,
  type CertificateBundle,
  type CertificateId,
  certificatesOf,
  type GatewayId,
  gatewayKey,
  type Snapshot,
  type SnapshotDelta,
} from '../snapshot/snapshot.ts';
import { translate } from '../translate/translate.ts';
import type { Change, Infrastructure, Translation, TranslationChange } from '../translate/translation.ts';
import { Translator } from '../translate/translator.ts';
import { Workers, type WorkersOptions } from '../workers/workers.ts';
import type { BackendMapping } from './backend-mapping.ts';
import type { PortPlan } from './port-plan.ts';
import { sessionKey } from './session-key.ts';

export interface LoopOptions {
  readonly regex: RegexEngine;
  /** As in TranslateOptions. */
  readonly classes: 'own' | 'any' | readonly string[];
  /** Where listeners are bound. */
  readonly address: string;
  readonly ports: PortPlan;
  /** These Service ports are reached as mapped, whatever endpoints they have. */
  readonly mappings: readonly BackendMapping[];
  /** Whether a Service with neither endpoints nor mapping gets an echo backend; without, requests for it get 503. */
  readonly echo: boolean;
  /** Addresses and CIDRs of proxies in front, whose X-Forwarded fields are believed. Default: none. */
  readonly trustedHops?: readonly string[];
  readonly metrics?: Metrics;
  /** Called with whole lines, without the last line end. */
  readonly accessLog?: (lines: string) => void;
  /** More than one: processes for each Gateway that share its ports. Default: this process serves. */
  readonly workers?: Pick<WorkersOptions, 'count' | 'program'> & {
    /** What became of a worker, as a sentence. */
    readonly onEvent: (gateway: GatewayId, message: string) => void;
  };
}

/** What serves one Gateway: within this process, or in workers. */
export type DataPlane = Agent | Workers;

/** What became of one Gateway. */
export interface GatewayChange {
  readonly gateway: GatewayId;
  /** What it served before; undefined where it is new. */
  readonly before?: Snapshot;
  /** What it serves now; undefined where it is gone. */
  readonly after?: Snapshot;
  /** Ports that can't be bound, certificates that can't be loaded, a snapshot that was refused. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface LoopChange {
  readonly gateways: readonly GatewayChange[];
  /** The translator's diagnostics of every object for which they changed, by object key. */
  readonly diagnostics: ReadonlyMap<string, readonly Diagnostic[]>;
}

interface Served {
  readonly gateway: GatewayId;
  readonly agent: DataPlane;
  /** It did not take what it was given last: with the next it gets that too. */
  isBehind: boolean;
  /** What its snapshot refers to. */
  backends: ReadonlyMap<BackendKey, Backend>;
  certificates: ReadonlySet<CertificateId>;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #translator: Translator;
  readonly #served = new Map<string, Served>();
  /** Of Gateways that are gone: they answer what they had begun. */
  readonly #leaving = new Set<DataPlane>();
  readonly #echo = new EchoBackends();
  /** For sessions: for as long as this process runs, whatever is edited meanwhile. */
  readonly #sessionSecret = randomBytes(32).toString('base64url');
  readonly #mapped: ReadonlyMap<BackendKey, BackendMapping>;
  /** Changes are applied one after the other, in the order in which they were handed in. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#translator = new Translator({ regex: options.regex, classes: options.classes });
    this.#mapped = new Map(options.mappings.map((mapping) => [mapping.backend, mapping]));
  }

  get translation(): Translation {
    return this.#translator.current;
  }

  /** By `namespace/name` of the Gateway. */
  get agents(): ReadonlyMap<string, DataPlane> {
    return new Map([...this.#served].map(([key, { agent }]) => [key, agent]));
  }

  /** Service ports that routes send to and that have neither endpoints nor a mapping: echoed, or 503. */
  get unreachable(): readonly Backend[] {
    return this.#unreachableOf(this.translation);
  }

  /** What `unreachable` would be with exactly these objects. Changes nothing, and translates them all. */
  unreachableWith(objects: readonly RawObject[]): readonly Backend[] {
    const { regex, classes } = this.#options;
    return this.#unreachableOf(translate(objects, { regex, classes }));
  }

  /** Whether a route of any Gateway sends to this Service port. */
  sendsTo(backend: BackendKey): boolean {
    return [...this.#served.values()].some(({ backends }) => backends.has(backend));
  }

  /** Resolves when the changes are live. */
  apply(changes: readonly Change[]): Promise<LoopChange> {
    const applied = this.#last.then(() => this.#apply(changes));
    this.#last = applied.catch(() => {});
    return applied;
  }

  /** Takes no new connections and answers what is in flight. */
  async drain(): Promise<void> {
    await this.#last;
    await Promise.all([...this.#served.values()].map(({ agent }) => agent.drain()));
  }

  async close(): Promise<void> {
    await this.#last;
    const agents = [...this.#leaving, ...[...this.#served.values()].map(({ agent }) => agent)];
    await Promise.all(agents.map((agent) => agent.close()));
    await this.#echo.close();
  }

  async #apply(changes: readonly Change[]): Promise<LoopChange> {
    const change = this.#translator.apply(changes);
    const gateways: GatewayChange[] = [];
    // First, so that a Gateway that was renamed finds its ports free.
    for (const key of change.removedGateways) gateways.push(await this.#remove(key));
    const planned = inOrderOf(changes, change.infrastructure);
    for (const { gateway, ports } of planned) {
      await this.#options.ports.plan(gateway, [...new Set(ports.map(({ port }) => port))]);
    }
    const deltas = new Map(change.deltas.map((delta) => [gatewayKey(delta.gateway), delta]));
    for (const [key, { gateway }] of deltas) if (!this.#served.has(key)) this.#serve(gateway);
    await this.#startEchoes(change);
    // As ports were planned: one that goes from a Gateway to another is given up before it is taken.
    for (const key of new Set([
      ...planned.map(({ gateway }) => gatewayKey(gateway)),
      ...this.#served.keys(),
    ])) {
      const served = this.#served.get(key);
      if (served) gateways.push(...(await this.#update(served, change, deltas)));
    }
    return { gateways, diagnostics: change.diagnostics };
  }

  #serve(gateway: GatewayId): void {
    const { regex, address, ports, trustedHops = [], metrics, accessLog, workers } = this.#options;
    const options = {
      gateway,
      address,
      bindPort: (port: number) => ports.local(gateway, port),
      publicPort: (port: number) => ports.local(gateway, port),
      trustedHops,
      fallbackEndpoints: (backend: Backend) => {
        const endpoint = this.#echo.endpoint(backend);
        return endpoint ? [endpoint] : [];
      },
      ...(metrics ? { metrics } : {}),
      ...(accessLog ? { accessLog } : {}),
    };
    const agent =
      workers && workers.count > 1
        ? new Workers({ ...options, ...workers, onEvent: (message) => workers.onEvent(gateway, message) })
        : new Agent({ ...options, regex });
    this.#served.set(gatewayKey(gateway), {
      gateway,
      agent,
      isBehind: false,
      backends: new Map(),
      certificates: new Set(),
    });
  }

  async #remove(key: string): Promise<GatewayChange> {
    const { gateway, agent } = this.#served.get(key)!;
    const before = agent.snapshot;
    this.#served.delete(key);
    this.#leaving.add(agent);
    void agent.drain().finally(() => this.#leaving.delete(agent));
    await agent.unbound();
    this.#options.ports.release(key);
    return { gateway, ...(before ? { before } : {}), diagnostics: [] };
  }

  /** Hands one agent its part of a change, if it has any. */
  async #update(
    served: Served,
    change: TranslationChange,
    deltas: ReadonlyMap<string, SnapshotDelta>,
  ): Promise<GatewayChange[]> {
    const { gateway, agent } = served;
    const key = gatewayKey(gateway);
    const before = agent.snapshot;
    let delta = deltas.get(key);
    // After a snapshot that was refused, the translator is ahead of the agent.
    if (served.isBehind || (delta && delta.from !== before?.version)) {
      delta = difference(before, this.translation.snapshots.get(key)!);
    }
    const endpoints = new Map<BackendKey, BackendEndpoints | undefined>();
    const certificates = new Map<CertificateId, CertificateBundle | undefined>();
    if (delta) {
      const { backends, certificates: ids } = referencesOf(this.translation.snapshots.get(key)!);
      // What this agent did not know before it gets whole, and nothing that it does not refer to: keys least of all.
      const known = served.isBehind ? NOTHING : served;
      for (const each of backends.keys()) {
        if (!known.backends.has(each)) endpoints.set(each, this.#endpointsOf(each));
      }
      for (const each of ids) {
        if (!known.certificates.has(each)) certificates.set(each, this.translation.certificates.get(each));
      }
      served.backends = backends;
      served.certificates = ids;
    }
    for (const each of change.endpoints.keys()) {
      if (served.backends.has(each)) endpoints.set(each, this.#endpointsOf(each));
    }
    for (const [id, bundle] of change.certificates) {
      if (served.certificates.has(id)) certificates.set(id, bundle);
    }
    if (!delta && endpoints.size === 0 && certificates.size === 0) return [];
    const told = await agent.apply({
      ...(delta ? { delta } : {}),
      // Once: what serves has them already.
      ...(before ? {} : { sessionKeys: [sessionKey(this.#sessionSecret, gateway)] }),
      endpoints,
      certificates,
    });
    served.isBehind = !told.accepted;
    // Ports are bound at the same time, and it is chance which of them fails first.
    const diagnostics = told.diagnostics.toSorted((a, b) => inOrder.compare(a.message, b.message));
    const after = agent.snapshot;
    return [{ gateway, ...(before ? { before } : {}), ...(after ? { after } : {}), diagnostics }];
  }

  #endpointsOf(backend: BackendKey): BackendEndpoints | undefined {
    const mapping = this.#mapped.get(backend);
    return mapping ? { backend, endpoints: [mapping.endpoint] } : this.translation.endpoints.get(backend);
  }

  #unreachableOf(translation: Translation): readonly Backend[] {
    const found = new Map<BackendKey, Backend>();
    for (const { resources } of translation.snapshots.values()) {
      for (const each of resources)
        if (each.type === 'backend' && this.#isUnreachable(each, translation)) found.set(each.key, each);
    }
    return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #isUnreachable({ key }: Backend, { endpoints } = this.translation): boolean {
    return !this.#mapped.has(key) && !endpoints.get(key)?.endpoints.length;
  }

  /** Before the agents hear of the backends, so that no request finds one without an address. */
  async #startEchoes(change: TranslationChange): Promise<void> {
    if (!this.#options.echo) return;
    const candidates = change.deltas.flatMap(({ put }) => put.filter((each) => each.type === 'backend'));
    for (const key of change.endpoints.keys()) {
      for (const { backends } of this.#served.values()) {
        const backend = backends.get(key);
        if (backend) candidates.push(backend);
      }
    }
    for (const each of candidates) {
      if (this.#isUnreachable(each)) await this.#echo.start(each);
    }
  }
}

const NOTHING: Pick<Served, 'backends' | 'certificates'> = { backends: new Map(), certificates: new Set() };

const inOrder = new Intl.Collator('en', { numeric: true });

/** As the sources wrote them, so that the Gateway that comes first there gets the ports that one would expect. */
function inOrderOf(
  changes: readonly Change[],
  infrastructure: ReadonlyMap<string, Infrastructure | undefined>,
): Infrastructure[] {
  const order = new Map<string, number>();
  for (const [index, change] of changes.entries()) {
    const { kind, namespace, name } = 'set' in change ? refOf(change.set) : change.remove;
    if (kind === 'Gateway') order.set(gatewayKey({ namespace, name }), index);
  }
  const rank = ({ gateway }: Infrastructure) => order.get(gatewayKey(gateway)) ?? -1;
  return [...infrastructure.values()].filter((each) => each !== undefined).sort((a, b) => rank(a) - rank(b));
}

function referencesOf(snapshot: Snapshot) {
  const backends = new Map<BackendKey, Backend>();
  const certificates = new Set<CertificateId>();
  for (const each of snapshot.resources) {
    if (each.type === 'backend') backends.set(each.key, each);
    for (const id of certificatesOf(each)) certificates.add(id);
  }
  return { backends, certificates };
}
