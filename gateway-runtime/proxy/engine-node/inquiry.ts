/** A request of the gateway's own about an exchange, on its way to an authorization service, and the answer, which is read whole. */
import type { AuthorizationRequest } from '../../filters/definition.ts';
import type { Exchange, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import { withoutHopByHop } from '../hop-by-hop.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { inquired } from '../upstream/inquired.ts';
import { type Attempt, type AttemptEvents, attemptAt } from './attempt.ts';
import type { ExchangeContext } from './exchange.ts';

export class Inquiry implements AttemptEvents {
  readonly #context: ExchangeContext;
  readonly #exchange: Exchange;
  readonly #onError: (error: unknown) => void;
  #attempt: Attempt | undefined;
  #status = 0;
  #fields: readonly string[] = [];
  #body: Buffer[] = [];
  #bytes = 0;

  /** @param onError ends the exchange where something throws */
  constructor(context: ExchangeContext, exchange: Exchange, onError: (error: unknown) => void) {
    this.#context = context;
    this.#exchange = exchange;
    this.#onError = onError;
  }

  /** Once. Throws where a field can't be sent. */
  send(endpoint: TargetEndpoint, request: AuthorizationRequest, fresh: boolean): void {
    const { method, target, authority, fields } = request;
    const content = Buffer.concat(request.content);
    const hasBody = content.length > 0;
    const headers = ['Host', authority, ...fields.flat(), 'Content-Length', `${content.length}`];
    const { inquiries: pool, limits, handler } = this.#context;
    const onError = this.#onError;
    // How long it may take is for the pipeline to say.
    const timed = false;
    const options = {
      endpoint: inquired(endpoint, request),
      fresh,
      timed,
      method,
      target,
      headers,
      hasBody,
      pool,
      limits,
      onError,
    };
    const attempt = attemptAt(options, this);
    if (!attempt) {
      handler.onAuthorizationFailure(this.#exchange, 'overloaded');
      return;
    }
    this.#attempt = attempt;
    if (hasBody) {
      attempt.write(content);
      attempt.endBody([]);
    }
    attempt.begin();
  }

  drop(): void {
    this.#attempt?.cancel();
    this.#attempt = undefined;
  }

  onReady(): void {
    // All of it was handed over.
  }

  onInformation(): void {
    // Nobody asked for it.
  }

  onResponse(status: number, rawHeaders: readonly string[]): void {
    this.#status = status;
    this.#fields = withoutHopByHop(rawHeaders);
  }

  onResponseChunk(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#context.limits.authorizationBody) this.#body.push(chunk);
    else {
      this.drop();
      this.#answer([]);
    }
    return true;
  }

  onResponseEnd(trailers: [string, string][]): void {
    this.#attempt = undefined;
    this.#answer(trailers.flat(), Buffer.concat(this.#body));
  }

  #answer(trailers: readonly string[], body?: Buffer): void {
    const answer = { status: this.#status, fields: this.#fields, ...(body ? { body } : {}), trailers };
    this.#context.handler.onAuthorizationAnswer(this.#exchange, answer);
  }

  onUpgrade(_: readonly string[], end: TunnelEnd): void {
    end.destroy();
    this.onFailure('malformed');
  }

  onTruncated(failure: UpstreamFailure): void {
    this.onFailure(failure);
  }

  onFailure(failure: UpstreamFailure): void {
    this.drop();
    this.#context.handler.onAuthorizationFailure(this.#exchange, failure);
  }
}
