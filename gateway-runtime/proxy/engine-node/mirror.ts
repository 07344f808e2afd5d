/**
 * A copy of a request on its way to another endpoint. Whatever becomes of it, the request itself never notices: what the endpoint does not
 * take in time is given up, and what it answers is read and thrown away.
 */
import type { Repeatable, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import { isIdempotent } from '../idempotent.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { type Attempt, type AttemptEvents, attemptAt, type SentRequest } from './attempt.ts';
import type { ExchangeContext } from './exchange.ts';

/** Octets of a response that are read to keep its connection; more than that, and a new connection costs less. */
const DISCARD = 1024 * 1024;

export class Mirror implements AttemptEvents {
  readonly #context: ExchangeContext;
  readonly #endpoint: TargetEndpoint;
  readonly #mirrored: SentRequest;
  #attempt: Attempt | undefined;
  #discarded = 0;
  #started = false;
  #repeated = false;

  constructor(context: ExchangeContext, endpoint: TargetEndpoint, mirrored: SentRequest) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#mirrored = mirrored;
  }

  /** Once: false where it was started before. */
  start(): boolean {
    if (this.#started) return false;
    this.#started = true;
    try {
      this.#send(false);
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  #send(fresh: boolean): void {
    const { mirrors: pool, limits, handler } = this.#context;
    const onError = (error: unknown) => this.#fail(error);
    const options = {
      endpoint: this.#endpoint,
      fresh,
      timed: true,
      ...this.#mirrored,
      pool,
      limits,
      onError,
    };
    this.#attempt = attemptAt(options, this);
    if (this.#attempt) this.#attempt.begin();
    else handler.onMirrorDropped();
  }

  write(chunk: Buffer): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    try {
      attempt.write(chunk);
      if (attempt.buffered <= this.#context.limits.mirrorBytes) return;
      this.drop();
      this.#context.handler.onMirrorDropped();
    } catch (error) {
      this.#fail(error);
    }
  }

  end(trailers: [string, string][]): void {
    try {
      this.#attempt?.endBody(trailers);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The copy ends, and nothing of the request itself. */
  #fail(error: unknown): void {
    this.#context.handler.onInternalError(error);
    this.drop();
  }

  drop(): void {
    this.#attempt?.cancel();
    this.#attempt = undefined;
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
    this.#attempt = undefined;
  }

  onUpgrade(_: readonly string[], end: TunnelEnd): void {
    end.destroy();
    this.#attempt = undefined;
  }

  onFailure(_: UpstreamFailure, repeatable: Repeatable): void {
    this.#attempt = undefined;
    const { method } = this.#mirrored;
    // A kept-alive connection that was closed under it says nothing about the endpoint.
    if (repeatable === 'idempotent' && isIdempotent(method) && !this.#repeated) {
      this.#repeated = true;
      this.#send(true);
    } else this.#context.handler.onMirrorDropped();
  }

  onTruncated(): void {
    this.#attempt = undefined;
    this.#context.handler.onMirrorDropped();
  }
}
