/** Statuses as they would be written, from what translate, data planes and the provisioner say; time is the test's. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { refKey } from '../../../gateway-runtime/api/object.ts';
import type { ReplicaView } from '../../../gateway-runtime/control/distribution-view.ts';
import type { WantedStatus } from '../../../gateway-runtime/control/status-writer-merge.ts';
import type { InfrastructureState } from '../../../gateway-runtime/control-plane/provisioner-port.ts';
import { Statuses } from '../../../gateway-runtime/control-plane/statuses.ts';
import type {
  Condition,
  ObjectStatus,
  TranslationChange,
} from '../../../gateway-runtime/translate/translation.ts';

const EDGE = { namespace: 'infra', name: 'edge' };
const ref = (kind: string, name: string, namespace = 'infra') => ({
  group: GATEWAY_GROUP,
  kind,
  namespace,
  name,
});

const condition = (
  type: string,
  observedGeneration: number,
  status: Condition['status'] = 'True',
): Condition => ({
  type,
  status,
  reason: type,
  message: `${type}.`,
  observedGeneration,
});

const gateway = (generation = 1): ObjectStatus => ({
  kind: 'Gateway',
  ref: ref('Gateway', 'edge'),
  conditions: [condition('Accepted', generation), condition('Programmed', generation)],
  listeners: [
    {
      name: 'http',
      supportedKinds: [],
      attachedRoutes: 0,
      conditions: [condition('Accepted', generation), condition('Programmed', generation)],
    },
  ],
  attachedListenerSets: 0,
});

const listenerSet = (generation = 1): ObjectStatus => ({
  kind: 'ListenerSet',
  ref: ref('ListenerSet', 'team'),
  conditions: [condition('Accepted', generation), condition('Programmed', generation)],
  listeners: [],
});

const route = (
  name: string,
  generation = 1,
  accepted: Condition['status'] = 'True',
  parent = ref('Gateway', 'edge'),
): ObjectStatus => ({
  kind: 'HTTPRoute',
  ref: ref('HTTPRoute', name, 'shop'),
  parents: [
    {
      parentRef: parent,
      controllerName: 'gatewright.dev/gateway-controller',
      conditions: [condition('Accepted', generation, accepted), condition('ResolvedRefs', generation)],
    },
  ],
});

/** The statuses of a control plane, as Cluster drives them. */
class World {
  views: ReplicaView[] = [];
  state: InfrastructureState = { pods: [] };
  /** Of each object what was written, the last one last. */
  readonly written = new Map<string, WantedStatus[]>();
  asked = 0;
  readonly #known = new Map<string, ObjectStatus>();
  #sequence = 0;
  readonly statuses = new Statuses({
    views: () => this.views,
    infrastructure: () => this.state,
    reconsider: ({ kind, namespace, name }) => this.#want(`${kind}/${namespace}/${name}`),
  });

  publish(...changed: ObjectStatus[]): string {
    const version = `v${++this.#sequence}`;
    this.change({ deltas: [{ gateway: EDGE, to: version, put: [], remove: [] }] }, ...changed);
    return version;
  }

  change(change: Partial<TranslationChange>, ...changed: ObjectStatus[]): void {
    const statuses = new Map(changed.map((each) => [refKey(each.ref), each]));
    this.statuses.published({ epoch: 1, sequence: this.#sequence }, {
      deltas: [],
      removedGateways: [],
      statuses,
      ...change,
    } as unknown as TranslationChange);
    for (const [key, status] of statuses) {
      this.#known.set(key, status);
      this.#want(key);
    }
    jest.advanceTimersByTime(0);
  }

  /** Begins to lead, with time enough to know everything. */
  lead(): void {
    this.statuses.lead();
    for (const key of this.#known.keys()) this.#want(key);
    jest.advanceTimersByTime(6_000);
  }

  see(...views: ReplicaView[]): void {
    this.views = views;
    this.statuses.changed(EDGE);
    jest.advanceTimersByTime(0);
  }

  /** Status, reason and generation of a condition as last written, of a route that of its first parent. */
  said(key: string, type: string): readonly unknown[] | undefined {
    const found = this.#conditions(this.written.get(key)?.at(-1)).find((each) => each.type === type);
    return found && [found.status, found.reason, found.observedGeneration];
  }

  #conditions(status: WantedStatus | undefined): readonly Condition[] {
    if (!status) return [];
    if ('ancestors' in status) return status.ancestors[0]!.conditions;
    return 'parents' in status ? status.parents[0]!.conditions : status.conditions;
  }

