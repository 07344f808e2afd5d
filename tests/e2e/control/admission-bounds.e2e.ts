/**
 * What admission says of RoutePolicies in CEL is what is said in TypeScript, with the functions that the runtime goes by, for random policies and bounds; and
 * the largest of both are still judged. SEED and RUNS give another choice, or more of it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import { http, PlatformChart, SharedGateway, Team } from 'gatewright';
import { type Bounds, MOST_LISTED } from '../../../gateway-runtime/api/bounds.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import type { RoutePolicySpec } from '../../../gateway-runtime/api/route-policy.ts';
import { loosest } from '../../../gateway-runtime/grants/bounds.ts';
import { boundsOf } from '../../../gateway-runtime/translate/policies/bounds.ts';
import {
  httpsRedirect,
  ipAllow,
  type Level,
  maxRequestBytes,
  type Overridden,
  type OwnLevel,
  requestTimeout,
  responseHeaders,
} from '../../../gateway-runtime/translate/policies/levels.ts';
import { httpRoute, listenersOf } from '../../roles/violations/violation.ts';
import { generator } from '../../support/random.ts';
import { ApiServer } from './api-server.ts';
import type { People } from './impersonation.ts';
import { install, prepare, settled } from './platform.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 600);
const TEAMS = Array.from({ length: 12 }, (_, index) => `t${index}`);
/** Of whose Grant nobody has listed anything. */
const UNSEEN = 'unseen';

let server: ApiServer;
let people: People;

beforeAll(async () => {
  server = await ApiServer.start();
  people = await prepare(server);
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
  for (const name of [...TEAMS, UNSEEN])
    shared.grant(new Team(platform, name), { hostnames: [`${name}.example.com`] });
  const route = (hostname: string) =>
    httpRoute({ namespace: 't0', parentRefs: [listenersOf('t0')], hostnames: [hostname] });
  await install(people, app, { taken: route('t0.example.com'), refused: route('t1.example.com') });
});

afterAll(async () => {
  people?.close();
  await server?.stop();
});

let marks = 0;

/** Lists bounds in the Grant of a team, and waits until the policies go by it: a header of its own shows that. */
async function list(team: string, bounds: Bounds): Promise<void> {
  const name = `x-mark-${++marks}`;
  const mark = { name, values: ['there'], removable: false, by: 'GatewayPolicy infra/mark' };
  const { status } = await people.call(
    undefined,
    'PATCH',
    `/apis/gatewright.dev/v1alpha1/namespaces/infra/grants/shared-gw-${team}/status`,
    {
      body: [
        {
          op: 'add',
          path: '/status',
          value: { bounds: { ...bounds, responseHeaders: [...(bounds.responseHeaders ?? []), mark] } },
        },
      ],
      contentType: 'application/json-patch+json',
    },
  );
  expect(status).toBe(200);
  const probe = (value: string) => routePolicy(team, { responseHeaders: { set: [{ name, value }] } });
  await settled(people, { taken: probe('there'), refused: probe('other') });
}

const routePolicy = (team: string, spec: object): RawObject => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind: 'RoutePolicy',
  metadata: { name: 'p', namespace: team },
  spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'r' }], ...spec },
});

interface PolicedPlace {
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly levels: readonly Level[];
}
type Values = Omit<RoutePolicySpec, 'targetRefs'>;

/** Whether at no place all that a policy says is as it says, by what the runtime goes by. */
function beyondEverywhere(places: readonly PolicedPlace[], said: Values): boolean {
  const own = [{ ...said, fieldOf: (name: string) => name }];
  type Held = (
    levels: readonly Level[],
    own: readonly OwnLevel[],
  ) => { overridden: readonly Overridden[] } | undefined;
  const isLost = (held: Held, at: readonly PolicedPlace[]) =>
    at.every(({ levels }) => held(levels, own)?.overridden.some(({ from }) => !from.policy));
  const plain = places.filter(({ protocol }) => protocol === 'HTTP');
  return (
    [requestTimeout, maxRequestBytes, ipAllow, responseHeaders].some((held) => isLost(held, places)) ||
    (plain.length > 0 && isLost(httpsRedirect, plain))
  );
}

