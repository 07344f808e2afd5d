/**
 * Gateways, routes and requests from small alphabets, so that collisions, ties and near misses are frequent: hosts lie within
 * each other, paths share prefixes and differ by a slash, routes have the same age.
 */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { ANY_HOST, intersectHostnames } from '../../gateway-runtime/match/hostname.ts';
import { normalizePathPattern } from '../../gateway-runtime/match/normalize.ts';
import type { MatchRequest } from '../../gateway-runtime/match/request.ts';
import type { PathMatch, Resource, Snapshot, ValueMatch } from '../../gateway-runtime/snapshot/snapshot.ts';
import { listener, type MatchFields, rule, snapshot } from '../unit/match/snapshots.ts';

export interface ListenerCase {
  readonly port: number;
  readonly hostname?: string;
}

export interface RouteCase {
  readonly created: string;
  /** Indices of listeners. */
  readonly on: readonly number[];
  readonly hostnames: readonly string[];
  readonly rules: readonly (readonly MatchFields[])[];
}

export interface GatewayCase {
  readonly listeners: readonly ListenerCase[];
  /** By `namespace/name`. */
  readonly routes: Readonly<Record<string, RouteCase>>;
}

export interface RequestCase {
  readonly port: number;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the TLS handshake, for port 443; the host where it is left out. */
  readonly serverName?: string;
}

const HOSTNAMES = [
  '*.com',
  '*.a.com',
  'a.com',
  'b.a.com',
  'c.b.a.com',
  'ba.com',
  '*.com',
  '*.a.com',
  '*.b.a.com',
];
const HOSTS = [
  'b.a.com',
  'b.a.com',
  'c.b.a.com',
  'c.b.a.com',
  'a.com',
  'b.a.com',
  'c.b.a.com',
  'd.c.b.a.com',
  'ba.com',
  'c.a.com',
  'x.com',
  'com',
  'x.org',
];
const PATHS = ['/', '/', '/a', '/a/b', '/a', '/a/', '/a/b', '/a/b/', '/a/bc', '/ab', '/ab/c', '/a%2Fb', '/A'];
const REQUEST_PATHS = [...PATHS, '/a//b', '//', '//a', '/a/b/c', '/a/b/c/d', '/ab/', '/abc', '/a/bcd', '/x'];
const EXPRESSIONS = ['/a', '/a.*', '/[ab]+', '/a/b/?', '.*', '/ab|/a/b', '(/a', '/.'];
const ROUTE_NAMES = ['a/r', 'a/r-a', 'a/s', 'a-b/r', 'b/r'];
const AGES = ['', '2025-12-31T23:59:59Z', '2026-01-01T00:00:00Z'];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'get'];
const QUERY_PARTS = [
  'p=1',
  'p=2',
  'q=1',
  'q',
  'q=',
  '%70=1',
  'p=%31',
  'q=1+2',
  'q=1%202',
  'p=%ff',
  'p=%zz',
  '?p=1',
  '',
  '=',
];

/** An object with some of these keys. */
const someOf = <T>(keys: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.record(Object.fromEntries(keys.map((key) => [key, value])), {
    requiredKeys: [],
    noNullPrototype: true,
  }) as fc.Arbitrary<Record<string, T>>;

const path: fc.Arbitrary<PathMatch> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('PathPrefix' as const), value: fc.constantFrom(...PATHS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('Exact' as const), value: fc.constantFrom(...PATHS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('RegularExpression' as const),
      value: fc.constantFrom(...EXPRESSIONS),
    }),
  },
);

