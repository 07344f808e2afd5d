/**
 * What listeners that ask for Grants let routes have, against plain reckonings that share no code with them: no request is answered by a rule
 * outside of what its team was granted, no delegated path is taken back, and who was granted something gets it.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { type Evaluation, evaluate } from '../../gateway-runtime/match/reference.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { HttpMatch } from '../../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import { assertWithCase } from './as-case.ts';

const HOSTNAMES = ['shop.com', '*.shop.com', 'a.shop.com', '*.a.shop.com', 'x.a.shop.com', '*.com'];
const HOSTS = ['shop.com', 'a.shop.com', 'b.shop.com', 'x.a.shop.com', 'media.com', 'evilshop.com'];
const PATHS = ['/', '/a', '/a/b', '/ab', '/c', '/a/b/c'];
const TEAMS = ['red', 'blue', 'green'] as const;
type Team = (typeof TEAMS)[number];

interface Given {
  readonly path: string;
  readonly hostnames: readonly string[];
}

/** What one team was granted of the Gateway: at listeners of a ListenerSet for it, one for each hostname, or at that of the Gateway itself. */
interface GrantCase {
  readonly hostnames: readonly string[];
  readonly paths: readonly string[];
  /** To team green. */
  readonly given?: Given;
  readonly brings: boolean;
  readonly isAtGateway: boolean;
}

interface RouteCase {
  readonly team: Team | 'nobody';
  readonly created: string;
  readonly on: readonly string[];
  readonly hostnames: readonly string[];
  readonly rules: readonly (readonly { readonly type: string; readonly value: string }[])[];
}

interface World {
  readonly grants: { readonly red: GrantCase; readonly blue: GrantCase };
  /** Hostnames of listeners that teams bring, oldest of all objects. */
  readonly brought: Partial<Record<Team, readonly string[]>>;
  readonly routes: readonly RouteCase[];
}

const some = <T>(values: readonly T[], maxLength: number) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength });

const grant: fc.Arbitrary<GrantCase> = some(HOSTNAMES, 3).chain((hostnames) =>
  fc.record(
    {
      hostnames: fc.constant(hostnames),
      paths: fc.oneof(fc.constant(['/']), some(['/', '/a', '/c'], 2)),
      given: fc.record({ path: fc.constantFrom('/a', '/a/b', '/c'), hostnames: some(hostnames, 2) }),
      brings: fc.boolean(),
      isAtGateway: fc.constantFrom(false, false, true),
    },
    { requiredKeys: ['hostnames', 'paths', 'brings', 'isAtGateway'] },
  ),
);

const path = fc.oneof(
  fc.record({
    type: fc.constantFrom('Exact', 'PathPrefix'),
    value: fc.constantFrom('/', '/a', '/%61', '/a/', '/a/b', '/ab', '/c', '/a/./b', '/c/../a'),
  }),
  fc.record({
    type: fc.constant('RegularExpression'),
    value: fc.constantFrom('/.*', '/a/.*', '/a.*', '/(a|c)', '/a/?b?', '/c/[a-z]+', '/[a-c]', '(?i)/A', '/c'),
  }),
);

/** Mostly what lies in some path that is given on. */
const pathOfGreen = fc.oneof(
  path,
  fc.record({ type: fc.constantFrom('Exact', 'PathPrefix'), value: fc.constantFrom('/a', '/a/b', '/c') }),
  fc.record({ type: fc.constant('PathPrefix'), value: fc.constantFrom('/a', '/a/b', '/c') }),
);

/** `default`: the Gateway as a default one, which the route does not name. */
const PARENTS = ['red', 'blue', 'gw', 'default', 'brought-red', 'brought-blue', 'brought-green'];
const USUAL = {
  red: ['red', 'brought-red', 'default'],
  blue: ['blue', 'brought-blue', 'default'],
  green: ['red', 'blue', 'default'],
  nobody: PARENTS,
};
const route: fc.Arbitrary<RouteCase> = fc.constantFrom(...TEAMS, ...TEAMS, 'nobody' as const).chain((team) =>
  fc.record({
    team: fc.constant(team),
    created: fc.constantFrom('2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z'),
    on: fc.oneof({ weight: 3, arbitrary: some(USUAL[team], 2) }, { weight: 1, arbitrary: some(PARENTS, 3) }),
    hostnames: fc.oneof(fc.constant([]), some(HOSTNAMES, 2)),
    rules:
      team === 'green'
        ? fc.array(fc.array(pathOfGreen, { minLength: 1, maxLength: 1 }), { minLength: 1, maxLength: 4 })
        : fc.array(fc.array(path, { maxLength: 2 }), { minLength: 1, maxLength: 3 }),
  }),
);

