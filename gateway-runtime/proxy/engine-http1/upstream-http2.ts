/** A request to an endpoint that speaks HTTP/2. What the exchange gives and gets has the form of HTTP/1.1. */
import type { Repeatable, UpstreamFailure } from '../exchange.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { requestFields } from '../upstream/http2/fields.ts';
import type { Http2Request, RequestEvents } from '../upstream/http2/request.ts';
import { switchedFields } from '../upstream/http2/websocket.ts';
import type { EngineContext } from './engine.ts';
import { linesOf, pairsOf } from './field-lines.ts';
import { Head } from './head.ts';
import { readResponse } from './head-reader.ts';
import type { ResponseSink, Upstream } from './upstream.ts';

const EMPTY = Buffer.alloc(0);

export class Http2Upstream implements Upstream, RequestEvents {
  readonly head = new Head();
  readonly #context: EngineContext;
  readonly #request: Http2Request;
  #sink: ResponseSink | undefined;
  /** Whose request it is, also where that wants nothing of it any more. */
  #owner: ResponseSink | undefined;
  /** Of the request, names and values in turns. */
  #fields: readonly string[] = [];
  #protocol: string | undefined;
  #stream: TunnelEnd | undefined;

  constructor(context: EngineContext, request: Http2Request) {
    this.#context = context;
    this.#request = request;
  }

  get isConnecting(): boolean {
    return this.#request.isConnecting;
  }

  get isReady(): boolean {
    return this.#request.isReady;
  }

  get buffered(): number {
    return this.#request.buffered;
  }

  begin(
    sink: ResponseSink,
    head: string,
    _isHead: boolean,
    hasBody: boolean,
    _chunked: boolean,
    timed: boolean,
  ): void {
    this.#sink = this.#owner = sink;
    const [line, ...lines] = head.split('\r\n');
    const [method, target] = line!.split(' ');
    const raw = pairsOf(lines);
    this.#fields = raw;
    this.#protocol = valueIn(raw, 'upgrade');
    const authority = valueIn(raw, 'host')!;
    const { scheme } = this.#request;
    const fields = requestFields(
      { method: method!, scheme, target: target!, authority, protocol: this.#protocol },
      raw,
    );
    this.#request.begin({ fields, hasBody, isTunnel: this.#protocol !== undefined, timed }, this);
  }

  sendBody(octets: Buffer, start: number, end: number, owned: boolean): boolean {
    return this.#request.write(octets.subarray(start, end), owned);
  }

  endBody(trailers: string): void {
    const raw = pairsOf(trailers.split('\r\n'));
    const pairs: [string, string][] = [];
    for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i]!, raw[i + 1]!]);
    this.#request.endBody(pairs);
  }

  flush(): void {
    // The head waits for nothing.
  }

  resume(): void {
    this.#request.resume();
  }

  release(): void {
    this.destroy();
  }

  destroy(): void {
    this.#sink = undefined;
    this.#request.close();
    this.#stream?.destroy();
  }

  detach(): TunnelEnd {
    const stream = this.#stream!;
    this.#stream = undefined;
    this.#sink = undefined;
    return stream;
  }

  onReady(): void {
    this.#sink?.onUpstreamReady();
  }

  onInformation(status: number, fields: readonly string[]): void {
    if (this.#read(status, fields)) this.#sink?.onInformation(this);
  }

  onResponse(status: number, fields: readonly string[]): void {
    if (!this.#read(status, fields)) return;
    this.#sink?.onUpstreamHead(this);
    // What came along with the head goes on with it.
    if (this.#sink) setImmediate(pause, this);
  }

  /** All that came at once was passed on. */
  pause(): void {
    this.#sink?.onUpstreamPause();
  }

  onData(chunk: Buffer): boolean {
    return this.#sink?.onUpstreamBody(chunk, 0, chunk.length, true) ?? true;
  }

  onEnd(trailers: [string, string][]): void {
    this.#sink?.onUpstreamEnd(linesOf(trailers.flat()));
  }

  onTunnel(fields: readonly string[], stream: TunnelEnd): void {
    this.#stream = stream;
    if (this.#read(101, switchedFields(this.#protocol!, fields, this.#fields)))
      this.#sink?.onSwitch(this, EMPTY);
  }

  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onUpstreamFailure(failure, repeatable);
  }

  onError(error: unknown): void {
    this.destroy();
    if (this.#owner) this.#owner.fail(error);
    else this.#context.handler.onInternalError(error);
  }

  /** Into `head`, as strictly as one that came over HTTP/1.1. False: it has failed. */
  #read(status: number, fields: readonly string[]): boolean {
    const text = Buffer.from(`HTTP/1.1 ${status}\r\n${linesOf(fields)}\r\n`, 'latin1');
    if (readResponse(this.head, text, 0, text.length, this.#context.limits.headFields) === text.length)
      return true;
    const sink = this.#sink;
    this.destroy();
    sink?.onUpstreamFailure('malformed', 'never');
    return false;
  }
}

function pause(upstream: Http2Upstream): void {
  try {
    upstream.pause();
  } catch (error) {
    upstream.onError(error);
  }
}

/** Of the first field of that name; as we write it, or as it came. */
function valueIn(raw: readonly string[], lower: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) if (raw[i]!.toLowerCase() === lower) return raw[i + 1];
  return undefined;
}
