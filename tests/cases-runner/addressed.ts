/** Where a request of a case goes, worked out once for every layer. */
import {
  hostPort,
  normalizeAuthority,
  normalizeHost,
  normalizePath,
} from '../../gateway-runtime/match/normalize.ts';
import type { MatchRequest } from '../../gateway-runtime/match/request.ts';
import type { CaseRequest } from './case.ts';
import { keyOf, type Step } from './load.ts';

export interface Addressed {
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  /** The listener port. */
  readonly port: number;
  readonly tls: boolean;
  /** Server name of the TLS handshake; undefined for none. */
  readonly serverName: string | undefined;
  readonly hostHeader: string;
  /** As it stands in the request line: path with query. */
  readonly target: string;
}

const WELL_KNOWN = { http: 80, https: 443 } as const;

export function address(step: Step, { request, gateway, host, serverName }: CaseRequest): Addressed {
  const [, scheme, authority, target] = /^(https?):\/\/([^/?]*)(.*)$/s.exec(request.url)!;
  const port = hostPort(authority!) ?? WELL_KNOWN[scheme as 'http' | 'https'];
  const name = serverName ?? authority!.replace(/:\d+$/, '');
  return {
    gateway: gateway ?? onlyGateway(step),
    port,
    tls: scheme === 'https',
    serverName: scheme === 'http' || name === 'none' ? undefined : name,
    hostHeader: host ?? authority!,
    target: target || '/',
  };
}

function onlyGateway({ objects }: Step): string {
  const gateways = objects.filter((object) => object.kind === 'Gateway').map(keyOf);
  if (gateways.length === 1) return gateways[0]!.slice('Gateway/'.length);
  throw new Error(`the case has ${gateways.length} Gateways: each request must say which with gateway`);
}

/** What the matchers see of it, or why the proxy refuses it before it is matched. */
export function matchRequest(
  { hostHeader, target }: Addressed,
  { request, headers }: CaseRequest,
): MatchRequest | { readonly problem: string } {
  const host = normalizeHost(hostHeader);
  if (typeof host !== 'string') return host;
  const { path: rawPath, query } = splitTarget(target);
  const path = normalizePath(rawPath);
  if (typeof path !== 'string') return path;
  const values = new Map<string, string>();
  for (const [name, each] of headers ?? []) values.set(name.toLowerCase(), each.join(', '));
  values.set('host', normalizeAuthority(hostHeader, host));
  return { method: request.method, host, path, query, header: (name) => values.get(name) };
}

/** Path and query of a request target. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const [, path, query] = /^([^?]*)\??(.*)$/s.exec(target)!;
  return { path: path!, query: query! };
}