const broughtHostnames = fc.option(some(HOSTNAMES, 2), { nil: undefined });
const world: fc.Arbitrary<World> = fc.record({
  grants: fc.record({ red: grant, blue: grant }),
  brought: fc.record({ red: broughtHostnames, blue: broughtHostnames, green: broughtHostnames }),
  routes: fc.array(route, { minLength: 1, maxLength: 6 }),
});

const API = 'gateway.networking.k8s.io/v1';
const ASKING = { 'gatewright.dev/granted-listeners': '*' };
const OPEN = { namespaces: { from: 'All' } };
const sections = (hostnames: readonly string[]) => hostnames.map((each) => each.replace('*', 'any'));
const listenersFor = (hostnames: readonly string[]) =>
  hostnames.map((hostname, index) => ({
    name: sections(hostnames)[index],
    port: 80,
    protocol: 'HTTP',
    hostname,
    allowedRoutes: OPEN,
  }));

const listenerSet = (namespace: string, name: string, hostnames: readonly string[], metadata: object) => ({
  apiVersion: API,
  kind: 'ListenerSet',
  metadata: { namespace, name, ...metadata },
  spec: { parentRef: { name: 'gw', namespace: 'infra' }, listeners: listenersFor(hostnames) },
});

const parentRef = (on: string) => {
  if (on === 'gw') return { name: 'gw', namespace: 'infra' };
  if (on.startsWith('brought-')) return { kind: 'ListenerSet', name: 'own', namespace: on.slice(8) };
  return { kind: 'ListenerSet', name: `gw-${on}`, namespace: 'infra' };
};

function objectsOf({ grants, brought, routes }: World, asking = true): RawObject[] {
  const annotations = asking ? { annotations: ASKING } : {};
  const grantObject = (team: Team, held: readonly object[]) => ({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'Grant',
    metadata: { name: `gw-${team}`, namespace: 'infra' },
    spec: { gatewayName: 'gw', team, namespace: team, grants: held },
  });
  const at = (team: 'red' | 'blue', hostnames: readonly string[]) => [
    grants[team].isAtGateway
      ? { kind: 'Gateway', name: 'gw', sectionNames: ['open'] }
      : { kind: 'ListenerSet', name: `gw-${team}`, sectionNames: sections(hostnames) },
  ];
  const toGreen = (['red', 'blue'] as const).flatMap((team) => {
    const { given } = grants[team];
    return given
      ? [
          {
            name: `${team}/green`,
            hostnames: given.hostnames,
            kinds: ['HTTPRoute'],
            listeners: at(team, given.hostnames),
            paths: [given.path],
          },
        ]
      : [];
  });
  return [
    {
      apiVersion: API,
      kind: 'Gateway',
      metadata: { name: 'gw', namespace: 'infra', ...annotations },
      spec: {
        gatewayClassName: 'ours',
        defaultScope: 'All',
        allowedListeners: OPEN,
        listeners: [{ name: 'open', port: 80, protocol: 'HTTP', allowedRoutes: OPEN }],
      },
    },
    ...(['red', 'blue'] as const).flatMap((team): RawObject[] => {
      const { hostnames, paths, given, brings, isAtGateway } = grants[team];
      const creationTimestamp = '2023-01-01T00:00:00Z';
      return [
        // Its listeners would have the requests for these hostnames before that of the Gateway.
        ...(isAtGateway
          ? []
          : [listenerSet('infra', `gw-${team}`, hostnames, { ...annotations, creationTimestamp })]),
        grantObject(team, [
          {
            name: team,
            hostnames,
            kinds: ['HTTPRoute'],
            listeners: at(team, hostnames),
            paths,
            delegated: given ? [{ ...given, team: 'green', namespace: 'green' }] : [],
            ...(brings ? { ownListeners: [{ port: 80, protocol: 'HTTP' }] } : {}),
          },
        ]),
      ];
    }),
    ...(toGreen.length > 0 ? [grantObject('green', toGreen)] : []),
    ...Object.entries(brought).flatMap(([team, hostnames]) =>
      hostnames ? [listenerSet(team, 'own', hostnames, { creationTimestamp: '2020-01-01T00:00:00Z' })] : [],
    ),
    ...routes.map(({ team, created, on, hostnames, rules }, index) => ({
      apiVersion: API,
      kind: 'HTTPRoute',
      metadata: { name: `r-${index}`, namespace: team, creationTimestamp: created },
      spec: {
        parentRefs: on.filter((each) => each !== 'default').map(parentRef),
        ...(on.includes('default') ? { useDefaultGateways: 'All' } : {}),
        ...(hostnames.length > 0 ? { hostnames } : {}),
        rules: rules.map((matches) => ({ matches: matches.map((each) => ({ path: each })) })),
      },
    })),
  ];
}

