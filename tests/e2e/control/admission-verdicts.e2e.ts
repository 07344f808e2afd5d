/**
 * What the policies say in CEL is what is said here in TypeScript, with the functions that synth and the runtime go by, for random routes and
 * Grants; and the largest of both are still judged. SEED and RUNS give another choice, or more of it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import { http, PlatformChart, SharedGateway, Team } from 'gatewright';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { type Granted, grantsOf } from '../../../gateway-runtime/grants/holding.ts';
import { type ApiPath, pathProblem } from '../../../gateway-runtime/grants/paths.ts';
import { normalizePath } from '../../../gateway-runtime/match/normalize.ts';
import { generator } from '../../support/random.ts';
import { ApiServer } from './api-server.ts';
import type { People } from './impersonation.ts';
import { install, prepare, settled } from './platform.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 600);
const TEAMS = Array.from({ length: 12 }, (_, index) => `t${index}`);

let server: ApiServer;
let people: People;

beforeAll(async () => {
  server = await ApiServer.start();
  people = await prepare(server);
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shared = new SharedGateway(platform, 'gw', { listeners: { web: http(80) } });
  for (const name of TEAMS) shared.grant(new Team(platform, name), { hostnames: [`${name}.example.com`] });
  await install(people, app, {
    taken: routeOf('t0', [set('gw-t0')], ['t0.example.com']),
    refused: routeOf('t11', [set('gw-t11')], ['t0.example.com']),
  });
});

afterAll(async () => {
  people?.close();
  await server?.stop();
});

interface Ref {
  readonly kind?: string;
  readonly name: string;
  readonly namespace: string;
  readonly sectionName?: string;
}

interface Backend {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  readonly filters?: readonly Filter[];
}

type Filter = { readonly type: 'RequestMirror'; readonly requestMirror: { readonly backendRef: Backend } };

interface Spec {
  readonly parentRefs: readonly Ref[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly {
    readonly matches: readonly { readonly path: ApiPath }[];
    readonly backendRefs?: readonly Backend[];
    readonly filters?: readonly Filter[];
  }[];
}

const set = (name: string, sectionName?: string): Ref => ({
  kind: 'ListenerSet',
  name,
  namespace: 'infra',
  ...(sectionName === undefined ? {} : { sectionName }),
});

const routeOf = (
  team: string,
  parentRefs: readonly Ref[],
  hostnames?: readonly string[],
  paths: readonly (readonly ApiPath[])[] = [],
  kind = 'HTTPRoute',
  backends: (rule: number) => object = () => ({}),
) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name: 'r', namespace: team },
  spec: {
    parentRefs,
    ...(hostnames && hostnames.length > 0 ? { hostnames } : {}),
    ...(paths.length > 0
      ? {
          rules: paths.map((matches, rule) => ({
            matches: matches.map((path) => ({ path })),
            ...backends(rule),
          })),
        }
      : {}),
  },
});

const CONSENTED = ['HTTPRoute to Service n0/a', 'HTTPRoute to Service n1/*', 'GRPCRoute to Service n0/b'];
const mirror = (backendRef: Backend): Filter => ({ type: 'RequestMirror', requestMirror: { backendRef } });

/** A Grant in which a hostname of its own shows when the policies go by it, after what the control plane says in its status. */
async function grant(
  team: string,
  mark: string,
  grants: readonly Granted[],
  consents: readonly string[] = CONSENTED,
): Promise<void> {
  const marked = {
    ...plain,
    name: 'mark',
    hostnames: [`${mark}.example.net`],
    listeners: [{ kind: 'ListenerSet' as const, name: `gw-${team}-mark`, sectionNames: ['s'] }],
  };
  const object = {
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'Grant',
    metadata: { name: `gw-${team}`, namespace: 'infra' },
    spec: { gatewayName: 'gw', team, namespace: team, grants: [...grants, marked] },
  };
  const { status } = await people.call(undefined, 'PATCH', `${await people.pathOf(object)}/status`, {
    body: [
      {
        op: 'add',
        path: '/status',
        value: {
          references: Object.fromEntries(consents.map((each) => [each, 'n/g'])),
          bounds: { maxRequestTimeout: { value: '1h', by: 'a policy' } },
        },
      },
    ],
    contentType: 'application/json-patch+json',
  });
  expect(status).toBe(200);
  await people.put(object);
  await settled(people, {
    taken: routeOf(team, [set(`gw-${team}-mark`)], [`${mark}.example.net`]),
    refused: routeOf(team, [set(`gw-${team}-mark`)], ['another.example.net']),
  });
}

