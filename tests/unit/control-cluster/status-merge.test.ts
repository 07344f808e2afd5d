/** What is written of a status, and what is left alone: as tables of what is there, what is wanted, and the patch between. */
import { describe, expect, it } from '@jest/globals';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import {
  type FoundStatus,
  statusEdits,
  type WantedStatus,
} from '../../../gateway-runtime/control/status-writer-merge.ts';
import { statusPatch } from '../../../gateway-runtime/control/status-writer-patch.ts';
import type { Condition, ListenerStatus } from '../../../gateway-runtime/translate/translation.ts';

const NOW = '2026-05-01T12:00:00Z';
const THEN = '2026-01-01T00:00:00Z';

const routeRef = { group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: 'shop', name: 'cart' };
const gatewayRef = { group: GATEWAY_GROUP, kind: 'Gateway', namespace: 'infra', name: 'edge' };

const condition = (changes: Partial<Condition> = {}): Condition => ({
  type: 'Accepted',
  status: 'True',
  reason: 'Accepted',
  message: 'Attached.',
  observedGeneration: 2,
  ...changes,
});
const written = (changes: Partial<Condition> = {}, lastTransitionTime = THEN) => ({
  ...condition(changes),
  lastTransitionTime,
});

const parentRef = (name: string) => ({ group: GATEWAY_GROUP, kind: 'Gateway', name });
const parent = (name: string, ...conditions: Condition[]) => ({
  parentRef: parentRef(name),
  controllerName: CONTROLLER_NAME,
  conditions: conditions.length > 0 ? conditions : [condition()],
});
const entry = (name: string, conditions: object[] = [written()], controllerName = CONTROLLER_NAME) => ({
  parentRef: parentRef(name),
  controllerName,
  conditions,
});
const foreign = (name: string) => entry(name, [{ ...written(), message: 'Theirs.' }], 'example.com/other');

const wantedRoute = (...parents: ReturnType<typeof parent>[]): WantedStatus => ({
  kind: 'HTTPRoute',
  ref: routeRef,
  parents,
});

const patch = (ref: typeof routeRef, found: FoundStatus | undefined, wanted: WantedStatus | undefined) =>
  statusPatch(found !== undefined, statusEdits(ref, found, wanted, NOW), '7');

const version = { op: 'test', path: '/metadata/resourceVersion', value: '7' };