function randomPolicies(random: () => number) {
  const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const some = <T>(from: readonly T[], most: number): T[] => [
    ...new Set(Array.from({ length: 1 + Math.floor(random() * most) }, () => one(from))),
  ];
  const maybe = <T extends object>(chance: number, make: () => T): T | object =>
    random() < chance ? make() : {};
  const bytes = () => one([0, 10, 100, 2 ** 40]);
  const times = ['500ms', '1s', '90s', '1m30s', '2m', '1h'];
  const redirect = () => ({
    enabled: random() < 0.7,
    statusCode: one([301, 308] as const),
    port: one([443, 8443]),
  });
  const networks = () =>
    some(
      [
        '10.0.0.0/8',
        '10.0.0.0/9',
        '10.128.0.0/9',
        '10.1.0.0/16',
        '192.0.2.0/24',
        '0.0.0.0/0',
        '2001:db8::/32',
        '2001:db8:8000::/33',
        '::/0',
      ],
      3,
    );
  const edits = (most: number) => ({
    ...maybe(0.6, () => ({
      set: some(['x-a', 'X-B', 'x-c'], most).map((name) => ({ name, value: one(['a', 'b']) })),
    })),
    ...maybe(0.3, () => ({
      add: some(['X-A', 'x-d'], most).map((name) => ({ name, value: one(['a', 'b']) })),
    })),
    ...maybe(0.3, () => ({ remove: some(['x-b', 'X-C'], most) })),
  });
  const values = (chance: number) => ({
    ...maybe(chance, () => ({ httpsRedirect: redirect() })),
    ...maybe(chance, () => ({ ipAllow: networks() })),
    ...maybe(chance, () => ({ responseHeaders: edits(2) })),
  });
  const level = (index: number): Level => ({
    policy: { group: 'gatewright.dev', kind: 'GatewayPolicy', namespace: 'infra', name: `p${index}` },
    overrides: {
      ...values(0.35),
      ...maybe(0.4, () => ({ maxRequestBytes: bytes() })),
      ...maybe(0.4, () => ({ requestTimeout: one(times) })),
    },
    defaults: {
      ...values(0.2),
      ...maybe(0.3, () => ({ maxRequestBytes: { max: bytes(), default: 0 } })),
      ...maybe(0.5, () => ({
        requestTimeout: one([{ min: '1s' }, { min: '90s', max: '1h' }, { max: '2m', default: '1s' }]),
      })),
    },
  });
  return {
    places: (count: number): PolicedPlace[] =>
      Array.from({ length: count }, () => ({
        protocol: random() < 0.7 ? 'HTTP' : 'HTTPS',
        levels: Array.from({ length: 1 + Math.floor(random() * 2) }, (_, index) => level(index)),
      })),
    /** Of the rules of a route; 0s is none. */
    times: () => Array.from({ length: 1 + Math.floor(random() * 2) }, () => one([undefined, '0s', ...times])),
    values: (): Values => {
      const said = {
        ...values(0.35),
        ...maybe(0.35, () => ({ maxRequestBytes: bytes() })),
        ...maybe(0.35, () => ({ requestTimeout: one(times) })),
      };
      return Object.keys(said).length > 0 ? said : { maxRequestBytes: bytes() };
    },
  };
}

describe('the policies', () => {
  const boundsAt = (places: readonly PolicedPlace[]) =>
    loosest(places.map(({ protocol, levels }) => ({ protocol, bounds: boundsOf(levels) })));
  const tried = (team: string, spec: object) =>
    people.apply(undefined, routePolicy(team, spec), { dryRun: true });

  it(`they say of ${RUNS} random ones what TypeScript says where there is one place, and refuse none that is in force at one of two`, async () => {
    const { places, values } = randomPolicies(generator(SEED));
    const told = { beyond: 0, within: 0, beyondBoth: 0 };
    const differences: string[] = [];
    for (const [index, team] of TEAMS.entries()) {
      const all = places(index % 3 === 0 ? 2 : 1);
      await list(team, boundsAt(all));
      for (let run = 0; run < RUNS / TEAMS.length; run++) {
        const spec = values();
        const { status, message } = await tried(team, spec);
        const isBeyond = beyondEverywhere(all, spec);
        const isRefused = status === 403 && message.includes('Missing: a wider bound by GatewayPolicy ');
        if (all.length === 1) told[isBeyond ? 'beyond' : 'within']++;
        else if (isRefused) told.beyondBoth++;
        const isRight = all.length === 1 || !isBeyond ? isRefused === isBeyond : true;
        if (isRight && (isRefused || status < 300)) continue;
        differences.push(
          `${isBeyond ? 'beyond' : 'within'}, but ${status} ${message}: ${JSON.stringify([spec, all])}`,
        );
      }
    }
    expect(differences).toEqual([]);
    expect(Math.min(told.beyond, told.within)).toBeGreaterThan(RUNS / 6);
    expect(told.beyondBoth).toBeGreaterThan(RUNS / 30);
  });

  it('they say of the times of rules what TypeScript says, and nothing where the route is also elsewhere', async () => {
    const { places, times } = randomPolicies(generator(SEED + 1));
    const told = { beyond: 0, within: 0 };
    const differences: string[] = [];
    for (const team of TEAMS) {
      const all = places(1);
      await list(team, boundsAt(all));
      for (let run = 0; run < RUNS / 10 / TEAMS.length; run++) {
        const asked = times();
        const route = (...elsewhere: { name: string; namespace: string }[]) =>
          people.apply(
            undefined,
            httpRoute({
              namespace: team,
              parentRefs: [listenersOf(team), ...elsewhere],
              hostnames: [`${team}.example.com`],
              rules: asked.map((each) => ({
                ...(each === undefined ? {} : { timeouts: { request: each } }),
                backendRefs: [{ name: 'cart', port: 8080 }],
              })),
            }),
            { dryRun: true },
          );
        const isBeyond = asked.some((each) =>
          all.every(
            ({ levels }) =>
              each !== undefined &&
              requestTimeout(levels, [{ requestTimeout: each, fieldOf: (name) => name }])?.overridden.some(
                ({ from }) => !from.policy,
              ),
          ),
        );
        told[isBeyond ? 'beyond' : 'within']++;
        const { status, message } = await route();
        const isRefused = status === 403 && message.includes('spec.rules: found timeouts.request ');
        if (isRefused !== isBeyond || (!isRefused && status >= 300))
          differences.push(`${isBeyond}, but ${message}: ${JSON.stringify([asked, all])}`);
        expect(await route({ name: 'other', namespace: 'elsewhere' })).toMatchObject({ message: '' });
      }
    }
    expect(differences).toEqual([]);
    expect(Math.min(told.beyond, told.within)).toBeGreaterThan(RUNS / 60);
  });

  it('the largest is judged by the largest bounds', async () => {
    const several = <T>(length: number, make: (index: number) => T) =>
      Array.from({ length }, (_, i) => make(i));
    const networks = (from: number, length: number) =>
      several(length, (index) => `2001:db8:${(from + 2 * index + 2).toString(16)}::/48`);
    const name = (index: number) => `x-${'h'.repeat(250)}${index}`;
    const by = 'GatewayPolicy infra/gw (spec.overrides.ipAllow)';
    const bounds: Bounds = {
      ipAllow: { values: networks(0, MOST_LISTED), by },
      responseHeaders: several(96, (index) => ({ name: name(index), values: ['a'], removable: false, by })),
    };
    await list('t0', bounds);
    const set = (value: string) => several(16, (index) => ({ name: name(80 + index), value }));
    const largest = (value: string) => ({
      ipAllow: networks(2 * (MOST_LISTED - 64), 64),
      responseHeaders: {
        set: set(value),
        add: set(value),
        remove: several(16, (index) => name(100 + index)),
      },
    });
    expect(await tried('t0', largest('a'))).toMatchObject({ status: 201, message: '' });
    expect((await tried('t0', largest('b'))).message).toContain(
      `spec.responseHeaders: found ${name(80)}, and ${by}`,
    );
    expect((await tried('t0', { ipAllow: [...networks(0, 63), '2001:db8:1::/48'] })).message).toContain(
      `spec.ipAllow: found 2001:db8:1::/48, and ${by} does not let it be so: 256 other networks. Missing: `,
    );
  });
});

