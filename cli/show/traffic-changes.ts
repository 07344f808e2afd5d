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
    const then = targets(before);
    const now = targets(after);
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

function targets(snapshot: Snapshot | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const { host, match, target } of snapshot ? routeRows(snapshot) : []) {
    const key = `${host}\n${match}`;
    const other = found.get(key);
    found.set(key, other && other !== target ? `${other} | ${target}` : target);
  }
  return found;
}
