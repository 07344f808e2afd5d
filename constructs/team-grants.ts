import { isPortListener } from './route-kind.ts';
import type { TeamListeners } from './team-listeners.ts';

/** All grants of a gateway, by the grant itself and by what they cover. */
export class TeamGrants {
  readonly #all = new Map<unknown, TeamListeners>();
  readonly #ports = new Map<string, TeamListeners>();
  readonly #byHostname = new Map<string, Set<TeamListeners>>();
  /** For `b.example.com`: those with a hostname below it, such as `a.b.example.com`. */
  readonly #below = new Map<string, Set<TeamListeners>>();

  get all(): readonly TeamListeners[] {
    return [...this.#all.values()];
  }

  /** Undefined for what is no grant, or that of another gateway. */
  of(grant: unknown): TeamListeners | undefined {
    return this.#all.get(grant);
  }

  /** The first grant of a listener that has no hostnames. */
  holderOf(listener: string): TeamListeners | undefined {
    return this.#ports.get(listener);
  }

  add(listeners: TeamListeners): void {
    for (const name of listeners.grant.listeners as readonly string[]) {
      if (isPortListener(listeners.gateway._specs[name]!) && !this.#ports.has(name))
        this.#ports.set(name, listeners);
    }
    this.#all.set(listeners.grant, listeners);
    for (const hostname of listeners.grant.hostnames as readonly string[]) {
      insert(this.#byHostname, hostname, listeners);
      for (const suffix of suffixesOf(hostname)) insert(this.#below, suffix, listeners);
    }
  }

  /** Those that may have a hostname in common with this one, in the order of their making. Costs nothing for all others. */
  overlapping({ grant }: TeamListeners): TeamListeners[] {
    const near = new Set<TeamListeners>();
    const take = (some: Iterable<TeamListeners> = []) => {
      for (const each of some) near.add(each);
    };
    for (const hostname of grant.hostnames as readonly string[]) {
      take(this.#byHostname.get(hostname));
      for (const suffix of suffixesOf(hostname)) take(this.#byHostname.get(`*.${suffix}`));
      if (hostname.startsWith('*.')) take(this.#below.get(hostname.slice(2)));
    }
    return [...near];
  }
}

/** `b.example.com`, `example.com` and `com` for `a.b.example.com`; the same without the first for `*.b.example.com`. */
function suffixesOf(hostname: string): string[] {
  const labels = hostname.replace(/^\*\./, '').split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
}

function insert(map: Map<string, Set<TeamListeners>>, key: string, value: TeamListeners): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}
