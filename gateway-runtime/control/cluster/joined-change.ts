/** Two changes that came one after the other, as one. */
import { gatewayKey, type SnapshotDelta } from '../../snapshot/snapshot.ts';
import type { TranslationChange } from '../../translate/translation.ts';

/** @param known the Gateways, by key, that were there before both */
export function joinedChange(
  first: TranslationChange,
  second: TranslationChange,
  known: ReadonlySet<string>,
): TranslationChange {
  const deltas = new Map(first.deltas.map((delta) => [gatewayKey(delta.gateway), delta]));
  const removed = new Set(first.removedGateways);
  for (const key of second.removedGateways) {
    removed.add(key);
    deltas.delete(key);
  }
  for (const delta of second.deltas) {
    const key = gatewayKey(delta.gateway);
    const before = deltas.get(key);
    const both = before ? joinedDelta(before, delta) : delta;
    if (both.from === both.to) deltas.delete(key);
    else deltas.set(key, both);
  }
  return {
    deltas: [...deltas.values()],
    // One that was removed and is there again has a delta without `from`, which replaces all that was there; of one that
    // came and went in between nobody has heard.
    removedGateways: [...removed].filter((key) => !deltas.has(key) && known.has(key)),
    statuses: joined(first.statuses, second.statuses),
    endpoints: joined(first.endpoints, second.endpoints),
    certificates: joined(first.certificates, second.certificates),
    secrets: joined(first.secrets, second.secrets),
    configMaps: joined(first.configMaps, second.configMaps),
    infrastructure: joined(first.infrastructure, second.infrastructure),
    diagnostics: joined(first.diagnostics, second.diagnostics),
  };
}

function joinedDelta(first: SnapshotDelta, second: SnapshotDelta): SnapshotDelta {
  // It stands for itself.
  if (second.from === undefined) return second;
  const put = new Map(first.put.map((resource) => [resource.key, resource]));
  const remove = new Set(first.remove);
  for (const key of second.remove) {
    put.delete(key);
    remove.add(key);
  }
  for (const resource of second.put) {
    put.set(resource.key, resource);
    remove.delete(resource.key);
  }
  const { gateway, from } = first;
  return {
    gateway,
    ...(from === undefined ? {} : { from }),
    to: second.to,
    put: [...put.values()],
    remove: [...remove],
  };
}

const joined = <K, V>(first: ReadonlyMap<K, V>, second: ReadonlyMap<K, V>): ReadonlyMap<K, V> =>
  second.size === 0 ? first : new Map([...first, ...second]);
