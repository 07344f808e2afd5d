/** The resources of one Gateway, put together from what its listeners and routes contribute, at the cost of the difference. */
import { contentHash, SetHash } from '../snapshot/canonical.ts';
import type { GatewayId, Resource, ResourceKey, Snapshot, SnapshotDelta } from '../snapshot/snapshot.ts';

const NO_PLACE = 'its status has no place left for this Gateway';

interface Contribution {
  readonly resource: Resource;
  count: number;
}

export class ResourceSet {
  readonly #gateway: GatewayId;
  /** Whether a policy, `namespace/name`, can't be served on this Gateway. */
  readonly #isLeftOut: (policy: string) => boolean;
  /** Equal contributions are counted. There are several of one key only while a change goes through. */
  readonly #contributions = new Map<ResourceKey, Contribution[]>();
  readonly #touched = new Set<ResourceKey>();
  readonly #published = new Map<ResourceKey, Resource>();
  readonly #hash = new SetHash();
  /** Version as last published; undefined before that. */
  #version: string | undefined;
  #snapshot: Snapshot | undefined;

  constructor(gateway: GatewayId, isLeftOut: (policy: string) => boolean) {
    this.#gateway = gateway;
    this.#isLeftOut = isLeftOut;
  }

  get isEmpty(): boolean {
    return this.#contributions.size === 0;
  }

  get isPublished(): boolean {
    return this.#version !== undefined;
  }

  add(resource: Resource): void {
    const contributions = this.#contributions.get(resource.key);
    const equal = contributions?.find((each) => each.resource.hash === resource.hash);
    if (equal) equal.count++;
    else if (contributions) contributions.push({ resource, count: 1 });
    else this.#contributions.set(resource.key, [{ resource, count: 1 }]);
    this.#touched.add(resource.key);
  }

  remove(resource: Resource): void {
    const contributions = this.#contributions.get(resource.key)!;
    const index = contributions.findIndex((each) => each.resource.hash === resource.hash);
    if (--contributions[index]!.count === 0) contributions.splice(index, 1);
    if (contributions.length === 0) this.#contributions.delete(resource.key);
    this.#touched.add(resource.key);
  }

  /** Whether the policy is left out has changed. */
  touchBackendsOf(policy: string): void {
    for (const [key, [first]] of this.#contributions) {
      if (first?.resource.type === 'backend' && first.resource.tls?.policy === policy) this.#touched.add(key);
    }
  }

  #asServed(resource: Resource | undefined): Resource | undefined {
    if (resource?.type !== 'backend' || !resource.tls || !this.#isLeftOut(resource.tls.policy)) {
      return resource;
    }
    const { hash: _, ...rest } = resource;
    const refused = { ...rest, tls: { ...resource.tls, refusal: NO_PLACE } };
    return { ...refused, hash: contentHash(refused) };
  }

  /** What changed since the last call; undefined where nothing did. */
  publish(): SnapshotDelta | undefined {
    const from = this.#version;
    const put: Resource[] = [];
    const remove: ResourceKey[] = [];
    for (const key of [...this.#touched].sort()) {
      const before = this.#published.get(key);
      const after = this.#asServed(this.#contributions.get(key)?.[0]?.resource);
      if (before?.hash === after?.hash) continue;
      if (before) this.#hash.remove(before.hash);
      if (after) {
        this.#hash.add(after.hash);
        this.#published.set(key, after);
        put.push(after);
      } else {
        this.#published.delete(key);
        remove.push(key);
      }
    }
    this.#touched.clear();
    if (from !== undefined && put.length === 0 && remove.length === 0) return undefined;
    this.#snapshot = undefined;
    this.#version = this.#hash.toString();
    return {
      gateway: this.#gateway,
      ...(from === undefined ? {} : { from }),
      to: this.#version,
      put,
      remove,
    };
  }

  /** As last published. */
  get snapshot(): Snapshot {
    this.#snapshot ??= {
      gateway: this.#gateway,
      version: this.#version ?? this.#hash.toString(),
      resources: [...this.#published.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    };
    return this.#snapshot;
  }
}
