/**
 * A connection from a client, and the requests on it, one after the other: a request that is pipelined waits, unread, until the one before
 * it is answered.
 */
import type { Socket } from 'node:net';
import type { ClientConnection } from '../exchange.ts';
import { TOO_MANY_FIELDS, UNKNOWN_CODING, UNKNOWN_VERSION } from '../request-problems.ts';
import type { RequestTarget, TargetProblem } from '../request-target.ts';
import { Answer } from './answer.ts';
import { ChunkedBody, EXTENSIONS_TOO_LARGE, TRAILERS_TOO_LARGE } from './chunked-body.ts';
import type { Client, ClientSide } from './client-side.ts';
import type { Timed } from './clock.ts';
import type { EngineContext } from './engine.ts';
import { Http1Exchange } from './exchange.ts';
import { Head } from './head.ts';
import { BAD, CODING, MORE, readRequest, TOO_MANY, VERSION } from './head-reader.ts';
import { malformedAnswer } from './message-head.ts';
import { CR, LF } from './octets.ts';
import { beginsPreface, PREFACE } from './preface.ts';
import { targetOf, upgradeOf } from './target.ts';
import type { Wire } from './transport.ts';
import { Unread } from './unread.ts';

/** Milliseconds for which a connection that is to be closed is still read, so that its client sees the answer. */
const LINGER = 1_000;
/** Milliseconds for which the rest of a body that nobody wants is read, so that its connection can be used again. */
const DISCARD = 2_000;
/** Milliseconds after a request within which the end of what a client sends is not taken for its going away. */
const HALF_CLOSE = 1_000;
/** Octets that are kept of what comes behind a request in progress. */
const MOST_UNREAD = 64 * 1024;

const BODY_PROBLEMS: Readonly<Record<number, number>> = {
  [EXTENSIONS_TOO_LARGE]: 413,
  [TRAILERS_TOO_LARGE]: 431,
};

const PROTOCOLS = ['HTTP/1.0', 'HTTP/1.1'];

type Phase =
  /** Between requests, or in a head. */
  | 'head'
  | 'body'
  /** The request is read, its answer is not written yet. */
  | 'answer'
  /** Answered, and ended by us; what still comes is read and dropped. */
  | 'lingering'
  /** After a switch of protocols the socket is not ours. */
  | 'given'
  | 'closed';

export class ClientStream implements Client, ClientSide, Timed {
  readonly socket: Socket;
  readonly #wire: Wire;
  readonly context: EngineContext;
  connection: ClientConnection;
  readonly answer: Answer;
  readonly #head = new Head();
  readonly #unread = new Unread();
  readonly #onPreface: (socket: Socket) => void;
  #isNameUnknown: boolean;
  #phase: Phase = 'head';
  #exchange: Http1Exchange | undefined;
  #retiring = false;
  /** The client sends no more. */
  #ended = false;
  /** After our own end: all was written. */
  #flushed = false;
  /** Requests so far. */
  #requests = 0;
  #reading = false;
  #paused = false;
  /** The answer is written, and the rest of the body is dropped. */
  #discarding = false;
  // The body of the request.
  #left = 0;
  #chunked: ChunkedBody | undefined;
  /** When the request began: its first octet. */
  #began = 0;
  since: number;

