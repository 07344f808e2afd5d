/**
 * What policies make of a rule at each of its listeners, against a reckoning that knows no levels: who has a target is whoever is first among all
 * by time and name, and each number, address and header is asked about by itself.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseAddress } from '../../gateway-runtime/api/network.ts';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { Networks } from '../../gateway-runtime/match/networks.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const bytes = maybe(fc.integer({ min: 0, max: 5 }));
const networks = maybe(
  pick(['10.0.0.0/30'], ['10.0.0.2/31', '10.0.0.4/32'], ['10.0.0.0/24'], ['10.0.1.0/24']),
);
const headers = maybe(
  fc.record({
    set: maybe(
      pick(
        [{ name: 'a', value: '1' }],
        [
          { name: 'A', value: '2' },
          { name: 'b', value: '2' },
        ],
      ),
    ),
    remove: maybe(pick(['a'], ['B'])),
  }),
);
const redirect = maybe(fc.record({ enabled: fc.boolean(), statusCode: pick(301, 308) }));
const values = {
  maxRequestBytes: bytes,
  ipAllow: networks,
  responseHeaders: headers,
  httpsRedirect: redirect,
};
const created = maybe(pick('2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z'));

interface Values {
  maxRequestBytes?: number;
  ipAllow?: string[];
  responseHeaders?: { set?: { name: string; value: string }[]; remove?: string[] };
  httpsRedirect?: { enabled: boolean; statusCode: number };
}
interface Policy {
  kind: string;
  name: string;
  created?: string;
  target: { kind: string; name: string; sectionName?: string };
  overrides?: Values;
  defaults?: Omit<Values, 'maxRequestBytes'> & { maxRequestBytes?: { default?: number; max?: number } };
  own?: Values;
}

const gatewayPolicy = fc.record({
  kind: fc.constant('GatewayPolicy'),
  name: pick('a', 'b', 'c', 'd'),
  created,
  target: pick(
    { kind: 'Gateway', name: 'gw' },
    { kind: 'Gateway', name: 'gw', sectionName: 'web' },
    { kind: 'ListenerSet', name: 'set' },
    { kind: 'ListenerSet', name: 'set', sectionName: 'more' },
  ),
  overrides: fc.record(values),
  defaults: fc.record({
    ...values,
    maxRequestBytes: maybe(
      fc.record({
        default: maybe(fc.integer({ min: 0, max: 3 })),
        max: maybe(fc.integer({ min: 3, max: 5 })),
      }),
    ),
  }),
});
const routePolicy = fc.record({
  kind: fc.constant('RoutePolicy'),
  name: pick('x', 'y'),
  created,
  target: pick({ kind: 'HTTPRoute', name: 'r' }, { kind: 'HTTPRoute', name: 'r', sectionName: 'first' }),
  own: fc.record(values),
});
const policies = fc
  .tuple(fc.array(gatewayPolicy, { maxLength: 5 }), fc.array(routePolicy, { maxLength: 3 }))
  .map(([some, others]) => {
    const all = plain([...some, ...others]) as Policy[];
    const isSaid = (part: object | undefined) => part !== undefined && JSON.stringify(part) !== '{}';
    for (const each of all) {
      if (!isSaid(each.overrides)) delete each.overrides;
      if (each.defaults && !isSaid(each.defaults.maxRequestBytes)) delete each.defaults.maxRequestBytes;
      if (!isSaid(each.defaults)) delete each.defaults;
    }
    const valid = all.filter((each) => each.overrides || each.defaults || isSaid(each.own));
    return [...new Map(valid.map((each) => [`${each.kind}/${each.name}`, each])).values()];
  });

const NAMESPACE = 'infra';
const listener = (name: string, port: number) => ({ name, port, protocol: 'HTTP' });
const WORLD: readonly RawObject[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'gw', namespace: NAMESPACE },
    spec: {
      gatewayClassName: 'x',
      listeners: [listener('web', 80), listener('other', 81)],
      allowedListeners: { namespaces: { from: 'Same' } },
    },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'ListenerSet',
    metadata: { name: 'set', namespace: NAMESPACE },
    spec: { parentRef: { name: 'gw' }, listeners: [listener('more', 82)] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: NAMESPACE },
    spec: { ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r', namespace: NAMESPACE },
    spec: {
      parentRefs: [{ name: 'gw' }, { kind: 'ListenerSet', name: 'set' }],
      rules: [
        { name: 'first', matches: [{ path: { value: '/first' } }], backendRefs: [{ name: 's', port: 80 }] },
        { name: 'second', backendRefs: [{ name: 's', port: 80 }] },
      ],
    },
  },
];

const objectOf = ({
  kind,
  name,
  created: creationTimestamp,
  target,
  overrides,
  defaults,
  own,
}: Policy): RawObject =>
  plain({
    apiVersion: 'gatewright.dev/v1alpha1',
    kind,
    metadata: { name, namespace: NAMESPACE, creationTimestamp },
    spec: { targetRefs: [target], overrides, defaults, ...own },
  });

/** Whoever is first among those with this very target. */
function holder(all: readonly Policy[], kind: string, name: string, sectionName?: string): Policy[] {
  const meant = all.filter(
    ({ target }) => target.kind === kind && target.name === name && target.sectionName === sectionName,
  );
  const rank = (each: Policy) => `${each.created ?? '9999'} ${each.name}`;
  return meant.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, 1);
}

