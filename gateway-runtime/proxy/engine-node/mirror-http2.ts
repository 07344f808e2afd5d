/** A copy of a request on its way to an endpoint that speaks HTTP/2; see `Mirror`. */
import type { Endpoint } from '../../snapshot/snapshot.ts';
import type { Http2Request } from '../upstream/http2/request.ts';
import type { AttemptEvents } from './attempt.ts';
import { Http2Attempt } from './attempt-http2.ts';
import type { ExchangeContext } from './exchange.ts';
import { DISCARD, type MirroredRequest } from './mirror.ts';

export class Http2Mirror implements AttemptEvents {
  readonly #context: ExchangeContext;
  readonly #endpoint: Endpoint;
  readonly #mirrored: MirroredRequest;
  #request: Http2Request | undefined;
  #discarded = 0;
  #started = false;

  constructor(context: ExchangeContext, endpoint: Endpoint, mirrored: MirroredRequest) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#mirrored = mirrored;
  }

  start(): boolean {
    if (this.#started) return false;
    this.#started = true;
    const { mirrors, handler } = this.#context;
    this.#request = mirrors.http2.take(this.#endpoint, false);
    if (this.#request) {
      const onError = (error: unknown) => handler.onInternalError(error);
      new Http2Attempt(this.#request, this.#mirrored, true, this, onError).begin();
    } else handler.onMirrorDropped();
    return true;
  }

  write(chunk: Buffer): void {
    const request = this.#request;
    if (!request) return;
    request.write(chunk, true);
    if (request.buffered <= this.#context.limits.mirrorBytes) return;
    this.drop();
    this.#context.handler.onMirrorDropped();
  }

  end(trailers: [string, string][]): void {
    this.#request?.endBody(trailers);
  }

  drop(): void {
    this.#request?.close();
    this.#request = undefined;
  }

  onReady(): void {
    // What is not taken yet is kept, as long as it is little.
  }

  onInformation(): void {
    // As everything that comes back.
  }

  onResponse(): void {
    // The body says when it is over.
  }

  onResponseChunk(chunk: Buffer): boolean {
    this.#discarded += chunk.length;
    if (this.#discarded > DISCARD) this.drop();
    return true;
  }

  onResponseEnd(): void {
    this.#request = undefined;
  }

  onUpgrade(): void {
    // Nothing is mirrored that asks for it.
  }

  onFailure(): void {
    this.#request = undefined;
    this.#context.handler.onMirrorDropped();
  }

  onTruncated(): void {
    this.onFailure();
  }
}
