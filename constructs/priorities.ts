/**
 * Priorities of rules. Gateway API has none: which of two rules takes a request follows from what they match, and between rules that tie, from
 * their order in one route. So a priority becomes the order in the route; across routes it is only checked, and refused where the API's own
 * order is another, or none.
 */
import type { IConstruct } from 'constructs';
import { isBelow } from '../gateway-runtime/grants/paths.ts';
import { hostnameMatches } from '../gateway-runtime/match/hostname.ts';
import { type Contender, decidingLine } from '../gateway-runtime/match/precedence.ts';
import type { HttpMatch } from '../gateway-runtime/snapshot/snapshot.ts';
import type { Finding } from './findings.ts';
import { type ApiMatch, conditionOf, contradict } from './sharding.ts';
import { PRIORITIZED, type SynthHooks } from './synth-hooks.ts';

/** A rule of a route, as far as priorities are about it. */
export interface Prioritized {
  /** The construct of its route. */
  readonly path: string;
  /** As messages name it, `spec.rules[0] (prefix /cart)`. */
  readonly text: string;
  readonly priority: number | undefined;
  readonly hostnames: readonly string[];
  /** The listeners that it attaches to. */
  readonly places: ReadonlySet<string>;
  readonly matches: readonly ApiMatch[];
}

/** The rules of a route. */
export interface PrioritizedRoute {
  /** Whether any of them has a priority. */
  readonly isUsed: boolean;
  readonly rules: () => readonly Prioritized[];
}

/** Rules in the order that their priorities say; those of one priority stay as they were written. */
export const inOrder = <Rule extends { readonly _priority: number | undefined }>(
  rules: readonly Rule[],
): Rule[] => [...rules].sort((a, b) => (b._priority ?? 0) - (a._priority ?? 0));

/** What the API decides otherwise than a priority says, or by what nobody wrote down. */
export function priorityFindings(root: IConstruct): Finding[] {
  const routes = root.node.findAll().flatMap((construct) => (construct as SynthHooks)[PRIORITIZED]?.() ?? []);
  if (!routes.some(({ isUsed }) => isUsed)) return [];
  const all = routes.flatMap(({ rules }) => rules());
  return all
    .filter(({ priority }) => priority !== undefined)
    .flatMap((own) =>
      all
        .filter((other) => isAboutBoth(own, other))
        .flatMap((other) => problem(own, other) ?? [])
        .map((message) => ({
          severity: 'error' as const,
          path: own.path,
          message: `${own.text}: ${message}`,
        })),
    );
}

/** Each pair once: from the rule that says more, and where both say something, from the one that is to go first. */
function isAboutBoth(own: Prioritized, other: Prioritized): boolean {
  const [mine, theirs] = [own.priority ?? 0, other.priority ?? 0];
  if (own === other || mine === theirs || (other.priority !== undefined && mine < theirs)) return false;
  return [...own.places].some((place) => other.places.has(place));
}

function problem(own: Prioritized, other: Prioritized): string | undefined {
  const [first, second] = (own.priority ?? 0) > (other.priority ?? 0) ? [own, other] : [other, own];
  for (const [hostname, otherHostname] of sharedHostnames(first, second)) {
    for (const match of first.matches) {
      for (const otherMatch of second.matches) {
        if (!couldMeet(match, otherMatch)) continue;
        const line = decidingLine(
          contender(first, match, hostname),
          contender(second, otherMatch, otherHostname),
        );
        const order = line?.compare(
          contender(first, match, hostname),
          contender(second, otherMatch, otherHostname),
        );
        if (line && GUARANTEED.has(line.id) && order! < 0) continue;
        // In one route what ties is served in order, and the order is that of the priorities.
        if (first.path === second.path && (!line || !BY_MATCH.has(line.id))) continue;
        const what = `priority ${own.priority} puts ${first === own ? 'it before' : 'it after'} ${other.text} of ${other.path}`;
        if (line && GUARANTEED.has(line.id))
          return `${what}, and on every gateway ${line.sentence}. Fix: match less there or more here, or leave the priority out`;
        if (line && BY_MATCH.has(line.id))
          return `${what}, and which of an expression and another path goes first is left to gateways. Fix: use exact() or prefix() in both`;
        return `${what}: they tie, and between routes the oldest goes first, which nobody wrote down. Fix: write both rules in one route, where priority is their order`;
      }
    }
  }
  return undefined;
}

/** What the API says of all gateways. */
const GUARANTEED = new Set([
  'hostname-without-wildcard',
  'hostname-length',
  'path-exact',
  'path-prefix-length',
  'method',
  'header-count',
  'query-count',
]);
/** What follows from the matches. */
const BY_MATCH = new Set([...GUARANTEED, 'path-expression', 'path-expression-length']);

/** Of each rule the hostname by which it takes a request, for requests that both could take. */
function sharedHostnames(a: Prioritized, b: Prioritized): [string, string][] {
  return a.hostnames.flatMap((own) =>
    b.hostnames
      .filter((other) => hostnameMatches(own, other) || hostnameMatches(other, own))
      .map((other): [string, string] => {
        const narrower = hostnameMatches(own, other) ? other : own;
        return [mostSpecific(a, narrower) ?? own, mostSpecific(b, narrower) ?? other];
      }),
  );
}

const mostSpecific = ({ hostnames }: Prioritized, hostname: string) =>
  hostnames
    .filter((each) => hostnameMatches(each, hostname))
    .sort((a, b) => Number(a.startsWith('*')) - Number(b.startsWith('*')) || b.length - a.length)[0];

/** Whether there may be a request that both match. */
function couldMeet(a: ApiMatch, b: ApiMatch): boolean {
  if (a.method !== undefined && b.method !== undefined && a.method !== b.method) return false;
  const [own, other] = [conditionOf(a), conditionOf(b)];
  return (
    pathsMeet(a.path, b.path) &&
    !contradict(own.headers, other.headers) &&
    !contradict(own.query, other.query)
  );
}

function pathsMeet(a: ApiMatch['path'], b: ApiMatch['path']): boolean {
  if (a.type === 'RegularExpression' || b.type === 'RegularExpression') return true;
  const [own, other] = [a, b].map(({ value }) => (value === '/' ? value : value.replace(/\/$/, ''))) as [
    string,
    string,
  ];
  if (a.type === 'Exact' && b.type === 'Exact') return a.value === b.value;
  if (a.type === 'Exact') return isBelow(a.value, other);
  if (b.type === 'Exact') return isBelow(b.value, own);
  return isBelow(own, other) || isBelow(other, own);
}

/** A match in the form of the comparator. Both sources are the same: only what is matched shall decide. */
function contender(
  { text }: Prioritized,
  { path, method, headers = [], queryParams = [] }: ApiMatch,
  hostname: string,
) {
  const match = { path, method, headers, queryParams } as unknown as HttpMatch;
  const source = { namespace: '', name: '', rule: 0 };
  return { rule: { key: text, matches: [match], source }, match: 0, hostname } as unknown as Contender;
}
