/** What a follower tells the leader: over real sockets and TLS, through the port for data planes. */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Distribution } from '../../gateway-runtime/control/distribution.ts';
import type { TokenOwner } from '../../gateway-runtime/control/distribution-guest.ts';
import type { ReplicaView } from '../../gateway-runtime/control/distribution-view.ts';
import { ACKS_PROTOCOL, AckReceiver, AckSender } from '../../gateway-runtime/control-plane/acks.ts';
import { Views } from '../../gateway-runtime/control-plane/views.ts';
import { DISTRIBUTION_LIMITS, type DistributionLimits } from '../../gateway-runtime/distribution/limits.ts';
import type { GatewayId } from '../../gateway-runtime/snapshot/snapshot.ts';
import { FAST, root, serving, until } from '../support/distribution.ts';

const GATEWAY = { namespace: 'infra', name: 'edge' };
const OURS: TokenOwner = { namespace: 'gatewright-system', serviceAccount: 'gatewright' };
const limits = { ...DISTRIBUTION_LIMITS, ...FAST };

const view = (replica: string, sequence = 1): ReplicaView => ({
  replica,
  connected: true,
  since: 1_000,
  ready: true,
  acked: { order: { epoch: 1, sequence }, version: 'a'.repeat(64) },
  diagnostics: [],
});

const issuer = root();
let leader: Leader;
const senders: AckSender[] = [];

/** The leader's end. */
class Leader {
  readonly events: string[] = [];
  readonly changes: GatewayId[] = [];
  readonly views = new Views((gateway) => this.changes.push(gateway));
  readonly tokens = new Map<string, TokenOwner>([
    ['ours', OURS],
    ['theirs', { namespace: 'infra', serviceAccount: 'edge-gatewright' }],
  ]);
  readonly receiver: AckReceiver;
  readonly #distribution: Distribution;
  port = 0;

  constructor(patience: Partial<DistributionLimits> = {}) {
    const own = { ...limits, ...patience };
    const verify = async (token: string) => this.tokens.get(token);
    this.receiver = new AckReceiver({
      limits: own,
      verify,
      isOurs: async ({ namespace, serviceAccount }) =>
        namespace === OURS.namespace && serviceAccount === OURS.serviceAccount,
      onView: (observer, gateway, seen) => this.views.put(observer, gateway, seen),
      onLost: (observer) => this.views.lost(observer),
      onEvent: (message) => this.events.push(message),
    });
    this.#distribution = new Distribution({
      certificate: serving(issuer),
      address: '127.0.0.1',
      port: 0,
      verify,
      accountOf: () => 'edge-gatewright',
      others: new Map([[ACKS_PROTOCOL, (socket) => this.receiver.accept(socket)]]),
      limits: own,
    });
  }

  async start(): Promise<void> {
    this.port = await this.#distribution.listen();
  }

  async stop(): Promise<void> {
    this.receiver.close();
    await this.#distribution.close();
  }
}

function follower({
  identity = 'two',
  token = 'ours',
  authorities = issuer.certificate,
  views = [] as ReplicaView[],
} = {}) {
  const events: string[] = [];
  const sender = new AckSender({
    limits,
    identity,
    serverName: '127.0.0.1',
    authorities: () => authorities,
    token: async () => token,
    views: () => views.map((each) => [GATEWAY, each] as const),
    onEvent: (message) => events.push(message),
  });
  senders.push(sender);
  return { sender, events };
}

const address = () => `127.0.0.1:${leader.port}`;

beforeEach(async () => {
  leader = new Leader();
  await leader.start();
});

afterEach(async () => {
  for (const each of senders.splice(0)) each.stop();
  await leader.stop();
});

