/** A small HTTP server for operators: it answers GET by path, and only to those who ask for it by its own name. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';

export interface AdminServerOptions {
  /** Rejects, or throws, where it fails: then the answer is 500. */
  readonly answer: (
    path: string,
    query: URLSearchParams,
    accept: string,
  ) => Promise<AdminAnswer> | AdminAnswer;
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** 0 is any free one. Default: 9902. */
  readonly port?: number;
  /** Host names under which it is asked, beside addresses and localhost. */
  readonly hosts?: readonly string[];
}

export interface AdminAnswer {
  readonly status: number;
  /** Of the content. */
  readonly type: string;
  readonly body: string;
}

export const text = (status: number, body: string): AdminAnswer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: body.endsWith('\n') ? body : `${body}\n`,
});

export const json = (value: unknown): AdminAnswer => ({
  status: 200,
  type: 'application/json',
  body: `${JSON.stringify(value, undefined, 2)}\n`,
});

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #server: Server;
  #listening: Promise<unknown> | undefined;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16 * 1024 });
    this.#server.on('request', (message, response) => {
      this.#answer(message)
        .catch(() => text(500, '500: the admin server failed on this request'))
        .then((answer) => send(response, message.method, answer))
        .catch(() => response.destroy());
    });
  }

  /** Listens; resolves with the port. Rejects where it can't be bound. */
  async listen(): Promise<number> {
    const { address = '127.0.0.1', port = 9902 } = this.#options;
    this.#server.listen(port, address);
    this.#listening = once(this.#server, 'listening');
    await this.#listening;
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    // Why it does not, `listen` says.
    await this.#listening?.catch(() => {});
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer({ method, url = '/', headers }: IncomingMessage): Promise<AdminAnswer> {
    if (!this.#isOwnHost(headers.host)) {
      return text(421, '421: the Host is not one of this server; ask by address or as localhost');
    }
    if (method !== 'GET' && method !== 'HEAD') return text(405, '405: only GET is answered');
    const question = url.indexOf('?');
    const path = question < 0 ? url : url.slice(0, question);
    const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
    return this.#options.answer(path, query, headers.accept ?? '');
  }

  /**
   * A page of another site can make a browser ask this server under a name of that site (DNS rebinding); addresses and localhost
   * are nobody's to point elsewhere.
   */
  #isOwnHost(host = ''): boolean {
    const name = host.replace(/:\d*$/, '').toLowerCase();
    if (name === 'localhost' || isIP(name.replace(/^\[|\]$/g, ''))) return true;
    return this.#options.hosts?.includes(name) ?? false;
  }
}

function send(
  response: ServerResponse,
  method: string | undefined,
  { status, type, body }: AdminAnswer,
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : body);
}
