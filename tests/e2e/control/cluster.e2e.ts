/** The control plane in a real API server whose CRDs come late, that goes away, and with a second replica. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ClusterOptions } from '../../../gateway-runtime/control/cluster.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import {
  CRDS,
  gateway,
  gatewayClass,
  installCrds,
  put,
  read,
  remove,
  route,
  type TestObject,
} from './objects.ts';
import { Relay } from './relay.ts';
import { Replica, SHORT_ELECTION } from './replica.ts';

let server: ApiServer;
let objects: TestObject[] = [];
const stops: (() => Promise<void>)[] = [];

const made = async (...added: TestObject[]) => {
  objects.push(...added);
  await put(server.client, ...added);
};

interface Connected {
  readonly control: Replica;
  readonly relay: Relay;
}

/** One that is to lose its Lease has short times. */
async function replica(options: Pick<ClusterOptions, 'election'> = {}): Promise<Connected> {
  const relay = await Relay.to(server.port);
  const control = new Replica(server.connectionAt(relay.port), options);
  stops.push(async () => {
    await control.stop();
    await relay.cut().catch(() => {});
  });
  return { control, relay };
}

const crdName = (plural: string) => `${plural}.${GATEWAY_GROUP}`;

const annotate = (plural: string, annotations: Readonly<Record<string, string>>) =>
  server.client.call('PATCH', `${CRDS}/${crdName(plural)}`, {
    contentType: PATCH.merge,
    body: { metadata: { annotations } },
  });

/** The message and status of one condition of an object's status or of its first parent. */
async function condition(object: TestObject, type: string): Promise<string> {
  const { status } = (await read(server.client, object)) as { status?: Record<string, never> };
  const { conditions } = (status?.parents?.[0] ?? status ?? {}) as {
    conditions?: readonly { type: string; status: string; reason: string; observedGeneration?: number }[];
  };
  const found = conditions?.find((each) => each.type === type);
  return found ? `${found.status} ${found.reason} ${found.observedGeneration}` : 'none';
}

const soon = (attempt: () => unknown, milliseconds = 8_000) =>
  eventually(milliseconds, async () => attempt());

const listenerSet: TestObject = {
  apiVersion: `${GATEWAY_GROUP}/v1`,
  kind: 'ListenerSet',
  metadata: { name: 'team', namespace: 'default' },
  spec: {
    parentRef: { name: 'edge' },
    listeners: [{ name: 'team', port: 80, protocol: 'HTTP', hostname: 'team.example.com' }],
  },
};

const edge = gateway('edge');
const openEdge: TestObject = {
  ...edge,
  spec: { ...(edge.spec as object), allowedListeners: { namespaces: { from: 'All' } } },
};

beforeAll(async () => {
  server = await ApiServer.start();
});

afterAll(() => server?.stop());

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await remove(server.client, ...objects);
  objects = [];
});

