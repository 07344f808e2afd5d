/** What one Gateway's data planes are to have, as of now: kept up to date by changes, at the cost of the change. */
import { certificatesHash, endpointsHash } from '../distribution/content.ts';
import type { Order } from '../distribution/order.ts';
import {
  type BackendEndpoints,
  type BackendKey,
  type CertificateBundle,
  type CertificateId,
  certificatesOf,
  type GatewayId,
  type Resource,
  type ResourceKey,
  type SnapshotDelta,
} from '../snapshot/snapshot.ts';

/** Of all Gateways. */
export interface Sources {
  readonly endpoints: ReadonlyMap<BackendKey, BackendEndpoints>;
  readonly certificates: ReadonlyMap<CertificateId, CertificateBundle>;
}

/** What of the two streams beside the snapshot a change touches. */
export interface Touched {
  readonly endpoints: ReadonlySet<BackendKey>;
  readonly certificates: ReadonlySet<CertificateId>;
}

/** Steps back from which a data plane can be led by differences. Who is further behind gets everything. */
const STEPS = 64;

export class GatewayContent {
  readonly gateway: GatewayId;
  readonly #sources: Sources;
  readonly #resources = new Map<ResourceKey, Resource>();
  /** By how many resources it is named. */
  readonly #certificates = new Map<CertificateId, number>();
  /** The last deltas, each from the version to which the one before it led. */
  #steps: SnapshotDelta[] = [];
  #version = '';
  #order: Order | undefined;

  constructor(gateway: GatewayId, sources: Sources) {
    this.gateway = gateway;
    this.#sources = sources;
  }

  /** Of the snapshot; empty before the first. */
  get version(): string {
    return this.#version;
  }

  /** Undefined before the first snapshot. */
  get order(): Order | undefined {
    return this.#order;
  }

  /** The newest state has this place, whether it changed anything here or not. */
  set order(order: Order) {
    this.#order = order;
  }

  /** The delta starts from what is there, or replaces it. Gives what the Gateway uses now and did not before, or the reverse. */
  apply(delta: SnapshotDelta): Touched {
    const usedBackends = new Map<BackendKey, boolean>();
    const usedCertificates = new Map<CertificateId, boolean>();
    const count = (resource: Resource, by: 1 | -1) => {
      if (resource.type === 'backend') note(usedBackends, resource.key, by < 0);
      for (const id of certificatesOf(resource)) {
        note(usedCertificates, id, this.usesCertificate(id));
        const uses = (this.#certificates.get(id) ?? 0) + by;
        if (uses > 0) this.#certificates.set(id, uses);
        else this.#certificates.delete(id);
      }
    };
    const forget = (key: ResourceKey) => {
      const resource = this.#resources.get(key);
      if (!resource) return;
      count(resource, -1);
      this.#resources.delete(key);
    };
    if (delta.from === undefined) for (const key of [...this.#resources.keys()]) forget(key);
    for (const key of delta.remove) forget(key);
    for (const resource of delta.put) {
      forget(resource.key);
      count(resource, 1);
      this.#resources.set(resource.key, resource);
    }
    this.#remember(delta);
    this.#version = delta.to;
    return {
      endpoints: changed(usedBackends, (key) => this.usesBackend(key)),
      certificates: changed(usedCertificates, (id) => this.usesCertificate(id)),
    };
  }

  #remember(delta: SnapshotDelta): void {
    this.#steps = delta.from === undefined ? [] : [...this.#steps.slice(1 - STEPS), delta];
    // Steps that are longer than the way around are no use, and would keep what is gone.
    let size = this.#steps.reduce((sum, { put, remove }) => sum + put.length + remove.length, 0);
    while (size > this.#resources.size + STEPS) {
      const { put, remove } = this.#steps.shift()!;
      size -= put.length + remove.length;
    }
  }

  usesBackend(key: BackendKey): boolean {
    return this.#resources.get(key)?.type === 'backend';
  }

  usesCertificate(id: CertificateId): boolean {
    return this.#certificates.has(id);
  }

  /** From a version to the one of now: a difference where it is known, else everything. */
  deltaFrom(version: string | undefined): Pick<SnapshotDelta, 'from' | 'put' | 'remove'> {
    const first = this.#steps.findLastIndex(({ from }) => from === version);
    if (version === undefined || first < 0) return { put: [...this.#resources.values()], remove: [] };
    const touched = new Set<ResourceKey>();
    for (const { put, remove } of this.#steps.slice(first)) {
      for (const { key } of put) touched.add(key);
      for (const key of remove) touched.add(key);
    }
    const put: Resource[] = [];
    const remove: ResourceKey[] = [];
    for (const key of touched) {
      const resource = this.#resources.get(key);
      if (resource) put.push(resource);
      else remove.push(key);
    }
    return { from: version, put, remove };
  }

  endpointKeys(): BackendKey[] {
    return [...this.#resources.values()].filter(({ type }) => type === 'backend').map(({ key }) => key);
  }

  certificateIds(): CertificateId[] {
    return [...this.#certificates.keys()];
  }

  /** Undefined: the Gateway does not use it, or it is not there. */
  endpoints(key: BackendKey): BackendEndpoints | undefined {
    return this.usesBackend(key) ? this.#sources.endpoints.get(key) : undefined;
  }

  /** Undefined: nothing of the Gateway names it, or it is not there. The only way by which a key reaches a stream. */
  certificate(id: CertificateId): CertificateBundle | undefined {
    return this.usesCertificate(id) ? this.#sources.certificates.get(id) : undefined;
  }

  /** Hashes of the two streams beside the snapshot, as in Held. */
  hashes(): { readonly endpoints: string; readonly certificates: string } {
    return {
      endpoints: endpointsHash(present(this.endpointKeys(), (key) => this.endpoints(key))),
      certificates: certificatesHash(present(this.certificateIds(), (id) => this.certificate(id))),
    };
  }
}

function present<V>(keys: readonly string[], get: (key: string) => V | undefined): V[] {
  return keys.map(get).filter((each) => each !== undefined);
}

function note(before: Map<string, boolean>, key: string, used: boolean): void {
  if (!before.has(key)) before.set(key, used);
}

function changed(before: ReadonlyMap<string, boolean>, used: (key: string) => boolean): Set<string> {
  return new Set([...before].filter(([key, was]) => was !== used(key)).map(([key]) => key));
}
