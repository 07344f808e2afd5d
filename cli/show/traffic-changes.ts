/** What an edit changed for requests, as `serve` tells it: with the ports that are bound here. */
import type { LoopChange } from '../../gateway-runtime/control/loop.ts';
import type { PortPlan } from '../../gateway-runtime/control/port-plan.ts';
import { diff } from '../../gateway-runtime/diff/diff.ts';
import { type OriginOf, type ReportedRegion, reported } from '../../gateway-runtime/diff/report.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { gatewayKey, type Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';

export function trafficChanges(
  { gateways }: Pick<LoopChange, 'gateways'>,
  { originOf, ports }: { readonly originOf: OriginOf; readonly ports: Pick<PortPlan, 'local'> },
): ReportedRegion[] {
  const before = new Map<string, Snapshot>();
  const after = new Map<string, Snapshot>();
  const ids = new Map(gateways.map(({ gateway }) => [gatewayKey(gateway), gateway]));
  for (const change of gateways) {
    const key = gatewayKey(change.gateway);
    if (change.before) before.set(key, change.before);
    if (change.after) after.set(key, change.after);
  }
  const publicPort = (gateway: string, port: number) => ports.local(ids.get(gateway)!, port);
  return diff(before, after, { regex: re2 }).map((each) =>
    reported(each, { before: originOf, after: originOf, publicPort }),
  );
}