/** By labels, the last one first. */
function isWithin(host: string, hostname: string): boolean {
  const [asked, held] = [host.split('.').reverse(), hostname.split('.').reverse()];
  if (held.at(-1) !== '*') return host === hostname;
  return asked.length >= held.length && held.slice(0, -1).every((label, index) => label === asked[index]);
}

/** By segments. */
function isUnder(asked: string, limit: string): boolean {
  if (limit === '/') return true;
  const [own, above] = [asked.split('/'), limit.split('/')];
  return above.every((segment, index) => own[index] === segment);
}

/** What a team holds, delegations to it included. */
function held({ grants }: World, team: string): { hostnames: readonly string[]; paths: readonly string[] }[] {
  if (team === 'red' || team === 'blue') return [grants[team]];
  if (team !== 'green') return [];
  return [grants.red, grants.blue].flatMap(({ given }) =>
    given ? [{ hostnames: given.hostnames, paths: [given.path] }] : [],
  );
}

const mayAnswer = (given: World, team: string, host: string, asked: string) =>
  held(given, team).some(
    ({ hostnames, paths }) =>
      hostnames.some((each) => isWithin(host, each)) && paths.some((each) => isUnder(asked, each)),
  );

/** What answers requests to these objects. */
function answering(objects: readonly RawObject[]) {
  const snapshot = translate(objects, { regex: re2, classes: 'any' }).snapshots.get('infra/gw')!;
  return (request: { host: string; path: string }): Evaluation =>
    evaluate(snapshot, { port: 80 }, { method: 'GET', query: '', header: () => undefined, ...request }, re2);
}

const REQUESTS = HOSTS.flatMap((host) => PATHS.map((each) => ({ host, path: each })));
const ofWorld = ([given]: [World]) => ({ objects: objectsOf(given), options: { classes: 'any' as const } });

/** A match that may not be where a path was given on: in it, or an expression, which nobody can compare. */
const liesIn = ({ path: { type, value } }: HttpMatch, limit: string) =>
  type === 'RegularExpression' || isUnder(value, limit);

const seen = { answered: 0, byGreen: 0, atBrought: 0, byDefault: 0, left: 0 };

/** Whether a route, which is named by its place, is at the Gateway as at a default one alone. */
function isByDefault(routes: readonly RouteCase[], name: string): boolean {
  const { on } = routes[Number(name.slice('r-'.length))]!;
  return on.includes('default') && !on.includes('gw');
}

function look(given: World): void {
  const answer = answering(objectsOf(given));
  for (const request of REQUESTS) {
    const { winner, listener } = answer(request);
    if (!winner) seen.left++;
    else seen.answered++;
    if (winner?.rule.source.namespace === 'green') seen.byGreen++;
    if (winner && listener!.source.name === 'own') seen.atBrought++;
    if (winner && listener!.source.name === 'gw' && isByDefault(given.routes, winner.rule.source.name))
      seen.byDefault++;
  }
}

