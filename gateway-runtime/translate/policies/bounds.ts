/** The bounds of a place, from the policies over it: what no RoutePolicy there can say, whatever else routes say. */
import { type Bounds, MOST_LISTED } from '../../api/bounds.ts';
import { joinedNetworks } from '../../api/network-lists.ts';
import type { ResponseHeaders } from '../../api/policy-fields.ts';
import { named } from '../findings.ts';
import {
  type Amount,
  httpsRedirect,
  ipAllow,
  type Level,
  maxRequestBytesLimits,
  type Origin,
  redirectInWords,
  requestTimeoutLimits,
  responseHeaders,
  type Said,
} from './levels.ts';

export function boundsOf(levels: readonly Level[]): Bounds {
  const forced = levels.map(({ policy, overrides }) => ({ policy, ...(overrides ? { overrides } : {}) }));
  const bytes = maxRequestBytesLimits(levels).max;
  const { min, max } = requestTimeoutLimits(levels);
  const redirect = httpsRedirect(forced, []);
  const networks = networksOf(forced);
  const headers = headersOf(forced);
  return {
    ...(bytes ? { maxRequestBytes: { value: bytes.value.size, by: inWords(bytes.from) } } : {}),
    ...(min ? { minRequestTimeout: time(min) } : {}),
    ...(max ? { maxRequestTimeout: time(max) } : {}),
    ...(redirect
      ? { httpsRedirect: { values: [redirectInWords(redirect.value)], by: inWords(redirect.from[0]!.from) } }
      : {}),
    ...(networks ? { ipAllow: networks } : {}),
    ...(headers.length > 0 ? { responseHeaders: headers } : {}),
  };
}

const inWords = ({ policy, field }: Origin): string => `${named(policy!)} (${field})`;

const time = ({ value, from }: Said<Amount>) => ({ value: value.text, by: inWords(from) });

function networksOf(forced: readonly Level[]): Bounds['ipAllow'] {
  const held = ipAllow(forced, []);
  if (!held) return undefined;
  // Side by side they may be all of a network that none of them is.
  const values = joinedNetworks(held.value);
  const by = held.from.map(({ from }) => inWords(from)).join(' and ');
  return values.length <= MOST_LISTED ? { values, by } : undefined;
}

function headersOf(forced: readonly Level[]): NonNullable<Bounds['responseHeaders']> {
  const held = new Map<string, NonNullable<Bounds['responseHeaders']>[number]>();
  for (const { value, from } of responseHeaders(forced, [])?.after ?? []) {
    for (const [name, set] of forcedHeaders(value)) {
      const before = held.get(name);
      const values = set === undefined ? [] : [set];
      held.set(name, {
        name,
        values: before ? values.filter((each) => before.values.includes(each)) : values,
        removable: set === undefined && before?.removable !== false,
        by: before ? `${before.by} and ${inWords(from)}` : inWords(from),
      });
    }
  }
  return [...held.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By name, what a header is set to; undefined where it is removed, which is done last. */
function forcedHeaders({ set = [], remove = [] }: ResponseHeaders): Map<string, string | undefined> {
  return new Map<string, string | undefined>([
    ...set.map(({ name, value }) => [name.toLowerCase(), value] as const),
    ...remove.map((name) => [name.toLowerCase(), undefined] as const),
  ]);
}
