/**
 * The backend of a Service that runs nowhere near: answers with the request as it arrived, in the form of the well-known
 * `whoami` image, so that one sees which Service was reached and what the gateway did to the request.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoint } from '../snapshot/snapshot.ts';

const LOOPBACK = '127.0.0.1';
/** Bytes of a request's body that are shown; the rest is read and counted. */
const SHOWN_BODY = 64 * 1024;
/** Above the limits of any gateway in front. */
const HEADER_BYTES = 256 * 1024;

export interface EchoedService {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** One server per Service port, on loopback ports that the system chooses; each runs until all are closed. */
export class EchoBackends {
  readonly #servers = new Map<string, { readonly server: Server; readonly endpoint: Endpoint }>();

  /** Where the Service answers; starts its server if need be. */
  async start(backend: EchoedService): Promise<Endpoint> {
    const key = keyOf(backend);
    const running = this.#servers.get(key);
    if (running) return running.endpoint;
    const server = createServer({ maxHeaderSize: HEADER_BYTES, requestTimeout: 0 }, (request, response) => {
      void answer(backend, request, response);
    });
    // The proxy in front decides how long a connection is kept; were this side the first to close, a request might be lost.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, LOOPBACK, resolve);
    });
    const endpoint: Endpoint = { address: LOOPBACK, port: (server.address() as AddressInfo).port };
    this.#servers.set(key, { server, endpoint });
    return endpoint;
  }

  endpoint(backend: EchoedService): Endpoint | undefined {
    return this.#servers.get(keyOf(backend))?.endpoint;
  }

  async close(): Promise<void> {
    const closing = [...this.#servers.values()].map(({ server }) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    });
    this.#servers.clear();
    await Promise.all(closing);
  }
}

function keyOf({ namespace, service, port }: EchoedService): string {
  return `${namespace}/${service}:${port}`;
}

async function answer(
  backend: EchoedService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request).catch(() => undefined);
  // The client is gone: there is nobody to answer.
  if (!body) return;
  const asJson = (request.headers.accept ?? '').includes('application/json');
  const text = asJson ? jsonForm(backend, request, body) : textForm(backend, request, body);
  response.writeHead(200, {
    'content-type': asJson ? 'application/json' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

interface Body {
  readonly shown: string;
  readonly bytes: number;
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes < SHOWN_BODY) chunks.push(chunk);
    bytes += chunk.length;
  }
  return { shown: Buffer.concat(chunks).subarray(0, SHOWN_BODY).toString('utf8'), bytes };
}

function textForm({ service }: EchoedService, request: IncomingMessage, body: Body): string {
  const lines = [
    `Hostname: ${service}`,
    `IP: ${LOOPBACK}`,
    `RemoteAddr: ${request.socket.remoteAddress}:${request.socket.remotePort}`,
    `${request.method} ${request.url} HTTP/${request.httpVersion}`,
    ...headersOf(request).map(([name, value]) => `${name}: ${value}`),
  ];
  const rest = body.bytes > SHOWN_BODY ? `\n(${body.bytes} bytes in all)` : '';
  return `${lines.join('\n')}\n\n${body.shown}${body.shown ? `${rest}\n` : ''}`;
}

function jsonForm({ namespace, service, port }: EchoedService, request: IncomingMessage, body: Body): string {
  const headers = new Map<string, string[]>();
  for (const [name, value] of headersOf(request)) headers.set(name, [...(headers.get(name) ?? []), value]);
  const report = {
    hostname: service,
    service: { namespace, name: service, port },
    ip: [LOOPBACK],
    remoteAddr: `${request.socket.remoteAddress}:${request.socket.remotePort}`,
    method: request.method,
    url: request.url,
    host: request.headers.host ?? '',
    headers: Object.fromEntries(headers),
    body: body.shown,
    bodyBytes: body.bytes,
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** In the order in which they arrived, names as Go writes them, which is how `whoami` shows them. */
function headersOf({ rawHeaders }: IncomingMessage): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.push([canonicalName(rawHeaders[index]!), rawHeaders[index + 1]!]);
  }
  return headers;
}

/** `x-real-ip` is `X-Real-Ip`: the first letter and those after a hyphen are upper case, all others lower case. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