const plain: Granted = {
  name: 'plain',
  hostnames: [],
  kinds: ['HTTPRoute'],
  listeners: [],
  paths: ['/'],
  delegated: [],
};

/** What the policy of a team with these grants is to say. */
function isAllowed({ kind, spec }: { kind: string; spec: Spec }, grants: readonly Granted[]): boolean {
  const { parentRefs, hostnames = [], rules } = spec;
  const ours = parentRefs.filter(({ namespace }) => namespace === 'infra');
  const opens = (ref: Ref) => (each: Granted) =>
    each.listeners.some(
      (listener) =>
        listener.kind === (ref.kind ?? 'Gateway') &&
        listener.name === ref.name &&
        (ref.sectionName === undefined || listener.sectionNames.includes(ref.sectionName)),
    );
  const ofKind = grants.filter(({ kinds }) => (kinds as readonly string[]).includes(kind));
  const at = ours.map((ref) => ofKind.filter(opens(ref)));
  if (at.some((some) => some.length === 0)) return false;
  const attached = [...new Set(at.flat())];
  const isElsewhere = ours.length < parentRefs.length;
  if (ours.length > 0 && !isElsewhere && hostnames.some((each) => grantsOf(each, attached).length === 0))
    return false;
  if (!(rules ?? []).flatMap(backendsOf).every((each) => isConsented(kind, each))) return false;
  if (kind !== 'HTTPRoute') return true;
  const paths = rules?.flatMap(({ matches }) => matches.map(({ path }) => path)) ?? [
    { type: 'PathPrefix', value: '/' },
  ];
  return at.every((here) =>
    (hostnames.length > 0 ? hostnames.map((each) => grantsOf(each, here)) : [here]).every(
      (covering) =>
        covering.length === 0 ||
        covering.some(isForAll) ||
        paths.every((path) => covering.some((each) => permits(each, path, hostnames))),
    ),
  );
}

type Rule = NonNullable<Spec['rules']>[number];
const backendsOf = ({ backendRefs = [], filters = [] }: Rule): Backend[] => [
  ...backendRefs,
  ...[...filters, ...backendRefs.flatMap((each) => each.filters ?? [])].map(
    ({ requestMirror }) => requestMirror.backendRef,
  ),
];
const isConsented = (kind: string, { namespace, name }: Backend) =>
  !namespace.startsWith('n') ||
  [name, '*'].some((each) => CONSENTED.includes(`${kind} to Service ${namespace}/${each}`));

const isForAll = ({ paths, delegated }: Granted) => paths.includes('/') && delegated.length === 0;

function permits({ name, paths, delegated }: Granted, path: ApiPath, hostnames: readonly string[]): boolean {
  const normal = normalizePath(path.value);
  // Another spelling can't be compared in CEL.
  if (path.type !== 'RegularExpression' && typeof normal === 'string' && normal !== path.value) return false;
  return pathProblem(path, hostnames, { title: name, paths, given: delegated }) === undefined;
}

const HOSTNAMES = ['a.x.com', 'b.a.x.com', '*.x.com', '*.a.x.com', 'x.com', 'y.com', '*.y.com'];
const LIMITS = ['/', '/', '/a', '/a/b', '/b'];
const VALUES = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/',
  '/ab',
  '/a/b/c',
  '/b',
  '/b/c',
  '/%61',
  '/a%20x',
  '/a%2Db',
  '/A',
  '/a/%C3%A9',
];
const EXPRESSIONS = [
  ...['/a/.*', '/a.*', '/a/b', '^/a/b/[0-9]+', '/(a|b)', '/a/?', '/a|/b', '/a/b*', '.*', '/[ab]/x'],
  ...['/b/c{2}', '/a+', '/a/b/', '^/b/', '(?i)/a/x', '/b/x?y', '/a/*', '/'],
];

