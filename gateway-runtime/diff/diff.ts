/**
 * Which requests go another way with one set of snapshots than with another: exactly, over every host, path, method, header and query
 * parameter, and not by trying some. Expressions are known only by what they match, so where one decides, a change is possible until
 * a request is found that shows it.
 */
import type { RegexEngine } from '../match/regex.ts';
import { isRule, type RuleSource, type Snapshot } from '../snapshot/snapshot.ts';
import { GatewayComparison } from './compare-gateway.ts';
import { Expressions } from './expressions.ts';
import { type Region, SEVERITIES } from './region.ts';

export interface DiffOptions {
  readonly regex: RegexEngine;
  /** Whether the object itself changed, and not only what it refers to. By default as far as its rules tell. */
  readonly edited?: EditedRoutes;
}

export type EditedRoutes = (route: Pick<RuleSource, 'kind' | 'namespace' | 'name'>) => boolean;

/** By `namespace/name` of the Gateway, as in Translation. */
export type Snapshots = ReadonlyMap<string, Snapshot>;

/** The regions, the worst first. */
export function diff(before: Snapshots, after: Snapshots, options: DiffOptions): Region[] {
  const expressions = new Expressions(options.regex);
  const edited = options.edited ?? editedRules(before, after);
  const gateways = [...new Set([...before.keys(), ...after.keys()])].sort();
  return gateways
    .filter((key) => before.get(key)?.version !== after.get(key)?.version)
    .flatMap((key) =>
      new GatewayComparison(before.get(key), after.get(key), expressions, edited, options.edited).regions(),
    )
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** A route counts as changed where a rule of it came, went or became another. */
function editedRules(before: Snapshots, after: Snapshots): EditedRoutes {
  const was = ruleHashes(before);
  const is = ruleHashes(after);
  return ({ kind, namespace, name }) => {
    const route = `${kind}/${namespace}/${name}`;
    const one = was.get(route) ?? [];
    const other = new Set(is.get(route));
    return one.length !== other.size || one.some((hash) => !other.has(hash));
  };
}

function ruleHashes(snapshots: Snapshots): Map<string, string[]> {
  const hashes = new Map<string, Set<string>>();
  for (const { resources } of snapshots.values()) {
    for (const each of resources) {
      if (!isRule(each)) continue;
      const { kind, namespace, name } = each.source;
      const route = `${kind}/${namespace}/${name}`;
      const known = hashes.get(route);
      if (known) known.add(each.hash);
      else hashes.set(route, new Set([each.hash]));
    }
  }
  return new Map([...hashes].map(([route, each]) => [route, [...each]]));
}