  #want(key: string): void {
    this.asked++;
    const known = this.#known.get(key);
    const status = known && this.statuses.complete(known);
    if (!status) return;
    const before = this.written.get(key) ?? [];
    // As the writer does.
    if (JSON.stringify(before.at(-1)) !== JSON.stringify(status)) this.written.set(key, [...before, status]);
  }
}

const view = (
  version: string | undefined,
  sequence = Number(version?.slice(1)),
  replica = 'edge-1',
): ReplicaView => ({
  replica,
  connected: true,
  since: Date.now(),
  ready: true,
  ...(version === undefined ? {} : { acked: { order: { epoch: 1, sequence }, version } }),
  diagnostics: [],
});

const GATEWAY = 'Gateway/infra/edge';
const CART = 'HTTPRoute/shop/cart';
const ROUTE_PROGRAMMED = 'gatewright.dev/Programmed';

let world: World;
beforeEach(() => {
  jest.useFakeTimers();
  world = new World();
});
afterEach(() => {
  world.statuses.follow();
  jest.useRealTimers();
});

/** A leader with a Gateway, a data plane that serves it, and a route. */
function serving(): void {
  world.lead();
  world.see(view(world.publish(gateway())));
  world.see(view(world.publish(route('cart'))));
}

describe('a route', () => {
  it('is written once, with the word of data planes', () => {
    serving();
    expect(world.written.get(CART)).toHaveLength(1);
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 1]);
    const version = world.publish(route('cart', 2));
    jest.advanceTimersByTime(900);
    expect(world.written.get(CART)).toHaveLength(1);
    world.see(view(version));
    expect(world.written.get(CART)).toHaveLength(2);
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 2]);
    expect(world.said(CART, 'Accepted')).toEqual(['True', 'Accepted', 2]);
  });

  it('waits no longer than a second, and then says what is served', () => {
    serving();
    const version = world.publish(route('cart', 2));
    jest.advanceTimersByTime(1_001);
    expect(world.said(CART, 'Accepted')).toEqual(['True', 'Accepted', 2]);
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 1]);
    world.see(view(version));
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 2]);
  });

  it('that was never served is not programmed', () => {
    serving();
    world.publish(route('new', 3));
    jest.advanceTimersByTime(1_001);
    expect(world.said('HTTPRoute/shop/new', ROUTE_PROGRAMMED)).toEqual(['False', 'Pending', 3]);
  });

  it('is written at once where the Gateway has no data plane', () => {
    world.lead();
    world.publish(gateway());
    world.publish(route('cart'));
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['False', 'NoReplicas', 1]);
  });

  it('has every data plane serve it before it says so', () => {
    world.lead();
    const first = world.publish(gateway());
    world.see(view(first, 1, 'a'), view(first, 1, 'b'));
    const version = world.publish(route('cart'));
    world.see(view(version, 2, 'a'), view(first, 1, 'b'));
    jest.advanceTimersByTime(1_001);
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['False', 'Pending', 1]);
    world.see(view(version, 2, 'a'), view(version, 2, 'b'));
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 1]);
  });

  it('that data planes refuse says why', () => {
    serving();
    const { acked, ...rest } = view('v2');
    const version = world.publish(route('new'));
    world.see({
      ...rest,
      acked: acked!,
      refused: version,
      diagnostics: [{ severity: 'error', code: 'x', object: ref('Gateway', 'edge'), message: 'too much' }],
    });
    jest.advanceTimersByTime(1_001);
    expect(world.said('HTTPRoute/shop/new', ROUTE_PROGRAMMED)).toEqual(['False', 'Refused', 1]);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['False', 'Refused', 1]);
  });

  it('that its parent does not accept is not programmed', () => {
    serving();
    world.see(view(world.publish(route('cart', 2, 'False'))));
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['False', 'NotAccepted', 2]);
  });

  it('of a ListenerSet waits for the Gateway of that', () => {
    serving();
    world.statuses.observe(ref('ListenerSet', 'team'), { spec: { parentRef: { name: 'edge' } } });
    const version = world.publish(route('new', 1, 'True', ref('ListenerSet', 'team')));
    expect(world.written.has('HTTPRoute/shop/new')).toBe(false);
    world.see(view(version));
    expect(world.said('HTTPRoute/shop/new', ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 1]);
  });

  it('that changes again and again is not held back for ever', () => {
    serving();
    for (let generation = 2; generation < 12; generation++) {
      world.publish(route('cart', generation));
      jest.advanceTimersByTime(200);
    }
    expect(world.written.get(CART)!.length).toBeGreaterThan(1);
  });

  it('is not looked at again when others change', () => {
    world.lead();
    world.see(
      view(world.publish(gateway(), ...Array.from({ length: 1_000 }, (_, each) => route(`r-${each}`)))),
    );
    const before = world.asked;
    for (let generation = 2; generation < 12; generation++)
      world.see(view(world.publish(route('r-0', generation))));
    // The route when it changes and when it is served.
    expect(world.asked - before).toBe(20);
  });
});

