/** One listener port: connections in, with or without TLS. */
import { createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls';
import { normalizeHost } from '../../match/normalize.ts';
import type { EngineServer } from '../engine.ts';
import type { ClientConnection } from '../exchange.ts';
import { Http2Session } from '../http2/session.ts';
import { ClientStream } from './client-stream.ts';
import type { EngineContext } from './engine.ts';
import { HIGH_WATER_MARK } from './upstream-connection.ts';

export class Http1Server implements EngineServer {
  readonly server: Server;
  readonly #context: EngineContext;
  readonly #port: number;
  readonly #tls: boolean;
  /** As accepted: under TLS, before the handshake too. */
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<ClientStream | Http2Session>();
  #defaultTls: SecureContextOptions | undefined;
  #retiring = false;

  constructor(context: EngineContext, port: number, tls: TlsOptions | undefined) {
    this.#context = context;
    this.#port = port;
    this.#tls = tls !== undefined;
    // A client may say that it sends no more and still read its answers (RFC 9112 section 9.6).
    const options = { allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_MARK };
    this.server = tls ? createTlsServer({ ...options, ...tls }) : createServer(options);
    this.server.maxConnections = context.limits.connections;
    this.#listen();
  }

  #listen(): void {
    const { server } = this;
    const { handler } = this.#context;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('drop', () => {
      try {
        handler.onConnectionDropped();
      } catch (error) {
        handler.onInternalError(error);
      }
    });
    server.on(this.#tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      try {
        this.#onConnection(socket);
      } catch (error) {
        handler.onInternalError(error);
        socket.destroy();
      }
    });
    server.on('tlsClientError', (_error: Error, socket: TLSSocket) => {
      try {
        handler.onHandshakeFailure(this.#connectionOf(socket));
      } catch (error) {
        handler.onInternalError(error);
      }
    });
  }

  setDefaultTls(options: SecureContextOptions): void {
    // A new context has new ticket keys: sessions of before could not be resumed.
    if (options === this.#defaultTls) return;
    this.#defaultTls = options;
    (this.server as TlsServer).setSecureContext(options);
  }

  retire(): void {
    this.#retiring = true;
    for (const client of this.#clients) client.retire();
  }

  drain(): void {
    this.retire();
    for (const client of this.#clients) client.drain();
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connectionOf(socket: Socket): ClientConnection {
    const named = this.#tls ? (socket as TLSSocket).servername : undefined;
    const serverName = typeof named === 'string' && named ? normalizeHost(named) : undefined;
    const address = socket.remoteAddress ?? '';
    return {
      remoteAddress: address.startsWith('::ffff:') ? address.slice(7) : address,
      remotePort: socket.remotePort ?? 0,
      port: this.#port,
      tls: this.#tls,
      ...(typeof serverName === 'string' ? { serverName } : {}),
    };
  }

  #onConnection(socket: Socket): void {
    const connection = this.#connectionOf(socket);
    // OpenSSL does not keep the server name with a TLS 1.2 session where the context is chosen in a callback; the host of the first request then
    // stands for it.
    const isNameUnknown =
      this.#tls && connection.serverName === undefined && (socket as TLSSocket).isSessionReused();
    if (this.#tls && (socket as TLSSocket).alpnProtocol === 'h2') {
      this.#serve(socket, new Http2Session(this.#context, socket, connection));
      return;
    }
    // A client may know beforehand that HTTP/2 is spoken here (RFC 9113 section 3.3).
    const onPreface = (given: Socket) => {
      this.#clients.delete(stream);
      this.#serve(given, new Http2Session(this.#context, given, connection));
    };
    const stream = new ClientStream(this.#context, socket, connection, isNameUnknown, onPreface);
    this.#serve(socket, stream);
  }

  #serve(socket: Socket, client: ClientStream | Http2Session): void {
    if (this.#retiring) client.retire();
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
  }
}
