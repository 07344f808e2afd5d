/** Whether a witness is one: both sides are asked by the reference matcher. */
import { evaluate } from '../match/reference.ts';
import type { HttpRule, Snapshot } from '../snapshot/snapshot.ts';
import type { Expressions } from './expressions.ts';
import type { GatewaySide } from './gateway-side.ts';
import { hostnamesFor } from './hosts.ts';
import type { Entry } from './rule-bucket.ts';
import type { Chain } from './rule-changes.ts';
import { asRead, type WitnessRequest } from './witness.ts';

/**
 * Whether `entry` serves the request on a side, or nothing does where it is undefined. Rules whose path is another can't, so the
 * matcher is not shown them: it walks through all that it is shown.
 */
export function isServedBy(
  entry: Entry | undefined,
  side: GatewaySide,
  chain: Chain,
  port: number,
  request: WitnessRequest,
  expressions: Expressions,
): boolean {
  const headers = new Map(request.headers.map(([name, value]) => [name, { value, expressions: [] }]));
  const path = { type: 'Exact', value: request.path } as const;
  const at = { path, pathExpressions: [], headers, query: new Map() };
  const rules = new Set<HttpRule>();
  for (const bucket of chain.buckets) for (const { rule } of bucket.meeting(at)) rules.add(rule);
  const byHostname = side.listeners(port);
  const listeners = hostnamesFor(request.host).flatMap((hostname) => byHostname.get(hostname) ?? []);
  const snapshot: Snapshot = {
    gateway: { namespace: '', name: '' },
    version: '',
    resources: [...listeners, ...rules],
  };
  const { winner } = evaluate(snapshot, { port }, asRead(request, port), expressions.engine);
  return winner?.rule === entry?.rule && winner?.match === entry?.match;
}
