/** A request on a stream of HTTP/2, as the client's side of an exchange. To its backend it goes as HTTP/1.1. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { LocalReply } from '../../filters/definition.ts';
import type { AnswerWriter, ClientSide } from '../engine-http1/client-side.ts';
import type { EngineContext } from '../engine-http1/engine.ts';
import type { Http1Exchange } from '../engine-http1/exchange.ts';
import type { Head } from '../engine-http1/head.ts';
import { dropListed } from '../engine-http1/message-head.ts';
import { isFieldValue, isToken } from '../engine-http1/octets.ts';
import { UnsentOf } from '../engine-http1/unsent.ts';
import type { ClientConnection } from '../exchange.ts';
import { mayBeTrailer } from '../hop-by-hop.ts';

type Fields = Record<string, string | string[]>;

/** Fields of HTTP/1.1 that HTTP/2 does not know (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Node sends none above. */
const HIGHEST_STATUS = 599;
/** "A client that receives a response with an invalid status code SHOULD process the response as if it had a 5xx" (RFC 9110 section 15). */
const INVALID_STATUS = 500;

/** Gives the code INTERNAL_ERROR. */
const CUT = new Error('the answer is not whole');

export class Http2Stream implements ClientSide, AnswerWriter {
  readonly context: EngineContext;
  readonly connection: ClientConnection;
  readonly protocol = 'HTTP/2.0';
  readonly answer = this;
  isBodyRead: boolean;
  /** When something moved last, by the engine's clock. */
  since: number;
  /** When the request came, by the engine's clock. */
  readonly began: number;
  readonly #stream: ServerHttp2Stream;
  readonly #unsent: UnsentOf;
  #exchange: Http1Exchange | undefined;
  /** Of the body, received and not passed on. */
  #waiting: Buffer | undefined;
  #trailersReceived = '';
  #hasEnded = false;
  /** Head of the response, until its first octets or its end. */
  #pending: Fields | undefined;
  #hasBody = false;
  readonly #trailers: Fields = Object.create(null);

