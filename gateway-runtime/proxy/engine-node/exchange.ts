/** An exchange on node:http: the client's side of it, over IncomingMessage and ServerResponse. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationRequest, LocalReply } from '../../filters/definition.ts';
import {
  type ClientConnection,
  type Exchange,
  type ExchangeHandler,
  Outcome,
  type Repeatable,
  type TargetEndpoint,
  type UpstreamFailure,
} from '../exchange.ts';
import { guardedBy } from '../guard.ts';
import { fieldValue, HeaderFields, ResponseFields } from '../header-fields.ts';
import { forwardableTrailers, withoutHopByHop } from '../hop-by-hop.ts';
import { KeptBody } from '../kept-body.ts';
import type { Limits } from '../limits.ts';
import { INTERNAL_ERROR, problemReply } from '../replies.ts';
import { ForwardedRequest, ReceivedRequest } from '../request.ts';
import type { RequestTarget, TargetProblem } from '../request-target.ts';
import { HALF_OPEN, type TunnelEnd, tunnel } from '../tunnel.ts';
import { type Attempt, type AttemptEvents, attemptAt } from './attempt.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { Inquiry } from './inquiry.ts';
import { requestFields, switchingHead } from './message-head.ts';
import { Mirror } from './mirror.ts';

/** What all exchanges of an engine share. */
export interface ExchangeContext {
  readonly handler: ExchangeHandler;
  readonly limits: Limits;
  readonly pool: ConnectionPool;
  /** Apart, so that copies of requests take no connection from a request. */
  readonly mirrors: ConnectionPool;
  /** Apart, so that a slow authorization service takes none from a request either. */
  readonly inquiries: ConnectionPool;
}

/** The server side of a connection, as the engine keeps it. */
export interface ClientSocket {
  connection: ClientConnection;
  /**
   * The client may have sent a server name, but it is lost: OpenSSL does not keep it with a TLS 1.2 session where the context is chosen
   * in a callback. The host of the first request then stands for it.
   */
  isNameUnknown: boolean;
  /** Requests on it that have no whole answer yet. */
  readonly inFlight: NodeExchange[];
  /** What came on it was no request, or too large a one: it will be closed, and what else comes is not served. */
  failed: boolean;
  /** No further request: answers say `Connection: close`. */
  readonly closing: () => boolean;
}

/** How long the rest of a body that nobody wants is read, so that the client sees its answer before the connection goes. */
const LINGER = 2_000;

export class NodeExchange implements Exchange, AttemptEvents {
  readonly connection: ClientConnection;
  readonly protocol: string;
  readonly problem?: TargetProblem;
  readonly request: ReceivedRequest;
  readonly upgrade?: string;
  readonly outcome = new Outcome();

  readonly #context: ExchangeContext;
  readonly #client: ClientSocket;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #target: RequestTarget | undefined;
  readonly #started = performance.now();
  readonly hasBody: boolean;
  #head: ForwardedRequest<HeaderFields> | undefined;
  #attempt: Attempt | undefined;
  #mirrors: Mirror[] | undefined;
  #kept: KeptBody | undefined;
  /** The body is received before anything is forwarded. */
  #isHolding = false;
  #inquiry: Inquiry | undefined;
  #isReading = false;
  /** Of the request, once its body was read to the end. */
  #trailers: [string, string][] | undefined;
  #received = 0;
  /** Of the body, more than which is not let through. */
  #mostBytes = Number.POSITIVE_INFINITY;
  #sent = 0;
  #chunked = false;
  #tunnelled = false;
  #ended = false;
  readonly #onError = (error: unknown) => this.fail(error);
  readonly #guard = guardedBy(this.#onError);

