/** Leader election of replicas, each with a relay of its own to one real API server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient, isStatus, PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import { LeaderElection } from '../../../gateway-runtime/control/cluster/leader-election.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import { Relay } from './relay.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/default/leases/gatewright';
const TIMES = { duration: 3_000, deadline: 1_500, period: 200 };
/** Nobody can have waited for the end of such a Lease. */
const LONG = { duration: 60_000, deadline: 20_000, period: 200 };

interface Lease {
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number };
}

let server: ApiServer;
const closers: (() => Promise<void>)[] = [];

interface Replica {
  readonly election: LeaderElection;
  readonly relay: Relay;
  /** `+<epoch>` where it began to lead, `-` where it stopped. */
  readonly turns: string[];
}

async function replica(identity: string, times = TIMES): Promise<Replica> {
  const relay = await Relay.to(server.port);
  const client = new ApiClient(server.connectionAt(relay.port));
  const turns: string[] = [];
  const election = new LeaderElection({
    client,
    namespace: 'default',
    identity,
    ...times,
    onStarted: (epoch) => turns.push(`+${epoch}`),
    onStopped: () => turns.push('-'),
  });
  closers.push(async () => {
    await election.stop();
    client.close();
    await relay.cut().catch(() => {});
  });
  election.start();
  return { election, relay, turns };
}

const leads = ({ election }: Replica) =>
  eventually(10_000, async () => {
    const { epoch } = election;
    if (epoch === undefined) throw new Error('it does not lead');
    return epoch;
  });

beforeAll(async () => {
  server = await ApiServer.start();
});

afterAll(() => server?.stop());

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await server.client.call('DELETE', LEASE).catch((error) => {
    if (!isStatus(error, 404)) throw error;
  });
});

describe('leader election', () => {
  it('lets one of two lead, and the other at once when the first gives the Lease back', async () => {
    const both = [await replica('a'), await replica('b')];
    await eventually(5_000, async () => expect(both.filter(({ turns }) => turns.length > 0)).toHaveLength(1));
    const [leader, follower] = both[0]!.turns.length > 0 ? both : both.toReversed();
    const epoch = await leads(leader!);
    // Renewed through several periods, longer than the Lease lasts.
    await eventually(10_000, async () => {
      const { spec } = await server.client.get<{ spec: { acquireTime: string; renewTime: string } }>(LEASE);
      expect(Date.parse(spec.renewTime) - Date.parse(spec.acquireTime)).toBeGreaterThan(TIMES.duration);
    });
    expect(follower!.turns).toEqual([]);
    await eventually(2_000, async () => expect(follower!.election.leader).toEqual(leader!.election.leader));

    const began = performance.now();
    await leader!.election.stop();
    expect(await leads(follower!)).toBe(epoch + 1);
    expect(performance.now() - began).toBeLessThan(TIMES.duration);
    expect(leader!.turns).toEqual([`+${epoch}`, '-']);
  });

  it('gives the Lease back also where it is told to stop while it renews it', async () => {
    const leader = await replica('leader', LONG);
    const epoch = await leads(leader);
    const follower = await replica('follower', LONG);
    await eventually(5_000, async () => expect(follower.election.leader?.epoch).toBe(epoch));
    // A renewal was written, and the leader does not know yet.
    await leader.relay.hold();
    const stopped = leader.election.stop();
    leader.relay.release();
    await stopped;
    expect(leader.turns).toEqual([`+${epoch}`, '-']);
    expect(await leads(follower)).toBe(epoch + 1);
  });

  it('gives the Lease back also where its renewal had no answer', async () => {
    const leader = await replica('leader', { ...LONG, deadline: 4_000 });
    const epoch = await leads(leader);
    const follower = await replica('follower', LONG);
    leader.relay.silence();
    // Longer than from one renewal to the next, so that one is under way.
    await sleep(500);
    await leader.election.stop();
    expect(leader.turns).toEqual([`+${epoch}`, '-']);
    expect(await leads(follower)).toBe(epoch + 1);
  });

  it('gives the Lease back also where somebody has edited it', async () => {
    const leader = await replica('leader', { ...LONG, period: 60_000 });
    const epoch = await leads(leader);
    const follower = await replica('follower', LONG);
    await server.client.call('PATCH', LEASE, {
      contentType: PATCH.merge,
      body: { metadata: { labels: { edited: 'true' } } },
    });
    await leader.election.stop();
    expect(await leads(follower)).toBe(epoch + 1);
  });

  it('has a leader without connection stop before another one begins', async () => {
    const first = await replica('first');
    const epoch = await leads(first);
    const second = await replica('second');
    first.relay.silence();
    await first.relay.cut();
    await eventually(5_000, async () => expect(first.turns).toEqual([`+${epoch}`, '-']));
    expect(first.election.epoch).toBeUndefined();
    expect(second.turns).toEqual([]);
    expect(await leads(second)).toBe(epoch + 1);
    await first.relay.restore();
    await eventually(5_000, async () => expect(first.election.leader).toEqual(second.election.leader));
    expect(first.turns).toEqual([`+${epoch}`, '-']);
  });

  it('has a leader stop whose Lease another has taken', async () => {
    const first = await replica('first');
    const epoch = await leads(first);
    await server.client.call('PATCH', LEASE, {
      contentType: PATCH.merge,
      body: { spec: { holderIdentity: 'intruder', leaseTransitions: epoch + 5 } },
    });
    await eventually(5_000, async () => expect(first.turns).toEqual([`+${epoch}`, '-']));
    // The intruder never renews it.
    expect(await leads(first)).toBe(epoch + 6);
  });

  it('counts on where the Lease was deleted', async () => {
    const first = await replica('first');
    const epoch = await leads(first);
    await first.election.stop();
    await server.client.call('DELETE', LEASE);
    const second = await replica('second');
    const later = await leads(second);
    await server.client.call('DELETE', LEASE);
    await eventually(5_000, async () => expect(second.turns).toHaveLength(3));
    expect(second.turns).toEqual([`+${later}`, '-', `+${later + 1}`]);
    expect(later).toBeGreaterThanOrEqual(epoch);
    const { spec } = await server.client.get<Lease>(LEASE);
    expect(spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: later + 1 });
  });
});
