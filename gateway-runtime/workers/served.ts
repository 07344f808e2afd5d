/**
 * What workers serve, as plain data, so that one that comes later can be given all of it. Each state is a value of its own: one that is
 * on its way to a worker is not touched by the next.
 */
import type { AgentUpdate } from '../proxy/agent.ts';
import {
  certificatesOf,
  type GatewayId,
  type Resource,
  type ResourceKey,
  type Snapshot,
  type SnapshotDelta,
} from '../snapshot/snapshot.ts';
import type { UpdateField } from './messages.ts';

/** Maps of all that came, and plain values as they last came. */
type Fields = Readonly<Partial<Record<UpdateField, unknown>>>;

export class Served {
  readonly gateway: GatewayId;
  /** Of the snapshot; empty before the first. */
  readonly version: string;
  readonly resources: ReadonlyMap<ResourceKey, Resource>;
  readonly #fields: Fields;
  #snapshot: Snapshot | undefined;

  private constructor(
    gateway: GatewayId,
    version: string,
    resources: ReadonlyMap<ResourceKey, Resource>,
    fields: Fields,
  ) {
    this.gateway = gateway;
    this.version = version;
    this.resources = resources;
    this.#fields = fields;
  }

  static nothing(gateway: GatewayId): Served {
    return new Served(gateway, '', new Map(), {});
  }

  get snapshot(): Snapshot | undefined {
    if (!this.version) return undefined;
    this.#snapshot ??= {
      gateway: this.gateway,
      version: this.version,
      resources: [...this.resources.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    };
    return this.#snapshot;
  }

  /** All of it, for a worker that has nothing. */
  get whole(): AgentUpdate {
    const delta = this.version
      ? { delta: { gateway: this.gateway, to: this.version, put: [...this.resources.values()], remove: [] } }
      : {};
    return { ...delta, ...this.#fields } as AgentUpdate;
  }

  /** Listener ports of the Gateway. */
  get ports(): number[] {
    const ports = new Set<number>();
    for (const each of this.resources.values()) if (each.type === 'listener') ports.add(each.port);
    return [...ports];
  }

  after({ delta, ...fields }: AgentUpdate): Served {
    const resources = delta ? resourcesAfter(this.resources, delta) : this.resources;
    const next: Record<string, unknown> = { ...this.#fields };
    for (const [field, value] of Object.entries(fields)) {
      next[field] = value instanceof Map ? merged(next[field] as AnyMap | undefined, value) : value;
    }
    if (delta) forgetUnreferenced(next, resources);
    return new Served(this.gateway, delta?.to ?? this.version, resources, next as Fields);
  }
}

type AnyMap = ReadonlyMap<string, unknown>;

function merged(before: AnyMap | undefined, changes: AnyMap): AnyMap {
  const map = new Map(before);
  for (const [key, value] of changes) {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
  return map;
}

function resourcesAfter(before: ReadonlyMap<ResourceKey, Resource>, { from, put, remove }: SnapshotDelta) {
  const resources = new Map(from === undefined ? [] : before);
  for (const key of remove) resources.delete(key);
  for (const each of put) resources.set(each.key, each);
  return resources;
}

/** As the agents do: endpoints and certificates are kept as long as the snapshot refers to them. Keys least of all stay longer. */
function forgetUnreferenced(
  fields: Record<string, unknown>,
  resources: ReadonlyMap<ResourceKey, Resource>,
): void {
  const { endpoints, certificates } = fields as Record<string, AnyMap | undefined>;
  if (endpoints) fields.endpoints = only(endpoints, (key) => resources.has(key as ResourceKey));
  if (!certificates) return;
  const named = new Set<string>();
  for (const each of resources.values()) {
    for (const id of certificatesOf(each)) named.add(id);
  }
  fields.certificates = only(certificates, (id) => named.has(id));
}

const only = (map: AnyMap, holds: (key: string) => boolean) =>
  new Map([...map].filter(([key]) => holds(key)));