  constructor(
    context: EngineContext,
    stream: ServerHttp2Stream,
    connection: ClientConnection,
    hasBody: boolean,
  ) {
    this.context = context;
    this.connection = connection;
    this.isBodyRead = !hasBody;
    this.began = this.since = context.clock.now;
    this.#stream = stream;
    const onTaken = () => this.#guarded((exchange) => exchange?.onClientDrain());
    this.#unsent = new UnsentOf(context.unsent, stream, context.clock, onTaken);
    stream.on('close', () =>
      this.#guarded((exchange) => {
        this.#unsent.end();
        exchange?.onClientGone();
      }),
    );
    stream.on('drain', () =>
      this.#guarded((exchange) => {
        this.#unsent.note();
        exchange?.onClientDrain();
      }),
    );
    // The exchange is over by then.
    stream.on('wantTrailers', () => this.#guarded(() => stream.sendTrailers(this.#trailers)));
    if (!hasBody) {
      stream.resume();
      return;
    }
    stream.on('data', (chunk: Buffer) => this.#guarded(() => this.#onData(chunk)));
    stream.on('trailers', (_: unknown, __: number, raw?: string[]) =>
      this.#guarded(() => {
        this.#trailersReceived = trailerLines(raw ?? []);
      }),
    );
    stream.on('end', () =>
      this.#guarded(() => {
        this.#hasEnded = true;
        this.#pass();
      }),
    );
  }

  begin(exchange: Http1Exchange): void {
    this.#exchange = exchange;
    exchange.start();
    this.#exchange?.flushRequest();
  }

  get closing(): boolean {
    return false;
  }

  resume(): void {
    this.#pass();
    if (this.#exchange?.takesBody && this.#stream.isPaused()) this.#stream.resume();
    this.#exchange?.flushRequest();
  }

  get exchange(): Http1Exchange | undefined {
    return this.#exchange;
  }

  giveUp(): void {
    this.failBody(408);
  }

  /** What comes next is for the client to do: to send more of the body, or to read. Else it waits for its backend. */
  get isClientsTurn(): boolean {
    if (this.#stream.writableLength > 0) return true;
    const exchange = this.#exchange;
    return !this.isBodyRead && exchange?.hasBegun === false && exchange.takesBody;
  }

  /** The time of a request is over. A call that is answered while it goes on, as those of gRPC are, may take as long as it takes. */
  onLate(): void {
    if (!this.isBodyRead && this.#exchange?.hasBegun === false) this.failBody(408);
  }

  failBody(status: number): void {
    if (!this.#exchange?.failBody(status)) this.reset();
  }

  /** The client sends no more: a body of which something is missing never comes. */
  onClientEnd(): void {
    if (!this.isBodyRead && this.#stream.state.remoteClose !== 1) this.reset();
  }

  isBehind(): boolean {
    return this.#unsent.isBehind();
  }

  /** When the client took something of it last, as far as was seen. */
  get takenAt(): number {
    return this.#unsent.takenAt;
  }

  /** Whether it goes, since its client does not take what was written. */
  isToGo(): boolean {
    this.#unsent.note();
    return this.#unsent.isToGo(this.connection.holder);
  }

  touch(): void {
    this.since = this.context.clock.now;
  }

  #onData(chunk: Buffer): void {
    if (!this.#exchange) return;
    this.touch();
    this.#waiting = this.#waiting ? Buffer.concat([this.#waiting, chunk]) : chunk;
    this.#pass();
    this.#exchange?.flushRequest();
  }

  /** What was received, as far as it is wanted. The flow control of the stream holds back the rest. */
  #pass(): void {
    const exchange = this.#exchange;
    if (!exchange || this.isBodyRead) return;
    const chunk = this.#waiting;
    if (chunk) {
      if (!exchange.takesBody) {
        this.#stream.pause();
        return;
      }
      this.#waiting = undefined;
      exchange.onRequestBody(chunk, 0, chunk.length, true);
    }
    if (this.#hasEnded) {
      this.isBodyRead = true;
      exchange.onRequestEnd(this.#trailersReceived);
    }
  }

  reply({ status, headers, body }: LocalReply, isHead: boolean): number {
    const fields: Fields = { ':status': String(status), date: this.context.clock.date };
    for (const [name, value] of headers) put(fields, name, value);
    if (status !== 204 && status !== 304) fields['content-length'] = String(Buffer.byteLength(body));
    const isEmpty = isHead || body.length === 0 || status === 204 || status === 304;
    if (!this.#isOpen) return 0;
    this.#stream.respond(fields, { endStream: isEmpty });
    if (isEmpty) return 0;
    this.#stream.end(body);
    return Buffer.byteLength(body);
  }

  inform(head: Head): void {
    if (!this.#isOpen || this.#stream.headersSent) return;
    dropListed(head);
    head.remove('content-length');
    this.#stream.additionalHeaders({ ...responseFields(head), ':status': String(head.status) });
  }

  endsWithConnection(): boolean {
    return false;
  }

  respond(head: Head, _received: number, hasBody: boolean): number {
    if (head.status === 204) head.drop(head.contentLength);
    const status = head.status > HIGHEST_STATUS ? INVALID_STATUS : head.status;
    this.#pending = { date: this.context.clock.date, ...responseFields(head), ':status': String(status) };
    this.#hasBody = hasBody;
    return status;
  }

  sendBody(octets: Buffer, start: number, end: number, owned: boolean): boolean {
    this.flush();
    if (!this.#isOpen) return true;
    const view = octets.subarray(start, end);
    return this.#stream.write(owned ? view : Buffer.from(view));
  }

  endBody(trailers: string): void {
    if (!this.#isOpen) return;
    if (this.#pending && trailers === '') {
      // Nothing came after the head.
      const fields = this.#pending;
      this.#pending = undefined;
      this.#stream.respond(fields, { endStream: true });
      return;
    }
    this.flush();
    for (const line of trailers.split('\r\n')) {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon));
      if (name !== '' && !CONNECTION_FIELDS.has(name.toLowerCase()))
        put(this.#trailers, name, line.slice(colon + 1).trim());
    }
    if (this.#hasBody) this.#stream.end();
  }

  flush(): void {
    const fields = this.#pending;
    if (!fields) return;
    this.#pending = undefined;
    if (this.#isOpen)
      this.#stream.respond(fields, { endStream: !this.#hasBody, waitForTrailers: this.#hasBody });
  }

  answered(): void {
    this.#exchange = undefined;
    this.#waiting = undefined;
    if (this.isBodyRead || this.#stream.closed) return;
    // "a server MAY request that the client abort transmission of a request without error by sending a RST_STREAM with an error code of NO_ERROR
    // after sending a complete response" (RFC 9113 section 8.1).
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  reset(): void {
    // What is closed Node ends first, where it does so while it reads: the answer would be whole.
    this.#stream.destroy(CUT);
  }

  destroy(): void {
    this.reset();
  }

  fail(error: unknown): void {
    this.context.handler.onInternalError(error);
    this.reset();
  }

  detach(): Socket {
    throw new Error('a stream of HTTP/2 has no socket of its own');
  }

  get #isOpen(): boolean {
    return !this.#stream.closed && !this.#stream.destroyed;
  }

  /** What is thrown ends this stream, and no other. */
  #guarded(tell: (exchange: Http1Exchange | undefined) => void): void {
    try {
      tell(this.#exchange);
    } catch (error) {
      this.fail(error);
    }
  }
}

/** Lower case; several of one name become one, but for Set-Cookie, of which each stands alone (RFC 9110 section 5.3). */
function put(fields: Fields, name: string, value: string): void {
  const lower = name.toLowerCase();
  if (!isToken(lower) || !isFieldValue(value))
    throw new Error(`the field ${JSON.stringify(name)} can't be sent`);
  const before = fields[lower];
  if (lower === 'set-cookie') fields[lower] = [...(Array.isArray(before) ? before : []), value];
  else fields[lower] = before === undefined ? value : `${String(before)}, ${value}`;
}

function responseFields(head: Head): Fields {
  dropListed(head);
  const fields = Object.create(null) as Fields;
  head.each((name, value) => {
    if (!CONNECTION_FIELDS.has(name.toLowerCase())) put(fields, name, value);
  });
  return fields;
}

function trailerLines(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i]!, raw[i + 1]!];
    if (isToken(name) && isFieldValue(value) && mayBeTrailer(name.toLowerCase()))
      lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
