/** What the servers of all engines do alike: the sockets of a listener port, counted as they are accepted, and who is on the other side. */
import type { Server, Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import { normalizeHost } from '../match/normalize.ts';
import { clientIdentityOf } from './client-certificates.ts';
import type { EngineServer } from './engine.ts';
import type { ClientConnection, ExchangeHandler, HandshakeCause } from './exchange.ts';
import { type Place, type PlacedClient, Places } from './places.ts';
import type { TlsGate } from './tls-routes/gate.ts';

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
    connections: number,
    gate?: TlsGate,
  ) {
    this.server = server;
    const isTls = tls !== undefined;
    this.isTls = isTls;
    this.#asks = tls?.requestCert === true;
    this.#port = port;
    this.#handler = handler;
    server.maxConnections = connections;
    this.#places = new Places(connections);
    const toHttps = isTls && gate ? takeListeners(server) : undefined;
    this.on('connection', (socket: Socket) => {
      socket.on('error', () => {});
      const place = this.#places.take(socket);
      if (isTls) this.#noteTls(socket, place);
      else this.#place = place;
      // Told in the same way as those that are closed at once.
      for (let left = this.#places.makeRoom(place); left > 0; left--) server.emit('drop');
      if (!toHttps) return;
      if (!gate!.isNeeded(port)) toHttps(socket);
      else this.#admit(gate!, socket, place, toHttps);
    });
    this.on('drop', () => handler.onConnectionDropped());
    this.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      handler.onHandshakeFailure(this.#connectionOf(socket), this.#causeOf(error, socket));
      // Node closes a connection whose handshake failed, and only tells of one that takes too long.
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') socket.destroy();
    });
    this.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
      const plain = this.#connectionOf(socket);
      const connection = this.#asks ? { ...plain, client: clientIdentityOf(socket as TLSSocket) } : plain;
      // OpenSSL does not keep the server name with a TLS 1.2 session where the context is chosen in a callback; the host of the first request then
      // stands for it.
      const isNameUnknown =
        isTls && connection.serverName === undefined && (socket as TLSSocket).isSessionReused();
      const place = isTls ? this.#underTls.get(keyOf(socket)) : this.#place;
      if (!place) return void socket.destroy();
      place.client = BUSY;
      this.onConnection(socket, { ...connection, holder: place.holder }, isNameUnknown, place);
    });
  }

  #admit(gate: TlsGate, socket: Socket, place: Place, toHttps: (socket: Socket) => void): void {
    // A TLSRoute lets either side end first; HTTPS has its own word on that.
    const { allowHalfOpen } = socket;
    socket.allowHalfOpen = true;
    gate.admit({
      socket,
      place,
      connection: this.#connectionOf(socket),
      toHttps: () => {
        socket.allowHalfOpen = allowHalfOpen;
        toHttps(socket);
      },
    });
  }

  #noteTls(socket: Socket, place: Place): void {
    const key = keyOf(socket);
    this.#underTls.set(key, place);
    socket.on('close', () => this.#underTls.delete(key));
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

  #causeOf({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket): HandshakeCause | undefined {
    if (!this.#asks) return undefined;
    if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client-certificate-missing';
    return authorizationError ? 'client-certificate-not-valid' : undefined;
  }

  destroy(): void {
    for (const socket of this.#places.sockets) socket.destroy();
  }

  #connectionOf(socket: Socket): ClientConnection {
    const named = this.isTls ? (socket as TLSSocket).servername : undefined;
    const serverName = typeof named === 'string' && named ? normalizeHost(named) : undefined;
    const address = socket.remoteAddress ?? '';
    return {
      remoteAddress: address.startsWith('::ffff:') ? address.slice(7) : address,
      remotePort: socket.remotePort ?? 0,
      port: this.#port,
      tls: this.isTls,
      ...(typeof serverName === 'string' ? { serverName } : {}),
    };
  }
}

/** What the server does with a connection, to be called in its place. */
function takeListeners(server: Server): (socket: Socket) => void {
  const taken = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  return (socket) => {
    for (const each of taken) each.call(server, socket);
  };
}

const BUSY: PlacedClient = { idleFor: () => undefined };

const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/** A socket, or what stands for one. */
function isDestroyable(value: unknown): value is { destroy(): void } {
  return (
    typeof value === 'object' && value !== null && 'destroy' in value && typeof value.destroy === 'function'
  );
}
