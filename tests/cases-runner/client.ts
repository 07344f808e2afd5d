/** The client of the live layer: sends a request as a case wrote it, byte by byte where it must, and reads the reply. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { authorityCertificate, type ClientCertificate, namesOf } from './certificates.ts';

export interface Reply {
  readonly status: number;
  /** Name and value in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** DNS names of the certificate that was shown. */
  readonly certificate?: readonly string[];
}

/** No HTTP answer: the port is closed, the handshake failed, the connection ended before a response head. */
export interface Refusal {
  readonly refused: string;
}

export interface Target {
  readonly port: number;
  readonly tls: boolean;
  /** Server name of the handshake; undefined for none. */
  readonly serverName: string | undefined;
  /** On a connection of its own: where a TLSRoute may decide, it does so once for each. */
  readonly once?: boolean;
  /** What the client shows of itself. */
  readonly certificate?: ClientCertificate;
}

export interface Outgoing {
  readonly method: string;
  /** As it is to stand in the request line. */
  readonly path: string;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

const HOST = '127.0.0.1';
/** A reply that takes longer than this is none: far above what loopback needs, below the time limit of a test. */
const PATIENCE_MS = 5000;

/** Certificates are checked against the run's authority, but not names: a case says itself which one it wants to see. */
const tlsOptions = ({ serverName, certificate }: Target) => ({
  ...certificate,
  ca: authorityCertificate,
  rejectUnauthorized: false,
  checkServerIdentity: () => undefined,
  servername: serverName ?? '',
});

export class Client {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true, maxCachedSessions: 0 });

  send(target: Target, { method, path, headers, body }: Outgoing): Promise<Reply | Refusal> {
    const options = {
      host: HOST,
      port: target.port,
      method,
      path,
      setHost: false,
      headers: [...headers, ...(body ? ['Content-Length', `${Buffer.byteLength(body)}`] : [])],
      timeout: PATIENCE_MS,
    };
    return new Promise((resolve) => {
      const refuse = (error: Error) => resolve({ refused: error.message });
      const outgoing = target.tls
        ? httpsRequest({ ...options, ...tlsOptions(target), agent: target.once ? false : this.#https })
        : httpRequest({ ...options, agent: this.#http });
      outgoing.on('response', (response) => void read(response).then(resolve, refuse));
      outgoing.on('upgrade', (response, socket) => {
        resolve({ status: 101, rawHeaders: response.rawHeaders, body: '' });
        socket.destroy();
      });
      outgoing.on('error', refuse);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
      outgoing.end(body);
    });
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

async function read(response: IncomingMessage): Promise<Reply> {
  const certificate = certificateOf(response.socket);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode = 0, rawHeaders } = response;
  return { status: statusCode, rawHeaders, body: Buffer.concat(chunks).toString(), ...certificate };
}

function certificateOf(socket: Socket): { certificate?: readonly string[] } {
  if (!('getPeerCertificate' in socket)) return {};
  const { raw } = (socket as TLSSocket).getPeerCertificate();
  return raw ? { certificate: namesOf(raw) } : {};
}

/** Sends these bytes on a connection of their own; `untilClosed` waits for the other side to end it. */
export function sendRaw(target: Target, text: string, untilClosed: boolean): Promise<Reply | Refusal> {
  return new Promise((resolve) => {
    const socket: Socket = target.tls
      ? tlsConnect({ host: HOST, port: target.port, ...tlsOptions(target) })
      : connect(target.port, HOST);
    let received = '';
    const finish = (problem?: string) => {
      const reply = parseReply(received, true);
      socket.destroy();
      resolve(
        problem || !reply
          ? { refused: problem ?? 'the connection ended without a response' }
          : { ...reply, ...certificateOf(socket) },
      );
    };
    socket.setTimeout(PATIENCE_MS, () =>
      finish(untilClosed && parseReply(received, false) ? 'answered, but not closed' : 'no answer'),
    );
    socket.on('error', (error) => (received ? finish() : finish(error.message)));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!untilClosed && parseReply(received, false)) finish();
    });
    socket.on('end', () => finish());
    socket.write(Buffer.from(text, 'latin1'));
  });
}

/** The first response in what was received, once it is whole. */
function parseReply(received: string, ended: boolean): Reply | undefined {
  const end = received.indexOf('\r\n\r\n');
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(received) ?? [];
  if (end < 0 || !status) return undefined;
  const rawHeaders = received
    .slice(0, end)
    .split('\r\n')
    .slice(1)
    .flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  const header = (name: string) =>
    rawHeaders.find((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
  // A chunked body stays as it came: a case that reads bodies sends no raw bytes.
  let body = received.slice(end + 4);
  const length = header('content-length');
  if (length !== undefined) {
    if (body.length < Number(length) && !ended) return undefined;
    body = body.slice(0, Number(length));
  } else if (header('transfer-encoding') !== undefined) {
    if (!body.endsWith('0\r\n\r\n') && !ended) return undefined;
  } else if (!ended && !/^(1\d\d|204|304)/.test(status)) return undefined;
  return { status: Number(status), rawHeaders, body };
}