function randomly(random: () => number) {
  const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const some = <T>(from: readonly T[], most: number, least = 1): T[] => {
    const count = least + Math.floor(random() * (most - least + 1));
    return [...new Set(Array.from({ length: count }, () => one(from)))];
  };
  const sets = (team: string) => [`gw-${team}`, `gw-${team}-b`];
  return {
    grants: (team: string): Granted[] =>
      Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => {
        const hostnames = some(HOSTNAMES, 3);
        return {
          name: `g${index}`,
          hostnames,
          kinds: some(['HTTPRoute', 'HTTPRoute', 'GRPCRoute'] as const, 2),
          listeners: some([...sets(team), 'gw'], 2).map((name) => ({
            kind: name === 'gw' ? ('Gateway' as const) : ('ListenerSet' as const),
            name,
            sectionNames: some(['s1', 's2'], 2),
          })),
          paths: some(LIMITS, 2),
          delegated: some(['/a', '/a/b', '/b/c'], 2, 0).map((path) => ({
            path,
            hostnames: some(random() < 0.7 ? hostnames : HOSTNAMES, 2),
            team: 'other',
            namespace: 'other',
          })),
        };
      }),
    route: (team: string, grants: readonly Granted[]) => {
      const meant = one(grants);
      const near = random() < 0.75;
      const refs = some([...sets(team), ...sets(team), 'gw', `gw-${one(TEAMS)}`], 2).map((name): Ref => {
        const own = near ? one(meant.listeners) : { kind: name === 'gw' ? 'Gateway' : 'ListenerSet', name };
        return {
          ...(own.kind === 'Gateway' ? {} : { kind: own.kind }),
          name: own.name,
          namespace: 'infra',
          ...(random() < 0.4 ? { sectionName: one(['s1', 's2']) } : {}),
        };
      });
      const parents = [...new Map(refs.map((ref) => [ref.name, ref])).values()];
      if (random() < 0.1) parents.push({ name: 'gw', namespace: 'elsewhere' });
      const kind = random() < 0.9 ? (near ? one(meant.kinds) : 'HTTPRoute') : 'GRPCRoute';
      const below = (limit: string) => one([limit, `${limit === '/' ? '' : limit}/z`, ...VALUES]);
      const path = (): ApiPath =>
        random() < 0.3
          ? { type: 'RegularExpression', value: one(EXPRESSIONS) }
          : { type: one(['Exact', 'PathPrefix']), value: near ? below(one(meant.paths)) : one(VALUES) };
      const rules =
        kind === 'GRPCRoute' ? [] : some([1, 2], 2, 0).map((count) => Array.from({ length: count }, path));
      const backend = (): Backend => ({
        name: one(['a', 'b']),
        namespace: random() < 0.8 ? team : one(['n0', 'n0', 'n1', 'n2']),
        port: 80,
      });
      const hostnames = some(near ? meant.hostnames : HOSTNAMES, 2, 0);
      return routeOf(team, parents, hostnames, rules, kind, () => ({
        backendRefs: [backend(), ...(random() < 0.2 ? [{ ...backend(), filters: [mirror(backend())] }] : [])],
        ...(random() < 0.1 ? { filters: [mirror(backend())] } : {}),
      }));
    },
  };
}

describe('the policies', () => {
  it(`say of ${RUNS} random routes what TypeScript says, from seed ${SEED}`, async () => {
    const { grants, route } = randomly(generator(SEED));
    const told = { true: 0, false: 0 };
    const differences: string[] = [];
    for (const team of TEAMS) {
      const all = grants(team);
      await grant(team, `mark-${SEED}`, all);
      for (let run = 0; run < RUNS / TEAMS.length; run++) {
        const object = route(team, all);
        const { status, message } = await people.apply(undefined, object as RawObject, { dryRun: true });
        const expected = isAllowed(object as never, all);
        told[`${expected}`]++;
        const isRefused = status === 403 && message.includes('Missing: ');
        if ((expected && status < 300) || (!expected && isRefused)) continue;
        differences.push(
          `${expected ? 'allowed' : 'refused'}, but ${status} ${message}: ${JSON.stringify(object.spec)} of ${JSON.stringify(all)}`,
        );
      }
    }
    expect(differences).toEqual([]);
    expect(Math.min(told.true, told.false)).toBeGreaterThan(RUNS / 5);
  });
});

