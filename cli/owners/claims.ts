/** What more than one may use, and who. */
import { hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import type { Holding } from './holdings.ts';
import { isAtOrBelow, type Uses } from './used-by.ts';

/** A host and path that several have, none of whom gave it to the other. */
export interface Claim {
  readonly gateway: string;
  readonly host: string;
  readonly path: string;
  /** Teams, or namespaces in words; at least two. */
  readonly holders: readonly string[];
}

export function claimsOf(holdings: readonly Holding[], uses: Uses): Claim[] {
  const found = new Map<string, { claim: Claim; holders: Set<string> }>();
  const add = ({ gateway, host, path }: Omit<Claim, 'holders'>, ...holders: readonly string[]) => {
    const key = `${gateway} ${host} ${path}`;
    const known = found.get(key) ?? { claim: { gateway, host, path, holders: [] }, holders: new Set() };
    found.set(key, known);
    for (const each of holders) known.holders.add(each);
  };
  for (const sameHost of Map.groupBy(holdings, ({ gateway, host }) => `${gateway} ${host}`).values()) {
    for (const [index, one] of sameHost.entries()) {
      for (const other of sameHost.slice(0, index)) {
        const [upper, lower] = isAtOrBelow(one.path, other.path) ? [other, one] : [one, other];
        if (isClaimedByBoth(upper, lower)) add(lower, upper.holder, lower.holder);
      }
      // Whoever comes may have routes at an open listener; that two did is what somebody should know.
      if (one.isTeam) continue;
      for (const [host, namespaces] of uses.byHost(one))
        if (namespaces.size > 1) add({ ...one, host }, ...[...namespaces].map((each) => `namespace ${each}`));
    }
  }
  return [...found.values()].map(({ claim, holders }) => ({ ...claim, holders: [...holders].sort() }));
}

function isClaimedByBoth(upper: Holding, lower: Holding): boolean {
  if (upper.holder === lower.holder || !isAtOrBelow(lower.path, upper.path)) return false;
  const ports = new Set(upper.places.map(({ port }) => port));
  if (!lower.places.some(({ port }) => ports.has(port))) return false;
  return !upper.delegated.some(
    ({ path, hostnames }) =>
      isAtOrBelow(lower.path, path) && hostnames.some((each) => hostnameMatches(each, lower.host)),
  );
}

/** Holdings of others whose wildcard is around the host of this one: they have the rest. */
export function around(holding: Holding, all: readonly Holding[]): Holding[] {
  return all.filter(
    ({ gateway, host, path, holder }) =>
      gateway === holding.gateway &&
      holder !== holding.holder &&
      host.startsWith('*.') &&
      host !== holding.host &&
      isAtOrBelow(holding.path, path) &&
      hostnameMatches(host, holding.host),
  );
}