const values = (names: readonly string[], exact: readonly string[]): fc.Arbitrary<ValueMatch[]> =>
  fc.oneof<fc.MaybeWeightedArbitrary<ValueMatch[]>[]>(
    { weight: 2, arbitrary: fc.constant<ValueMatch[]>([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.oneof(
          fc.record({
            name: fc.constantFrom(...names),
            type: fc.constant('Exact' as const),
            value: fc.constantFrom(...exact),
          }),
          fc.record({
            name: fc.constantFrom(...names),
            type: fc.constant('RegularExpression' as const),
            value: fc.constantFrom('1|2', '[0-9 ]+', '.*', '1('),
          }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
    },
  );

const match: fc.Arbitrary<MatchFields> = fc.record(
  {
    path,
    method: fc.constantFrom('GET', 'GET', 'POST'),
    headers: values(['x', 'y'], ['1', '2', '1, 2']),
    query: values(['p', 'q'], ['1', '2', '1 2', '\ufffd', '%zz']),
  },
  { requiredKeys: ['path'] },
);

/** 443 speaks HTTPS, 80 HTTP. */
const port = fc.constantFrom(80, 80, 80, 443);

const listenerCase: fc.Arbitrary<ListenerCase> = fc.record(
  { port, hostname: fc.constantFrom(...HOSTNAMES) },
  { requiredKeys: ['port'] },
);

const routeCase: fc.Arbitrary<RouteCase> = fc.record({
  created: fc.constantFrom(...AGES),
  on: fc.subarray([0, 1, 2, 3, 4], { minLength: 3 }),
  hostnames: fc.oneof(
    fc.constant([]),
    fc.uniqueArray(fc.constantFrom(...HOSTNAMES), { minLength: 1, maxLength: 4, size: 'max' }),
  ),
  rules: fc.array(fc.array(match, { minLength: 1, maxLength: 3, size: 'max' }), {
    minLength: 1,
    maxLength: 3,
    size: 'max',
  }),
});

/** Listeners of one port have different hostnames: translate refuses the others. */
const listenerCases = fc.uniqueArray(listenerCase, {
  minLength: 1,
  maxLength: 5,
  size: 'max',
  selector: ({ port, hostname = ANY_HOST }) => `${port} ${hostname}`,
});

export const gatewayCase: fc.Arbitrary<GatewayCase> = fc.record({
  listeners: listenerCases,
  routes: someOf(ROUTE_NAMES, routeCase),
});

export const requestCase: fc.Arbitrary<RequestCase> = fc.record(
  {
    port,
    host: fc.constantFrom(...HOSTS),
    method: fc.constantFrom(...METHODS),
    path: fc.constantFrom(...REQUEST_PATHS),
    query: fc.array(fc.constantFrom(...QUERY_PARTS), { maxLength: 3 }).map((parts) => parts.join('&')),
    headers: someOf(['x', 'y'], fc.constantFrom('1', '2', '1, 2')),
    serverName: fc.constantFrom('', ...HOSTS),
  },
  { requiredKeys: ['port', 'host', 'method', 'path', 'query', 'headers'] },
);

/** An edit of a gateway: a route set or removed, or all listeners replaced. */
export type EditCase =
  | { readonly route: string; readonly to: RouteCase | undefined }
  | { readonly listeners: readonly ListenerCase[] };

export const editCase: fc.Arbitrary<EditCase> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      route: fc.constantFrom(...ROUTE_NAMES),
      to: fc.option(routeCase, { nil: undefined, freq: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ listeners: listenerCases }) },
);

export function edited(gateway: GatewayCase, edit: EditCase): GatewayCase {
  if ('listeners' in edit) return { ...gateway, listeners: edit.listeners };
  const { [edit.route]: _before, ...others } = gateway.routes;
  return { ...gateway, routes: edit.to ? { ...others, [edit.route]: edit.to } : others };
}

/** What translate makes of it. */
export function snapshotOfCase({ listeners, routes }: GatewayCase): Snapshot {
  const resources: Resource[] = listeners.map((each, index) =>
    listener(
      `l${index}`,
      each.port === 443 ? { ...each, protocol: 'HTTPS', certificates: ['infra/edge'] } : each,
    ),
  );
  for (const [route, { created, on, hostnames, rules }] of Object.entries(routes)) {
    const parents = on
      .filter((index) => index < listeners.length)
      .map((index) => ({
        listener: `l${index}`,
        hostnames: intersectHostnames(listeners[index]!.hostname, hostnames),
      }))
      .filter((parent) => parent.hostnames.length > 0);
    if (parents.length === 0) continue;
    for (const [index, matches] of rules.entries()) {
      const normalized = matches.map(
        ({ path: { type, value } = { type: 'PathPrefix', value: '/' }, ...rest }) => ({
          ...rest,
          path: { type, value: normalizePathPattern(type, value) as string },
        }),
      );
      resources.push(rule({ route, created, index, parents, matches: normalized }));
    }
  }
  return snapshot(...resources);
}

export function requestOf({ host, method, path, query, headers }: RequestCase): MatchRequest {
  return { host, method, path, query, header: (name) => headers[name] };
}

/** The case that a failure shrank to, in the form of `tests/cases`; `rule` is what the reference chooses. */
export function asCaseFile(
  { listeners, routes }: GatewayCase,
  { port: at, host, method, path, query, headers, serverName }: RequestCase,
  rule: string | undefined,
): string {
  const target = `${at === 443 ? 'https' : 'http'}://${host}${path}${query ? `?${query}` : ''}`;
  return stringify({
    about: 'Found by a property test; say here what it shows.',
    use: ['platform'],
    objects: objectsOfCase({ listeners, routes }),
    requests: [
      {
        request: `${method} ${target}`,
        headers,
        ...(serverName === undefined ? {} : { serverName: serverName || 'none' }),
        answer: rule ? { rule } : 404,
      },
    ],
  });
}

/** As users write them, short of `apiVersion`. `ofRule` adds to rules. */
export function objectsOfCase(
  { listeners, routes }: GatewayCase,
  ofRule: (route: string, index: number) => object = () => ({}),
): object[] {
  return [
    {
      kind: 'Gateway',
      metadata: { name: 'edge', namespace: 'infra' },
      spec: {
        gatewayClassName: 'gatewright',
        listeners: listeners.map((each, index) => ({
          name: `l${index}`,
          ...each,
          ...(each.port === 443
            ? { protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'edge' }] } }
            : { protocol: 'HTTP' }),
          allowedRoutes: { namespaces: { from: 'All' } },
        })),
      },
    },
    ...Object.entries(routes).map(([route, { created, on, hostnames, rules }]) => ({
      kind: 'HTTPRoute',
      metadata: {
        namespace: route.split('/')[0],
        name: route.split('/')[1],
        ...(created ? { creationTimestamp: created } : {}),
      },
      spec: {
        parentRefs: on
          .filter((index) => index < listeners.length)
          .map((index) => ({ name: 'edge', namespace: 'infra', sectionName: `l${index}` })),
        ...(hostnames.length ? { hostnames } : {}),
        rules: rules.map((matches, index) => ({
          matches: matches.map(({ query: queryParams, ...rest }) => ({
            ...rest,
            ...(queryParams ? { queryParams } : {}),
          })),
          backendRefs: [{ name: 'echo', port: 80 }],
          ...ofRule(route, index),
        })),
      },
    })),
  ];
}