describe('a follower', () => {
  it('tells what it knows, and then what changes', async () => {
    const { sender } = follower({ views: [view('a'), view('b')] });
    sender.follow(address());
    await until('both are told', () => leader.views.of(GATEWAY).length === 2);
    expect(leader.views.of(GATEWAY)).toEqual([view('a'), view('b')]);
    sender.send(GATEWAY, view('a', 2));
    sender.send(GATEWAY, view('a', 3));
    await until('the newest is told', () => leader.views.of(GATEWAY)[0]!.acked!.order.sequence === 3);
  });

  it('that goes away leaves data planes that are on their way', async () => {
    const { sender } = follower({ views: [view('a')] });
    sender.follow(address());
    await until('it is told', () => leader.views.of(GATEWAY).length === 1);
    sender.stop();
    await until('the loss is noticed', () => !leader.views.of(GATEWAY)[0]!.connected);
    expect(Date.now() - leader.views.of(GATEWAY)[0]!.since).toBeLessThan(10_000);
  });

  it('dials again when it is asked to, and is known by its name then', async () => {
    const { sender } = follower({ views: [view('a')] });
    sender.follow(address());
    await until('it is told', () => leader.views.of(GATEWAY).length === 1);
    const again = follower({ views: [view('b')] }).sender;
    again.follow(address());
    await until('what the first said is over', () =>
      leader.views.of(GATEWAY).some(({ connected }) => !connected),
    );
    await until('the second is heard', () =>
      leader.views.of(GATEWAY).some(({ replica, connected }) => replica === 'b' && connected),
    );
    expect(sender.isConnected).toBe(false);
    again.stop();
    sender.follow(address());
    await until('it is connected again', () => sender.isConnected);
  });

  it('follows to another leader', async () => {
    const first = leader;
    const { sender } = follower({ views: [view('a')] });
    sender.follow(address());
    await until('it is told', () => first.views.of(GATEWAY).length === 1);
    const second = new Leader();
    await second.start();
    try {
      await until('the other one is told', () => {
        sender.follow(`127.0.0.1:${second.port}`);
        return second.views.of(GATEWAY).length === 1;
      });
      await until('the first one has lost it', () => !first.views.of(GATEWAY)[0]!.connected);
    } finally {
      sender.stop();
      await second.stop();
    }
  });

  it('does not show its token to somebody whom the authority does not know', async () => {
    const { sender, events } = follower({ authorities: root().certificate });
    sender.follow(address());
    await until('it gave up', () => events.length > 0);
    expect(events[0]).toMatch(/^acks can't be sent to the leader at 127\.0\.0\.1:\d+: /);
    expect(sender.isConnected).toBe(false);
    expect(leader.events).toEqual([]);
  });
});

describe('the leader', () => {
  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('hears a follower while another address holds connections and says nothing', async () => {
    const patient = new Leader({ hello: 60_000, silence: 60_000 });
    await patient.start();
    const mute: TLSSocket[] = [];
    const from = { localAddress: '127.0.0.66' };
    try {
      for (let i = 0; i < 40; i++) {
        const socket = connect({
          host: '127.0.0.1',
          port: patient.port,
          ...from,
          ca: issuer.certificate,
          ALPNProtocols: [ACKS_PROTOCOL],
        });
        mute.push(socket.on('error', () => {}));
        await once(socket, 'secureConnect');
      }
      const { sender } = follower({ views: [view('a')] });
      sender.follow(`127.0.0.1:${patient.port}`);
      await until('it is told', () => patient.views.of(GATEWAY).length === 1);
    } finally {
      for (const each of mute) each.destroy();
      await patient.stop();
    }
  });

  it.each([
    ['theirs', 'found a token of the service account infra/edge-gatewright, expected our own'],
    ['stolen', 'found a token that is not valid'],
  ])('refuses who shows a token that is not its own: %s', async (token, why) => {
    const { sender, events } = follower({ token, views: [view('a')] });
    sender.follow(address());
    await until('it is refused', () => events.length > 0);
    expect(leader.events).toEqual([`A replica of the control plane at 127.0.0.1 was refused: ${why}.`]);
    expect(leader.views.of(GATEWAY)).toEqual([]);
    expect(sender.isConnected).toBe(false);
    expect([...events, ...leader.events].join()).not.toContain(`"${token}"`);
  });
});
