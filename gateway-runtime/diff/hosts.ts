/**
 * The hosts of a port as classes in which every host is served alike: each hostname that a listener or rule names, without the hosts of
 * the more specific ones. The class of `*.example.com` is what lies under it and has no hostname of its own.
 */
import { ANY_HOST, hostnameMatches } from '../match/hostname.ts';

/** The hostnames that take the hosts of a class, the most specific first: `a.b.c`, `*.b.c`, `*.c`, `*`. */
export function hostnamesFor(host: string): string[] {
  if (host === ANY_HOST) return [ANY_HOST];
  const hostnames = [host];
  const name = host.startsWith('*.') ? host.slice(2) : host;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    hostnames.push(`*${name.slice(dot)}`);
  }
  // What stands under `*.com` alone lies under no further one, and neither does `com` itself.
  hostnames.push(ANY_HOST);
  return hostnames;
}

export function mostSpecific<V>(
  byHostname: ReadonlyMap<string, V>,
  hostnames: readonly string[],
): V | undefined {
  for (const hostname of hostnames) {
    const found = byHostname.get(hostname);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A host of a class, where `classes` are all of the port. */
export function hostOf(host: string, classes: ReadonlySet<string>): string {
  if (host !== ANY_HOST && !host.startsWith('*.')) return host;
  for (let i = 0; ; i++) {
    const label = i === 0 ? 'www' : `www${i}`;
    const candidate =
      host === ANY_HOST ? (i === 0 ? 'any.example' : `any.example${i}`) : label + host.slice(1);
    const closest = hostnamesFor(candidate).find((each) => classes.has(each));
    if (closest === host) return candidate;
  }
}

/** Without those that lie within another: for people, who see what a wildcard takes along. */
export function widest(hosts: readonly string[]): string[] {
  return hosts.filter((host) => !hosts.some((other) => other !== host && hostnameMatches(other, host)));
}