  /** `onPreface`: takes the socket where the client speaks HTTP/2. */
  constructor(
    context: EngineContext,
    socket: Socket,
    connection: ClientConnection,
    isNameUnknown: boolean,
    onPreface: (socket: Socket) => void,
  ) {
    this.#onPreface = onPreface;
    this.context = context;
    this.socket = socket;
    this.connection = connection;
    this.#isNameUnknown = isNameUnknown;
    this.since = context.clock.now;
    this.#wire = context.transport.accept(socket, this.#onOctets);
    this.answer = new Answer(this.#wire, context.clock, this.#head);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', this.#onError);
    context.clock.add(this);
  }

  /** Answers from now on ask the client to come no more. */
  retire(): void {
    this.#retiring = true;
  }

  /** No further request. */
  drain(): void {
    if (this.#phase === 'head' && this.#unread.length === 0) this.#end();
  }

  get protocol(): string {
    return PROTOCOLS[this.#head.minor]!;
  }

  get closing(): boolean {
    const isLast = this.#ended && this.#unread.length === 0 && !this.#reading;
    return this.#retiring || this.#head.close || this.#head.minor === 0 || isLast;
  }

  idleFor(): number | undefined {
    const isIdle = this.#phase === 'head' || this.#phase === 'lingering';
    if (!isIdle || this.socket.writableLength > 0) return undefined;
    return this.context.clock.now - this.since;
  }

  eachExchange(visit: (exchange: Http1Exchange) => void): void {
    if (this.#exchange) visit(this.#exchange);
  }

  giveUp(): void {
    if (this.#phase === 'body') this.#failBody(408);
    else this.reset();
  }

  touch(): void {
    this.since = this.context.clock.now;
  }

  /** More of the body is wanted, if there is more. */
  resume(): void {
    if (this.#reading || this.#phase === 'closed') return;
    if (this.#unread.length > 0 && this.#phase !== 'answer' && !this.#mustWait) {
      const octets = this.#unread.take();
      this.#read(octets, 0, octets.length, true);
      if (this.#ended && this.#phase === 'body') this.#endInBody();
    } else this.#exchange?.flushRequest();
    this.#flow();
  }

  /** The answer is written. `close`: it is the last one. */
  answered(close: boolean): void {
    this.#exchange = undefined;
    this.touch();
    if (close) {
      this.#end();
      return;
    }
    if (this.#phase === 'body') {
      this.#discarding = true;
      this.#began = this.context.clock.now;
    } else this.#phase = 'head';
    this.resume();
    this.#endAfterAll();
  }

  /** Another request waits until the client has read answers: else they would pile up here. */
  get #mustWait(): boolean {
    return this.#phase === 'head' && this.#wire.writableNeedDrain;
  }

  /** Of a client that sends no more, the rest of a body may wait for the backend. */
  #endInBody(): void {
    if (this.#discarding) this.#end();
    else if (this.#unread.length === 0) this.destroy();
  }

  /** Of a client that sends no more, all was answered; part of a request may be left. */
  #endAfterAll(): void {
    if (this.#ended && this.#phase === 'head' && !this.#reading && !this.#mustWait) this.#end();
  }

  /** Whether all of the request has come. */
  get isBodyRead(): boolean {
    return this.#phase !== 'body';
  }

  /** Gives the socket away: nothing here listens to it any more. */
  detach(): Socket {
    const { socket } = this;
    this.#phase = 'given';
    this.#exchange = undefined;
    this.context.clock.delete(this);
    this.context.transport.give(socket, this.#wire);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    if (this.#unread.length > 0 && !this.#ended) socket.unshift(this.#unread.take());
    return socket;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Not with an end, which would be taken for that of the response. Under TLS an end without a notice tells. */
  reset(): void {
    if (this.connection.tls) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  check(now: number): void {
    try {
      this.#check(now);
    } catch (error) {
      this.fail(error);
    }
  }

  #check(now: number): void {
    const { limits } = this.context;
    const silent = now - this.since;
    switch (this.#phase) {
      case 'head':
        if (this.#mustWait) {
          if (silent > limits.clientStall) this.destroy();
        } else if (this.#unread.length > 0) {
          if (now - this.#began > limits.headTime) this.#malformed(408);
        } else if (silent > (this.#requests === 0 ? limits.headTime : limits.clientIdle)) this.#end();
        else if (this.#head.text !== '') this.#head.forget();
        break;
      case 'body':
        if (this.#discarding ? now - this.#began > DISCARD : silent > limits.clientStall) this.destroy();
        else if (!this.#discarding && now - this.#began > limits.requestTime) this.#failBody(408);
        break;
      case 'answer':
        // A client that reads nothing; one that waits for a backend is for the backend's times.
        if (this.#wire.writableNeedDrain) {
          if (silent > limits.clientStall) this.destroy();
          // One that sends no more and to which nothing was sent for a while: most probably it has gone, and only a write would tell.
        } else if (this.#ended && this.#exchange?.hasBegun && silent > HALF_CLOSE) this.destroy();
        break;
      case 'lingering':
        if (!this.socket.writableFinished) {
          if (silent > limits.clientStall) this.destroy();
        } else if (!this.#flushed) {
          this.#flushed = true;
          this.since = now;
        } else if (silent > LINGER) this.destroy();
        break;
      default:
    }
  }

  readonly #onOctets = (octets: Buffer, start: number, end: number, owned: boolean): void => {
    try {
      if (this.#phase === 'lingering' || this.#phase === 'closed') return;
      // Between requests only a whole head counts as something.
      if (this.#phase !== 'head') this.since = this.context.clock.now;
      if (this.#unread.length > 0 || this.#mustWait) {
        this.#unread.add(octets, start, end);
        if (this.#phase === 'head' && !this.#mustWait) this.#readSplitHead();
        // What waits for the backend goes first.
      } else this.#read(octets, start, end, owned);
      this.#flow();
    } catch (error) {
      this.fail(error);
    }
  };

  readonly #onDrain = (): void => {
    this.since = this.context.clock.now;
    try {
      this.#exchange?.onClientDrain();
      if (this.#phase === 'head') {
        this.resume();
        this.#endAfterAll();
      }
    } catch (error) {
      this.fail(error);
    }
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    // Who sends no more right behind its request still reads the answer (RFC 9112 section 9.6); later, it has gone.
    if (this.#phase === 'answer') {
      if (!this.#exchange?.hasBegun && this.context.clock.now - this.#began >= HALF_CLOSE) this.destroy();
    } else if (this.#phase === 'body') this.#endInBody();
    else if (!this.#mustWait) this.#end();
  };

  readonly #onClose = (): void => {
    this.#phase = 'closed';
    this.context.clock.delete(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    try {
      exchange?.onClientGone();
    } catch (error) {
      this.context.handler.onInternalError(error);
    }
  };

  readonly #onError = (): void => {
    // 'close' follows.
  };

  /** A callback threw: this connection ends, and nothing else. */
  fail(error: unknown): void {
    this.context.handler.onInternalError(error);
    this.destroy();
  }

  /** Reads as far as it can, and keeps the rest. */
  #read(octets: Buffer, start: number, end: number, owned: boolean): void {
    let i = start;
    this.#reading = true;
    try {
      while (i < end) {
        const before = i;
        if (this.#mustWait || this.#phase === 'answer') break;
        if (this.#phase === 'head') i = this.#readHead(octets, i, end);
        else if (this.#phase === 'body') i = this.#readBody(octets, i, end, owned);
        else i = end;
        if (i === before) break;
      }
    } finally {
      this.#reading = false;
    }
    if (i < end) this.#unread.add(octets, i, end);
    this.#exchange?.flushRequest();
  }

  /** Has the socket read where there is room for what comes, and not where there is none. */
  #flow(): void {
    const { length } = this.#unread;
    const isFull =
      this.#phase === 'body'
        ? length > 0
        : length >= MOST_UNREAD && (this.#phase === 'answer' || this.#mustWait);
    if (isFull === this.#paused) return;
    this.#paused = isFull;
    if (isFull) this.#wire.pause();
    else this.#wire.resume();
  }

  #readSplitHead(): void {
    const { headBytes } = this.context.limits;
    if (!this.#unread.hasEmptyLine() && this.#unread.length <= headBytes) return;
    const octets = this.#unread.take();
    this.#read(octets, 0, octets.length, true);
  }

  /** The octet after the head; the first one of it where it is not whole. */
  #readHead(octets: Buffer, from: number, end: number): number {
    const { limits, clock } = this.context;
    if (this.#requests === 0 && beginsPreface(octets, from, end)) {
      return end - from < PREFACE.length ? this.#keep(from) : this.#giveToHttp2(octets, from, end);
    }
    let start = from;
    // "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF) received prior to
    // the request-line" (RFC 9112 section 2.2).
    if (octets[start] === CR && (start + 1 === end || octets[start + 1] === LF)) {
      if (start + 2 >= end) return start + 1 === end ? this.#keep(from) : end;
      start += 2;
    }
    const next = readRequest(this.#head, octets, start, end, limits.headFields);
    if (next === MORE) {
      if (end - start > limits.headBytes) return this.#refuse(431, end);
      return this.#keep(from);
    }
    if (next > 0 && next - start > limits.headBytes) return this.#refuse(431, end);
    if (next === BAD) return this.#refuse(400, end);
    this.#began = this.since = clock.now;
    this.#requests++;
    if (next < 0) return this.#answerAndClose(next, end);
    this.#begin();
    return next;
  }

  #giveToHttp2(octets: Buffer, from: number, end: number): number {
    const socket = this.detach();
    socket.pause();
    socket.unshift(Buffer.from(octets.subarray(from, end)));
    this.#onPreface(socket);
    return end;
  }

  #keep(from: number): number {
    if (this.#unread.length === 0) this.#began = this.context.clock.now;
    return from;
  }

  /** What came is no request. */
  #refuse(status: number, end: number): number {
    this.#malformed(status);
    return end;
  }

  /** A head that can be told to be one, but not be read: what follows it is not known. */
  #answerAndClose(result: number, end: number): number {
    const problem =
      result === TOO_MANY ? TOO_MANY_FIELDS : result === VERSION ? UNKNOWN_VERSION : UNKNOWN_CODING;
    if (result !== TOO_MANY && result !== VERSION && result !== CODING) return this.#refuse(400, end);
    this.#head.reset();
    this.#head.method = '';
    this.#head.minor = 1;
    this.#head.close = true;
    this.#phase = 'answer';
    this.#start(problem, false);
    return end;
  }

  #begin(): void {
    const head = this.#head;
    const hasBody = head.chunked || head.length > 0;
    const target = targetOf(this.#head);
    this.#chunked = head.chunked ? new ChunkedBody() : undefined;
    this.#left = hasBody ? head.length : 0;
    this.#phase = hasBody ? 'body' : 'answer';
    this.#discarding = false;
    if (this.#isNameUnknown && 'host' in target) {
      this.#isNameUnknown = false;
      this.connection = { ...this.connection, serverName: target.host };
    }
    this.#start(target, hasBody);
  }

  #start(target: RequestTarget | TargetProblem, hasBody: boolean): void {
    const exchange = new Http1Exchange(this, this.#head, target, hasBody, upgradeOf(this.#head));
    this.#exchange = exchange;
    exchange.start();
  }

  /** The octet after what was used of the body. */
  #readBody(octets: Buffer, start: number, end: number, owned: boolean): number {
    if (!this.#discarding && !this.#exchange?.takesBody) return start;
    const body = this.#chunked;
    if (body) {
      const next = body.read(octets, start, end, owned, this);
      if (this.#phase !== 'body') return end;
      if (next < 0) {
        this.#failBody(BODY_PROBLEMS[next] ?? 400);
        return end;
      }
      if (body.done) this.#endBody(body.trailers);
      return next;
    }
    const until = Math.min(end, start + this.#left);
    this.#left -= until - start;
    this.onContent(octets, start, until, owned);
    if (this.#left === 0 && this.#phase === 'body') this.#endBody('');
    return until;
  }

  onContent(octets: Buffer, start: number, end: number, owned: boolean): void {
    if (!this.#discarding) this.#exchange?.onRequestBody(octets, start, end, owned);
  }

  #endBody(trailers: string): void {
    if (this.#discarding) {
      this.#phase = 'head';
      return;
    }
    this.#phase = 'answer';
    this.#exchange?.onRequestEnd(trailers);
  }

  /** Says so, where it is not too late. */
  #failBody(status: number): void {
    const exchange = this.#exchange;
    this.#head.close = true;
    this.#phase = 'answer';
    if (!exchange?.failBody(status)) this.destroy();
  }

  /** What came is no request: it is answered, and the connection closed. */
  #malformed(status: number): void {
    this.context.handler.onMalformed(this.connection, status);
    this.#wire.write(malformedAnswer(status), 'latin1');
    this.#end();
  }

  #end(): void {
    if (this.#phase === 'closed' || this.#phase === 'lingering') return;
    this.#phase = 'lingering';
    this.#unread.take();
    this.since = this.context.clock.now;
    this.socket.end();
    this.#flow();
  }
}
