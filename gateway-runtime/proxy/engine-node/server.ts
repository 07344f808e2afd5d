/** One listener port on node:http or node:https: connections in, exchanges out. */
import { createServer, type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { ClientConnection } from '../exchange.ts';
import { guardedBy } from '../guard.ts';
import { fieldValue } from '../header-fields.ts';
import { ListenerServer } from '../listener-server.ts';
import {
  CODING_IN_1_0,
  CONNECT_REFUSED,
  TOO_MANY_FIELDS,
  UNKNOWN_CODING,
  UNKNOWN_EXPECTATION,
  UNKNOWN_VERSION,
  UPGRADE_WITH_BODY,
} from '../request-problems.ts';
import type { TargetProblem } from '../request-target.ts';
import type { TlsGate } from '../tls-routes/gate.ts';
import { type ClientSocket, type ExchangeContext, NodeExchange } from './exchange.ts';
import { targetOf } from './target.ts';

/** How long a connection that is to be closed is still read, so that its client sees the answer. */
const LINGER = 1_000;

/** RFC 9112 section 6.3: what can't be framed with certainty is answered and the connection closed. */
const MALFORMED: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

export class NodeServer extends ListenerServer<Server> {
  readonly #context: ExchangeContext;
  /** Those that requests come on. */
  readonly #clients = new Map<Socket, ClientSocket>();
  #retiring = false;

  constructor(context: ExchangeContext, port: number, tls: TlsOptions | undefined, gate?: TlsGate) {
    const { handler, limits } = context;
    const options = {
      insecureHTTPParser: false,
      // Checked where it is read, with a log line.
      requireHostHeader: false,
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headTime,
      requestTimeout: limits.requestTime,
      keepAliveTimeout: limits.clientIdle,
      connectionsCheckingInterval: Math.min(5_000, Math.ceil(limits.headTime / 2)),
      shouldUpgradeCallback: (message: IncomingMessage) => this.#mayUpgrade(message),
    };
    const server = tls ? createTlsServer({ ...options, ...tls }) : createServer(options);
    // node:http leaves out what is above this number and says nothing, so one more is let in to be refused.
    server.maxHeadersCount = limits.headFields + 1;
    server.timeout = limits.clientStall;
    super(server, port, tls, handler, limits, gate);
    this.#context = context;
    this.on('request', (message: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(message, response),
    );
    this.on('checkContinue', (message: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(message, response),
    );
    this.on('checkExpectation', (message: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(message, response, UNKNOWN_EXPECTATION),
    );
    this.on('upgrade', (message: IncomingMessage, socket: Socket, read: Buffer) =>
      this.#onUpgrade(message, socket, read),
    );
    this.on('connect', (message: IncomingMessage, socket: Socket) => this.#onConnect(message, socket));
    this.on('clientError', (error: Error, socket: Socket) => this.#onClientError(error, socket));
  }

  retire(): void {
    this.#retiring = true;
  }

  drain(): void {
    this.retire();
    this.server.closeIdleConnections();
    // node:http takes a connection that never carried anything for a busy one.
    for (const socket of this.#clients.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  protected onConnection(socket: Socket, connection: ClientConnection, isNameUnknown: boolean): void {
    const client: ClientSocket = {
      connection,
      isNameUnknown,
      inFlight: [],
      failed: false,
      closing: () => this.#retiring || client.failed,
    };
    this.#clients.set(socket, client);
    socket.on('close', () => this.#clients.delete(socket));
  }

  #onRequest(message: IncomingMessage, response: ServerResponse, known?: TargetProblem): void {
    const client = this.#clients.get(message.socket)!;
    // What follows something that was no request of this protocol is not served: the connection ends with its answer.
    if (client.failed) return;
    if (client.inFlight.length >= this.#context.limits.pipelined) {
      this.#context.handler.onMalformed(client.connection, 0);
      message.socket.destroy();
      return;
    }
    this.#begin(client, message, response, known);
  }

  #begin(
    client: ClientSocket,
    message: IncomingMessage,
    response: ServerResponse,
    known?: TargetProblem,
    upgrade?: string,
  ): void {
    const target = known ?? this.#problemOf(message) ?? targetOf(message);
    if (client.isNameUnknown && 'host' in target) {
      client.isNameUnknown = false;
      client.connection = { ...client.connection, serverName: target.host };
    }
    if (target === UNKNOWN_VERSION) client.failed = true;
    new NodeExchange(this.#context, client, message, response, target, upgrade).start();
  }

  #problemOf(message: IncomingMessage): TargetProblem | undefined {
    const { limits } = this.#context;
    if (message.httpVersionMajor !== 1) return UNKNOWN_VERSION;
    if (message.rawHeaders.length > 2 * limits.headFields) return TOO_MANY_FIELDS;
    const coding = fieldValue(message.rawHeaders, 'transfer-encoding');
    if (coding === undefined) return undefined;
    if (message.httpVersionMinor === 0) return CODING_IN_1_0;
    return coding.toLowerCase() === 'chunked' ? undefined : UNKNOWN_CODING;
  }

  /**
   * Only WebSocket is passed on. Of other protocols, such as h2c, the tunnel would carry requests that no route was asked for; they
   * are served as if they had not asked ("A server MAY ignore a received Upgrade header field", RFC 9110 section 7.8).
   */
  #mayUpgrade(message: IncomingMessage): boolean {
    try {
      return (
        message.method === 'GET' &&
        message.httpVersionMinor === 1 &&
        fieldValue(message.rawHeaders, 'upgrade')?.toLowerCase() === 'websocket' &&
        // Answers before this one would be written into the tunnel.
        this.#clients.get(message.socket)?.inFlight.length === 0
      );
    } catch (error) {
      this.#context.handler.onInternalError(error);
      message.socket.destroy();
      return false;
    }
  }

  #onUpgrade(message: IncomingMessage, socket: Socket, read: Buffer): void {
    const client = this.#clients.get(socket)!;
    if (read.length) socket.unshift(read);
    const response = this.#rawResponse(message, socket);
    const { rawHeaders } = message;
    const hasBody =
      (fieldValue(rawHeaders, 'content-length') ?? '0') !== '0' ||
      fieldValue(rawHeaders, 'transfer-encoding') !== undefined;
    const upgrade = this.#mayUpgrade(message) ? 'websocket' : undefined;
    this.#begin(client, message, response, hasBody ? UPGRADE_WITH_BODY : undefined, upgrade);
  }

  #onConnect(message: IncomingMessage, socket: Socket): void {
    const client = this.#clients.get(socket)!;
    if (client.inFlight.length > 0) return void socket.destroy();
    const response = this.#rawResponse(message, socket);
    this.#begin(client, message, response, CONNECT_REFUSED);
  }

  /** A response on a socket that node:http has let go of, with all its listeners; the last one on it. */
  #rawResponse(message: IncomingMessage, socket: Socket): ServerResponse {
    socket.on('error', () => {});
    socket.on('timeout', () => socket.destroy());
    const response = new ServerResponse(message);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    const guard = guardedBy((error) => {
      this.#context.handler.onInternalError(error);
      socket.destroy();
    });
    const onFinish = () => {
      response.detachSocket(socket);
      response.emit('close');
      socket.end();
      destroyLater(socket);
    };
    response.on('finish', guard(onFinish));
    return response;
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const client = this.#clients.get(socket);
    // The end of a connection in the middle of a message is no malformed message: the client went away.
    const malformed =
      (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') ||
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    // Browsers open connections ahead of need: one that never carried a byte is closed without a word.
    if (!client || !malformed || socket.bytesRead === 0 || client.failed) {
      if (!client?.failed) socket.destroy();
      return;
    }
    client.failed = true;
    const status = MALFORMED[error.code ?? ''] ?? 400;
    const newest = client.inFlight.at(-1);
    if (newest && !newest.isReceived) {
      // An answer now would be taken for that of a request before it, where there is one.
      if (client.inFlight.length > 1 || !newest.failBody(status)) socket.destroy();
      return;
    }
    this.#context.handler.onMalformed(client.connection, newest ? 0 : status);
    // What came before is answered, and then the connection closed.
    if (newest) return;
    const body = `${status}: what came is not a valid HTTP/1.1 request\n`;
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    destroyLater(socket);
  }
}

function destroyLater(socket: Socket): void {
  setTimeout(() => socket.destroy(), LINGER).unref();
}
