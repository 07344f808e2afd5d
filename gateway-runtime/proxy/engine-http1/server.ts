/** One listener port: connections in, with or without TLS. */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ClientConnection } from '../exchange.ts';
import { Http2Session } from '../http2/session.ts';
import { ListenerServer } from '../listener-server.ts';
import type { Place } from '../places/place.ts';
import type { TlsGate } from '../tls-routes/gate.ts';
import type { Client } from './client-side.ts';
import { ClientStream } from './client-stream.ts';
import type { EngineContext } from './engine.ts';
import { HIGH_WATER_MARK } from './transport.ts';

export class Http1Server extends ListenerServer {
  readonly #context: EngineContext;
  readonly #clients = new Set<Client>();
  #retiring = false;

  constructor(context: EngineContext, port: number, tls: TlsOptions | undefined, gate?: TlsGate) {
    // A client may say that it sends no more and still read its answers (RFC 9112 section 9.6).
    const options = { allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_MARK };
    const server = tls ? createTlsServer({ ...options, ...tls }) : createServer(options);
    super(server, port, tls, context.handler, context.limits, gate);
    this.#context = context;
    this.on('connection', () => context.bulk.makeWay());
  }

  retire(): void {
    this.#retiring = true;
    for (const client of this.#clients) client.retire();
  }

  drain(): void {
    this.retire();
    for (const client of this.#clients) client.drain();
  }

  get clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  protected onConnection(
    socket: Socket,
    connection: ClientConnection,
    isNameUnknown: boolean,
    place: Place,
  ): void {
    if (this.isTls && (socket as TLSSocket).alpnProtocol === 'h2') {
      this.#serve(socket, place, new Http2Session(this.#context, socket, connection));
      return;
    }
    // A client may know beforehand that HTTP/2 is spoken here (RFC 9113 section 3.3).
    const onPreface = (given: Socket) => {
      this.#clients.delete(stream);
      this.#serve(given, place, new Http2Session(this.#context, given, connection));
    };
    const stream = new ClientStream(this.#context, socket, connection, isNameUnknown, onPreface);
    this.#serve(socket, place, stream);
  }

  #serve(socket: Socket, place: Place, client: Client): void {
    place.client = client;
    if (this.#retiring) client.retire();
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
  }
}