describe('a Gateway', () => {
  it('is programmed where a data plane serves it, and so are its listeners', () => {
    world.lead();
    const version = world.publish(gateway());
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['False', 'NoReplicas', 1]);
    const listener = () => {
      const status = world.written.get(GATEWAY)!.at(-1) as Extract<WantedStatus, { kind: 'Gateway' }>;
      const { status: programmed, reason } = status.listeners[0]!.conditions[1]!;
      return [programmed, reason];
    };
    expect(listener()).toEqual(['False', 'Pending']);
    world.see(view(version));
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 1]);
    expect(listener()).toEqual(['True', 'Programmed']);
    expect(world.said(GATEWAY, 'gatewright.dev/DataPlaneStale')).toEqual(['False', 'Connected', 1]);
  });

  it('stays so while its data planes take up changes, unless that takes long', () => {
    serving();
    const writes = world.written.get(GATEWAY)!.length;
    for (let generation = 2; generation < 20; generation++) {
      const version = world.publish(route('cart', generation));
      jest.advanceTimersByTime(1_000);
      world.see(view(version));
    }
    expect(world.written.get(GATEWAY)).toHaveLength(writes);
    const version = world.publish(route('cart', 20));
    jest.advanceTimersByTime(4_900);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 1]);
    jest.advanceTimersByTime(200);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['False', 'Pending', 1]);
    world.see(view(version));
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 1]);
  });

  it('says of a new generation what data planes say, after a second at the latest', () => {
    serving();
    world.publish(gateway(2));
    expect(world.said(GATEWAY, 'Accepted')).toEqual(['True', 'Accepted', 1]);
    jest.advanceTimersByTime(1_001);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['False', 'Pending', 2]);
    const version = world.publish(gateway(3));
    world.see(view(version));
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 3]);
  });

  it('that lost its data planes is not programmed, once their streams had time to come back', () => {
    serving();
    world.see({ ...view('v2'), connected: false });
    jest.advanceTimersByTime(14_000);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 1]);
    jest.advanceTimersByTime(1_100);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['False', 'NoReplicas', 1]);
  });

  it('tells of a ready data plane that is not connected', () => {
    serving();
    world.state = { pods: [{ name: 'edge-2', ready: true, since: Date.now() }] };
    world.statuses.changed(EDGE);
    jest.advanceTimersByTime(14_000);
    expect(world.said(GATEWAY, 'gatewright.dev/DataPlaneStale')).toEqual(['False', 'Connected', 1]);
    jest.advanceTimersByTime(1_100);
    expect(world.said(GATEWAY, 'gatewright.dev/DataPlaneStale')).toEqual(['True', 'NotConnected', 1]);
  });

  it('shows its addresses, and what is wrong with them', () => {
    serving();
    world.state = { pods: [], addresses: [{ type: 'IPAddress', value: '192.0.2.1' }] };
    world.statuses.changed(EDGE);
    jest.advanceTimersByTime(0);
    expect(world.written.get(GATEWAY)!.at(-1)).toMatchObject({
      addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
    });
    world.state = { pods: [], problem: { reason: 'AddressNotUsable', message: 'it is taken' } };
    world.statuses.changed(EDGE);
    jest.advanceTimersByTime(0);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['False', 'AddressNotUsable', 1]);
  });

  it('that is not served any more is what translate says', () => {
    serving();
    const refused: ObjectStatus = {
      ...(gateway(2) as Extract<ObjectStatus, { kind: 'Gateway' }>),
      conditions: [condition('Accepted', 2, 'False'), condition('Programmed', 2, 'False')],
    };
    world.change({ removedGateways: ['infra/edge'] }, refused);
    expect(world.written.get(GATEWAY)!.at(-1)).toEqual(refused);
  });
});

