/** Backends of live tests: real servers on loopback, that remember what they were sent. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer as createHttp2TlsServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import type { TlsOptions } from 'node:tls';
import { Worker } from 'node:worker_threads';
import type { Endpoint } from '../../gateway-runtime/snapshot/snapshot.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly trailers: IncomingMessage['trailers'];
  readonly body: string;
  readonly port: number;
}

export class Backend {
  readonly server: NetServer;
  readonly seen: SeenRequest[] = [];
  readonly sockets = new Set<Socket>();
  /** Connections accepted so far. */
  connections = 0;
  readonly #accepted: Socket[] = [];

  private constructor(server: NetServer) {
    this.server = server;
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#accepted.push(socket);
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  /** Answers 200 with its name, after it has read the body; with `tls`, over TLS alone. */
  static echo(name: string, tls?: TlsOptions): Promise<Backend> {
    const handle = (message: IncomingMessage, response: ServerResponse, backend: Backend) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => {
        backend.seen.push({
          method: message.method!,
          url: message.url!,
          headers: message.headers,
          rawHeaders: message.rawHeaders,
          trailers: message.trailers,
          body: Buffer.concat(chunks).toString(),
          port: message.socket.remotePort!,
        });
        response.setHeader('content-type', 'text/plain');
        response.setHeader('x-backend', name);
        response.end(`${name}\n`);
      });
    };
    return tls ? Backend.https(tls, handle) : Backend.http(handle);
  }

  static async https(
    tls: TlsOptions,
    handle: (message: IncomingMessage, response: ServerResponse, backend: Backend) => void,
  ): Promise<Backend> {
    const server = createTlsServer(tls);
    const backend = new Backend(server);
    server.on('request', (message, response) => handle(message, response, backend));
    return backend.#listen();
  }

  static async http(
    handle: (message: IncomingMessage, response: ServerResponse, backend: Backend) => void,
    prepare: (server: Server) => void = () => {},
  ): Promise<Backend> {
    const server = createServer();
    const backend = new Backend(server);
    server.on('request', (message, response) => handle(message, response, backend));
    prepare(server);
    return backend.#listen();
  }

  /** HTTP/2, in the clear or, with `tls`, over TLS. */
  static http2(
    handle: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, backend: Backend) => void,
    settings: Settings = {},
    tls?: TlsOptions,
  ): Promise<Backend> {
    const server = tls ? createHttp2TlsServer({ ...tls, settings }) : createHttp2Server({ settings });
    const backend = new Backend(server);
    server.on('sessionError', () => {});
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      handle(stream, headers, backend);
    });
    return backend.#listen();
  }

  /** Bytes, for what no HTTP server would send. */
  static async tcp(handle: (socket: Socket) => void): Promise<Backend> {
    return new Backend(createTcpServer({ allowHalfOpen: true }, handle)).#listen();
  }

  /** Any server that is not listening yet. */
  static over(server: NetServer): Promise<Backend> {
    return new Backend(server).#listen();
  }

  /** Answers each request with the bytes that are named by its path, and any other with 200. */
  static bytes(answers: Readonly<Record<string, string>>): Promise<Backend> {
    return Backend.tcp((socket) =>
      socket.on('data', (data: Buffer) => {
        const path = /^[A-Z]+ (\S+)/.exec(data.toString('latin1'))?.[1] ?? '';
        socket.write(answers[path] ?? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1');
      }),
    );
  }

  async #listen(): Promise<Backend> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  /** Connections over which something came; others only asked whether it is there. */
  get used(): number {
    return this.#accepted.filter(({ bytesRead }) => bytesRead > 0).length;
  }

  get endpoint(): Endpoint {
    return { address: '127.0.0.1', port: (this.server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** An endpoint that takes no further connection and refuses none: its queue is full, and nobody looks. */
export async function deafEndpoint(): Promise<{ endpoint: Endpoint; close: () => Promise<void> }> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(workerData, 0, 0);
     });`,
    { eval: true, workerData: new Int32Array(new SharedArrayBuffer(4)) },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const queue = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(queue.map((socket) => once(socket, 'connect')));
  return {
    endpoint: { address: '127.0.0.1', port },
    close: async () => {
      for (const socket of queue) socket.destroy();
      await worker.terminate();
    },
  };
}

/** An endpoint that nobody listens on. */
export async function unusedEndpoint(): Promise<Endpoint> {
  const backend = await Backend.echo('gone');
  const { endpoint } = backend;
  await backend.close();
  return endpoint;
}
