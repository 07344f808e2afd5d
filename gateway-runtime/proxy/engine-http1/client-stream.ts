/**
 * A connection from a client: its socket from the first octet to the last, and the exchange in progress. What comes on it is read by a
 * `RequestReader`.
 */
import type { Socket } from 'node:net';
import type { ClientConnection } from '../exchange.ts';
import type { RequestTarget, TargetProblem } from '../request-target.ts';
import { Answer } from './answer.ts';
import type { Client, ClientSide } from './client-side.ts';
import { afterSilence, HALF_CLOSE } from './client-silence.ts';
import type { Timed } from './clock.ts';
import type { EngineContext } from './engine.ts';
import { GRACE, Http1Exchange } from './exchange.ts';
import { askIfSilent } from './half-open.ts';
import { malformedAnswer } from './message-head.ts';
import { RequestReader, type RequestSink } from './request-reader.ts';
import { upgradeOf } from './target.ts';
import type { Wire } from './transport.ts';
import { UnsentOf } from './unsent.ts';

/** Milliseconds for which a connection that is to be closed is still read, so that its client sees the answer. */
const LINGER = 1_000;

const PROTOCOLS = ['HTTP/1.0', 'HTTP/1.1'];

export class ClientStream implements Client, ClientSide, RequestSink, Timed {
  readonly socket: Socket;
  readonly context: EngineContext;
  connection: ClientConnection;
  readonly answer: Answer;
  exchange: Http1Exchange | undefined;
  since: number;
  readonly #wire: Wire;
  readonly #reader: RequestReader;
  readonly #unsent: UnsentOf;
  readonly #onHttp2: (socket: Socket) => void;
  #isNameUnknown: boolean;
  #isRetiring = false;
  /** The client sends no more. */
  #hasEnded = false;
  /** Answered, and ended by us; what still comes is dropped. */
  #isLingering = false;
  /** All was written before our own end. */
  #isFlushed = false;