describe('the status of a route', () => {
  const cases: [string, FoundStatus | undefined, WantedStatus | undefined, object[]][] = [
    [
      'is made where there is none',
      undefined,
      wantedRoute(parent('edge')),
      [version, { op: 'add', path: '/status', value: { parents: [entry('edge', [written({}, NOW)])] } }],
    ],
    [
      'gets its parents where there are none',
      {},
      wantedRoute(parent('edge')),
      [version, { op: 'add', path: '/status/parents', value: [entry('edge', [written({}, NOW)])] }],
    ],
    ['is not written where it is right', { parents: [entry('edge')] }, wantedRoute(parent('edge')), []],
    [
      'has as many parents as there is room for beside those of others',
      { parents: Array.from({ length: 31 }, (_, index) => foreign(`other-${index}`)) },
      wantedRoute(parent('edge'), parent('default')),
      [version, { op: 'add', path: '/status/parents/-', value: entry('edge', [written({}, NOW)]) }],
    ],
    [
      'has those that take it before those that refuse it, where there is no room for all',
      { parents: Array.from({ length: 30 }, (_, index) => foreign(`other-${index}`)) },
      wantedRoute(
        parent('refusing', condition({ status: 'False' })),
        parent('edge'),
        parent('also-refusing', condition({ status: 'False' })),
        parent('default'),
      ),
      [
        version,
        { op: 'add', path: '/status/parents/-', value: entry('edge', [written({}, NOW)]) },
        { op: 'add', path: '/status/parents/-', value: entry('default', [written({}, NOW)]) },
      ],
    ],
    [
      'is not written for the entries of others',
      { parents: [foreign('edge'), entry('edge'), foreign('other')] },
      wantedRoute(parent('edge')),
      [],
    ],
    [
      'gets our entry at the end, beside those of others',
      { parents: [foreign('edge')] },
      wantedRoute(parent('edge')),
      [version, { op: 'add', path: '/status/parents/-', value: entry('edge', [written({}, NOW)]) }],
    ],
    [
      'keeps the time of a condition whose status stays',
      { parents: [foreign('edge'), entry('edge')] },
      wantedRoute(parent('edge', condition({ message: 'Attached anew.', observedGeneration: 3 }))),
      [
        { op: 'test', path: '/status/parents/1', value: entry('edge') },
        {
          op: 'replace',
          path: '/status/parents/1',
          value: entry('edge', [written({ message: 'Attached anew.', observedGeneration: 3 })]),
        },
      ],
    ],
    [
      'has the time of now for a condition that turns, and drops one that is no longer said',
      { parents: [entry('edge', [written(), written({ type: 'PartiallyInvalid' })])] },
      wantedRoute(parent('edge', condition({ status: 'False', reason: 'NotAllowedByListeners' }))),
      [
        {
          op: 'test',
          path: '/status/parents/0',
          value: entry('edge', [written(), written({ type: 'PartiallyInvalid' })]),
        },
        {
          op: 'replace',
          path: '/status/parents/0',
          value: entry('edge', [written({ status: 'False', reason: 'NotAllowedByListeners' }, NOW)]),
        },
      ],
    ],
    [
      'loses our entries of parents that are gone, from the end',
      { parents: [entry('a'), foreign('a'), entry('b'), entry('c')] },
      wantedRoute(parent('b')),
      [
        { op: 'test', path: '/status/parents/3', value: entry('c') },
        { op: 'remove', path: '/status/parents/3' },
        { op: 'test', path: '/status/parents/0', value: entry('a') },
        { op: 'remove', path: '/status/parents/0' },
      ],
    ],
    [
      'loses all our entries, and no other, where no parent is ours',
      { parents: [foreign('a'), entry('b')] },
      undefined,
      [
        { op: 'test', path: '/status/parents/1', value: entry('b') },
        { op: 'remove', path: '/status/parents/1' },
      ],
    ],
    [
      'knows its entry in the form that the API server filled in',
      { parents: [{ ...entry('edge'), parentRef: { name: 'edge', namespace: 'shop' } }] },
      wantedRoute(parent('edge')),
      [
        {
          op: 'test',
          path: '/status/parents/0',
          value: { ...entry('edge'), parentRef: { name: 'edge', namespace: 'shop' } },
        },
        { op: 'replace', path: '/status/parents/0', value: entry('edge') },
      ],
    ],
    [
      'is left alone where it was written for a generation that we have not seen yet',
      { parents: [entry('edge', [written({ observedGeneration: 9 })])] },
      wantedRoute(parent('edge')),
      [],
    ],
    ['takes no harm from entries of any form', { parents: [null, 3, {}] }, wantedRoute(), []],
    [
      'takes no harm from conditions of any form',
      { parents: [entry('edge', [null as never, 'x' as never])] },
      wantedRoute(parent('edge')),
      [
        { op: 'test', path: '/status/parents/0', value: entry('edge', [null as never, 'x' as never]) },
        { op: 'replace', path: '/status/parents/0', value: entry('edge', [written({}, NOW)]) },
      ],
    ],
  ];

  it.each(cases)('%s', (_, found, wanted, expected) => {
    expect(patch(routeRef, found, wanted)).toEqual(expected);
  });
});

