/** The client of the live layer that speaks HTTP/2 from its first octet (RFC 9113 section 3.3), and which requests of cases it can send. */
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { CaseRequest } from './case.ts';
import type { Outgoing, Refusal, Reply } from './client.ts';

/** A reply that takes longer than this is none: far above what loopback needs, below the time limit of a test. */
const PATIENCE_MS = 5000;

/** Of one connection each; HTTP/2 has no such fields (RFC 9113 section 8.2.2). */
const OF_A_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** What no authority has: a stream with one of them is malformed, and reset before a gateway sees it (RFC 9113 sections 8.1.1 and 8.3.1). */
const IN_NO_AUTHORITY = /[^!-~]|[@/]/;

/** Why a request is not sent over HTTP/2; undefined where it is. */
export function notOverHttp2({ request, host, raw, headers }: CaseRequest): string | undefined {
  if (raw !== undefined) return 'its octets are those of HTTP/1.1';
  if (request.url.startsWith('https:'))
    return 'it is sent over TLS, where the handshake decides on the protocol';
  const names = [...(headers ?? [])].map(([name]) => name.toLowerCase());
  const own = names.find((name) => OF_A_CONNECTION.includes(name));
  if (own !== undefined) return `HTTP/2 has no field ${own}`;
  if (IN_NO_AUTHORITY.test(host ?? '')) return `HTTP/2 has no authority ${host}`;
  return undefined;
}

export class Http2Client {
  /** By port. */
  readonly #sessions = new Map<number, ClientHttp2Session>();

  send(port: number, { method, path, headers, body }: Outgoing): Promise<Reply | Refusal> {
    const fields: OutgoingHttpHeaders = { ':method': method, ':path': path };
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!.toLowerCase();
      const value = headers[i + 1]!;
      if (name === 'host') fields[':authority'] = value;
      else fields[name] = name in fields ? [fields[name] as string | string[], value].flat() : value;
    }
    if (body) fields['content-length'] = Buffer.byteLength(body);
    return new Promise((resolve) => {
      const refuse = (error: Error) => resolve({ refused: error.message });
      const stream = this.#session(port).request(fields, { endStream: !body });
      const chunks: Buffer[] = [];
      let head: IncomingHttpHeaders = {};
      stream.on('response', (received) => {
        head = received;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', refuse);
      stream.on('end', () => {
        const status = Number(head[':status'] ?? 0);
        if (status === 0) refuse(new Error('the stream ended without a response'));
        else resolve({ status, rawHeaders: rawHeadersOf(head), body: Buffer.concat(chunks).toString() });
      });
      stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
      if (body) stream.end(body);
    });
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }

  #session(port: number): ClientHttp2Session {
    const known = this.#sessions.get(port);
    if (known && !known.closed && !known.destroyed) return known;
    const session = connect(`http://127.0.0.1:${port}`);
    // Streams on it tell of it.
    session.on('error', () => {});
    this.#sessions.set(port, session);
    return session;
  }
}

/** Name and value in turn. */
function rawHeadersOf(head: IncomingHttpHeaders): string[] {
  return Object.entries(head).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [value ?? []].flat().flatMap((each) => [name, each]),
  );
}
