/**
 * A copy of a request on its way to another endpoint. Whatever becomes of it, the request itself never notices: what the endpoint does not
 * take in time is given up, and what it answers is read and thrown away.
 */
import type { Repeatable, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import { isIdempotent } from '../idempotent.ts';
import type { EngineContext } from './engine.ts';
import type { ResponseSink, Upstream } from './upstream.ts';

/** Octets of a response that are read to keep its connection; more than that, and a new connection costs less. */
const DISCARD = 1024 * 1024;

export class Mirror implements ResponseSink {
  readonly #context: EngineContext;
  readonly #endpoint: TargetEndpoint;
  /** Of the request, as it was when it was mirrored. */
  readonly #head: string;
  readonly #hasBody: boolean;
  readonly #isHead: boolean;
  readonly #isIdempotent: boolean;
  #upstream: Upstream | undefined;
  #discarded = 0;
  #started = false;
  #repeated = false;

  constructor(
    context: EngineContext,
    endpoint: TargetEndpoint,
    head: string,
    method: string,
    hasBody: boolean,
  ) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#head = head;
    this.#hasBody = hasBody;
    this.#isHead = method === 'HEAD';
    this.#isIdempotent = isIdempotent(method);
  }

  /** Once: false where it was started before. */
  start(chunked: boolean): boolean {
    if (this.#started) return false;
    this.#started = true;
    try {
      this.#send(false, chunked);
    } catch (error) {
      this.fail(error);
    }
    return true;
  }

  #send(fresh: boolean, chunked: boolean): void {
    const upstream = this.#context.mirrors.upstream(this.#endpoint, fresh, false);
    this.#upstream = upstream;
    if (upstream) upstream.begin(this, this.#head, this.#isHead, this.#hasBody, chunked, true);
    else this.#context.handler.onMirrorDropped();
  }

  sendBody(octets: Buffer, start: number, end: number, owned: boolean): void {
    const upstream = this.#upstream;
    if (!upstream) return;
    try {
      upstream.sendBody(octets, start, end, owned);
      if (upstream.buffered <= this.#context.limits.mirrorBytes) return;
      this.drop();
      this.#context.handler.onMirrorDropped();
    } catch (error) {
      this.fail(error);
    }
  }

  endBody(trailers: string): void {
    try {
      this.#upstream?.endBody(trailers);
    } catch (error) {
      this.fail(error);
    }
  }

  flush(): void {
    try {
      this.#upstream?.flush();
    } catch (error) {
      this.fail(error);
    }
  }

  drop(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.destroy();
  }

  onUpstreamMoved(upstream: Upstream): void {
    this.#upstream = upstream;
  }

  onUpstreamReady(): void {
    // What the socket does not take yet, it keeps.
  }

  onInformation(): void {
    // As everything that comes back.
  }

  onUpstreamHead(): void {
    // The body says when it is over.
  }

  onSwitch(): void {
    this.drop();
  }

  onUpstreamBody(_octets: Buffer, start: number, end: number): boolean {
    this.#discarded += end - start;
    if (this.#discarded > DISCARD) this.drop();
    return true;
  }

  onUpstreamEnd(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.release();
  }

  onUpstreamPause(): void {
    // Nothing is held back.
  }

  onUpstreamFailure(_failure: UpstreamFailure, repeatable: Repeatable): void {
    this.#upstream = undefined;
    // A kept-alive connection that was closed under it says nothing about the endpoint.
    if (repeatable === 'idempotent' && this.#isIdempotent && !this.#repeated) {
      this.#repeated = true;
      this.#send(true, false);
    } else this.#context.handler.onMirrorDropped();
  }

  /** The copy ends, and nothing of the request itself. */
  fail(error: unknown): void {
    this.#context.handler.onInternalError(error);
    this.drop();
  }
}
