/** Clients of live tests: node:http for what is well-formed, bare sockets for what is not. */
import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface RequestOptions {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly trailers: IncomingMessage['trailers'];
  readonly body: string;
}

export function exchange(port: number, options: RequestOptions): Promise<Answer> {
  const { host, path, method = 'GET', headers = {}, body, agent } = options;
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: agent ?? false,
      headers: { host, ...headers },
    });
    sent.on('error', reject);
    sent.on('response', (message) => {
      const chunks: Buffer[] = [];
      message.on('error', reject);
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () =>
        resolve({
          status: message.statusCode!,
          headers: message.headers,
          rawHeaders: message.rawHeaders,
          trailers: message.trailers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.end(body);
  });
}

/** The text of a GET request. */
export const getText = (path: string, fields = 'Connection: close\r\n') =>
  `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\n${fields}\r\n`;

/** A socket whose bytes are read as text. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Until what was received has this in it; fails when the connection ends before. */
  async until(text: string | RegExp): Promise<string> {
    const found = () => (typeof text === 'string' ? this.received.includes(text) : text.test(this.received));
    while (!found()) {
      if (this.closed) throw new Error(`closed after: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
    return this.received;
  }

  /** All that came, once the other side has closed. */
  async untilClosed(): Promise<string> {
    if (!this.closed) {
      if (!this.socket.readableEnded)
        await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
      this.socket.destroy();
    }
    return this.received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** What a server answers to these bytes, until it closes. */
export async function rawExchange(port: number, text: string): Promise<string> {
  const client = await RawClient.open(port);
  client.send(text);
  return client.untilClosed();
}
