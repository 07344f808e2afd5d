/**
 * Two configurations of a Gateway, of which the second is the first after some edits, and what a comparison of them must hold to: every
 * witness is answered in another way on each side, and what random requests show differs within the regions and nowhere else.
 */
import fc from 'fast-check';
import type { Conjunction, Wanted } from '../../gateway-runtime/diff/conjunction.ts';
import { diff } from '../../gateway-runtime/diff/diff.ts';
import type { Region, Witness } from '../../gateway-runtime/diff/region.ts';
import { explain } from '../../gateway-runtime/explain/explain.ts';
import type { Explanation } from '../../gateway-runtime/explain/explanation.ts';
import { ANY_HOST, compareHostnames, hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import { evaluate } from '../../gateway-runtime/match/reference.ts';
import type { MatchRequest } from '../../gateway-runtime/match/request.ts';
import { contentHash } from '../../gateway-runtime/snapshot/canonical.ts';
import { snapshotOf } from '../../gateway-runtime/snapshot/difference.ts';
import {
  type FilterConfig,
  gatewayKey,
  type HttpMatch,
  type HttpRule,
  type Resource,
  type Snapshot,
  type WeightedBackend,
} from '../../gateway-runtime/snapshot/snapshot.ts';
import {
  editCase,
  edited,
  type GatewayCase,
  gatewayCase,
  type RequestCase,
  requestCase,
  requestOf,
  snapshotOfCase,
} from './generators-match.ts';
import { regex } from './regex-once.ts';

export interface Pair {
  readonly before: Snapshot;
  readonly after: Snapshot;
}

type Behaviour = Partial<
  Pick<
    HttpRule,
    'backends' | 'filters' | 'timeouts' | 'retry' | 'session' | 'refusal' | 'allow' | 'maxRequestBytes'
  >
>;

const to = (service: string, weight = 1, filters: readonly FilterConfig[] = []): WeightedBackend => ({
  weight,
  name: `Service shop/${service}:80`,
  backend: `backend/shop/${service}/80`,
  filters,
});
const replaced = (type: string, rest: object = {}): FilterConfig => ({
  type,
  config: { ...rest, path: { type: 'prefix', path: '/new' } },
});

/** What rules do with what they take: some of it the same, written in another way. */
const BEHAVIOURS: readonly Behaviour[] = [
  { backends: [to('cart')] },
  { backends: [to('cart', 7)] },
  { backends: [to('cart'), to('next')] },
  { backends: [to('next', 5), to('cart', 5)] },
  { backends: [to('cart', 3), to('next')] },
  { backends: [to('next')] },
  { backends: [to('cart')], timeouts: { request: 1000 } },
  { backends: [to('cart')], allow: ['10.0.0.0/8'] },
  { backends: [to('cart')], allow: ['10.0.0.0/8', '192.0.2.0/24'], maxRequestBytes: 100 },
  { backends: [to('next')], allow: [] },
  { backends: [to('cart')], retry: { codes: [503], attempts: 1, backoff: 0 } },
  { backends: [to('cart')], session: { type: 'Cookie' } },
  { backends: [to('cart')], filters: [replaced('URLRewrite')] },
  { filters: [replaced('RequestRedirect', { status: 302 })] },
  { filters: [{ type: 'RequestRedirect', config: { status: 301, hostname: 'b.a.com' } }] },
  { backends: [] },
  { refusal: 'the filter X is not served' },
  { backends: [to('cart'), { ...to('gone'), unresolved: { reason: 'BackendNotFound', message: 'no' } }] },
];

const replaces = ({ filters = [] }: Behaviour) => JSON.stringify(filters).includes('"prefix"');

function withBehaviours(snapshot: Snapshot, choose: (key: string) => number): Snapshot {
  return snapshotOf(
    snapshot.gateway,
    snapshot.resources.map((each): Resource => {
      if (each.type !== 'http-rule') return each;
      // Translate refuses to replace a prefix where there is none.
      const hasPrefix = each.matches.every(({ path }) => path.type === 'PathPrefix');
      const behaviours = hasPrefix ? BEHAVIOURS : BEHAVIOURS.filter((behaviour) => !replaces(behaviour));
      const behaviour = behaviours[choose(each.key) % behaviours.length]!;
      const { hash: _, ...rule } = { ...each, ...behaviour };
      const backends = rule.backends.map(({ unresolved, ...backend }): WeightedBackend => {
        const { backend: key, ...rest } = backend;
        return unresolved ? { ...rest, unresolved } : { ...rest, backend: key! };
      });
      const made = { ...rule, backends };
      return { ...made, hash: contentHash(made) };
    }),
  );
}

export const chosen = (seed: number) => (key: string) =>
  Number.parseInt(contentHash([seed, key]).slice(0, 6), 16);

/** Few behaviours, so that many edits make no difference; all of them, so that each kind meets each. */
export const pairCase: fc.Arbitrary<Pair> = fc
  .record({
    first: gatewayCase,
    edits: fc.array(editCase, { minLength: 0, maxLength: 3, size: 'max' }),
    seed: fc.nat(1000),
    /** Rules whose behaviour is another after. */
    reseeded: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ first, edits, seed, reseeded }) => {
    const second = edits.reduce((gateway: GatewayCase, edit) => edited(gateway, edit), first);
    const before = chosen(seed);
    const other = chosen(seed + 5000);
    return {
      before: withBehaviours(snapshotOfCase(first), before),
      after: withBehaviours(snapshotOfCase(second), (key) =>
        before(`${key}?`) % 8 < reseeded ? other(key) : before(key),
      ),
    };
  });