describe('the largest route of the largest Grant', () => {
  const several = <T>(length: number, make: (index: number) => T) =>
    Array.from({ length }, (_, i) => make(i));
  /** Meant is the last grant, since the first is found first; one more is for the mark. */
  const LAST = 62;
  const hostname = (grant: number, index: number) => `host-${index}-of-grant-${grant}.apps.example.com`;
  const section = (grant: number, index: number) => `web.${hostname(grant, index)}`;
  const largest = (delegated: number): Granted[] =>
    several(LAST + 1, (index) => ({
      ...plain,
      name: `grant-${index}`,
      hostnames: several(64, (host) => hostname(index, host)),
      listeners: [
        {
          kind: 'ListenerSet',
          name: `gw-t0-grant-${index}`,
          sectionNames: several(64, (host) => section(index, host)),
        },
      ],
      delegated: several(index === LAST ? delegated : 0, (path) => ({
        path: `/delegated-${path}`,
        hostnames: several(64, (host) => hostname(index, host)),
        team: 'other',
        namespace: 'other',
      })),
    }));
  const matches = several(16, (rule) =>
    several(8, (index) => ({ type: 'PathPrefix', value: `/page/${rule}/${index}/${'x'.repeat(64)}` })),
  );
  const refs = several(32, (index) => set(`gw-t0-grant-${LAST}`, section(LAST, index)));
  const hosts = several(16, (index) => hostname(LAST, index));
  // Names as long as they may be: all that Services of other namespaces cost in a route.
  const lent = (index: number): Backend => ({
    name: `${'x'.repeat(60)}${index}`,
    namespace: 'y'.repeat(63),
    port: 80,
  });
  const consents = several(
    1024,
    (index) => `HTTPRoute to Service ${'y'.repeat(63)}/${'x'.repeat(60)}${index}`,
  );
  const foreign = (rule: number) => ({
    timeouts: { request: '1h' },
    backendRefs: several(16, (index) => ({
      ...lent(16 * rule + index),
      filters: several(2, (each) => mirror(lent(each))),
    })),
    filters: several(16, (index) => mirror(lent(index))),
  });

  it.each([0, 1, 16, 64])('is taken, with %s paths that were delegated', async (delegated) => {
    await grant('t0', `largest-${delegated}`, largest(delegated));
    const timed = () => ({ timeouts: { request: '59m59s999ms' } });
    const route = routeOf('t0', refs, hosts, matches, 'HTTPRoute', timed) as RawObject;
    expect(await people.apply(undefined, route, { dryRun: true })).toMatchObject({
      status: 201,
      message: '',
    });
  });

  it('is taken with as many Services of others as fit in, and refused for one more', async () => {
    await grant('t0', 'largest-lent', largest(0), consents);
    const route = routeOf('t0', refs, hosts, matches, 'HTTPRoute', foreign) as RawObject;
    expect(await people.apply(undefined, route, { dryRun: true })).toMatchObject({ message: '' });
    await grant('t0', 'largest-unlent', largest(0), consents.toSpliced(255, 1));
    expect(await people.apply(undefined, route, { dryRun: true })).toMatchObject({
      status: 403,
      message: expect.stringContaining(`Missing: a ReferenceGrant in namespace ${lent(255).namespace}`),
    });
  });

  it('is refused for one hostname, and for one path', async () => {
    await grant('t0', 'largest-refused', largest(1));
    const more = [...hosts.slice(1), 'media.example.com'];
    expect(await people.apply(undefined, routeOf('t0', refs, more, matches) as RawObject)).toMatchObject({
      status: 403,
      message: expect.stringContaining('Missing: a grant of hostname media.example.com'),
    });
    const other = matches.with(15, [{ type: 'Exact', value: '/delegated-0/x' }]);
    expect(await people.apply(undefined, routeOf('t0', refs, hosts, other) as RawObject)).toMatchObject({
      status: 403,
      message: expect.stringContaining('Missing: nothing: the path was delegated to team other'),
    });
  });
});
