/**
 * The server side of the stream: data planes dial in, say which Gateway they serve and prove it, and are brought to the newest
 * state of that Gateway. Every replica of the control plane runs one. Who does not prove it learns nothing but that.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Connection } from '../distribution/connection.ts';
import { DISTRIBUTION_LIMITS, type DistributionLimits } from '../distribution/limits.ts';
import { type Hello, PROTOCOL } from '../distribution/messages.ts';
import type { Order } from '../distribution/order.ts';
import { keyOf, type Place } from '../proxy/places/place.ts';
import { Places } from '../proxy/places/places.ts';
import {
  type BackendEndpoints,
  type BackendKey,
  type CertificateBundle,
  type CertificateId,
  type GatewayId,
  gatewayKey,
} from '../snapshot/snapshot.ts';
import type { TranslationChange } from '../translate/translation.ts';
import type { ServingCertificate } from './distribution-authority.ts';
import { GatewayContent } from './distribution-content.ts';
import { type Door, Guest } from './distribution-guest.ts';
import { Strangers } from './distribution-strangers.ts';
import { DistributionStream, type StreamState } from './distribution-stream.ts';
import type { ReplicaView } from './distribution-view.ts';

export interface DistributionOptions extends Door {
  /** Before the first connection it has to be there, or be set. */
  readonly certificate?: ServingCertificate;
  /** Takes connections that speak another protocol than data planes (ALPN), by its name. */
  readonly others?: ReadonlyMap<string, (socket: TLSSocket) => void>;
  /** Default: every address. */
  readonly address?: string;
  /** 0 is any free one. */
  readonly port: number;
  /** Whenever something about a data plane changes, the loss of its stream too. */
  readonly onReplica?: (gateway: GatewayId, view: ReplicaView) => void;
  /** What operators may want to read, as a sentence. */
  readonly onEvent?: (message: string) => void;
  readonly limits?: Partial<DistributionLimits>;
}

interface Peer {
  readonly connection: Connection;
  readonly stream: DistributionStream;
  readonly since: number;
  /** Has it dial again when the time has come. */
  readonly renewal: NodeJS.Timeout;
}

interface Served {
  readonly content: GatewayContent;
  /** By replica. */
  readonly peers: Map<string, Peer>;
}

/** Milliseconds that data planes have to read why their stream ends. */
const LINGER = 1_000;

export class Distribution {
  readonly #options: DistributionOptions;
  readonly #limits: DistributionLimits;
  readonly #server: Server;
  readonly #endpoints = new Map<BackendKey, BackendEndpoints>();
  readonly #certificates = new Map<CertificateId, CertificateBundle>();
  readonly #served = new Map<string, Served>();
  readonly #guests = new Set<Guest>();
  /** Those in their handshake too, which go for others where few places are left. */
  readonly #places: Places;
  /** Those in their handshake, by address and port: TLS has sockets of its own. */
  readonly #inHandshake = new Map<string, Place>();
  readonly #strangers: Strangers;