describe('listeners that ask for Grants', () => {
  it('have no request answered by a rule outside of what its team was granted', () => {
    assertWithCase(
      fc.property(world, (given) => {
        const answer = answering(objectsOf(given));
        for (const request of REQUESTS) {
          const { winner } = answer(request);
          if (!winner) continue;
          const { namespace } = winner.rule.source;
          if (!mayAnswer(given, namespace, request.host, request.path))
            throw new Error(`${request.host}${request.path} is answered by team ${namespace}`);
        }
      }),
      150,
      ofWorld,
    );
  });

  it('have no delegated path taken back: by a match in it, or where a rule of the other team would take the request', () => {
    assertWithCase(
      fc.property(world, (given) => {
        const all = objectsOf(given);
        const answer = answering(all);
        for (const team of ['red', 'blue'] as const) {
          const { given: part } = given.grants[team];
          if (!part) continue;
          // As if the team had nothing: what is answered then by whom the path was delegated to.
          const without = answering(
            all.filter(
              (each) =>
                each.kind !== 'HTTPRoute' || (each.metadata as { namespace: string }).namespace !== team,
            ),
          );
          for (const request of REQUESTS) {
            if (
              !isUnder(request.path, part.path) ||
              !part.hostnames.some((each) => isWithin(request.host, each))
            )
              continue;
            const { winner } = answer(request);
            if (winner?.rule.source.namespace !== team) continue;
            if (liesIn(winner.rule.matches[winner.match]!, part.path))
              throw new Error(`${request.host}${request.path} is answered by team ${team}, which gave it on`);
            if (without(request).winner?.rule.source.namespace === 'green')
              throw new Error(`${request.host}${request.path} is answered by team ${team}, and green would`);
          }
        }
      }),
      150,
      ofWorld,
    );
  });

  it('give who was granted something what it would have if nobody asked', () => {
    assertWithCase(
      fc.property(world, (any) => {
        // Expressions are granted by their beginnings alone, and delegations narrow what is asked of them.
        const plain = any.routes.filter(({ rules }) =>
          rules.flat().every(({ type }) => type !== 'RegularExpression'),
        );
        const { red, blue } = any.grants;
        const bare = ({ given: _, ...rest }: GrantCase) => rest;
        const given: World = { grants: { red: bare(red), blue: bare(blue) }, brought: {}, routes: plain };
        const [answer, unasked] = [answering(objectsOf(given)), answering(objectsOf(given, false))];
        for (const request of REQUESTS) {
          const { winner, listener } = unasked(request);
          const team = winner?.rule.source.namespace;
          if (team !== 'red' && team !== 'blue') continue;
          const { paths } = given.grants[team];
          const isGranted = winner!.rule.matches.every(({ path: { value } }) =>
            paths.some((each) => isUnder(value, each)),
          );
          if (!isGranted || listener!.source.name !== `gw-${team}`) continue;
          const now = answer(request).winner;
          expect(now && `${now.rule.key} ${now.match}`).toBe(`${winner!.rule.key} ${winner!.match}`);
        }
      }),
      150,
      ofWorld,
    );
  });

  it('let a route have the same of a default Gateway as of one that it names', () => {
    const rulesOf = (given: World) =>
      translate(objectsOf(given), { regex: re2, classes: 'any' })
        .snapshots.get('infra/gw')!
        .resources.filter(({ type }) => type === 'http-rule');
    assertWithCase(
      fc.property(world, (given) => {
        const routes = given.routes.map(({ on, ...rest }) => {
          const named = on.filter((each) => each !== 'default');
          return { ...rest, on: on.includes('default') && !on.includes('gw') ? [...named, 'gw'] : named };
        });
        expect(rulesOf(given)).toEqual(rulesOf({ ...given, routes }));
      }),
      150,
      ofWorld,
    );
  });

  it('are shown on worlds in which something is answered', () => {
    for (const each of fc.sample(world, { seed: 20_260_101, numRuns: 100 })) look(each);
    expect(seen.answered).toBeGreaterThan(200);
    expect(seen.byGreen).toBeGreaterThan(20);
    expect(seen.atBrought).toBeGreaterThan(20);
    expect(seen.byDefault).toBeGreaterThan(10);
    expect(seen.left).toBeGreaterThan(200);
  });
});