  /**
   * @param isNameUnknown the server name is that of a session before, which is not known: the host of the first request stands for it
   * @param onHttp2 takes the socket where the client speaks HTTP/2
   */
  constructor(
    context: EngineContext,
    socket: Socket,
    connection: ClientConnection,
    isNameUnknown: boolean,
    onHttp2: (socket: Socket) => void,
  ) {
    this.#onHttp2 = onHttp2;
    this.context = context;
    this.socket = socket;
    this.connection = connection;
    this.#isNameUnknown = isNameUnknown;
    this.since = context.clock.now;
    this.#wire = context.transport.accept(socket, this.#onOctets);
    this.#unsent = new UnsentOf(context.unsent, this.#wire, context.clock, this.#onTaken);
    this.#reader = new RequestReader(context, this.#wire, this);
    this.answer = new Answer(this.#wire, context.clock, this.#reader.head);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', whichCloses);
    context.clock.add(this);
  }

  /** Answers from now on ask the client to come no more. */
  retire(): void {
    this.#isRetiring = true;
  }

  /** No further request. */
  drain(): void {
    if (this.#reader.phase === 'head' && !this.#reader.hasUnread) this.#end();
  }

  get protocol(): string {
    return PROTOCOLS[this.#reader.head.minor]!;
  }

  get closing(): boolean {
    const { head, hasUnread, isReading } = this.#reader;
    const isLast = this.#hasEnded && !hasUnread && !isReading;
    return this.#isRetiring || head.close || head.minor === 0 || isLast;
  }

  idleFor(): number | undefined {
    const { phase, isDiscarding } = this.#reader;
    const silent = this.context.clock.now - this.since;
    if (phase === 'head' || this.#isLingering || isDiscarding) {
      // What was written may be on its way.
      return this.socket.writableLength === 0 || silent >= GRACE ? silent : undefined;
    }
    // Nothing is lost with it, and nobody else is let in at an endpoint.
    return this.exchange?.standsBackFor(performance.now());
  }

  heldUpFor(grace = GRACE): number | undefined {
    return this.exchange?.waitsFor(performance.now(), grace);
  }

  eachExchange(visit: (exchange: Http1Exchange) => void): void {
    if (this.exchange) visit(this.exchange);
  }

  giveUp(): void {
    if (this.#reader.phase === 'body') this.failBody(408);
    else this.reset();
  }

  failBody(status: number): void {
    this.#reader.abandonBody();
    this.onMalformedBody(status);
  }

  isBehind(): boolean {
    return this.#unsent.isBehind();
  }

  touch(): void {
    this.since = this.context.clock.now;
  }

  /** Whether all of the request has come. */
  get isBodyRead(): boolean {
    return this.#reader.phase !== 'body';
  }

  /** More of the body is wanted, if there is more. */
  resume(): void {
    if (this.#reader.isReading) return;
    this.#reader.resume();
    if (this.#hasEnded && this.#reader.phase === 'body') this.#endInBody();
  }

  /** The answer is written. `close`: it is the last one. */
  answered(close: boolean): void {
    this.exchange = undefined;
    this.touch();
    if (close) {
      // Nothing more comes that has to be read for the answer to arrive; under TLS a notice is still to be sent.
      const isOver = this.#reader.hasSaidAll && this.#wire.writableLength === 0 && !this.connection.tls;
      if (isOver) this.destroy();
      else this.#end();
      return;
    }
    try {
      this.#reader.next();
      this.resume();
      this.#endAfterAll();
    } catch (error) {
      // What comes next is none of the business of the exchange that was answered, or of its endpoint.
      this.fail(error);
    }
  }

  /** Gives the socket away: nothing here listens to it any more. */
  detach(): Socket {
    const { socket } = this;
    const rest = this.#reader.stop();
    this.exchange = undefined;
    this.#unsent.end();
    this.context.clock.delete(this);
    this.context.transport.give(socket, this.#wire);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    if (rest.length > 0 && !this.#hasEnded) socket.unshift(rest);
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

  /** A callback threw: this connection ends, and nothing else. */
  fail(error: unknown): void {
    this.context.handler.onInternalError(error);
    this.destroy();
  }

  check(now: number): void {
    this.#unsent.note();
    if (this.#unsent.isToGo(this.connection.holder)) {
      // First, whatever becomes of the telling.
      this.reset();
      this.context.handler.onConnectionDropped();
      return;
    }
    if (this.#isLingering) this.#checkLingering(now);
    else this.#check(now);
  }

  #check(now: number): void {
    const reader = this.#reader;
    const isHalfClosed = this.#hasEnded && this.exchange?.hasBegun === true;
    const isBlocked = this.#unsent.octets > 0;
    const verdict = afterSilence(reader, this.since, now, isBlocked, isHalfClosed, this.context.limits);
    // Who never said anything reads no answer to it either; TLS has a notice of its end (RFC 8446 section 6.1).
    if (verdict === 'end' && reader.isFirst && !this.connection.tls) this.destroy();
    else if (verdict === 'end') this.#end();
    else if (verdict === 'late-head') this.onMalformed(408);
    else if (verdict === 'late-body') this.failBody(408);
    else if (verdict === 'destroy') this.destroy();
    else if (reader.phase === 'answer') askIfSilent(this.socket, now - this.since);
    else reader.forgetHead();
  }

  #checkLingering(now: number): void {
    const silent = now - this.since;
    if (!this.socket.writableFinished) {
      if (silent > this.context.limits.clientStall) this.destroy();
    } else if (!this.#isFlushed) {
      this.#isFlushed = true;
      this.since = now;
    } else if (silent > LINGER) this.destroy();
  }

  readonly #onOctets = (octets: Buffer, start: number, end: number, owned: boolean): void => {
    try {
      const { phase } = this.#reader;
      if (phase === 'over') return;
      // Between requests only a whole head counts as something, and after one what its client takes of the answer.
      if (phase === 'body') this.since = this.context.clock.now;
      this.#reader.take(octets, start, end, owned);
    } catch (error) {
      this.fail(error);
    }
  };

  readonly #onDrain = (): void => {
    try {
      this.since = this.context.clock.now;
      this.#unsent.note();
      this.exchange?.onClientDrain();
      if (this.#reader.phase === 'head') {
        this.resume();
        this.#endAfterAll();
      }
    } catch (error) {
      this.fail(error);
    }
  };

  readonly #onTaken = (): void => {
    try {
      this.exchange?.onClientDrain();
    } catch (error) {
      this.fail(error);
    }
  };

  readonly #onEnd = (): void => {
    try {
      this.#hasEnded = true;
      const { phase, began, mustWait } = this.#reader;
      // Who sends no more right behind its request still reads the answer (RFC 9112 section 9.6); later, it has gone.
      if (phase === 'answer') {
        if (!this.exchange?.hasBegun && this.context.clock.now - began >= HALF_CLOSE) this.destroy();
      } else if (phase === 'body') this.#endInBody();
      else if (!mustWait) this.#end();
    } catch (error) {
      this.fail(error);
    }
  };

  readonly #onClose = (): void => {
    const { exchange } = this;
    this.exchange = undefined;
    try {
      this.#reader.stop();
      this.#isLingering = false;
      this.#unsent.end();
      this.context.clock.delete(this);
      exchange?.onClientGone();
    } catch (error) {
      this.context.handler.onInternalError(error);
    }
  };

  onRequest(target: RequestTarget | TargetProblem, hasBody: boolean): void {
    const { head } = this.#reader;
    this.touch();
    if (this.#isNameUnknown && 'host' in target) {
      this.#isNameUnknown = false;
      this.connection = { ...this.connection, serverName: target.host };
    }
    this.exchange = new Http1Exchange(this, head, target, hasBody, upgradeOf(head));
    this.exchange.start();
  }

  /** It is answered, and the connection closed. */
  onMalformed(status: number): void {
    this.context.handler.onMalformed(this.connection, status);
    this.#wire.write(malformedAnswer(status), 'latin1');
    this.#end();
  }

  /** Says so, where it is not too late. */
  onMalformedBody(status: number): void {
    if (!this.exchange?.failBody(status)) this.destroy();
  }

  onPreface(octets: Buffer): void {
    const socket = this.detach();
    socket.pause();
    socket.unshift(Buffer.from(octets));
    this.#onHttp2(socket);
  }

  /** Of a client that sends no more, the rest of a body may wait for the backend. */
  #endInBody(): void {
    if (this.#reader.isDiscarding) this.#end();
    else if (!this.#reader.hasUnread) this.destroy();
  }

  /** Of a client that sends no more, all was answered; part of a request may be left. */
  #endAfterAll(): void {
    const { phase, isReading, mustWait } = this.#reader;
    if (this.#hasEnded && phase === 'head' && !isReading && !mustWait) this.#end();
  }

  #end(): void {
    if (this.#reader.phase === 'over') return;
    this.#reader.drop();
    this.#isLingering = true;
    this.since = this.context.clock.now;
    this.socket.end();
  }
}

/** An error of a socket ends it: 'close' follows, and says all that there is to know. */
const whichCloses = () => {};