describe('a bound that was narrowed', () => {
  const by = 'GatewayPolicy infra/shared-gw (spec.overrides.maxRequestBytes)';

  it('lets be what was there, and what changes beside it, but not more of it', async () => {
    await list('t1', {});
    const before = routePolicy('t1', { maxRequestBytes: 100, requestTimeout: '1m' });
    await people.put(before);
    await list('t1', { maxRequestBytes: { value: 10, by } });
    const patch = async (spec: object) =>
      people.call(undefined, 'PATCH', await people.pathOf(before), {
        body: { spec },
        contentType: 'application/merge-patch+json',
      });
    expect(await patch({ requestTimeout: '30s' })).toMatchObject({ status: 200 });
    expect(await patch({ maxRequestBytes: 99 })).toMatchObject({
      status: 403,
      message: expect.stringContaining(
        `denied request: spec.maxRequestBytes: found 99, and ${by} does not let it be so: at most 10. Missing: a wider bound by ${by}, which is the loosest wherever routes of team t1 may be (Grant infra/shared-gw-t1, status.bounds). Stay within it, or have the platform widen it`,
      ),
    });
    expect(await patch({ maxRequestBytes: 10 })).toMatchObject({ status: 200 });
    expect(await patch({ maxRequestBytes: 11 })).toMatchObject({ status: 403 });
  });

  it('lets be the times of a route that were there', async () => {
    await list('t2', {});
    const rule = (request: string) => [
      { timeouts: { request }, backendRefs: [{ name: 'cart', port: 8080 }] },
    ];
    const before = httpRoute({
      namespace: 't2',
      parentRefs: [listenersOf('t2')],
      hostnames: ['t2.example.com'],
      rules: rule('1m'),
    });
    await people.put(before);
    await list('t2', { maxRequestTimeout: { value: '10s', by } });
    const patch = async (spec: object) =>
      people.call(undefined, 'PATCH', await people.pathOf(before), {
        body: { spec },
        contentType: 'application/merge-patch+json',
      });
    expect(await patch({ rules: [...rule('1m'), ...rule('10s')] })).toMatchObject({ status: 200 });
    expect(await patch({ rules: rule('11s') })).toMatchObject({
      status: 403,
      message: expect.stringContaining(
        `spec.rules: found timeouts.request 11s, and ${by} does not let it be so: at most 10s. Missing: `,
      ),
    });
  });

  it('and that nobody has listed yet is none', async () => {
    expect(await people.apply(undefined, routePolicy(UNSEEN, { maxRequestBytes: 100 }))).toMatchObject({
      message: '',
    });
  });
});
