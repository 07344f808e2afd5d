/** What an edit changed for requests: for each host and match, where it went before and where it goes now. */

import type { GatewayChange } from '../../gateway-runtime/control/loop.ts';
import { gatewayKey, type Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { type RouteRow, routeRows } from './route-rows.ts';

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
      if (was && is && was.content === is.content) return [];
      // What is redacted reads the same.
      const isHidden = was !== undefined && is?.text === was.text;
      const [host, match] = key.split('\n') as [string, string];
      return [
        {
          gateway: gatewayKey(gateway),
          host,
          match,
          ...(was === undefined ? {} : { before: was.text }),
          ...(is === undefined ? {} : { after: isHidden ? `${is.text}, with another credential` : is.text }),
        },
      ];
    });
  });
}

interface Target {
  /** As it is shown, without credentials. */
  readonly text: string;
  /** All that the text is made of, credentials too: to compare, never to show. */
  readonly content: string;
}

/** Of the rules that `other` does not have in the same form. */
function targets(snapshot: Snapshot | undefined, other: Snapshot | undefined): Map<string, Target> {
  const found = new Map<string, Target>();
  if (!snapshot) return found;
  const hashes = new Map(other?.resources.map((each) => [each.key, each.hash]));
  for (const row of routeRows(snapshot, (rule) => hashes.get(rule.key) !== rule.hash)) {
    const key = `${row.host}\n${row.match}`;
    const first = found.get(key);
    const content = contentOf(row);
    if (!first) found.set(key, { text: row.target, content });
    else {
      found.set(key, {
        text: first.text === row.target ? row.target : `${first.text} | ${row.target}`,
        content: `${first.content}\n${content}`,
      });
    }
  }
  return found;
}

function contentOf({ target, condition, rule }: RouteRow): string {
  const { headers, queryParams } = condition;
  return JSON.stringify([
    target,
    headers,
    queryParams,
    rule.filters,
    rule.backends.map(({ filters }) => filters),
  ]);
}
