/** A request of the gateway's own about an exchange, on its way to an authorization service, and the answer, which is read whole. */
import type { AuthorizationRequest } from '../../filters/definition.ts';
import type { Exchange, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import { withoutHopByHop } from '../hop-by-hop.ts';
import { inquired } from '../upstream/inquired.ts';
import type { EngineContext } from './engine.ts';
import { pairsOf } from './field-lines.ts';
import { dropListed } from './message-head.ts';
import { isFieldValue, isToken } from './octets.ts';
import type { ResponseSink, Upstream } from './upstream.ts';

export class Inquiry implements ResponseSink {
  readonly #context: EngineContext;
  readonly #exchange: Exchange & { fail(error: unknown): void };
  #upstream: Upstream | undefined;
  #status = 0;
  #fields: readonly string[] = [];
  #body: Buffer[] = [];
  #bytes = 0;

  constructor(context: EngineContext, exchange: Exchange & { fail(error: unknown): void }) {
    this.#context = context;
    this.#exchange = exchange;
  }

  /** Once. Throws where a field can't be sent. */
  send(endpoint: TargetEndpoint, request: AuthorizationRequest, fresh: boolean): void {
    const content = Buffer.concat(request.content);
    const { length } = content;
    const head = headOf(request, length);
    const { inquiries, handler } = this.#context;
    const upstream = inquiries.upstream(inquired(endpoint, request), fresh, false);
    if (!upstream) {
      handler.onAuthorizationFailure(this.#exchange, 'overloaded');
      return;
    }
    this.#upstream = upstream;
    // How long it may take is for the pipeline to say.
    upstream.begin(this, head, request.method === 'HEAD', length > 0, false, false);
    if (length === 0) return;
    upstream.sendBody(content, 0, length, true);
    upstream.endBody('');
  }

  drop(): void {
    this.#upstream?.destroy();
    this.#upstream = undefined;
  }

  onUpstreamMoved(upstream: Upstream): void {
    this.#upstream = upstream;
  }

  onUpstreamReady(): void {
    // What the socket does not take yet, it keeps.
  }

  onInformation(): void {
    // Nobody asked for it.
  }

  onUpstreamHead({ head }: Upstream): void {
    const fields: string[] = [];
    dropListed(head);
    head.each((name, value) => fields.push(name, value));
    this.#status = head.status;
    this.#fields = withoutHopByHop(fields);
  }

  onSwitch(): void {
    this.drop();
    try {
      this.#context.handler.onAuthorizationFailure(this.#exchange, 'malformed');
    } catch (error) {
      this.#exchange.fail(error);
    }
  }

  onUpstreamBody(octets: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start;
    if (this.#bytes <= this.#context.limits.authorizationBody) {
      this.#body.push(Buffer.from(octets.subarray(start, end)));
    } else {
      this.drop();
      this.#answer(undefined, '');
    }
    return true;
  }

  onUpstreamEnd(trailers: string): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.release();
    this.#answer(Buffer.concat(this.#body), trailers);
  }

  #answer(body: Buffer | undefined, trailers: string): void {
    const answer = {
      status: this.#status,
      fields: this.#fields,
      ...(body ? { body } : {}),
      trailers: pairsOf(trailers.split('\r\n')),
    };
    try {
      this.#context.handler.onAuthorizationAnswer(this.#exchange, answer);
    } catch (error) {
      // The connection has nothing to do with the exchange any more.
      this.#exchange.fail(error);
    }
  }

  onUpstreamPause(): void {
    // Nothing is held back.
  }

  onUpstreamFailure(failure: UpstreamFailure): void {
    this.#upstream = undefined;
    this.#context.handler.onAuthorizationFailure(this.#exchange, failure);
  }

  fail(error: unknown): void {
    this.drop();
    this.#exchange.fail(error);
  }
}

function headOf({ method, target, authority, fields }: AuthorizationRequest, length: number): string {
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of [['Host', authority] as const, ...fields]) {
    if (!isToken(name) || !isFieldValue(value))
      throw new Error(`the field ${JSON.stringify(name)} can't be written`);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}Content-Length: ${length}\r\n\r\n`;
}
