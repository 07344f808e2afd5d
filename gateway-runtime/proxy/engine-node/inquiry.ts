/** A request of the gateway's own about an exchange, on its way to an authorization service, and the answer, which is read whole. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { AuthorizationRequest } from '../../filters/definition.ts';
import type { Endpoint } from '../../snapshot/snapshot.ts';
import type { Exchange, UpstreamFailure } from '../exchange.ts';
import { withoutHopByHop } from '../hop-by-hop.ts';
import type { Guard } from './attempt.ts';
import type { ExchangeContext } from './exchange.ts';

export class Inquiry {
  readonly #context: ExchangeContext;
  readonly #exchange: Exchange;
  readonly #guard: Guard;
  #request: ClientRequest | undefined;
  #isConnected = false;

  constructor(context: ExchangeContext, exchange: Exchange, guard: Guard) {
    this.#context = context;
    this.#exchange = exchange;
    this.#guard = guard;
  }

  /** Once. Throws where a field can't be sent. */
  send(
    endpoint: Endpoint,
    asked: AuthorizationRequest,
    body: readonly Buffer[] | undefined,
    fresh: boolean,
  ): void {
    const { inquiries, limits, handler } = this.#context;
    if (inquiries.isFull(endpoint)) {
      handler.onAuthorizationFailure(this.#exchange, 'overloaded');
      return;
    }
    const content = Buffer.concat(body ?? []);
    const headers = ['Host', asked.authority, ...asked.fields.flat(), 'Content-Length', `${content.length}`];
    const guard = this.#guard;
    const sent = request({
      host: endpoint.address,
      port: endpoint.port,
      method: asked.method,
      path: asked.target,
      headers,
      agent: fresh ? inquiries.fresh : inquiries.reusing,
      maxHeaderSize: limits.headBytes,
      timeout: 0,
      insecureHTTPParser: false,
    });
    this.#request = sent;
    sent.on('socket', (socket) => {
      this.#isConnected = !socket.connecting;
      if (!socket.connecting) return;
      socket.setTimeout(limits.connect);
      socket.once('connect', () => {
        this.#isConnected = true;
        socket.setTimeout(0);
      });
    });
    sent.on(
      'timeout',
      guard(() => {
        if (!this.#isConnected) this.#fail('connect-timeout');
      }),
    );
    sent.on(
      'response',
      guard((response) => this.#read(response)),
    );
    sent.on(
      'upgrade',
      guard((_, socket) => {
        socket.destroy();
        this.#fail('malformed');
      }),
    );
    sent.on(
      'error',
      guard((error: NodeJS.ErrnoException) => {
        const isMalformed = error.code?.startsWith('HPE_') ?? false;
        this.#fail(!this.#isConnected ? 'connect' : isMalformed ? 'malformed' : 'reset');
      }),
    );
    sent.end(content);
  }

  drop(): void {
    const sent = this.#request;
    this.#request = undefined;
    sent?.destroy();
  }

  #read(response: IncomingMessage): void {
    const { limits, handler } = this.#context;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const answer = (body?: Buffer) => {
      const { statusCode: status = 0, rawHeaders } = response;
      handler.onAuthorizationAnswer(this.#exchange, {
        status,
        fields: withoutHopByHop(rawHeaders),
        ...(body ? { body } : {}),
      });
    };
    const guard = this.#guard;
    response.on(
      'data',
      guard((chunk: Buffer) => {
        if (!this.#request) return;
        bytes += chunk.length;
        if (bytes <= limits.authorizationBody) chunks.push(chunk);
        else {
          this.drop();
          answer();
        }
      }),
    );
    response.on(
      'end',
      guard(() => {
        if (!this.#request || !response.complete) return;
        this.#request = undefined;
        answer(Buffer.concat(chunks));
      }),
    );
    response.on(
      'error',
      guard(() => this.#fail('malformed')),
    );
  }

  /** Nothing is told after `drop`, an answer or a failure. */
  #fail(failure: UpstreamFailure): void {
    if (!this.#request) return;
    this.drop();
    this.#context.handler.onAuthorizationFailure(this.#exchange, failure);
  }
}