describe('the status of a Gateway', () => {
  const listener = (name: string, attachedRoutes = 0, conditions = [condition()]): ListenerStatus => ({
    name,
    supportedKinds: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute' }],
    attachedRoutes,
    conditions,
  });
  const gateway = (changes: Partial<Extract<WantedStatus, { kind: 'Gateway' }>> = {}): WantedStatus => ({
    kind: 'Gateway',
    ref: gatewayRef,
    conditions: [condition()],
    listeners: [listener('http')],
    attachedListenerSets: 0,
    ...changes,
  });
  const other = { ...written(), type: 'example.com/Audited', message: 'Theirs.' };
  const full = {
    addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
    attachedListenerSets: 0,
    conditions: [other, written()],
    listeners: [{ ...listener('http'), conditions: [written(), other] }],
  };

  it('is not written where it is right, and addresses stay where none are wanted', () => {
    expect(patch(gatewayRef, full, gateway())).toEqual([]);
  });

  it('replaces the conditions that an API server gives every new Gateway', () => {
    const pending = { type: 'Accepted', status: 'Unknown', reason: 'Pending', lastTransitionTime: THEN };
    expect(patch(gatewayRef, { conditions: [pending] }, gateway())).toEqual([
      version,
      { op: 'test', path: '/status/conditions/0', value: pending },
      { op: 'replace', path: '/status/conditions/0', value: written({}, NOW) },
      {
        op: 'add',
        path: '/status/listeners',
        value: [{ ...listener('http'), conditions: [written({}, NOW)] }],
      },
      { op: 'add', path: '/status/attachedListenerSets', value: 0 },
    ]);
  });

  it("changes a count without touching times or others' conditions", () => {
    expect(patch(gatewayRef, full, gateway({ listeners: [listener('http', 12)] }))).toEqual([
      { op: 'test', path: '/status/listeners/0', value: full.listeners[0] },
      { op: 'replace', path: '/status/listeners/0', value: { ...full.listeners[0], attachedRoutes: 12 } },
    ]);
  });

  it('takes back a condition of ours that no longer holds', () => {
    const overlapping = { ...written(), type: 'OverlappingTLSConfig' };
    const found = {
      ...full,
      listeners: [{ ...listener('http'), conditions: [written(), overlapping, other] }],
    };
    expect(patch(gatewayRef, found, gateway())).toEqual([
      { op: 'test', path: '/status/listeners/0', value: found.listeners[0] },
      { op: 'replace', path: '/status/listeners/0', value: full.listeners[0] },
    ]);
  });

  it('takes back that it is a default one', () => {
    const isDefault = { ...written(), type: 'DefaultGateway' };
    const found = { ...full, conditions: [...full.conditions, isDefault] };
    const at = `/status/conditions/${full.conditions.length}`;
    expect(patch(gatewayRef, found, gateway())).toEqual([
      { op: 'test', path: at, value: isDefault },
      { op: 'remove', path: at },
    ]);
  });

  it('follows listeners that come and go', () => {
    const operations = patch(gatewayRef, full, gateway({ listeners: [listener('https')] }));
    expect(operations).toEqual([
      version,
      { op: 'test', path: '/status/listeners/0', value: full.listeners[0] },
      { op: 'remove', path: '/status/listeners/0' },
      {
        op: 'add',
        path: '/status/listeners/-',
        value: { ...listener('https'), conditions: [written({}, NOW)] },
      },
    ]);
  });

  it('has the addresses that are wanted', () => {
    const addresses = [{ type: 'IPAddress', value: '192.0.2.2' }];
    expect(patch(gatewayRef, full, gateway({ addresses }))).toEqual([
      { op: 'test', path: '/status/addresses', value: full.addresses },
      { op: 'add', path: '/status/addresses', value: addresses },
    ]);
  });

  it('is left to others where it is not ours any more', () => {
    expect(patch(gatewayRef, full, undefined)).toEqual([]);
  });
});

describe('the status of a policy', () => {
  const policyRef = { group: GATEWAY_GROUP, kind: 'BackendTLSPolicy', namespace: 'shop', name: 'tls' };
  const names = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `gateway-${from + index}`);
  const ancestors = (of: readonly string[], controllerName: string) =>
    of.map((name) => ({ ancestorRef: parentRef(name), controllerName, conditions: [written({}, NOW)] }));
  const theirs = (count: number) => ancestors(names(0, count), 'example.com/other');
  const wanted = (count: number): WantedStatus => ({
    kind: 'BackendTLSPolicy',
    ref: policyRef,
    ancestors: names(0, count).map((name) => ({
      ancestorRef: parentRef(name),
      controllerName: CONTROLLER_NAME,
      conditions: [condition()],
    })),
  });

  it.each([
    [0, 0, 17, 16],
    [16, 0, 1, 0],
    [14, 0, 5, 2],
    [14, 2, 5, 2],
    [10, 16, 16, 6],
  ])(
    'with %d entries of others and %d of ours gets of %d that are wanted %d, as many as it may have',
    (others, before, count, after) => {
      const found = [...theirs(others), ...ancestors(names(0, before), CONTROLLER_NAME)];
      const edits = statusEdits(policyRef, { ancestors: found }, wanted(count), NOW);
      const removed = edits.flatMap((each) => ('remove' in each ? each.remove : []));
      const added = edits.flatMap((each) => ('append' in each ? each.append : []));
      expect(before - removed.length + added.length).toBe(after);
      expect(removed.every(({ index }) => index >= others)).toBe(true);
    },
  );
});
