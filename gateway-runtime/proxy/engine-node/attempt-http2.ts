/** One try to get a response from an endpoint that speaks HTTP/2. */
import type { Repeatable, UpstreamFailure } from '../exchange.ts';
import { fieldValue } from '../header-fields.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { requestFields } from '../upstream/http2/fields.ts';
import type { Http2Request, RequestEvents } from '../upstream/http2/request.ts';
import { switchedFields } from '../upstream/http2/websocket.ts';
import type { AttemptEvents, Attempted } from './attempt.ts';

/** A request in the form of HTTP/1.1. */
export interface Http1Request {
  readonly method: string;
  readonly target: string;
  /** All fields, names and values in turns. */
  readonly headers: string[];
  readonly hasBody: boolean;
}

export class Http2Attempt implements Attempted, RequestEvents {
  readonly #request: Http2Request;
  readonly #sent: Http1Request;
  readonly #timed: boolean;
  readonly #events: AttemptEvents;
  readonly #protocol: string | undefined;
  readonly onError: (error: unknown) => void;

  /**
   * @param timed whether the limits for a response and its pauses hold
   * @param onError is told what a callback threw
   */
  constructor(
    request: Http2Request,
    sent: Http1Request,
    timed: boolean,
    events: AttemptEvents,
    onError: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#sent = sent;
    this.#timed = timed;
    this.#events = events;
    this.#protocol = fieldValue(sent.headers, 'upgrade');
    this.onError = onError;
  }

  /** Sends the head. Once, and after whatever there is of the body was written. */
  begin(): void {
    const { method, target, headers, hasBody } = this.#sent;
    const protocol = this.#protocol;
    const authority = fieldValue(headers, 'host')!;
    const fields = requestFields({ method, target, authority, protocol }, headers);
    const isTunnel = protocol !== undefined;
    this.#request.begin({ fields, hasBody, isTunnel, timed: this.#timed }, this);
  }

  get isConnecting(): boolean {
    return this.#request.isConnecting;
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
    this.#events.onUpgrade(switchedFields(this.#protocol!, fields, this.#sent.headers), stream);
  }

  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void {
    if (this.#request.hasResponse) this.#events.onTruncated(failure);
    else this.#events.onFailure(failure, repeatable);
  }
}
