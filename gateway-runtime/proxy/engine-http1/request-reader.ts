/**
 * Reads requests out of what a client sends (RFC 9112 sections 2 to 7), one after the other: what comes behind a request that is not answered
 * waits, unread.
 */
import { TOO_MANY_FIELDS, UNKNOWN_CODING, UNKNOWN_VERSION } from '../request-problems.ts';
import type { RequestTarget, TargetProblem } from '../request-target.ts';
import { type BodySink, ChunkedBody, EXTENSIONS_TOO_LARGE, TRAILERS_TOO_LARGE } from './chunked-body.ts';
import type { EngineContext } from './engine.ts';
import type { Http1Exchange } from './exchange.ts';
import { Head } from './head.ts';
import { BAD, CODING, MORE, readRequest, TOO_MANY, VERSION } from './head-reader.ts';
import { CR, LF } from './octets.ts';
import { beginsPreface, PREFACE } from './preface.ts';
import { targetOf } from './target.ts';
import type { Wire } from './transport.ts';
import { Unread } from './unread.ts';

/** Octets that are kept of what comes behind a request in progress. */
const MOST_UNREAD = 64 * 1024;

const BODY_PROBLEMS: Readonly<Record<number, number>> = {
  [EXTENSIONS_TOO_LARGE]: 413,
  [TRAILERS_TOO_LARGE]: 431,
};

export type ReadingPhase =
  /** Between requests, or in a head. */
  | 'head'
  | 'body'
  /** The request is read, its answer is not written yet. */
  | 'answer'
  /** What still comes is not read. */
  | 'over';

/** Of a request in progress, what its body is for. */
export type RequestBody = Pick<
  Http1Exchange,
  'takesBody' | 'onRequestBody' | 'onRequestEnd' | 'flushRequest'
>;

/** Who has requests read. */
export interface RequestSink {
  readonly exchange: RequestBody | undefined;
  /** A request began: `head` of the reader is its head, or `target` says why that can't be served. */
  onRequest(target: RequestTarget | TargetProblem, hasBody: boolean): void;
  /** What came is no request. `status` says why. */
  onMalformed(status: number): void;
  /** What came is not the rest of its body. */
  onMalformedBody(status: number): void;
  /** The client speaks HTTP/2, and these are the first octets of it. */
  onPreface(octets: Buffer): void;
}

export class RequestReader implements BodySink {
  /** Of the request in progress, or the last one. */
  readonly head = new Head();
  readonly #context: EngineContext;
  readonly #wire: Wire;
  readonly #sink: RequestSink;
  readonly #unread = new Unread();
  #phase: ReadingPhase = 'head';
  #isReading = false;
  #isPaused = false;
  /** Requests so far. */
  #count = 0;
  /** Before the next one came an empty line, which was read over: it is the only one. */
  #isLineOver = false;
  #began = 0;
  // The body of the request.
  #left = 0;
  #chunked: ChunkedBody | undefined;
  #isDiscarding = false;
  #isLast = false;

  /** @param wire that is read; while it takes no more of the answers, no request is begun, else they would pile up there */
  constructor(context: EngineContext, wire: Wire, sink: RequestSink) {
    this.#context = context;
    this.#wire = wire;
    this.#sink = sink;
  }

  get phase(): ReadingPhase {
    return this.#phase;
  }

  /** No request has come yet. */
  get isFirst(): boolean {
    return this.#count === 0;
  }

  /** When the first octet of the request came, by the engine's clock; or, while the rest of it is discarded, when it was answered. */
  get began(): number {
    return this.#began;
  }

  /** The request is answered, and the rest of its body is dropped. */
  get isDiscarding(): boolean {
    return this.#isDiscarding;
  }

  /** The client said that the request is its last one, all of it was read, and nothing has come behind it; false where that is not known yet. */
  get hasSaidAll(): boolean {
    return this.#isLast && this.#phase === 'answer' && !this.#isReading && this.#unread.length === 0;
  }

  /** Something has come that is not read yet. */
  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  /** Another request waits until the client has read answers. */
  get mustWait(): boolean {
    return this.#phase === 'head' && this.#wire.writableNeedDrain;
  }