describe('a ListenerSet', () => {
  const set: ObjectStatus = {
    kind: 'ListenerSet',
    ref: ref('ListenerSet', 'team'),
    conditions: [condition('Accepted', 1), condition('Programmed', 1)],
    listeners: [
      { name: 'http', supportedKinds: [], attachedRoutes: 0, conditions: [condition('Programmed', 1)] },
    ],
  };
  const SET = 'ListenerSet/infra/team';
  const of = (name: string) =>
    world.statuses.observe(ref('ListenerSet', 'team'), { spec: { parentRef: { name } } });

  it('is programmed where its Gateway is', () => {
    world.lead();
    of('edge');
    const version = world.publish(gateway(), set);
    expect(world.said(SET, 'Programmed')).toEqual(['False', 'ParentNotProgrammed', 1]);
    world.see(view(version));
    expect(world.said(SET, 'Programmed')).toEqual(['True', 'Programmed', 1]);
    expect(world.written.get(SET)!.at(-1)).toEqual(set);
  });

  it('that goes to a Gateway that is not served is what translate says', () => {
    world.lead();
    of('edge');
    world.publish(gateway(), set);
    of('elsewhere');
    world.change({}, { ...set });
    expect(world.written.get(SET)!.at(-1)).toEqual(set);
  });
});

describe('a new leader', () => {
  const takeOver = () => {
    const version = world.publish(gateway(), route('cart'));
    world.see(view(version));
    expect(world.written.size).toBe(0);
    world.statuses.lead();
    for (const each of [gateway(), route('cart')]) world.change({}, each);
    return version;
  };

  it('says nothing before it could hear of all data planes', () => {
    takeOver();
    jest.advanceTimersByTime(4_900);
    expect(world.written.size).toBe(0);
    jest.advanceTimersByTime(200);
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 1]);
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 1]);
    expect([world.written.get(GATEWAY)!.length, world.written.get(CART)!.length]).toEqual([1, 1]);
  });

  it('does not wait where every ready pod is seen', () => {
    world.state = { pods: [{ name: 'edge-1', ready: true, since: Date.now() }] };
    const version = takeOver();
    world.see(view(version));
    expect(world.said(GATEWAY, 'Programmed')).toEqual(['True', 'Programmed', 1]);
    expect(world.said(CART, ROUTE_PROGRAMMED)).toEqual(['True', 'Programmed', 1]);
  });

  it('that follows again says nothing', () => {
    takeOver();
    world.statuses.follow();
    jest.advanceTimersByTime(60_000);
    expect(world.written.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a ListenerSet', () => {
  it('is programmed once its Gateway is, however often it was read the while', () => {
    const object = { spec: { parentRef: { name: 'edge' } } };
    const programmed = () => world.said('ListenerSet/infra/team', 'Programmed');
    world.lead();
    world.statuses.observe(ref('ListenerSet', 'team'), object);
    const version = world.publish(gateway(), listenerSet());
    expect(programmed()).toEqual(['False', 'ParentNotProgrammed', 1]);
    // As after the write of that.
    world.statuses.observe(ref('ListenerSet', 'team'), object);
    world.see(view(version));
    expect(programmed()).toEqual(['True', 'Programmed', 1]);
  });
});
