/**
 * Clients as they should be: one that was told that its connection ends (`Connection: close`, GOAWAY) comes on another one, and none
 * tries again what has failed.
 */
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { LoadPlan } from './load.ts';

export interface Said {
  readonly status: number;
  readonly text: string;
  /** Fingerprint of the certificate that was shown; empty without TLS. */
  readonly certificate: string;
}

export interface Client {
  /** Rejects with words about the connection too. */
  ask(method: string, body: Buffer | undefined): Promise<Said>;
  close(): void;
}

const fingerprint = (socket: unknown) => (socket as TLSSocket).getPeerCertificate().fingerprint256 ?? '';

class Http1Client implements Client {
  readonly #plan: LoadPlan;
  readonly #agent: PlainAgent | TlsAgent | undefined;

  constructor(plan: LoadPlan, isKept: boolean) {
    this.#plan = plan;
    const options = { keepAlive: true, maxSockets: 1 };
    if (isKept) this.#agent = plan.ca ? new TlsAgent(options) : new PlainAgent(options);
  }

  ask(method: string, body: Buffer | undefined): Promise<Said> {
    const { address, port, host, path, ca, timeout } = this.#plan;
    const { promise, resolve, reject } = Promise.withResolvers<Said>();
    const options = {
      ...{ host: address, port, path, method, agent: this.#agent ?? (false as const) },
      headers: { host, ...(body ? { 'content-length': body.length } : {}) },
      signal: AbortSignal.timeout(timeout),
    };
    const call: ClientRequest = ca ? requestTls({ ...options, ca, servername: host }) : request(options);
    const fail = (error: Error) =>
      reject(new Error(`${error.message} on a ${call.reusedSocket ? 'used' : 'new'} connection`));
    call.on('error', fail);
    call.on('response', (response: IncomingMessage) => {
      const certificate = ca ? fingerprint(response.socket) : '';
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode!, text, certificate }));
    });
    call.end(body);
    return promise;
  }

  close(): void {
    this.#agent?.destroy();
  }
}

class Http2Client implements Client {
  readonly #plan: LoadPlan;
  readonly #isKept: boolean;
  #session: ClientHttp2Session | undefined;

  constructor(plan: LoadPlan, isKept: boolean) {
    this.#plan = plan;
    this.#isKept = isKept;
  }

  async ask(method: string, body: Buffer | undefined): Promise<Said> {
    const asked = this.#session;
    try {
      return await this.#ask(method, body);
    } catch (error) {
      // Nothing is heard on it any more, or nothing more is taken: whoever asks next has to connect anew.
      if (this.#session === asked) this.#session = undefined;
      // It was not processed, so it may be sent again (RFC 9113 section 8.7): a GOAWAY has met it on its way.
      if (asked && /NGHTTP2_REFUSED_STREAM/.test((error as Error).message)) return this.#ask(method, body);
      asked?.destroy();
      throw error;
    }
  }

  async #ask(method: string, body: Buffer | undefined): Promise<Said> {
    const { host, path, timeout } = this.#plan;
    const kept = this.#session;
    // After GOAWAY it is closed.
    const isUsed = kept !== undefined && !kept.closed && !kept.destroyed;
    const session = isUsed ? kept : this.#connect();
    const { promise, resolve, reject } = Promise.withResolvers<Said>();
    const fail = (error: Error) =>
      reject(new Error(`${error.message} on a ${isUsed ? 'used' : 'new'} session`));
    session.once('error', fail);
    const stream = session.request(
      {
        ':method': method,
        ':path': path,
        ':authority': host,
        ...(body ? { 'content-length': body.length } : {}),
      },
      { signal: AbortSignal.timeout(timeout) },
    );
    let status = 0;
    let text = '';
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    stream.on('error', fail);
    stream.on('close', () => {
      if (stream.rstCode !== 0) return fail(new Error(`the stream was reset with ${stream.rstCode}`));
      if (!stream.readableEnded) return fail(new Error('the stream was closed before its end'));
      resolve({ status, text, certificate: session.destroyed ? '' : fingerprint(session.socket) });
    });
    stream.end(body);
    try {
      return await promise;
    } finally {
      session.off('error', fail);
      if (!this.#isKept) session.close();
    }
  }

  #connect(): ClientHttp2Session {
    const { address, port, host, ca } = this.#plan;
    const session = connect(`https://${address}:${port}`, { ca: ca!, servername: host });
    // What it means for a request, that request says.
    session.on('error', () => {});
    if (this.#isKept) this.#session = session;
    return session;
  }

  close(): void {
    this.#session?.destroy();
  }
}

export const newClient = (plan: LoadPlan, isKept: boolean): Client =>
  plan.protocol === 'h2' ? new Http2Client(plan, isKept) : new Http1Client(plan, isKept);
