/**
 * A follower tells the leader what it knows of the data planes that dialled it. It dials the port for data planes, under another
 * protocol: it checks the leader's certificate as they do, and proves with its own token that it is a replica of the control plane.
 */
import { connect, type TLSSocket } from 'node:tls';
import { boolean, integer, list, oneOf, optional, string } from '../api/schema.ts';
import type { TokenOwner } from '../control/distribution-guest.ts';
import { Strangers } from '../control/distribution-strangers.ts';
import type { ReplicaView } from '../control/distribution-view.ts';
import { Connection } from '../distribution/connection.ts';
import { gatewayId, hash, name } from '../distribution/content.ts';
import { checked, exactly, InvalidContentError } from '../distribution/exactly.ts';
import { handshake } from '../distribution/handshake.ts';
import type { DistributionLimits } from '../distribution/limits.ts';
import { diagnostic } from '../distribution/messages.ts';
import { order } from '../distribution/order.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import type { Observer } from './views.ts';

/** Named in the TLS handshake, as that of data planes is. */
export const ACKS_PROTOCOL = 'gatewright-acks/1';

interface PeerHello {
  readonly type: 'hello';
  /** As in the Lease. */
  readonly identity: string;
  readonly token: string;
}

interface Seen {
  readonly type: 'view';
  readonly gateway: GatewayId;
  readonly view: ReplicaView;
}

type PeerMessage = PeerHello | Seen | { readonly type: 'beat' | 'goodbye' | 'welcome' };

const SCHEMAS = {
  hello: exactly<PeerHello>({
    type: oneOf(['hello']),
    identity: string({ min: 1, max: 512 }),
    token: string({ min: 1, max: 32 * 1024 }),
  }),
  view: exactly<Seen>({
    type: oneOf(['view']),
    gateway: gatewayId,
    view: exactly<ReplicaView>({
      replica: name(),
      connected: boolean(),
      since: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      ready: boolean(),
      acked: optional(exactly<NonNullable<ReplicaView['acked']>>({ order, version: hash() })),
      refused: optional(hash()),
      diagnostics: list(diagnostic, { max: 1_000 }),
    }),
  }),
} as const;

function message(value: unknown): PeerMessage {
  const { type } = (value ?? {}) as { type?: unknown };
  if (type === 'hello' || type === 'view') return checked<PeerMessage>(SCHEMAS[type], value, type);
  // What else there is has nothing in it that is read.
  if (type === 'beat' || type === 'goodbye' || type === 'welcome') return { type };
  throw new InvalidContentError('type: expected one of hello, view, beat, goodbye, welcome');
}

type Limits = Pick<
  DistributionLimits,
  'beat' | 'silence' | 'hello' | 'handshake' | 'helloFrame' | 'dataPlaneFrame' | 'connections'
>;

export interface AckReceiverOptions {
  readonly limits: Limits;
  /** As `Door.verify`. */
  readonly verify: (token: string) => Promise<TokenOwner | undefined>;
  /** Whether the token is one of the control plane's own. */
  readonly isOurs: (owner: TokenOwner) => Promise<boolean>;
  readonly onView: (observer: Observer, gateway: GatewayId, view: ReplicaView) => void;
  /** Nothing more comes from there, until it dials again. */
  readonly onLost: (observer: Observer) => void;
  readonly onEvent: (message: string) => void;
}

/** Replicas of the control plane; more are a mistake or an attack. */
const MOST_PEERS = 32;

/** The leader's side. */
export class AckReceiver {
  readonly #options: AckReceiverOptions;
  /** By identity. */
  readonly #peers = new Map<Observer, Connection>();
  readonly #connections = new Set<Connection>();
  readonly #strangers = new Strangers(MOST_PEERS);

  constructor(options: AckReceiverOptions) {
    this.#options = options;
  }

  accept(socket: TLSSocket): void {
    const stranger = this.#strangers.admit(socket);
    if (!stranger) return;
    const { limits, onView, onLost } = this.#options;
    let identity: Observer | undefined;
    let isGreeted = false;
    const patience = setTimeout(() => connection.destroy('no hello came'), limits.hello);
    const seen = new Set<string>();
    const connection: Connection = new Connection({
      socket,
      limit: limits.helloFrame,
      limits,
      onMessage: (value) => {
        const received = message(value);
        if (received.type === 'hello' && !isGreeted) {
          isGreeted = true;
          stranger.saidHello();
          this.#meet(received, connection).then(
            () => {
              clearTimeout(patience);
              stranger.known();
              identity = received.identity;
            },
            (error: Error) => this.#refuse(connection, error.message, socket.remoteAddress),
          );
        } else if (received.type === 'view' && identity !== undefined) {
          seen.add(`${gatewayKey(received.gateway)}/${received.view.replica}`);
          if (seen.size > limits.connections)
            throw new InvalidContentError('view: expected fewer data planes');
          // By our own clock.
          const since = received.view.connected ? received.view.since : Date.now();
          onView(identity, received.gateway, { ...received.view, since });
        } else if (received.type !== 'beat' && received.type !== 'goodbye') {
          throw new InvalidContentError(`${received.type}: expected hello, once, and then views`);
        }
      },
      onClose: () => {
        clearTimeout(patience);
        this.#connections.delete(connection);
        if (identity === undefined || this.#peers.get(identity) !== connection) return;
        this.#peers.delete(identity);
        onLost(identity);
      },
    });
    this.#connections.add(connection);
  }

