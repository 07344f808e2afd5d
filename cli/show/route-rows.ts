/** The routes of a Gateway as rows that people read: team, host, what is matched, where it goes. */
import { explainFilter } from '../../gateway-runtime/filters/index.ts';
import { shownValue } from '../../gateway-runtime/snapshot/credential.ts';
import {
  type BackendShare,
  type HttpMatch,
  isRule,
  type Listener,
  type PathMatch,
  type RouteRule,
  type Snapshot,
  type ValueMatch,
  type WeightedBackend,
} from '../../gateway-runtime/snapshot/snapshot.ts';

export interface RouteRow {
  readonly team: string;
  /** `*` is any. */
  readonly host: string;
  /** `/foo` exactly, `/cart/*` and `/cart`, `~ /v[0-9]+`; then method, headers and query. `TLS` for a TLSRoute. */
  readonly match: string;
  /** Where it goes, with shares and what filters do. */
  readonly target: string;
  readonly rule: RouteRule;
  /** Absent for a TLSRoute: the hostname is all that it asks for. */
  readonly condition?: HttpMatch;
  /** Listeners at which it is served, http first. */
  readonly listeners: readonly Listener[];
}

/** One row for each hostname and match of each rule (of those wanted); by team, then host, in the order of the routes. */
export function routeRows(snapshot: Snapshot, wanted: (rule: RouteRule) => boolean = () => true): RouteRow[] {
  const listeners = new Map(
    snapshot.resources.filter((each) => each.type === 'listener').map((listener) => [listener.key, listener]),
  );
  const rows = new Map<string, RouteRow>();
  for (const rule of snapshot.resources) {
    if (!isRule(rule) || !wanted(rule)) continue;
    const team = rule.source.team ?? rule.source.namespace;
    const target = targetText(rule);
    for (const host of new Set(rule.parents.flatMap(({ hostnames }) => hostnames))) {
      const at = rule.parents
        .filter(({ hostnames }) => hostnames.includes(host))
        .flatMap(({ listener }) => listeners.get(listener) ?? [])
        .sort((a, b) => a.protocol.length - b.protocol.length || a.port - b.port);
      const row = { team, host, target, rule, listeners: at };
      if (rule.type === 'tls-rule') rows.set(`${rule.key} ${host}`, { ...row, match: tlsText(at) });
      else {
        for (const [index, condition] of rule.matches.entries()) {
          rows.set(`${rule.key} ${index} ${host}`, { ...row, match: matchText(condition), condition });
        }
      }
    }
  }
  return [...rows.values()].sort((a, b) => compare(a.team, b.team) || compare(a.host, b.host));
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** A listener can pass connections through, and another terminate them. */
function tlsText(listeners: readonly Listener[]): string {
  const modes = new Set(
    listeners.map(({ tlsMode }) => (tlsMode === 'Passthrough' ? 'TLS' : 'TLS, terminated')),
  );
  return [...modes].join('; ') || 'TLS';
}

export function matchText({ path, method, headers, queryParams }: HttpMatch): string {
  return [
    pathText(path),
    ...(method ? [method] : []),
    ...headers.map((each) => valueText(each, ': ')),
    ...queryParams.map((each) => `?${valueText(each, '=')}`),
  ].join(' ');
}

function pathText({ type, value }: PathMatch): string {
  if (type === 'Exact') return value;
  if (type === 'RegularExpression') return `~ ${value}`;
  return value === '/' ? '/*' : `${value}/*`;
}

function valueText({ name, type, value }: ValueMatch, equals: string): string {
  const shown = shownValue(name, value);
  return type === 'Exact' ? `${name}${equals}${shown}` : `${name} ~ ${shown}`;
}

export function targetText(rule: RouteRule): string {
  if (rule.type === 'tls-rule') return backendsText(rule.backends, rule.source.namespace, 'closed');
  if (rule.refusal) return `500: ${rule.refusal}`;
  const filters = rule.filters.map(explainFilter).join(', ');
  if (rule.filters.some(({ type }) => type === 'RequestRedirect')) return filters;
  const backends = backendsText(rule.backends, rule.source.namespace);
  return filters ? `${backends} (${filters})` : backends;
}

/** @param refused what becomes of a share that has no backend */
function backendsText(
  backends: readonly (BackendShare & Partial<WeightedBackend>)[],
  namespace: string,
  refused = '500',
): string {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  if (backends.length === 0) return `${refused}: no backend`;
  if (total === 0) return `${refused}: all weights are 0`;
  return backends
    .filter(({ weight }) => weight > 0)
    .map((backend) => {
      const name = backend.unresolved
        ? `${refused} (${backend.unresolved.reason} ${shortName(backend.name, namespace)})`
        : shortName(backend.name, namespace);
      const filters = (backend.filters ?? []).map(explainFilter).join(', ');
      const share = backends.length === 1 ? '' : ` ${percent(backend.weight / total)}`;
      return `${name}${share}${filters ? ` (${filters})` : ''}`;
    })
    .join(', ');
}

/** `Service shop/cart:8080` is `cart:8080` to routes of the namespace shop. */
function shortName(name: string, namespace: string): string {
  const bare = name.replace(/^Service /, '');
  return bare.startsWith(`${namespace}/`) ? bare.slice(namespace.length + 1) : bare;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} %`;
}
