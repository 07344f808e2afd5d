/**
 * A copy of a request on its way to another endpoint. Whatever becomes of it, the request itself never notices: what the endpoint does not
 * take in time is given up, and what it answers is read and thrown away.
 */

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { TargetEndpoint } from '../exchange.ts';
import type { ExchangeContext } from './exchange.ts';

/** Octets of a response that are read to keep its connection. */
export const DISCARD = 1024 * 1024;

export interface MirroredRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: string[];
  readonly hasBody: boolean;
}

export class Mirror {
  readonly #context: ExchangeContext;
  readonly #endpoint: TargetEndpoint;
  readonly #mirrored: MirroredRequest;
  #request: ClientRequest | undefined;
  #started = false;

  constructor(context: ExchangeContext, endpoint: TargetEndpoint, mirrored: MirroredRequest) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#mirrored = mirrored;
  }

  /** Once: false where it was started before. */
  start(): boolean {
    if (this.#started) return false;
    this.#started = true;
    if (this.#context.mirrors.isFull(this.#endpoint)) this.#context.handler.onMirrorDropped();
    else this.#send(false);
    return true;
  }

  #send(fresh: boolean): void {
    const { mirrors, limits } = this.#context;
    const { method, target, headers, hasBody } = this.#mirrored;
    const sent = mirrors.request(this.#endpoint, fresh, {
      method,
      path: target,
      headers,
      maxHeaderSize: limits.headBytes,
      timeout: limits.response,
      insecureHTTPParser: false,
    });
    this.#request = sent;
    sent.on('response', discard);
    sent.on('upgrade', (_response, socket) => socket.destroy());
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => {
      if (this.#request !== sent) return;
      this.#request = undefined;
      const isSafe = method === 'GET' || method === 'HEAD';
      try {
        // A kept-alive connection that was closed under it says nothing about the endpoint.
        if (sent.reusedSocket && !hasBody && isSafe && !fresh) this.#send(true);
        else this.#context.handler.onMirrorDropped();
      } catch (error) {
        this.#context.handler.onInternalError(error);
      }
    });
    if (hasBody) sent.flushHeaders();
    else sent.end();
  }

  write(chunk: Buffer): void {
    const sent = this.#request;
    if (!sent) return;
    sent.write(chunk);
    if (sent.writableLength <= this.#context.limits.mirrorBytes) return;
    this.drop();
    this.#context.handler.onMirrorDropped();
  }

  end(trailers: [string, string][]): void {
    if (trailers.length) this.#request?.addTrailers(trailers);
    this.#request?.end();
  }

  drop(): void {
    const sent = this.#request;
    this.#request = undefined;
    sent?.destroy();
  }
}

function discard(response: IncomingMessage): void {
  let discarded = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARD) response.destroy();
  });
}