  /** What has come from the client. */
  take(octets: Buffer, start: number, end: number, owned: boolean): void {
    if (this.#unread.length > 0 || this.mustWait) {
      // What waits for the backend goes first.
      this.#unread.add(octets, start, end);
      if (this.#phase === 'head' && !this.mustWait) this.#readSplitHead();
    } else this.#read(octets, start, end, owned);
    this.#flow();
  }

  /** There may be room for what has come before. */
  resume(): void {
    if (this.#isReading || this.#phase === 'over') return;
    if (this.#unread.length > 0 && this.#phase !== 'answer' && !this.mustWait) {
      const octets = this.#unread.take();
      this.#read(octets, 0, octets.length, true);
    } else this.#sink.exchange?.flushRequest();
    this.#flow();
  }

  /** The request is answered: what is left of its body is not wanted, and another one may follow. */
  next(): void {
    if (this.#phase === 'body') {
      this.#isDiscarding = true;
      this.#began = this.#context.clock.now;
    } else if (this.#phase === 'answer') this.#phase = 'head';
  }

  /** Whatever else comes of the request, it is the last one. */
  abandonBody(): void {
    this.head.close = true;
    this.#isLast = false;
    this.#phase = 'answer';
  }

  /** Between requests nothing is kept of the last one. */
  forgetHead(): void {
    if (this.#phase === 'head' && this.#unread.length === 0 && this.head.text !== '') this.head.forget();
  }

  /** Reads no more, and gives what was not read. */
  stop(): Buffer {
    this.#phase = 'over';
    return this.#unread.take();
  }

  /** What has come is dropped, and what still comes is read to be dropped. */
  drop(): void {
    this.stop();
    this.#flow();
  }

  /** Reads as far as it can, and keeps the rest. */
  #read(octets: Buffer, start: number, end: number, owned: boolean): void {
    let i = start;
    this.#isReading = true;
    try {
      while (i < end) {
        const before = i;
        if (this.mustWait || this.#phase === 'answer') break;
        if (this.#phase === 'head') i = this.#readHead(octets, i, end);
        else if (this.#phase === 'body') i = this.#readBody(octets, i, end, owned);
        else i = end;
        if (i === before) break;
      }
    } finally {
      this.#isReading = false;
    }
    if (i < end) this.#unread.add(octets, i, end);
    this.#sink.exchange?.flushRequest();
  }

  /** Has the socket read where there is room for what comes, and not where there is none. */
  #flow(): void {
    const { length } = this.#unread;
    const isFull =
      this.#phase === 'body'
        ? length > 0
        : length >= MOST_UNREAD && (this.#phase === 'answer' || this.mustWait);
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#wire.pause();
    else this.#wire.resume();
  }

  #readSplitHead(): void {
    if (!this.#unread.hasEmptyLine() && this.#unread.length <= this.#context.limits.headBytes) return;
    const octets = this.#unread.take();
    this.#read(octets, 0, octets.length, true);
  }

  /** The octet after the head; the first one of it where it is not whole. */
  #readHead(octets: Buffer, from: number, end: number): number {
    const { limits, clock } = this.#context;
    if (this.#count === 0 && !this.#isLineOver && beginsPreface(octets, from, end)) {
      if (end - from < PREFACE.length) return this.#keep(from);
      this.#sink.onPreface(octets.subarray(from, end));
      return end;
    }
    let start = from;
    // "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF) received prior to
    // the request-line" (RFC 9112 section 2.2). No more than one, however they come.
    if (octets[start] === CR && !this.#isLineOver && (start + 1 === end || octets[start + 1] === LF)) {
      if (start + 1 === end) return this.#keep(from);
      if (start + 2 === end) {
        this.#isLineOver = true;
        return end;
      }
      start += 2;
    }
    const next = readRequest(this.head, octets, start, end, limits.headFields);
    if (next === MORE) {
      if (end - start > limits.headBytes) return this.#refuse(431, end);
      return this.#keep(from);
    }
    if (next > 0 && next - start > limits.headBytes) return this.#refuse(431, end);
    if (next === BAD) return this.#refuse(400, end);
    this.#began = clock.now;
    this.#count++;
    this.#isLineOver = false;
    if (next < 0) return this.#answerAndClose(next, end);
    this.#begin();
    return next;
  }

  #keep(from: number): number {
    if (this.#unread.length === 0) this.#began = this.#context.clock.now;
    return from;
  }

  #refuse(status: number, end: number): number {
    this.#sink.onMalformed(status);
    return end;
  }

  /** A head that can be told to be one, but not be read: what follows it is not known. */
  #answerAndClose(result: number, end: number): number {
    const problem =
      result === TOO_MANY ? TOO_MANY_FIELDS : result === VERSION ? UNKNOWN_VERSION : UNKNOWN_CODING;
    if (result !== TOO_MANY && result !== VERSION && result !== CODING) return this.#refuse(400, end);
    this.head.reset();
    this.head.method = '';
    this.head.minor = 1;
    this.head.close = true;
    this.#phase = 'answer';
    this.#sink.onRequest(problem, false);
    return end;
  }

  #begin(): void {
    const { head } = this;
    const hasBody = head.chunked || head.length > 0;
    const target = targetOf(head);
    this.#chunked = head.chunked ? new ChunkedBody() : undefined;
    this.#left = hasBody ? head.length : 0;
    this.#phase = hasBody ? 'body' : 'answer';
    this.#isDiscarding = false;
    this.#isLast = head.close || head.minor === 0;
    this.#sink.onRequest(target, hasBody);
  }

  /** The octet after what was used of the body. */
  #readBody(octets: Buffer, start: number, end: number, owned: boolean): number {
    if (!this.#isDiscarding && !this.#sink.exchange?.takesBody) return start;
    const body = this.#chunked;
    if (body) {
      const next = body.read(octets, start, end, owned, this);
      if (this.#phase !== 'body') return end;
      if (next < 0) {
        this.abandonBody();
        this.#sink.onMalformedBody(BODY_PROBLEMS[next] ?? 400);
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
    if (!this.#isDiscarding) this.#sink.exchange?.onRequestBody(octets, start, end, owned);
  }

  #endBody(trailers: string): void {
    if (this.#isDiscarding) {
      this.#phase = 'head';
      return;
    }
    this.#phase = 'answer';
    this.#sink.exchange?.onRequestEnd(trailers);
  }
}