const PLACES = [
  { key: `listener/Gateway/${NAMESPACE}/gw/web`, kind: 'Gateway', name: 'gw', section: 'web' },
  { key: `listener/Gateway/${NAMESPACE}/gw/other`, kind: 'Gateway', name: 'gw', section: 'other' },
  { key: `listener/ListenerSet/${NAMESPACE}/set/more`, kind: 'ListenerSet', name: 'set', section: 'more' },
];

function reckoned(all: readonly Policy[], place: (typeof PLACES)[number], rule: string) {
  const above = [
    ...holder(all, 'Gateway', 'gw'),
    ...(place.kind === 'ListenerSet' ? holder(all, 'ListenerSet', 'set') : []),
    ...holder(all, place.kind, place.name, place.section),
  ];
  const own = [...holder(all, 'HTTPRoute', 'r'), ...holder(all, 'HTTPRoute', 'r', rule)].map(
    (each) => each.own!,
  );
  const forced = above.flatMap(({ overrides }) => overrides ?? []);
  const said = [...above.flatMap(({ defaults }) => defaults ?? []), ...own] as Values[];
  const last = <V>(list: readonly (V | undefined)[]) => list.filter((each) => each !== undefined).at(-1);
  const asked = last([
    ...above.map(({ defaults }) => defaults?.maxRequestBytes?.default),
    ...own.map((each) => each.maxRequestBytes),
  ]);
  const ceilings = [
    ...forced.map((each) => each.maxRequestBytes),
    ...above.map(({ defaults }) => defaults?.maxRequestBytes?.max),
  ];
  const lastNetworks = last(said.map((each) => each.ipAllow));
  const fields = new Map([
    ['a', 'backend'],
    ['b', 'backend'],
  ]);
  for (const edits of [...said, ...forced.toReversed()].map((each) => each.responseHeaders)) {
    for (const { name, value } of edits?.set ?? []) fields.set(name.toLowerCase(), value);
    for (const name of edits?.remove ?? []) fields.delete(name.toLowerCase());
  }
  const redirected =
    forced.map((each) => each.httpsRedirect).find((each) => each !== undefined) ??
    last(said.map((each) => each.httpsRedirect));
  return {
    takes: (size: number) => [...ceilings, asked].every((most) => most === undefined || size <= most),
    admits: (address: number) =>
      [...forced.map((each) => each.ipAllow), lastNetworks].every(
        (each) => each === undefined || new Networks(each).has(address),
      ),
    fields: [...fields],
    status: redirected?.enabled ? redirected.statusCode : undefined,
  };
}

const SIZES = [0, 1, 2, 3, 4, 5, 6];
const ADDRESSES = ['10.0.0.0', '10.0.0.2', '10.0.0.4', '10.0.0.9', '10.0.1.7', '192.0.2.1'].map(
  (text) => parseAddress(text) as number,
);

function fieldsAfter(rule: HttpRule): [string, string][] {
  const fields = new Map([
    ['a', 'backend'],
    ['b', 'backend'],
  ]);
  for (const { type, config } of rule.filters) {
    expect(type).toBe('ResponseHeaderModifier');
    const edits = config as { set: [string, string][]; remove: string[] };
    for (const [name, value] of edits.set) fields.set(name.toLowerCase(), value);
    for (const name of edits.remove) fields.delete(name);
  }
  return [...fields];
}

describe('policies', () => {
  it('hold at each listener for each rule as they are reckoned one by one, whatever the order of objects', () => {
    let checked = 0;
    fc.assert(
      fc.property(policies, fc.boolean(), (all, reversed) => {
        const made = [...WORLD, ...all.map(objectOf)];
        const { snapshots, diagnostics } = translate(reversed ? made.toReversed() : made, {
          regex: re2,
          classes: 'any',
        });
        expect(diagnostics.filter(({ code }) => code.startsWith('object/'))).toEqual([]);
        const { resources } = snapshots.get(`${NAMESPACE}/gw`)!;
        const rules = resources.filter((each): each is HttpRule => each.type === 'http-rule');
        for (const place of PLACES) {
          for (const name of ['first', 'second']) {
            const there = rules.filter(
              ({ source, parents }) =>
                source.ruleName === name && parents.some((each) => each.listener === place.key),
            );
            expect(there).toHaveLength(1);
            const [rule] = there as [HttpRule];
            const expected = reckoned(all, place, name);
            const admits = rule.allow && new Networks(rule.allow);
            for (const address of ADDRESSES) {
              expect(admits ? admits.has(address) : true).toBe(expected.admits(address));
            }
            const redirect = rule.filters.find(({ type }) => type === 'RequestRedirect');
            expect((redirect?.config as { status: number } | undefined)?.status).toBe(expected.status);
            if (redirect) continue;
            for (const size of SIZES) {
              expect(size <= (rule.maxRequestBytes ?? Infinity)).toBe(expected.takes(size));
            }
            expect(new Map(fieldsAfter(rule))).toEqual(new Map(expected.fields));
            checked++;
          }
        }
      }),
      { numRuns: 200 },
    );
    expect(checked).toBeGreaterThan(0);
  });
});
