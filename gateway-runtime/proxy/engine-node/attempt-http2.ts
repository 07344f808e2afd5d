/** One try to get a response from an endpoint that speaks HTTP/2. */
import type { Repeatable, UpstreamFailure } from '../exchange.ts';
import { fieldValue } from '../header-fields.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { requestFields } from '../upstream/http2/fields.ts';
import type { Http2Request, RequestEvents } from '../upstream/http2/request.ts';
import { switchedFields } from '../upstream/http2/websocket.ts';
import type { Attempt, AttemptEvents, AttemptOptions } from './attempt.ts';

export class Http2Attempt implements Attempt, RequestEvents {
  readonly #request: Http2Request;
  readonly #options: AttemptOptions;
  readonly #events: AttemptEvents;
  readonly #protocol: string | undefined;

  constructor(request: Http2Request, options: AttemptOptions, events: AttemptEvents) {
    this.#request = request;
    this.#options = options;
    this.#events = events;
    this.#protocol = fieldValue(options.headers, 'upgrade');
  }

  begin(): void {
    const { method, target, headers, hasBody, timed } = this.#options;
    const protocol = this.#protocol;
    const authority = fieldValue(headers, 'host')!;
    const { scheme } = this.#request;
    const fields = requestFields({ method, scheme, target, authority, protocol }, headers);
    const isTunnel = protocol !== undefined;
    this.#request.begin({ fields, hasBody, isTunnel, timed }, this);
  }

  get isConnecting(): boolean {
    return this.#request.isConnecting;
  }

  get buffered(): number {
    return this.#request.buffered;
  }

  cancel(): void {
    this.#request.close();
  }

  resume(): void {
    this.#request.resume();
  }

  write(chunk: Buffer): boolean {
    return this.#request.write(chunk, true);
  }

  endBody(trailers: [string, string][]): void {
    this.#request.endBody(trailers);
  }

  onReady(): void {
    this.#events.onReady();
  }

  onInformation(status: number, fields: readonly string[]): void {
    this.#events.onInformation(status, fields);
  }

  onResponse(status: number, fields: readonly string[]): void {
    this.#events.onResponse(status, fields);
  }

  onData(chunk: Buffer): boolean {
    return this.#events.onResponseChunk(chunk);
  }

  onEnd(trailers: [string, string][]): void {
    this.#events.onResponseEnd(trailers);
    // The backend has answered and won't read the rest of the request.
    this.#request.close();
  }

  onTunnel(fields: readonly string[], stream: TunnelEnd): void {
    this.#events.onUpgrade(switchedFields(this.#protocol!, fields, this.#options.headers), stream);
  }

  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void {
    if (this.#request.hasResponse) this.#events.onTruncated(failure);
    else this.#events.onFailure(failure, repeatable);
  }

  onError(error: unknown): void {
    this.#options.onError(error);
  }
}
