/**
 * The backends of the live layer: real HTTP servers on loopback, opened when first needed and shared by all cases of a
 * run. Each stands for one endpoint at a time; what arrived and what to answer are kept here, in the same process.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { askedOf, response as checkResponse } from '../support/ext-authz.ts';
import type { EchoReply } from './case.ts';
import { type ClientCertificate, namesOf } from './certificates.ts';

/** Which backend and endpoint of a case a server stands for. */
export interface Seat {
  /** `namespace/service:port` */
  readonly backend: string;
  /** `address:port` as the case's EndpointSlice has it; empty for a Service without one. */
  readonly endpoint: string;
  /** It speaks HTTP/2 in the clear; else it is HTTP/1.1. */
  readonly isHttp2?: boolean;
}

export interface Arrival extends Omit<Seat, 'isHttp2'> {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Names in the certificate that the gateway showed. */
  readonly certificate: readonly string[];
}

type Received = IncomingMessage | Http2ServerRequest;

/** Far above what it takes. */
const PATIENCE_MS = 3000;

interface EchoServer {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  readonly isHttp2: boolean;
  readonly port: number;
  /** What it shows, where it speaks TLS alone. */
  readonly certificate: ClientCertificate | undefined;
  seat: Seat | undefined;
}

export class EchoServers {
  readonly #servers: EchoServer[] = [];
  /** What arrived since `expect`. */
  readonly arrivals: Arrival[] = [];
  #reply: EchoReply = {};
  /** What one backend answers in its place. */
  #replies: ReadonlyMap<string, EchoReply> = new Map();
  #arrivedNow: (() => void) | undefined;

  /** Frees all servers for the next case. */
  clear(): void {
    for (const server of this.#servers) server.seat = undefined;
  }

  /** What the next requests are to be answered with. */
  expect(reply: EchoReply, replies: ReadonlyMap<string, EchoReply> = new Map()): void {
    this.#reply = reply;
    this.#replies = replies;
    this.arrivals.length = 0;
  }

  /** The port of a server that stands for this seat from now on. */
  async seat(seat: Seat, certificate?: ClientCertificate): Promise<number> {
    const isHttp2 = seat.isHttp2 ?? false;
    const alike = this.#servers.filter(
      (each) => each.isHttp2 === isHttp2 && each.certificate === certificate,
    );
    const taken = alike.find(
      (each) => each.seat?.backend === seat.backend && each.seat.endpoint === seat.endpoint,
    );
    if (taken) return taken.port;
    const free = alike.find((each) => !each.seat) ?? (await this.#open(isHttp2, certificate));
    free.seat = seat;
    return free.port;
  }

  /** Waits for as many arrivals, or until no more can be expected. */
  async until(count: number): Promise<void> {
    const late = performance.now() + PATIENCE_MS;
    while (this.arrivals.length < count && performance.now() < late) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, late - performance.now());
        this.#arrivedNow = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async close(): Promise<void> {
    for (const { server, sockets } of this.#servers) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    await Promise.all(
      this.#servers.map(({ server }) => (server.listening ? once(server, 'close') : undefined)),
    );
  }

  async #open(isHttp2: boolean, certificate: ClientCertificate | undefined): Promise<EchoServer> {
    const server: Server = certificate
      ? createTlsServer({ ...certificate, requestCert: true, rejectUnauthorized: false })
      : isHttp2
        ? createHttp2Server()
        : createServer();
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const echo: EchoServer = { server, sockets, isHttp2, port, certificate, seat: undefined };
    server.on('request', (request, response) => void this.#answer(echo, request, response));
    server.on('upgrade', (request, socket) => this.#upgrade(echo, request, socket));
    this.#servers.push(echo);
    return echo;
  }

  /** A question whether a request may go on: what it tells of that one is what arrived. */
  #arrivedCall(echo: EchoServer, { headers, socket }: Received, body: Buffer): void {
    const { method, path: url, headers: told, rawBody = '' } = askedOf(headers, body).http;
    const rawHeaders = Object.entries(told).flat();
    this.#arrived(echo, { method, url, rawHeaders, socket } as Received, String(rawBody));
  }

  #arrived(echo: EchoServer, message: Received, body: string): void {
    const { method = '', url = '', rawHeaders, socket } = message;
    const shown = echo.certificate && (socket as TLSSocket).getPeerCertificate().raw;
    const seat = echo.seat ?? { backend: 'a backend of an earlier case', endpoint: '' };
    const certificate = shown ? namesOf(shown) : [];
    this.arrivals.push({ ...seat, method, url, rawHeaders, body, certificate });
    this.#arrivedNow?.();
  }

  async #answer(
    echo: EchoServer,
    request: Received,
    response: ServerResponse | Http2ServerResponse,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The proxy gave the request up: the case sees that at its own end.
      return;
    }
    const isCall = request.headers['content-type'] === 'application/grpc';
    if (isCall) this.#arrivedCall(echo, request, Buffer.concat(chunks));
    else this.#arrived(echo, request, Buffer.concat(chunks).toString());
    const own = echo.seat && this.#replies.get(echo.seat.backend);
    const reply = own ?? this.#reply.first?.[this.arrivals.length - 1] ?? this.#reply;
    if (reply.silent) return;
    if (reply.closes) {
      for (const socket of echo.sockets) socket.destroy();
      return;
    }
    if (isCall) {
      response.setHeader('content-type', 'application/grpc');
      response.addTrailers({ 'grpc-status': '0' });
      response.end(checkResponse(reply.check ?? { status: { code: 0 } }));
      return;
    }
    const { status = 200, headers = new Map<string, readonly string[]>(), body = '' } = reply;
    for (const [name, values] of headers) response.setHeader(name, [...values]);
    response.statusCode = status;
    response.end(body);
  }

  /** Takes whatever protocol is asked for and sends back every byte. */
  #upgrade(echo: EchoServer, request: IncomingMessage, socket: Duplex): void {
    this.#arrived(echo, request, '');
    const protocol = request.headers.upgrade;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }
}
