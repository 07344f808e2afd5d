/** What a rule asks of requests before its filters run: from where their clients come, and how large their bodies are. */
import { parseAddress } from '../api/network.ts';
import { Networks } from '../match/networks.ts';
import type { MatchRequest } from '../match/request.ts';
import type { HttpRule } from '../snapshot/snapshot.ts';

type Bounds = Pick<HttpRule, 'allow' | 'maxRequestBytes'>;

/** An answer of the gateway. */
export interface Refused {
  readonly status: 403 | 413;
  readonly reason: string;
}

/** @param client its address; undefined where it is not known: then it is taken for one that may come, if any may */
export function refusedAtOnce(
  { allow, maxRequestBytes }: Bounds,
  request: MatchRequest,
  client: string | undefined,
): Refused | undefined {
  if (allow?.length === 0) return { status: 403, reason: 'it takes no requests from anywhere' };
  if (allow && client !== undefined && !isFrom(allow, client)) {
    return { status: 403, reason: `it takes no requests from ${client}` };
  }
  const length = Number(request.header('content-length') ?? 0);
  return maxRequestBytes !== undefined && length > maxRequestBytes
    ? { status: 413, reason: `a body of ${length} bytes is more than it takes` }
    : undefined;
}

function isFrom(allow: readonly string[], client: string): boolean {
  const address = parseAddress(client);
  return address !== undefined && new Networks(allow).has(address);
}

/** Networks that are named; more are counted. */
const SHOWN = 8;

/** `clients from 10.0.0.0/8 and fd00::/8; others get 403`, `a body of at most 1024 bytes, or 413`. */
export function boundsInWords({ allow, maxRequestBytes }: Bounds): string[] {
  return [
    ...(allow === undefined ? [] : [clientsFrom(allow)]),
    ...(maxRequestBytes === undefined ? [] : [`a body of at most ${maxRequestBytes} bytes, or 413`]),
  ];
}

function clientsFrom(allow: readonly string[]): string {
  if (allow.length === 0) return 'clients from nowhere; all get 403';
  const rest = allow.length - SHOWN;
  const shown = rest > 0 ? [...allow.slice(0, SHOWN), `${rest} more networks`] : [...allow];
  const last = shown.pop();
  const names = shown.length > 0 ? `${shown.join(', ')} and ${last}` : last;
  return `clients from ${names}; others get 403`;
}
