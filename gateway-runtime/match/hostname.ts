/**
 * Hostnames of listeners and routes: `shop.example.com`, `*.example.com` (one or more labels in front of the rest), `*`
 * (any). Both sides are canonical (`normalizeHost`).
 */

/** Matches every host; what a listener or route without hostname has. */
export const ANY_HOST = '*';

/** Whether a host, or all that another hostname stands for, lies within a hostname. */
export function hostnameMatches(pattern: string, host: string): boolean {
  if (pattern === ANY_HOST || pattern === host) return true;
  // A suffix match: `*.example.com` takes test.example.com and foo.test.example.com, but not example.com.
  return pattern.startsWith('*.') && host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/**
 * Where a listener and a route agree: for each hostname of the route the narrower of the two, those that don't intersect left
 * out. No hostname on either side (undefined, an empty list) stands for any. Empty: the route can't attach to the listener.
 */
export function intersectHostnames(listener: string | undefined, route: readonly string[]): string[] {
  const within = listener ?? ANY_HOST;
  const agreed = new Set<string>();
  for (const hostname of route.length ? route : [ANY_HOST]) {
    if (hostnameMatches(within, hostname)) agreed.add(hostname);
    else if (hostnameMatches(hostname, within)) agreed.add(within);
  }
  return [...agreed];
}

/**
 * By specificity, for hostnames that match the same host: negative where `a` is more specific. Exact before wildcard, then the
 * longer one (HTTPRouteSpec.hostnames; for listeners GatewaySpec.listeners says the same in dots).
 */
export function compareHostnames(a: string, b: string): number {
  return nonWildcardCharacters(b) - nonWildcardCharacters(a) || hostnameCharacters(b) - hostnameCharacters(a);
}

/** "Characters in a matching non-wildcard hostname"; none for a wildcard. */
export function nonWildcardCharacters(hostname: string): number {
  return hostname.startsWith('*') ? 0 : hostname.length;
}

/** "Characters in a matching hostname"; none where the route names no hostname. */
export function hostnameCharacters(hostname: string): number {
  return hostname === ANY_HOST ? 0 : hostname.length;
}
