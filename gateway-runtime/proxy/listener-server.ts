/** What the servers of all engines do alike: the sockets of a listener port, counted as they are accepted, and who is on the other side. */
import type { DropArgument, Server, Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import { normalizeHost } from '../match/normalize.ts';
import type { TlsVersion } from '../snapshot/snapshot.ts';
import { clientIdentityOf } from './client-certificates.ts';
import type { EngineServer } from './engine.ts';
import type { ClientConnection, ExchangeHandler, HandshakeCause } from './exchange.ts';
import { Handshakes } from './handshakes.ts';
import type { Limits } from './limits.ts';
import { type Holder, keyOf, type Place, type PlacedClient } from './places/place.ts';
import { Places } from './places/places.ts';
import type { TlsGate } from './tls-routes/gate.ts';

/** Event of the server: a connection was closed for want of places. */
const ROOM_MADE = 'gatewright:room-made';

export abstract class ListenerServer<NetServer extends Server = Server> implements EngineServer {
  readonly server: NetServer;
  protected readonly isTls: boolean;
  /** Handshakes ask for a certificate of the client. */
  readonly #asks: boolean;
  readonly #port: number;
  readonly #handler: ExchangeHandler;
  /** As accepted: under TLS, before the handshake too. */
  readonly #places: Places;
  /** By the client's address and port: TLS has sockets of its own. */
  readonly #underTls = new Map<string, Place>();
  /** Of the connection that was accepted last. */
  #place: Place | undefined;
  #defaultTls: SecureContextOptions | undefined;
  #ticketKeys: Buffer | undefined;

  /**
   * @param port of the Gateway, where `server` may listen on another
   * @param gate where the port terminates TLS: asked first what a connection is for
   */
  constructor(
    server: NetServer,
    port: number,
    tls: TlsOptions | undefined,
    handler: ExchangeHandler,
    limits: Pick<Limits, 'connections' | 'tlsHandshake'>,
    gate?: TlsGate,
  ) {
    this.server = server;
    const isTls = tls !== undefined;
    this.isTls = isTls;
    this.#asks = tls?.requestCert === true;
    this.#port = port;
    this.#handler = handler;
    server.maxConnections = limits.connections;
    const onError = (error: unknown) => handler.onInternalError(error);
    this.#places = new Places(limits.connections, limits.connections >> 7, onError);
    const handshakes = isTls ? this.#handshakes(limits.tlsHandshake, gate) : undefined;
    this.on('connection', (socket: Socket) => {
      socket.on('error', whichCloses);
      const place = this.#places.take(socket);
      if (isTls) this.#noteTls(socket, place);
      else this.#place = place;
      // Told apart, as of those that are closed at once: what is thrown there is none of the newcomer's business.
      if (this.#places.makeRoom(place)) server.emit(ROOM_MADE);
      if (socket.destroyed) this.#place = undefined;
      else handshakes?.(socket, place);
    });
    this.on('drop', ({ remoteAddress = '' }: DropArgument = {}) => {
      // Whoever was turned away may come again.
      if (this.#places.makeRoomFor(remoteAddress)) server.emit(ROOM_MADE);
      handler.onConnectionDropped();
    });
    this.on(ROOM_MADE, () => handler.onConnectionDropped());
    this.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      handler.onHandshakeFailure(this.#connectionOf(socket), this.#causeOf(error, socket));
      // Node closes a connection whose handshake failed, and only tells of one that takes too long.
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
    });
    this.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
      const place = isTls ? this.#underTls.get(keyOf(socket)) : this.#place;
      if (!place) return void socket.destroy();
      const plain = this.#connectionOf(socket, place.holder);
      const connection = isTls ? this.#secured(plain, socket as TLSSocket) : plain;
      // OpenSSL does not keep the server name with a TLS 1.2 session where the context is chosen in a callback; the host of the first request then
      // stands for it.
      const isNameUnknown =
        isTls && connection.serverName === undefined && (socket as TLSSocket).isSessionReused();
      place.client = BUSY;
      this.onConnection(socket, connection, isNameUnknown, place);
    });
  }

  /** What is done with a connection that was accepted, in place of what the server does. */
  #handshakes(time: number, gate: TlsGate | undefined): (socket: Socket, place: Place) => void {
    const handler = this.#handler;
    const toHttps = takeListeners(this.server);
    const handshakes = new Handshakes({
      time,
      onRefused: ({ socket, holder }) => handler.onHandshakeFailure(this.#connectionOf(socket, holder)),
      onTurnedAway: () => handler.onConnectionDropped(),
      onError: (error) => handler.onInternalError(error),
    });
    return (socket, place) =>
      handshakes.admit({
        socket,
        holder: place.holder,
        begin: () => {
          if (gate?.isNeeded(this.#port)) this.#admit(gate, socket, place, toHttps);
          else toHttps(socket);
        },
      });
  }

  #admit(gate: TlsGate, socket: Socket, place: Place, toHttps: (socket: Socket) => void): void {
    // A TLSRoute lets either side end first; HTTPS has its own word on that.
    const { allowHalfOpen } = socket;
    socket.allowHalfOpen = true;
    gate.admit({
      socket,
      place,
      connection: this.#connectionOf(socket, place.holder),
      toHttps: () => {
        socket.allowHalfOpen = allowHalfOpen;
        toHttps(socket);
      },
    });
  }

  #noteTls(socket: Socket, place: Place): void {
    const key = keyOf(socket);
    this.#underTls.set(key, place);
    socket.on('close', () => {
      // The client may have come again from the same port by now.
      if (this.#underTls.get(key) === place) this.#underTls.delete(key);
    });
  }

  abstract retire(): void;
  abstract drain(): void;
  /**
   * @param isNameUnknown the server name is that of a session before, which is not known
   * @param place whose `client` can be told; without, the connection is never taken for an idle one
   */
  protected abstract onConnection(
    socket: Socket,
    connection: ClientConnection,
    isNameUnknown: boolean,
    place: Place,
  ): void;

  /** What the listener throws ends what the event is about, and nothing else. */
  protected on<Args extends unknown[]>(event: string, listener: (...args: Args) => void): void {
    this.server.on(event, (...args: Args) => {
      try {
        listener(...args);
      } catch (error) {
        this.#handler.onInternalError(error);
        for (const each of args) if (isDestroyable(each)) each.destroy();
      }
    });
  }

  setDefaultTls(options: SecureContextOptions): void {
    if (options === this.#defaultTls) return;
    this.#defaultTls = options;
    // A new context would have ticket keys of its own: sessions of before could not be resumed.
    const kept = this.#ticketKeys ? { ticketKeys: this.#ticketKeys } : {};
    (this.server as unknown as TlsServer).setSecureContext({ ...options, ...kept });
  }

  setTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys;
    (this.server as unknown as TlsServer).setTicketKeys(keys);
  }

  #secured(connection: ClientConnection, socket: TLSSocket): ClientConnection {
    const tlsVersion = socket.getProtocol() as TlsVersion;
    return this.#asks
      ? { ...connection, tlsVersion, client: clientIdentityOf(socket) }
      : { ...connection, tlsVersion };
  }

  #causeOf({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket): HandshakeCause | undefined {
    if (!this.#asks) return undefined;
    if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client-certificate-missing';
    return authorizationError ? 'client-certificate-not-valid' : undefined;
  }

  destroy(): void {
    for (const socket of this.#places.sockets) socket.destroy();
  }

  #connectionOf(socket: Socket, holder?: Holder): ClientConnection {
    const named = this.isTls ? (socket as TLSSocket).servername : undefined;
    const serverName = typeof named === 'string' && named ? normalizeHost(named) : undefined;
    const address = socket.remoteAddress ?? '';
    const connection = {
      remoteAddress: address.startsWith('::ffff:') ? address.slice(7) : address,
      remotePort: socket.remotePort ?? 0,
      port: this.#port,
      tls: this.isTls,
      holder,
    };
    return typeof serverName === 'string' ? { ...connection, serverName } : connection;
  }
}

/** An error of a socket ends it: 'close' follows. */
const whichCloses = () => {};

/** What the server does with a connection, to be called in its place. */
function takeListeners(server: Server): (socket: Socket) => void {
  const taken = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  return (socket) => {
    for (const each of taken) each.call(server, socket);
  };
}

const BUSY: PlacedClient = { idleFor: () => undefined };

/** A socket, or what stands for one. */
function isDestroyable(value: unknown): value is { destroy(): void } {
  return (
    typeof value === 'object' && value !== null && 'destroy' in value && typeof value.destroy === 'function'
  );
}