  constructor(
    context: ExchangeContext,
    client: ClientSocket,
    message: IncomingMessage,
    response: ServerResponse,
    target: RequestTarget | TargetProblem,
    upgrade?: string,
  ) {
    this.#context = context;
    this.#client = client;
    this.#message = message;
    this.#response = response;
    this.connection = client.connection;
    this.protocol = `HTTP/${message.httpVersion}`;
    if ('message' in target) this.problem = target;
    else this.#target = target;
    this.request = new ReceivedRequest(message.method ?? '', this.#target, {
      received: (name) => fieldValue(message.rawHeaders, name),
    });
    if (upgrade) this.upgrade = upgrade;
    const length = fieldValue(message.rawHeaders, 'content-length');
    this.hasBody =
      (length !== undefined && length !== '0') ||
      fieldValue(message.rawHeaders, 'transfer-encoding') !== undefined;
    client.inFlight.push(this);
    message.on('error', () => {});
    response.on('error', () => {});
    response.on(
      'finish',
      this.#guard(() => this.#linger()),
    );
    response.on(
      'close',
      this.#guard(() => this.#onClose()),
    );
  }

  /** Hands the request to the pipeline. */
  start(): void {
    this.#guard(() => this.#context.handler.onRequest(this))();
  }

  get head(): ForwardedRequest<HeaderFields> {
    this.#head ??= new ForwardedRequest(
      this.request,
      this.#target!.authority,
      this.connection.tls ? 'https' : 'http',
      this.connection.port,
      new HeaderFields(withoutHopByHop(this.#message.rawHeaders)),
    );
    return this.#head;
  }

  reply({ status, headers, body }: LocalReply): void {
    const raw: string[] = [];
    for (const [name, value] of headers) raw.push(name, value);
    if (status !== 204 && status !== 304) raw.push('content-length', String(Buffer.byteLength(body)));
    this.#writeHead(status, raw);
    if (this.request.method !== 'HEAD') this.#sent += Buffer.byteLength(body);
    this.#response.end(body);
  }

  forward(endpoint: TargetEndpoint, fresh: boolean, timed: boolean): void {
    const { pool, limits, handler } = this.#context;
    const onError = this.#onError;
    const options = { endpoint, fresh, timed, ...this.#forwarded(this.head), pool, limits, onError };
    const attempt = attemptAt(options, this);
    if (!attempt) {
      handler.onFailure(this, 'overloaded', 'always');
      return;
    }
    this.#attempt = attempt;
    // What was received before goes ahead of what comes.
    const chunks = this.#kept?.chunks ?? [];
    for (const chunk of chunks) attempt.write(chunk);
    if (this.#trailers) attempt.endBody(this.#trailers);
    if (this.#mirrors) this.#startMirrors(this.#mirrors, chunks);
    attempt.begin();
  }

  #startMirrors(mirrors: readonly Mirror[], chunks: readonly Buffer[]): void {
    for (const mirror of mirrors) {
      if (!mirror.start()) continue;
      for (const chunk of chunks) mirror.write(chunk);
      if (this.#trailers) mirror.end(this.#trailers);
    }
  }

  boundBody(most: number): boolean {
    this.#mostBytes = most;
    if (this.#announced <= most) return true;
    this.#client.failed = true;
    return false;
  }

  /** Octets of the body, as far as the client has said. */
  get #announced(): number {
    return Number(this.request.header('content-length') ?? 0);
  }

  keepBody(most: number): void {
    if (this.hasBody) this.#kept ??= new KeptBody(most);
  }

  holdBody(most: number): void {
    const { handler } = this.#context;
    const isHere = !this.hasBody || this.#trailers !== undefined;
    if (isHere || this.#announced > most) {
      handler.onBody(this, isHere && (this.#kept?.bytes ?? 0) <= most);
      return;
    }
    this.#kept = new KeptBody(most);
    this.#isHolding = true;
    if (this.request.header('expect') !== undefined) this.#response.writeContinue();
    this.head.remove('expect');
    this.#readBody();
  }

  get heldBody(): readonly Buffer[] {
    return this.#kept?.chunks ?? [];
  }

  authorize(endpoint: TargetEndpoint, request: AuthorizationRequest, fresh: boolean): void {
    this.#inquiry = new Inquiry(this.#context, this, this.#onError);
    this.#inquiry.send(endpoint, request, fresh);
  }

  get isRepeatable(): boolean {
    return this.#received === 0 || this.#kept?.chunks !== undefined;
  }

  onReady(): void {
    if (this.#isReading) this.#message.resume();
    else this.#readBody();
  }

  #readBody(): void {
    const message = this.#message;
    this.#isReading = true;
    message.on(
      'data',
      this.#guard((chunk: Buffer) => this.#onBody(chunk)),
    );
    message.on(
      'end',
      this.#guard(() => {
        this.#trailers = forwardableTrailers(message.rawTrailers);
        if (this.#isHolding) {
          this.#isHolding = false;
          this.#context.handler.onBody(this, true);
          return;
        }
        this.#attempt?.endBody(this.#trailers);
        if (this.#mirrors) for (const mirror of this.#mirrors) mirror.end(this.#trailers);
      }),
    );
  }

  #onBody(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#received > this.#mostBytes) {
      this.#onBodyTooLarge();
      return;
    }
    this.#kept?.add(chunk, 0, chunk.length);
    if (this.#isHolding) {
      if (this.#kept!.chunks) return;
      this.#isHolding = false;
      this.#message.pause();
      this.#context.handler.onBody(this, false);
      return;
    }
    if (this.#mirrors) for (const mirror of this.#mirrors) mirror.write(chunk);
    if (this.#attempt && !this.#attempt.write(chunk)) this.#message.pause();
  }

  #onBodyTooLarge(): void {
    const { headersSent, writableEnded } = this.#response;
    this.#isHolding = false;
    this.#attempt?.cancel();
    this.#attempt = undefined;
    this.#dropMirrors();
    // What comes after the answer is dropped.
    if (writableEnded) return;
    this.outcome.refusal = 'request-too-large';
    if (headersSent) {
      this.#message.socket.destroy();
      return;
    }
    this.#client.failed = true;
    this.#context.handler.onBodyTooLarge(this);
  }

  /** As the head is now. */
  #forwarded(head: ForwardedRequest<HeaderFields>) {
    return {
      method: head.method,
      target: head.query ? `${head.path}?${head.query}` : head.path,
      headers: requestFields(head, this.#message.rawHeaders, this.hasBody, this.upgrade),
      hasBody: this.hasBody,
    };
  }

  mirror(endpoint: TargetEndpoint): void {
    this.#mirrors ??= [];
    this.#mirrors.push(new Mirror(this.#context, endpoint, this.#forwarded(this.head)));
  }

  expire(): void {
    if (this.#ended) return;
    const attempt = this.#attempt;
    this.#giveUp();
    this.#guard(() => {
      if (this.#response.headersSent) this.onTruncated('timeout');
      else if (attempt?.isConnecting) this.onFailure('connect-timeout', 'always');
      else this.onFailure('timeout', 'never');
    })();
  }

  onInformation(status: number, rawHeaders: readonly string[]): void {
    if (this.#message.httpVersionMinor === 0 || this.#response.headersSent) return;
    if (status === 100) this.#response.writeContinue();
    const link = status === 103 && fieldValue(rawHeaders, 'link');
    if (!link) return;
    try {
      this.#response.writeEarlyHints({ link });
    } catch {
      // node:http takes well-formed links only; hints may be left out.
    }
  }

  onResponse(upstreamStatus: number, rawHeaders: readonly string[]): void {
    const head = new ResponseFields(upstreamStatus, withoutHopByHop(rawHeaders));
    if (!this.#context.handler.onResponse(this, head)) {
      this.#giveUp();
      return;
    }
    const { status } = head;
    this.#chunked =
      this.#message.httpVersionMinor > 0 &&
      this.request.method !== 'HEAD' &&
      status !== 204 &&
      status !== 304 &&
      head.get('content-length') === undefined;
    if (!this.#chunked) head.remove('trailer');
    if (status === 204) head.remove('content-length');
    this.#writeHead(status, head.raw);
    const onDrain = () => this.#attempt?.resume();
    this.#response.on('drain', this.#guard(onDrain));
    process.nextTick(flushHead, this);
  }

  /** A head whose body takes its time must not wait for it. */
  flushHead(): void {
    if (this.#sent === 0 && !this.#response.writableEnded) this.#response.flushHeaders();
  }

  onResponseChunk(chunk: Buffer): boolean {
    this.#sent += chunk.length;
    return this.#response.write(chunk);
  }

  onResponseEnd(trailers: [string, string][]): void {
    if (this.#chunked && trailers.length) this.#response.addTrailers(trailers);
    this.#response.end();
  }

  onUpgrade(rawHeaders: readonly string[], backend: TunnelEnd): void {
    const { socket } = this.#message;
    // A switch that was not asked for, or to something else, is no answer to this request.
    const protocol = fieldValue(rawHeaders, 'upgrade');
    if (!this.upgrade || protocol?.toLowerCase() !== this.upgrade.toLowerCase()) {
      backend.destroy();
      this.onFailure('malformed', 'never');
      return;
    }
    const head = new ResponseFields(101, withoutHopByHop(rawHeaders));
    this.#context.handler.onResponse(this, head);
    head.remove('content-length');
    head.add('Connection', 'Upgrade');
    head.add('Upgrade', protocol);
    const switched = switchingHead(head.raw);
    this.#tunnelled = true;
    this.#response.detachSocket(socket);
    socket.write(switched, 'latin1');
    const done = (toBackend: number, toClient: number) => {
      this.#received += toBackend;
      this.#sent += toClient;
      this.#end(101);
    };
    tunnel(socket, backend, this.#context.limits.tunnelIdle, HALF_OPEN, this.#onError, done);
  }

  /** The rest of the body waits for the next attempt, or for nobody. */
  #giveUp(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (this.#isReading && !this.#trailers) this.#message.pause();
    attempt?.cancel();
  }

  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void {
    this.#giveUp();
    this.#context.handler.onFailure(this, failure, repeatable);
  }

  onTruncated(failure: UpstreamFailure): void {
    this.outcome.failure = failure;
    // The only way to tell a client that a response is not whole.
    this.#message.socket.destroy();
  }

  /** Head and body are here. */
  get isReceived(): boolean {
    return this.#message.complete;
  }

  /** The body can't be read to its end. False where it is too late to say so. */
  failBody(status: number): boolean {
    if (this.#message.complete || this.#response.headersSent) return false;
    this.#attempt?.cancel();
    this.#response.shouldKeepAlive = false;
    const message =
      status === 408
        ? 'the body of the request took too long'
        : 'the body of the request is not valid HTTP/1.1';
    this.reply(problemReply({ status, message }));
    return true;
  }

  #writeHead(status: number, raw: string[]): void {
    if (this.#client.closing()) raw.push('Connection', 'close');
    this.#response.writeHead(status, raw);
  }

  #linger(): void {
    if (!this.hasBody) return;
    this.#message.resume();
    if (this.#message.complete) return;
    const { socket } = this.#message;
    const timer = setTimeout(() => socket.destroy(), LINGER).unref();
    this.#message.once('close', () => clearTimeout(timer));
    this.#message.once('end', () => clearTimeout(timer));
  }

  #onClose(): void {
    if (this.#tunnelled) return;
    const { writableFinished, headersSent, statusCode } = this.#response;
    try {
      if (!writableFinished && !this.outcome.failure) {
        this.#context.handler.onFailure(this, 'client-gone', 'never');
      }
    } finally {
      if (!writableFinished) this.#attempt?.cancel();
      this.#end(headersSent ? statusCode : 0);
    }
  }

  #dropMirrors(): void {
    for (const mirror of this.#mirrors ?? []) mirror.drop();
    this.#mirrors = undefined;
  }

  #end(status: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#isHolding = false;
    this.#inquiry?.drop();
    // The rest of the request will never come.
    if (this.hasBody && !this.#message.complete) this.#dropMirrors();
    const { inFlight, closing } = this.#client;
    inFlight.splice(inFlight.indexOf(this), 1);
    // The head of this response may have been sent before it was known that the connection is to close.
    if (closing() && inFlight.length === 0) this.#message.socket.destroySoon();
    this.#context.handler.onEnd(this, {
      status,
      bytesReceived: this.#received,
      bytesSent: this.#sent,
      duration: performance.now() - this.#started,
    });
  }

  /** What a callback throws ends this exchange. */
  fail(error: unknown): void {
    this.#context.handler.onInternalError(error);
    this.#attempt?.cancel();
    // The next request may be on the connection by now.
    if (this.#ended && !this.#tunnelled) return;
    try {
      if (!this.#response.headersSent && !this.#tunnelled) {
        this.reply(INTERNAL_ERROR);
        return;
      }
    } catch {
      // The connection goes, which is the answer.
    }
    this.#message.socket.destroy();
  }
}

function flushHead(exchange: NodeExchange): void {
  try {
    exchange.flushHead();
  } catch (error) {
    exchange.fail(error);
  }
}
