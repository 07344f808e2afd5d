/**
 * The data plane of one Gateway: takes what the control side sends, compiles it, swaps it in and serves it. Whatever comes, the
 * last good configuration goes on serving.
 */
import { hostname } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { RegexEngine } from '../match/regex.ts';
import { Router } from '../match/router.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import {
  type Backend,
  type BackendEndpoints,
  type BackendKey,
  type CertificateBundle,
  type CertificateId,
  certificatesOf,
  type Endpoint,
  type GatewayId,
  gatewayKey,
  isRule,
  type Listener,
  type Resource,
  type ResourceKey,
  type Snapshot,
  type SnapshotDelta,
} from '../snapshot/snapshot.ts';
import { CaBundles } from './ca-bundles.ts';
import { ClientAuthorities, stricter } from './client-certificates.ts';
import type { Engine } from './engine.ts';
import { ENGINES, type EngineName } from './engines.ts';
import { LIMITS, type Limits } from './limits.ts';
import { Listeners, type SharedPortLookup } from './listeners.ts';
import { type CompiledRule, compileRule } from './pipeline/compiled-rule.ts';
import { ForwardingFields } from './pipeline/forwarding.ts';
import { pendingBounds } from './pipeline/pending.ts';
import { Pipeline } from './pipeline/pipeline.ts';
import { SessionKeys } from './sessions/session-keys.ts';
import type { GatewayMetrics } from './telemetry/gateway-metrics.ts';
import { MatchedNames } from './telemetry/matched-names.ts';
import { Metrics } from './telemetry/metrics.ts';
import { type ObserverOptions, observe } from './telemetry/observer.ts';
import { TicketKeys, ticketKeysOf } from './ticket-keys.ts';
import { Certificates, defaultTls, tlsOptions } from './tls.ts';
import { TlsRoutes } from './tls-routes/tls-routes.ts';
import { TlsBackends } from './upstream/tls-backends.ts';
import { Upstreams } from './upstream/upstreams.ts';

export interface AgentOptions extends ObserverOptions {
  readonly gateway: GatewayId;
  /** The address to listen on. Default: 127.0.0.1. */
  readonly address?: string;
  /** The port to bind for a listener port; 0 is any free one. Default: the listener port. */
  readonly bindPort?: (port: number) => number;
  /** In a worker: the ports that it shares with others, in place of `bindPort`. */
  readonly sharedPort?: SharedPortLookup;
  /** In a worker: those of all. Default: keys of its own, which it renews. */
  readonly ticketKeys?: Buffer;
  /** The port under which clients reach a listener port, for redirects. Default: the listener port. */
  readonly publicPort?: (port: number) => number;
  readonly regex: RegexEngine;
  /** What carries HTTP: the engine of this project, or the one on node:http. Default: `http1`. */
  readonly engine?: EngineName;
  /** Addresses and CIDRs of proxies in front, whose X-Forwarded fields are believed. Default: none. */
  readonly trustedHops?: readonly string[];
  /** X-Forwarded-Server. Default: the name of this host. */
  readonly serverName?: string;
  readonly metrics?: Metrics;
  /** Asked for a backend of the snapshot that has no endpoint. */
  readonly fallbackEndpoints?: (backend: Backend) => readonly Endpoint[];
  readonly limits?: Partial<Limits>;
  /** From 0 up to 1, for weights. Default: Math.random. */
  readonly random?: () => number;
}

/** Endpoints and certificates are kept as long as the snapshot refers to them; when it does again, they are to be sent again. */
export interface AgentUpdate {
  readonly delta?: SnapshotDelta;
  readonly endpoints?: ReadonlyMap<BackendKey, BackendEndpoints | undefined>;
  readonly certificates?: ReadonlyMap<CertificateId, CertificateBundle | undefined>;
  /** Keys for sessions, each 32 octets in base64url, the one for new sessions first: a credential, which all data planes of the Gateway share. */
  readonly sessionKeys?: readonly string[];
}

export interface AgentResult {
  /** False: nothing was changed, what served before goes on serving. */
  readonly accepted: boolean;
  /** Of the snapshot that serves now; empty before the first. */
  readonly version: string;
  /** What can't be served as asked, all of it as of now. */
  readonly diagnostics: readonly Diagnostic[];
}

