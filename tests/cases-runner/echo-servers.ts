/**
 * The backends of the live layer: real HTTP servers on loopback, opened when first needed and shared by all cases of a
 * run. Each stands for one endpoint at a time; what arrived and what to answer are kept here, in the same process.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EchoReply } from './case.ts';

/** Which backend and endpoint of a case a server stands for. */
export interface Seat {
  /** `namespace/service:port` */
  readonly backend: string;
  /** `address:port` as the case's EndpointSlice has it; empty for a Service without one. */
  readonly endpoint: string;
}

export interface Arrival extends Seat {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Far above what it takes. */
const PATIENCE_MS = 3000;

interface EchoServer {
  readonly server: Server;
  readonly port: number;
  seat: Seat | undefined;
}

export class EchoServers {
  readonly #servers: EchoServer[] = [];
  #taken = 0;
  /** What arrived since `expect`. */
  readonly arrivals: Arrival[] = [];
  #reply: EchoReply = {};
  /** What one backend answers in its place. */
  #replies: ReadonlyMap<string, EchoReply> = new Map();
  #arrivedNow: (() => void) | undefined;

  /** Frees all servers for the next case. */
  clear(): void {
    this.#taken = 0;
    for (const server of this.#servers) server.seat = undefined;
  }

  /** What the next requests are to be answered with. */
  expect(reply: EchoReply, replies: ReadonlyMap<string, EchoReply> = new Map()): void {
    this.#reply = reply;
    this.#replies = replies;
    this.arrivals.length = 0;
  }

  /** The port of a server that stands for this seat from now on. */
  async seat(seat: Seat): Promise<number> {
    const taken = this.#servers
      .slice(0, this.#taken)
      .find((each) => each.seat?.backend === seat.backend && each.seat.endpoint === seat.endpoint);
    if (taken) return taken.port;
    const free = this.#servers[this.#taken] ?? (await this.#open());
    this.#taken++;
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
    for (const { server } of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    await Promise.all(
      this.#servers.map(({ server }) => (server.listening ? once(server, 'close') : undefined)),
    );
  }

  async #open(): Promise<EchoServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const echo: EchoServer = { server, port: (server.address() as AddressInfo).port, seat: undefined };
    server.on('request', (request, response) => void this.#answer(echo, request, response));
    server.on('upgrade', (request, socket) => this.#upgrade(echo, request, socket));
    this.#servers.push(echo);
    return echo;
  }

  #arrived(echo: EchoServer, { method = '', url = '', rawHeaders }: IncomingMessage, body: string): void {
    const seat = echo.seat ?? { backend: 'a backend of an earlier case', endpoint: '' };
    this.arrivals.push({ ...seat, method, url, rawHeaders, body });
    this.#arrivedNow?.();
  }

  async #answer(echo: EchoServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The proxy gave the request up: the case sees that at its own end.
      return;
    }
    this.#arrived(echo, request, Buffer.concat(chunks).toString());
    const own = echo.seat && this.#replies.get(echo.seat.backend);
    const reply = own ?? this.#reply.first?.[this.arrivals.length - 1] ?? this.#reply;
    if (reply.silent) return;
    if (reply.closes) {
      response.socket?.destroy();
      return;
    }
    const { status = 200, headers = new Map<string, readonly string[]>(), body = '' } = reply;
    for (const [name, values] of headers) response.setHeader(name, [...values]);
    response.writeHead(status).end(body);
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