  constructor(options: DistributionOptions) {
    this.#options = options;
    this.#limits = { ...DISTRIBUTION_LIMITS, ...options.limits };
    this.#server = createServer({
      ...(options.certificate ? secureContext(options.certificate) : {}),
      ALPNProtocols: [PROTOCOL, ...(options.others?.keys() ?? [])],
      handshakeTimeout: this.#limits.handshake,
    });
    const { connections, strangers } = this.#limits;
    this.#server.maxConnections = connections;
    this.#places = new Places(connections);
    this.#strangers = new Strangers(strangers);
    this.#server.on('connection', (socket: Socket) => {
      socket.on('error', () => {});
      const place = this.#places.take(socket);
      const key = keyOf(socket);
      this.#inHandshake.set(key, place);
      socket.on('close', () => {
        if (this.#inHandshake.get(key) === place) this.#inHandshake.delete(key);
      });
      this.#places.makeRoom(place);
    });
    this.#server.on('drop', () => this.#places.makeRoom());
    // Node closes a connection whose handshake failed, and only tells of one that takes too long.
    this.#server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
      if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
    });
    this.#server.on('secureConnection', (socket) => this.#accept(socket));
  }

  /** Resolves with the port. Rejects where it can't be bound. */
  async listen(): Promise<number> {
    this.#server.listen(this.#options.port, this.#options.address);
    await once(this.#server, 'listening');
    this.#server.on('error', (error) => this.#tell(`A connection could not be accepted: ${error.message}.`));
    return (this.#server.address() as AddressInfo).port;
  }

  /** For connections from now on; those that stand are not touched. */
  set certificate(certificate: ServingCertificate) {
    this.#server.setSecureContext(secureContext(certificate));
  }

  /**
   * Hands out what translate said, to those whom it concerns. The first change is everything, and nothing goes out before it.
   * Where only the order is newer nothing is sent.
   */
  publish(order: Order, change: TranslationChange): void {
    putAll(this.#endpoints, change.endpoints);
    putAll(this.#certificates, change.certificates);
    for (const key of change.removedGateways) this.#remove(key);
    const deltas = new Map(change.deltas.map((delta) => [gatewayKey(delta.gateway), delta]));
    for (const { gateway } of deltas.values()) this.#servedOf(gateway);
    for (const [key, { content, peers }] of this.#served) {
      const delta = deltas.get(key);
      // Someone dialled for a Gateway that is not there.
      if (!delta && !content.order) continue;
      content.order = order;
      const touched = delta && content.apply(delta);
      const endpoints = new Set(touched?.endpoints);
      const certificates = new Set(touched?.certificates);
      for (const each of change.endpoints.keys()) if (content.usesBackend(each)) endpoints.add(each);
      for (const each of change.certificates.keys())
        if (content.usesCertificate(each)) certificates.add(each);
      for (const { stream } of peers.values()) stream.touch({ endpoints, certificates });
    }
  }

  /** Those whose streams end here. */
  replicas(gateway: GatewayId): ReplicaView[] {
    const peers = this.#served.get(gatewayKey(gateway))?.peers ?? new Map<string, Peer>();
    return [...peers].map(([replica, { since, stream }]) => view(replica, stream.state, true, since));
  }

  /** Sends every data plane to another replica of the control plane. */
  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const { connection } of this.#guests) {
      connection.end('stopping', 'this replica of the control plane stops');
    }
    const cut = setTimeout(() => {
      for (const socket of this.#places.sockets) socket.destroy();
    }, LINGER);
    await closed;
    clearTimeout(cut);
  }

  #accept(socket: TLSSocket): void {
    const key = keyOf(socket);
    const place = this.#inHandshake.get(key);
    if (!place) return void socket.destroy();
    this.#inHandshake.delete(key);
    // Strangers have places of their own from now on, and who is known keeps this one.
    place.client = { idleFor: () => undefined };
    const other = this.#options.others?.get(socket.alpnProtocol || '');
    if (other) {
      other(socket);
      return;
    }
    if (socket.alpnProtocol !== PROTOCOL) {
      socket.destroy();
      return;
    }
    const stranger = this.#strangers.admit(socket);
    if (!stranger) return;
    const { verify, accountOf, sessionKeys } = this.#options;
    const from = socket.remoteAddress ?? 'an unknown address';
    let leave = (_why: string) => {};
    const guest: Guest = new Guest({
      socket,
      limits: this.#limits,
      stranger,
      verify,
      accountOf,
      sessionKeys,
      onRefused: (why) => this.#tell(`A data plane at ${from} was refused: ${why}.`),
      onAdmitted: (hello, connection) => {
        const peer = this.#admit(hello, connection);
        leave = (why) => this.#leave(hello, peer, why);
        return (message) => peer.stream.receive(message);
      },
      onClose: (why) => {
        this.#guests.delete(guest);
        leave(why);
      },
    });
    this.#guests.add(guest);
  }

  #admit({ gateway, replica, held, ready }: Hello, connection: Connection): Peer {
    const limits = this.#limits;
    const { content, peers } = this.#servedOf(gateway);
    // What it left behind is dead, or will be.
    peers.get(replica)?.connection.end('replaced', 'the same data plane dialled again');
    const since = Date.now();
    const stream = new DistributionStream({
      connection,
      content,
      limits,
      held,
      ready,
      onState: (state) => this.#options.onReplica?.(gateway, view(replica, state, true, since)),
    });
    const renewal = setTimeout(
      () => connection.end('renew', 'dial again with the token of now'),
      limits.age * (0.9 + Math.random() / 5),
    );
    renewal.unref();
    const peer = { connection, stream, since, renewal };
    if (!peers.has(replica) && peers.size >= limits.streams) {
      connection.end('busy', `the Gateway ${gatewayKey(gateway)} has ${limits.streams} data planes already`);
      return peer;
    }
    peers.set(replica, peer);
    this.#options.onReplica?.(gateway, view(replica, stream.state, true, since));
    return peer;
  }

  #leave({ gateway, replica }: Hello, peer: Peer, why: string): void {
    peer.stream.close();
    clearTimeout(peer.renewal);
    const key = gatewayKey(gateway);
    const served = this.#served.get(key);
    // Another stream of the same data plane may have taken its place.
    if (served?.peers.get(replica) !== peer) return;
    served.peers.delete(replica);
    if (served.peers.size === 0 && !served.content.order) this.#served.delete(key);
    this.#tell(`The stream of the data plane ${replica} of ${key} ended: ${why}.`);
    this.#options.onReplica?.(gateway, view(replica, peer.stream.state, false, Date.now()));
  }

  /** Whoever still serves it dials again and finds nothing, until it is there again. */
  #remove(key: string): void {
    const served = this.#served.get(key);
    if (!served) return;
    this.#served.delete(key);
    const { content, peers } = served;
    for (const [replica, { connection, stream }] of peers) {
      this.#options.onReplica?.(content.gateway, view(replica, stream.state, false, Date.now()));
      connection.end('renew', `the Gateway ${key} is gone`);
    }
  }

  #servedOf(gateway: GatewayId): Served {
    const key = gatewayKey(gateway);
    let served = this.#served.get(key);
    if (!served) {
      const sources = { endpoints: this.#endpoints, certificates: this.#certificates };
      served = { content: new GatewayContent(gateway, sources), peers: new Map() };
      this.#served.set(key, served);
    }
    return served;
  }

  #tell(message: string): void {
    this.#options.onEvent?.(message);
  }
}

const secureContext = ({ certificate, key }: ServingCertificate) =>
  ({ cert: certificate, key, minVersion: 'TLSv1.3' }) as const;

const view = (replica: string, state: StreamState, connected: boolean, since: number): ReplicaView => ({
  ...state,
  replica,
  connected,
  since,
});

function putAll<V>(map: Map<string, V>, changes: ReadonlyMap<string, V | undefined>): void {
  for (const [key, value] of changes) {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
}