export class Agent {
  readonly gateway: GatewayId;
  readonly #publicPort: (port: number) => number;
  readonly #allMetrics: Metrics;
  readonly #metrics: GatewayMetrics;
  readonly #matched = new MatchedNames();
  readonly #resources = new Map<ResourceKey, Resource>();
  readonly #upstreams: Upstreams;
  readonly #certificates = new Certificates();
  readonly #sessionKeys = new SessionKeys();
  readonly #caBundles = new CaBundles();
  readonly #tlsBackends: TlsBackends;
  readonly #pipeline: Pipeline;
  readonly #tlsRoutes: TlsRoutes;
  readonly #engine: Engine;
  readonly #authorities = new ClientAuthorities(this.#caBundles);
  readonly #listeners: Listeners;
  #version = '';
  #snapshot: Snapshot | undefined;
  #state: 'starting' | 'serving' | 'draining' = 'starting';
  readonly #ownTicketKeys: TicketKeys | undefined;
  #ticketKeys: Buffer;
  /** Updates are applied one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** Throws where an option is not valid. */
  constructor(options: AgentOptions) {
    const { gateway, metrics = new Metrics(), publicPort = (port) => port } = options;
    const limits = { ...LIMITS, ...options.limits };
    this.gateway = gateway;
    this.#publicPort = publicPort;
    this.#allMetrics = metrics;
    this.#metrics = metrics.gateway(gateway);
    const observer = observe(gateway, this.#metrics, this.#matched, options);
    const onError = (error: unknown) => observer.internalError(error);
    this.#tlsBackends = new TlsBackends(this.#caBundles, onError);
    this.#upstreams = new Upstreams({
      fallback: options.fallbackEndpoints,
      most: limits.connectionsPerEndpoint,
      onError,
    });
    this.#metrics.figures = () => this.#upstreams.figures();
    const router = Router.empty<CompiledRule>({
      regex: options.regex,
      compile: (rule, match) => compileRule(rule, match, publicPort, this.#sessionKeys),
    });
    const random = options.random ?? Math.random;
    this.#pipeline = new Pipeline(router, {
      upstreams: this.#upstreams,
      forwarding: new ForwardingFields(options.trustedHops ?? [], options.serverName ?? hostname()),
      observer,
      attempts: limits.attempts,
      pending: pendingBounds(limits),
      authorizationTime: limits.authorization,
      random,
      relieve: (backend, count, connections) => this.#engine.relieve?.(backend, count, connections),
    });
    if (!options.ticketKeys)
      this.#ownTicketKeys = new TicketKeys((keys) => this.setTicketKeys(keys), onError);
    this.#ticketKeys = options.ticketKeys ?? this.#ownTicketKeys!.current;
    this.#tlsRoutes = new TlsRoutes({
      upstreams: this.#upstreams,
      certificates: this.#certificates,
      listener: (port, serverName) => this.#pipeline.router.listener(port, serverName)?.listener,
      ticketKeys: () => this.#ticketKeys,
      observer,
      limits,
      random,
    });
    this.#engine = ENGINES[options.engine ?? 'http1'](this.#pipeline, limits);
    this.#listeners = new Listeners({
      gateway,
      engine: this.#engine,
      address: options.address ?? '127.0.0.1',
      bindPort: options.bindPort ?? ((port) => port),
      gate: this.#tlsRoutes.gate,
      tls: (port) =>
        tlsOptions({ ...this.#handshake(port), limits, protocols: this.#engine.protocols, onError }),
      ticketKeys: (port) => ticketKeysOf(this.#ticketKeys, port),
      drainTime: limits.drain,
      ...(options.sharedPort ? { sharedPort: options.sharedPort } : {}),
    });
  }

  /** Serves, and will go on: true from the first snapshot until drain. */
  get ready(): boolean {
    return this.#state === 'serving';
  }

  /** What serves now. */
  get snapshot(): Snapshot | undefined {
    if (!this.#version) return undefined;
    this.#snapshot ??= {
      gateway: this.gateway,
      version: this.#version,
      resources: [...this.#resources.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    };
    return this.#snapshot;
  }

  /** The port bound for a listener port of the Gateway. */
  boundPort(port: number): number | undefined {
    return this.#listeners.boundPort(port);
  }

  /** The port under which clients reach a listener port of the Gateway. */
  publicPort(port: number): number {
    return this.#publicPort(port);
  }

  /** Resolves when the listeners are bound and what was given serves. */
  apply(update: AgentUpdate): Promise<AgentResult> {
    const result = this.#last.then(() => this.#apply(update));
    this.#last = result.catch(() => {});
    return result;
  }

  /** For sessions of TLS from now on. */
  setTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys;
    this.#listeners.renewTicketKeys();
    this.#tlsRoutes.renewTicketKeys();
  }

  /**
   * Has clients leave of their own accord before a drain, which closes connections on which a request may be under way to us:
   * from now on answers say `Connection: close`. All else goes on as before.
   */
  retire(): void {
    this.#listeners.retire();
  }

  /** Stops accepting, lets requests in flight finish, at most for `limits.drain`. The agent is not used again. */
  drain(): Promise<void> {
    return this.#stop(() => this.#listeners.drain());
  }

  /** Resolves when others can have its ports, after `drain`. */
  async unbound(): Promise<void> {
    await this.#last;
    // Sockets are closed in the next turn of the event loop.
    await setImmediate();
  }

  /** Cuts everything. */
  close(): Promise<void> {
    return this.#stop(() => this.#listeners.close());
  }

  async #stop(stopListeners: () => Promise<void>): Promise<void> {
    this.#state = 'draining';
    await this.#last;
    await stopListeners();
    this.#engine.close();
    this.#ownTicketKeys?.close();
    this.#allMetrics.remove(this.#metrics);
  }

  async #apply({ delta, endpoints, certificates, sessionKeys }: AgentUpdate): Promise<AgentResult> {
    if (this.#state === 'draining') return this.#refuse('agent/draining', 'this data plane is stopping');
    const refusal = delta && this.#refusalOf(delta);
    if (refusal) return refusal;
    let router = this.#pipeline.router;
    let tlsTable = this.#tlsRoutes.table;
    try {
      if (delta) [router, tlsTable] = [router.with(delta), tlsTable.with(delta)];
    } catch (error) {
      return this.#refuse(
        'snapshot/not-compiled',
        `the snapshot can't be compiled: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (sessionKeys) this.#sessionKeys.replace(sessionKeys);
    for (const [id, bundle] of certificates ?? []) this.#certificates.put(id, bundle);
    for (const [key, found] of endpoints ?? []) this.#upstreams.putEndpoints(key, found);
    if (delta) {
      this.#tlsRoutes.table = tlsTable;
      this.#take(delta, router);
      this.#tlsRoutes.ports = this.#gatedPorts();
    }
    if (delta) this.#authorities.update(this.#ports());
    this.#setTransports();
    for (const [key] of endpoints ?? []) {
      this.#pipeline.roomAt(key);
      this.#tlsRoutes.roomAt(key);
    }
    if (delta) await this.#listeners.set(this.#ports());
    if (certificates || delta) this.#listeners.setDefaultTls((port) => defaultTls(this.#handshake(port)));
    if (delta && this.#state === 'starting') this.#state = 'serving';
    if (delta) this.#metrics.count('snapshot-accepted');
    return { accepted: true, version: this.#version, diagnostics: this.#diagnostics() };
  }

  #refusalOf(delta: SnapshotDelta): AgentResult | undefined {
    if (gatewayKey(delta.gateway) !== gatewayKey(this.gateway)) {
      return this.#refuse(
        'snapshot/other-gateway',
        `found a snapshot of the Gateway ${gatewayKey(delta.gateway)}, expected one of ${gatewayKey(this.gateway)}`,
      );
    }
    if (delta.from !== undefined && delta.from !== this.#version) {
      return this.#refuse(
        'snapshot/out-of-order',
        `found a difference from version ${delta.from}, expected one from ${this.#version || 'nothing'}; send the whole snapshot`,
      );
    }
    return undefined;
  }

  #refuse(code: string, message: string): AgentResult {
    this.#metrics.count('snapshot-refused');
    const { namespace, name } = this.gateway;
    const object = { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name };
    return {
      accepted: false,
      version: this.#version,
      diagnostics: [{ severity: 'error', code, object, message }, ...this.#diagnostics()],
    };
  }

  /** The swap. Nothing here waits or fails. */
  #take(delta: SnapshotDelta, router: Router<CompiledRule>): void {
    const put = new Set(delta.put.map(({ key }) => key));
    const gone = (delta.from === undefined ? [...this.#resources.keys()] : delta.remove).filter(
      (key) => !put.has(key),
    );
    const before = certificatesOfAll([...put, ...gone].map((key) => this.#resources.get(key)));
    for (const resource of delta.put) this.#put(resource);
    this.#pipeline.router = router;
    this.#version = delta.to;
    this.#snapshot = undefined;
    for (const key of gone) this.#remove(key);
    if (before.size === 0) return;
    const after = certificatesOfAll(this.#resources.values());
    for (const id of before) if (!after.has(id)) this.#certificates.put(id, undefined);
  }

  /** In the same turn as what demands it, so that no request goes another way. */
  #setTransports(): void {
    const identity = this.#resources.get('gateway-identity');
    this.#tlsBackends.client =
      identity?.type === 'gateway-identity' ? this.#certificates.bundle(identity.certificate) : undefined;
    for (const [key, transport] of this.#tlsBackends.take()) this.#upstreams.setTransport(key, transport);
  }

  #put(resource: Resource): void {
    this.#unmatch(this.#resources.get(resource.key));
    this.#resources.set(resource.key, resource);
    if (resource.type === 'backend') {
      this.#upstreams.putBackend(resource);
      this.#tlsBackends.put(resource);
    } else if (isRule(resource)) {
      this.#metrics.putRule(resource);
      if (resource.type === 'http-rule') this.#matched.put(resource);
    } else if (resource.type === 'listener') this.#metrics.putListener(resource);
    else if (resource.type === 'ca-bundle') {
      this.#caBundles.put(resource);
      this.#tlsBackends.bundleChanged(resource.key);
    }
  }

  #remove(key: ResourceKey): void {
    const resource = this.#resources.get(key);
    this.#resources.delete(key);
    this.#unmatch(resource);
    if (resource?.type === 'backend') {
      this.#upstreams.removeBackend(key);
      this.#tlsBackends.remove(key);
    } else if (resource && isRule(resource)) this.#metrics.removeRule(key);
    else if (resource?.type === 'listener') this.#metrics.removeListener(resource);
    else if (resource?.type === 'ca-bundle') {
      this.#caBundles.remove(key);
      this.#tlsBackends.bundleChanged(key);
    }
  }

  #unmatch(resource: Resource | undefined): void {
    if (resource?.type === 'http-rule') this.#matched.remove(resource);
  }

  /**
   * One listener per port, to speak for it: translate has refused ports whose listeners differ in whether they speak TLS, and gives all of a port the
   * same to ask of clients.
   */
  #ports(): Map<number, Listener> {
    const ports = new Map<number, Listener>();
    for (const resource of this.#resources.values()) {
      if (resource.type !== 'listener') continue;
      const known = ports.get(resource.port);
      ports.set(resource.port, known ? stricter(known, resource) : resource);
    }
    return ports;
  }

  /** Ports with a listener of protocol TLS, or one that takes TLS 1.3 only. */
  #gatedPorts(): ReadonlySet<number> {
    const ports = new Set<number>();
    for (const each of this.#resources.values()) {
      if (each.type !== 'listener') continue;
      if (each.protocol === 'TLS' || each.minTlsVersion === 'TLSv1.3') ports.add(each.port);
    }
    return ports;
  }

  #handshake(port: number) {
    return {
      certificates: this.#certificates,
      listener: (serverName: string) => {
        const listener = this.#pipeline.router.listener(port, serverName)?.listener;
        return listener?.protocol === 'HTTPS' ? listener : undefined;
      },
      demand: () => this.#authorities.demandOf(port),
    };
  }

  #diagnostics(): Diagnostic[] {
    return [
      ...this.#listeners.problems,
      ...this.#certificates.problems,
      ...this.#caBundles.problems,
      ...this.#pipeline.router.problems,
    ];
  }
}

function certificatesOfAll(resources: Iterable<Resource | undefined>): Set<CertificateId> {
  const ids = new Set<CertificateId>();
  for (const each of resources) if (each) for (const id of certificatesOf(each)) ids.add(id);
  return ids;
}
