/** Which routes use what was granted. */
import { GATEWAY_GROUP } from '../../gateway-runtime/api/names.ts';
import type { ObjectRef } from '../../gateway-runtime/api/object.ts';
import { hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import { isRule, type RouteRule, type Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { Holding } from './holdings.ts';

/** Whether a path lies at another one or below it, by segments. */
export const isAtOrBelow = (path: string, above: string): boolean =>
  above === '/' || path === above || path.startsWith(`${above}/`);

/** A route at a host of a Gateway. */
interface Use {
  readonly rule: RouteRule;
  readonly hostnames: readonly string[];
}

/** The rules of some Gateways, by the listeners that they are at. */
export class Uses {
  readonly #at = new Map<string, Use[]>();

  constructor(snapshots: Iterable<Snapshot>) {
    for (const { resources } of snapshots) {
      for (const rule of resources) {
        if (!isRule(rule)) continue;
        for (const { listener, hostnames } of rule.parents) {
          const known = this.#at.get(listener);
          if (known) known.push({ rule, hostnames });
          else this.#at.set(listener, [{ rule, hostnames }]);
        }
      }
    }
  }

  /** The routes that have a rule there, by key; each once. */
  of({ places, namespaces, host, path }: Holding): ObjectRef[] {
    const routes = new Map<string, ObjectRef>();
    for (const { key } of places) {
      for (const { rule, hostnames } of this.#at.get(key) ?? []) {
        const { kind, namespace, name } = rule.source;
        if (namespaces && !namespaces.includes(namespace)) continue;
        if (!hostnames.some((each) => hostnameMatches(host, each)) || !hasPath(rule, path)) continue;
        routes.set(`${kind}/${namespace}/${name}`, {
          group: GATEWAY_GROUP,
          kind,
          namespace,
          name,
        });
      }
    }
    return [...routes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref);
  }

  /** The namespaces that have routes there, by the hostname that they use. */
  byHost({ places }: Holding): Map<string, Set<string>> {
    const hosts = new Map<string, Set<string>>();
    for (const { rule, hostnames } of places.flatMap(({ key }) => this.#at.get(key) ?? [])) {
      for (const host of hostnames) {
        const known = hosts.get(host);
        if (known) known.add(rule.source.namespace);
        else hosts.set(host, new Set([rule.source.namespace]));
      }
    }
    return hosts;
  }
}

/** Of an expression nobody knows which paths it matches: it counts wherever its team may have it. */
const hasPath = (rule: RouteRule, path: string): boolean =>
  rule.type === 'tls-rule' ||
  rule.matches.some(({ path: { type, value } }) => type === 'RegularExpression' || isAtOrBelow(value, path));