  close(): void {
    for (const connection of this.#connections) connection.end('stopping', 'this replica stops');
  }

  async #meet({ identity, token }: PeerHello, connection: Connection): Promise<void> {
    const { verify, isOurs, limits, onLost } = this.#options;
    const owner = await verify(token);
    if (!owner) throw new Error('found a token that is not valid');
    if (!(await isOurs(owner))) {
      throw new Error(
        `found a token of the service account ${owner.namespace}/${owner.serviceAccount}, expected our own`,
      );
    }
    if (!connection.isOpen) return;
    const before = this.#peers.get(identity);
    if (!before && this.#peers.size >= MOST_PEERS) {
      connection.end('busy', `there are ${MOST_PEERS} replicas already`);
      return;
    }
    this.#peers.set(identity, connection);
    before?.end('replaced', 'the same replica dialled again');
    onLost(identity);
    connection.limit = limits.dataPlaneFrame;
    connection.send({ type: 'welcome' });
  }

  #refuse(connection: Connection, why: string, from = 'an unknown address'): void {
    this.#options.onEvent(`A replica of the control plane at ${from} was refused: ${why}.`);
    connection.end('refused', 'the token is not one of ours');
  }
}

export interface AckSenderOptions {
  readonly limits: Limits;
  readonly identity: string;
  /** Name that the leader's certificate is for. */
  readonly serverName: string;
  /** Authorities of now, PEM; undefined where there are none yet. */
  readonly authorities: () => string | undefined;
  readonly token: () => Promise<string>;
  /** What is known here, to begin with. */
  readonly views: () => Iterable<readonly [GatewayId, ReplicaView]>;
  readonly onEvent: (message: string) => void;
}

/** The follower's side: one connection to whoever leads. */
export class AckSender {
  readonly #options: AckSenderOptions;
  #address: string | undefined;
  #connection: Connection | undefined;
  #isWelcome = false;
  #isDialling = false;
  /** What is to be sent, by data plane; of several views of one the last. */
  readonly #due = new Map<string, Seen>();
  #isSending = false;
  #told = '';

  constructor(options: AckSenderOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#isWelcome;
  }

  /** Who leads now, as `host:port`; undefined where nobody does, or we do. Dials where there is no connection; call it again and again. */
  follow(address: string | undefined): void {
    if (address !== this.#address) {
      this.#connection?.destroy('another replica leads now');
      this.#address = address;
    }
    if (address !== undefined && !this.#connection && !this.#isDialling) void this.#dial(address);
  }

  /** Something about a data plane is other than before. */
  send(gateway: GatewayId, view: ReplicaView): void {
    if (!this.#isWelcome) return;
    this.#due.set(`${gatewayKey(gateway)}/${view.replica}`, { type: 'view', gateway, view });
    void this.#pump();
  }

  stop(): void {
    this.follow(undefined);
  }

  async #dial(address: string): Promise<void> {
    const { limits, serverName, authorities, token } = this.#options;
    const ca = authorities();
    const { 1: host, 2: port } = /^\[?([^\]]+)\]?:(\d+)$/.exec(address) ?? [];
    if (ca === undefined || host === undefined) return;
    this.#isDialling = true;
    try {
      const shown = await token();
      const socket = connect({
        host,
        port: Number(port),
        ca,
        servername: serverName,
        minVersion: 'TLSv1.3',
        ALPNProtocols: [ACKS_PROTOCOL],
      });
      await handshake(socket, limits.handshake);
      if (this.#address === address) this.#speak(socket, shown);
      else socket.destroy();
    } catch (error) {
      this.#tell(`acks can't be sent to the leader at ${address}: ${(error as Error).message}`);
    } finally {
      this.#isDialling = false;
    }
  }

  #speak(socket: TLSSocket, token: string): void {
    const { limits, identity, views } = this.#options;
    const connection = new Connection({
      socket,
      limit: limits.helloFrame,
      limits,
      onMessage: (value) => {
        const { type } = message(value);
        if (type !== 'welcome') return;
        this.#isWelcome = true;
        this.#tell('acks go to the leader');
        for (const [gateway, view] of views()) this.send(gateway, view);
      },
      onClose: (why) => {
        this.#connection = undefined;
        this.#isWelcome = false;
        this.#due.clear();
        this.#tell(`acks don't go to the leader: ${why}`);
      },
    });
    this.#connection = connection;
    const hello: PeerHello = { type: 'hello', identity, token };
    void connection.sendAll([JSON.stringify(hello)]);
  }

  async #pump(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#due.size > 0 && this.#connection) await this.#connection.sendAll(this.#taken());
    } finally {
      this.#isSending = false;
    }
  }

  *#taken(): Generator<string> {
    for (const [key, seen] of this.#due) {
      this.#due.delete(key);
      yield JSON.stringify(seen);
    }
  }

  #tell(told: string): void {
    if (told !== this.#told) this.#options.onEvent(told);
    this.#told = told;
  }
}