export { requestCase };

const mapOf = (snapshot: Snapshot) => new Map([[gatewayKey(snapshot.gateway), snapshot]]);

export const regionsOf = ({ before, after }: Pair): Region[] => diff(mapOf(before), mapOf(after), { regex });

/** All of an answer that a client or backend could tell from another; every way of not being served is one. */
export function answerTo(
  snapshot: Snapshot,
  request: MatchRequest,
  port: number,
  serverName?: string,
): string {
  const at = serverName === undefined ? { port } : { port, serverName };
  const answer: Explanation = explain(snapshot, at, request, regex);
  if (answer.matches.every(({ outcome }) => outcome !== 'serves')) return 'not served';
  const { status, filters, reply, forwarded, limits, session } = answer;
  const { listener, winner } = evaluate(snapshot, at, request, regex);
  const newer = listener?.minTlsVersion === 'TLSv1.3' ? 'TLS 1.3, ' : '';
  if (status === 403) return `${newer}403`;
  if (status === 500 && !reply) {
    // Nothing of a rule is done that is refused; edits of requests that nobody gets are shown to nobody.
    const shown = winner?.rule.refusal === undefined ? filters : [];
    return `${newer}500 ${shown.filter((each) => !EDITS_OF_REQUESTS.test(each))}`;
  }
  const shares = new Map<string, number>();
  for (const { name, weight, unresolved, filters: own } of answer.backends) {
    const key = unresolved ? '500' : `${name} ${own.join()}`;
    if (weight > 0) shares.set(key, (shares.get(key) ?? 0) + weight);
  }
  const total = [...shares.values()].reduce((sum, weight) => sum + weight, 0);
  const backends = [...shares].map(([key, weight]) => `${key} ${(weight / total).toFixed(6)}`).sort();
  return newer + JSON.stringify({ status, filters, reply, forwarded, limits, session, backends });
}

/** Any client speaks TLS 1.2, and not any 1.3. */
const needsTls13 = (snapshot: Snapshot, request: MatchRequest, port: number) =>
  evaluate(snapshot, { port }, request, regex).listener?.minTlsVersion === 'TLSv1.3';

const NOT_ANSWERED = /^(?:not served|(?:TLS 1\.3, )?(?:500|403))/;
const EDITS_OF_REQUESTS = /^(?:request headers: |rewrites to )/;

/** Before and after. Where the reference matcher chooses the very same rule, both need not be put in words. */
function answersTo({ before, after }: Pair, request: MatchRequest, port: number): [string, string] {
  const [one, other] = [before, after].map((each) => evaluate(each, { port }, request, regex));
  const isSame =
    one!.winner?.rule.hash === other!.winner?.rule.hash &&
    one!.winner?.match === other!.winner?.match &&
    one!.listener?.hash === other!.listener?.hash;
  if (isSame) return ['the same', 'the same'];
  return [answerTo(before, request, port), answerTo(after, request, port)];
}

export function requestOfWitness({ method, host, path, query, headers }: Witness): MatchRequest {
  const fields = new Map(headers);
  return { method, host, path, query, header: (name) => fields.get(name) };
}

/** What is wrong with the witnesses; undefined where nothing is. */
export function wrongWitness({ before, after }: Pair, regions: readonly Region[]): string | undefined {
  for (const region of regions) {
    const { witness, requests, extents } = region;
    if (!witness) {
      const others = extents.flatMap((each) => each.others);
      const conditions = others.flatMap(({ path, headers, queryParams }) => [
        path,
        ...headers,
        ...queryParams,
      ]);
      const expressions = [
        ...(requests?.pathExpressions ?? []),
        ...[...(requests?.headers.values() ?? []), ...(requests?.query.values() ?? [])].flatMap(
          (each) => each.expressions,
        ),
        ...conditions.filter(({ type }) => type === 'RegularExpression'),
      ];
      if (requests && expressions.length === 0) return `no witness, and no expression: ${shown(region)}`;
      continue;
    }
    const request = requestOfWitness(witness);
    const was = answerTo(before, request, witness.port, witness.serverName);
    const is = answerTo(after, request, witness.port, witness.serverName);
    const asksAlike = needsTls13(before, request, witness.port) === needsTls13(after, request, witness.port);
    if (was === is && asksAlike) return `the witness is answered alike, ${was}: ${shown(region)}`;
    if (region.severity === 'lost' && NOT_ANSWERED.test(was))
      return `nothing is lost of what was ${was}: ${shown(region)}`;
    if (!region.isOverOther && !isIn(region, request, witness.port, { before, after }))
      return `not in its own region: ${shown(region)}`;
  }
  return undefined;
}