describe('CRDs', () => {
  it('that are missing, or of another version or channel, are named, and served where they can be', async () => {
    const { control } = await replica();
    await soon(() => expect(control.cluster.synced).toBe(true));
    const plurals = [
      ...['gatewayclasses', 'gateways', 'listenersets', 'httproutes', 'tlsroutes', 'referencegrants'],
      'backendtlspolicies',
    ];
    // Definitions are read apart from what is served, and may be there later.
    await soon(() =>
      expect(control.problemCodes.sort()).toEqual(
        plurals.map((each) => `crd/missing ${crdName(each)}`).sort(),
      ),
    );

    await installCrds(server.client, ...plurals.filter((each) => each !== 'listenersets'));
    await made(gatewayClass, openEdge, route('cart', [{ name: 'edge' }]));
    await soon(async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 1'));
    // A collection that was not there a moment ago may be refused until the API server is ready for it.
    await soon(() => expect(control.problemCodes).toEqual([`crd/missing ${crdName('listenersets')}`]));
    expect(control.problems[0]!.message).toBe(
      'found none, expected that of Gateway API v1.6.1; no ListenerSet is served',
    );

    await installCrds(server.client, 'listenersets');
    await made(listenerSet);
    await soon(async () => expect(await condition(listenerSet, 'Accepted')).toBe('True Accepted 1'));
    await soon(() => expect(control.problems).toEqual([]));

    await annotate('httproutes', { [`${GATEWAY_GROUP}/bundle-version`]: 'v1.9.0' });
    await annotate('gateways', { [`${GATEWAY_GROUP}/channel`]: 'standard' });
    await soon(async () =>
      expect(await condition(gatewayClass, 'SupportedVersion')).toBe('False UnsupportedVersion 1'),
    );
    await soon(() =>
      expect(control.problemCodes).toEqual([
        `crd/channel ${crdName('gateways')}`,
        `crd/bundle-version ${crdName('httproutes')}`,
      ]),
    );
    await annotate('httproutes', { [`${GATEWAY_GROUP}/bundle-version`]: 'v1.6.1' });
    await soon(async () =>
      expect(await condition(gatewayClass, 'SupportedVersion')).toBe('True SupportedVersion 1'),
    );

    await server.client.call('DELETE', `${CRDS}/${crdName('listenersets')}`);
    await soon(() => expect(control.problemCodes).toContain(`crd/missing ${crdName('listenersets')}`));
    await soon(() =>
      expect(control.cluster.translation.statuses.has('ListenerSet/default/team')).toBe(false),
    );
    expect(control.events).toEqual([]);
    objects = objects.filter((each) => each !== listenerSet);
  });
});

describe('CRDs without a field that is written', () => {
  it('do not have it written again and again', async () => {
    await installCrds(server.client);
    const field = '/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/attachedListenerSets';
    const path = `${CRDS}/${crdName('gateways')}`;
    await server.client.call('PATCH', path, {
      contentType: PATCH.json,
      body: [{ op: 'remove', path: field }],
    });
    const { control } = await replica();
    await made(gatewayClass, edge, route('cart', [{ name: 'edge' }]));
    await soon(async () => expect(await condition(edge, 'Programmed')).toBe('True Programmed 1'));
    await soon(() => expect(control.cluster.statusWrites).toBe(3));
    expect(await read(server.client, edge)).not.toHaveProperty('status.attachedListenerSets');
    // The first repair would come after one second.
    await sleep(1_500);
    expect(control.cluster.statusWrites).toBe(3);
    await installCrds(server.client);
  });
});

describe('an API server that is away', () => {
  beforeAll(() => installCrds(server.client));

  it('changes nothing, and changes made meanwhile are picked up', async () => {
    const { control, relay } = await replica({ election: SHORT_ELECTION });
    await made(gatewayClass, edge, route('cart', [{ name: 'edge' }]));
    await soon(async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 1'));
    const translation = control.cluster.translation;
    const changes = control.changes.length;
    await relay.cut();
    await soon(() => expect(control.problemCodes).toEqual(['cluster/unreachable kubernetes']));
    await made(route('late', [{ name: 'edge' }]));
    await put(server.client, route('cart', [{ name: 'edge' }], { hostnames: ['new.example.com'] }));
    // Longer than it leads without a renewal.
    await soon(() => expect(control.cluster.epoch).toBeUndefined());
    expect(control.changes).toHaveLength(changes);
    expect(control.cluster.translation).toBe(translation);
    await relay.restore();
    await soon(
      async () => expect(await condition(route('late', []), 'Accepted')).toBe('True Accepted 1'),
      15_000,
    );
    await soon(async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 2'));
    await soon(() => expect(control.problems).toEqual([]));
  });

  it('that is silent in the middle of a write delays it, and nothing is written twice', async () => {
    const { control, relay } = await replica({ election: SHORT_ELECTION });
    await made(gatewayClass, edge);
    await soon(() => expect(control.cluster.statusWrites).toBe(2));
    relay.silence();
    await made(route('cart', [{ name: 'edge' }]));
    await relay.cut();
    await relay.restore();
    await soon(
      async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 1'),
      15_000,
    );
    const { status } = (await read(server.client, route('cart', []))) as unknown as {
      status: { parents: object[] };
    };
    expect(status.parents).toHaveLength(1);
  });
});

describe('two replicas', () => {
  beforeAll(() => installCrds(server.client));

  it('both know everything, one writes, and the other goes on where it is lost', async () => {
    const short = { election: SHORT_ELECTION };
    const [first, second] = [await replica(short), await replica(short)];
    await made(gatewayClass, edge, route('cart', [{ name: 'edge' }]));
    await soon(async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 1'));
    await soon(() => {
      const both = [first, second].map(({ control }) => control.cluster.statusWrites);
      expect(both.toSorted((a, b) => a - b)).toEqual([0, 3]);
    });
    const [leader, follower] = first.control.cluster.statusWrites > 0 ? [first, second] : [second, first];
    const { epoch } = leader.control.cluster;
    await soon(() =>
      expect(follower.control.cluster.translation).toEqual(leader.control.cluster.translation),
    );

    await leader.relay.cut();
    await soon(() => expect(follower.control.cluster.epoch).toBe(epoch! + 1), 15_000);
    expect(leader.control.cluster.epoch).toBeUndefined();
    expect(leader.control.events.some((event) => event.startsWith('This replica leads no longer'))).toBe(
      true,
    );
    await put(server.client, route('cart', [{ name: 'edge' }], { hostnames: ['new.example.com'] }));
    await soon(async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 2'));
    // A write counts when its answer is there, which may be after others see what was written.
    await soon(() => expect(follower.control.cluster.statusWrites).toBe(1));

    await leader.relay.restore();
    await soon(() =>
      expect(leader.control.cluster.translation).toEqual(follower.control.cluster.translation),
    );
    await put(server.client, route('cart', [{ name: 'edge' }], { hostnames: ['newest.example.com'] }));
    await soon(async () => expect(await condition(route('cart', []), 'Accepted')).toBe('True Accepted 3'));
    const writes = () => [leader, follower].map(({ control }) => control.cluster.statusWrites);
    await soon(() => expect(writes()).toEqual([3, 2]));
    await sleep(500);
    expect(writes()).toEqual([3, 2]);
  });
});
