/** `/snapshot`: what is served, as it may be shown. */
import { gatewayKey, type Snapshot } from '../snapshot/snapshot.ts';
import { redactSnapshot } from './redact.ts';
import { type AdminAnswer, json, text } from './server.ts';

/** All of them without credentials, or the one that is named. */
export function snapshotAnswer(snapshots: readonly Snapshot[], named: string | null): AdminAnswer {
  if (named === null) return json(snapshots.map(redactSnapshot));
  const found = snapshots.find(({ gateway }) => gatewayKey(gateway) === named);
  if (found) return json(redactSnapshot(found));
  const known = snapshots.map(({ gateway }) => gatewayKey(gateway)).join(', ');
  return text(404, `404: no such Gateway is served; served are: ${known || 'none'}`);
}
