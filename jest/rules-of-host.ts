/**
 * The part of a snapshot that can have to do with a host: what a request is answered with is the same as by the whole, and asking
 * takes a time that does not grow with the routes of others.
 */
import { ANY_HOST } from '../gateway-runtime/match/hostname.ts';
import { normalizeHost } from '../gateway-runtime/match/normalize.ts';
import type { HttpRule, Resource, Snapshot } from '../gateway-runtime/snapshot/snapshot.ts';

export class RulesOfHost {
  readonly #snapshot: Snapshot;
  readonly #rules = new Map<string, HttpRule[]>();
  readonly #backends = new Map<string, Resource>();
  /** Neither rules of HTTP nor backends: of these there are few. */
  readonly #others: Resource[] = [];
  readonly #parts = new Map<string, Snapshot>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    for (const each of snapshot.resources) {
      if (each.type === 'backend') this.#backends.set(each.key, each);
      else if (each.type !== 'http-rule') this.#others.push(each);
      else {
        for (const hostname of new Set(each.parents.flatMap(({ hostnames }) => hostnames))) {
          const known = this.#rules.get(hostname);
          if (known) known.push(each);
          else this.#rules.set(hostname, [each]);
        }
      }
    }
  }

  /** `host` need not be canonical. */
  of(host: string): Snapshot {
    const canonical = normalizeHost(host);
    if (typeof canonical !== 'string') return this.#snapshot;
    const known = this.#parts.get(canonical);
    if (known) return known;
    const rules = new Set(hostnamesOf(canonical).flatMap((hostname) => this.#rules.get(hostname) ?? []));
    const backends = new Set(
      [...rules].flatMap((rule) =>
        rule.backends.flatMap(({ backend = '' }) => this.#backends.get(backend) ?? []),
      ),
    );
    // Connections of TLSRoutes ask for backends of any kind of rule.
    const hasTls = this.#others.some(({ type }) => type === 'tls-rule');
    const resources = [...this.#others, ...rules, ...(hasTls ? this.#backends.values() : backends)];
    const part = { ...this.#snapshot, resources: resources.sort((a, b) => (a.key < b.key ? -1 : 1)) };
    this.#parts.set(canonical, part);
    return part;
  }
}

/** All that match a host: itself, wildcards above it, any. */
function hostnamesOf(host: string): string[] {
  const hostnames = [host];
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    hostnames.push(`*${host.slice(dot)}`);
  }
  return [...hostnames, ANY_HOST];
}
