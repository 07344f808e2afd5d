/** The difference between two snapshots, and its application: a set difference by key and hash. */
import { SetHash } from './canonical.ts';
import type { GatewayId, Resource, Snapshot, SnapshotDelta } from './snapshot.ts';

const byKey = (a: Resource, b: Resource) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** A snapshot of these resources, each with its hash set. */
export function snapshotOf(gateway: GatewayId, resources: Iterable<Resource>): Snapshot {
  const sorted = [...resources].sort(byKey);
  const version = new SetHash();
  for (const resource of sorted) version.add(resource.hash);
  return { gateway, version: version.toString(), resources: sorted };
}

export function difference(from: Snapshot | undefined, to: Snapshot): SnapshotDelta {
  if (!from) return { gateway: to.gateway, to: to.version, put: to.resources, remove: [] };
  const before = new Map(from.resources.map((resource) => [resource.key, resource]));
  const put: Resource[] = [];
  for (const resource of to.resources) {
    if (before.get(resource.key)?.hash !== resource.hash) put.push(resource);
    before.delete(resource.key);
  }
  return { gateway: to.gateway, from: from.version, to: to.version, put, remove: [...before.keys()] };
}

/** The snapshot after a delta. A delta made from another version than `from` gives undefined: ask for everything. */
export function applyDelta(from: Snapshot | undefined, delta: SnapshotDelta): Snapshot | undefined {
  if (delta.from !== undefined && delta.from !== from?.version) return undefined;
  const resources = new Map(
    delta.from === undefined ? [] : from!.resources.map((resource) => [resource.key, resource]),
  );
  for (const key of delta.remove) resources.delete(key);
  for (const resource of delta.put) resources.set(resource.key, resource);
  return snapshotOf(delta.gateway, resources.values());
}
