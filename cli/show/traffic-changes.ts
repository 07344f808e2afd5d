/** What an edit changed for requests: for each host and match, where it went before and where it goes now. */

import type { GatewayChange } from '../../gateway-runtime/control/loop.ts';
import { gatewayKey, type Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { routeRows } from './route-rows.ts';

export interface TrafficChange {
  readonly gateway: string;
  readonly host: string;
  readonly match: string;
  /** Undefined where no rule had this match before. */
  readonly before?: string;
  /** Undefined where no rule has this match any more. */
  readonly after?: string;
}

export function trafficChanges(changes: readonly GatewayChange[]): TrafficChange[] {
  return changes.flatMap(({ gateway, before, after }) => {
    const then = targets(before, after);
    const now = targets(after, before);
    const keys = [...then.keys(), ...[...now.keys()].filter((key) => !then.has(key))];
    return keys.flatMap((key) => {
      const [was, is] = [then.get(key), now.get(key)];
      if (was === is) return [];
      const [host, match] = key.split('\n') as [string, string];
      return [
        {
          gateway: gatewayKey(gateway),
          host,
          match,
          ...(was === undefined ? {} : { before: was }),
          ...(is === undefined ? {} : { after: is }),
        },
      ];
    });
  });
}

/** Of the rules that `other` does not have in the same form. */
function targets(snapshot: Snapshot | undefined, other: Snapshot | undefined): Map<string, string> {
  const found = new Map<string, string>();
  if (!snapshot) return found;
  const hashes = new Map(other?.resources.map((each) => [each.key, each.hash]));
  for (const { host, match, target } of routeRows(snapshot, (rule) => hashes.get(rule.key) !== rule.hash)) {
    const key = `${host}\n${match}`;
    const first = found.get(key);
    found.set(key, first && first !== target ? `${first} | ${target}` : target);
  }
  return found;
}