/** What is wrong with the regions, as one request shows; undefined where nothing is. */
export function wrongRegion(
  pair: Pair,
  regions: readonly Region[],
  { port, ...rest }: RequestCase,
): string | undefined {
  const request = requestOf({ port, ...rest });
  const [was, is] = answersTo(pair, request, port);
  const region = regions.find((each) => isIn(each, request, port, pair));
  const asked = JSON.stringify({ port, ...rest });
  if (was !== is && !region) return `${asked} is in no region, and was ${was}, is ${is}`;
  if (was === is && region && (region.requests || isTaken(pair, request, port)))
    return `${asked} is answered alike, ${was}: ${shown(region)}`;
  return undefined;
}

export const shown = (region: Region): string =>
  JSON.stringify(region, (_, value) => (value instanceof Map ? Object.fromEntries(value) : value));

function isIn(region: Region, request: MatchRequest, port: number, pair: Pair): boolean {
  const { requests, extents, isOverOther } = region;
  if (isOverOther) return false;
  const host = classOf(request.host, port, pair);
  const extent = extents.find(({ listener, hosts }) => listener.port === port && hosts.includes(host));
  if (!extent) return false;
  if (!requests) return true;
  return contains(requests, request) && !extent.others.some((match) => contains(asSet(match), request));
}

/** A region for a whole listener is of whatever a rule there takes. */
const isTaken = ({ before, after }: Pair, request: MatchRequest, port: number) =>
  [before, after].some((snapshot) => evaluate(snapshot, { port }, request, regex).winner !== undefined);

/** The most specific hostname that anything at the port has. */
function classOf(host: string, port: number, pair: Pair): string {
  const known = hostnamesKnown.get(pair) ?? new Map<number, readonly string[]>();
  hostnamesKnown.set(pair, known);
  const hostnames = known.get(port) ?? hostnamesAt(port, pair);
  known.set(port, hostnames);
  return hostnames.filter((each) => hostnameMatches(each, host)).sort(compareHostnames)[0]!;
}

const hostnamesKnown = new WeakMap<Pair, Map<number, readonly string[]>>();

function hostnamesAt(port: number, { before, after }: Pair): readonly string[] {
  const hostnames = [ANY_HOST];
  for (const { resources } of [before, after]) {
    const listeners = resources
      .filter((each) => each.type === 'listener')
      .filter((each) => each.port === port);
    hostnames.push(...listeners.flatMap(({ hostname }) => hostname ?? []));
    const keys = new Set(listeners.map(({ key }) => key));
    for (const each of resources) {
      if (each.type !== 'http-rule') continue;
      for (const parent of each.parents) if (keys.has(parent.listener)) hostnames.push(...parent.hostnames);
    }
  }
  return [...new Set(hostnames)];
}

/** A match as a set, to be asked by the same plain code as any. */
function asSet({ path, method, headers, queryParams }: HttpMatch): Conjunction {
  const wanted = (values: HttpMatch['headers']) => {
    const map = new Map<string, Wanted>();
    for (const { name, type, value } of values) {
      if (!map.has(name))
        map.set(name, type === 'Exact' ? { value, expressions: [] } : { expressions: [value] });
    }
    return map;
  };
  const isExpression = path.type === 'RegularExpression';
  return {
    path: isExpression
      ? { type: 'PathPrefix', value: '/' }
      : { type: path.type as 'Exact', value: path.value },
    pathExpressions: isExpression ? [path.value] : [],
    ...(method === undefined ? {} : { method }),
    headers: wanted(headers),
    query: wanted(queryParams),
  };
}

function contains(set: Conjunction, request: MatchRequest): boolean {
  const { type, value } = set.path;
  const query = new URLSearchParams(`&${request.query}`);
  return (
    (type === 'Exact'
      ? request.path === value
      : value === '/' || request.path === value || request.path.startsWith(`${value}/`)) &&
    set.pathExpressions.every((each) => matches(each, request.path)) &&
    (set.method === undefined || set.method === request.method) &&
    [...set.headers].every(([name, wanted]) => fits(wanted, request.header(name))) &&
    [...set.query].every(([name, wanted]) => fits(wanted, query.get(name) ?? undefined))
  );
}

const fits = ({ value, expressions }: Wanted, found: string | undefined) =>
  found !== undefined &&
  (value === undefined || found === value) &&
  expressions.every((each) => matches(each, found));

function matches(source: string, text: string): boolean {
  const compiled = regex.compile(source);
  return 'regex' in compiled && compiled.regex.test(text);
}
