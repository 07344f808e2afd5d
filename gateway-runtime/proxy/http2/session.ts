/** A connection of HTTP/2 from a client (RFC 9113), on node:http2: each stream is an exchange. */
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Client } from '../engine-http1/client-side.ts';
import type { Timed } from '../engine-http1/clock.ts';
import type { EngineContext } from '../engine-http1/engine.ts';
import { GRACE, Http1Exchange } from '../engine-http1/exchange.ts';
import { askIfSilent } from '../engine-http1/half-open.ts';
import { targetOf } from '../engine-http1/target.ts';
import type { ClientConnection } from '../exchange.ts';
import { guardedBy } from '../guard.ts';
import { requestHeadOf } from './request-head.ts';
import { Http2Stream } from './stream.ts';

/** Fields that the form of HTTP/1.1 has more: Host and Transfer-Encoding. */
const OWN_FIELDS = 2;
/**
 * Milliseconds for a connection that is closed in order, also for the answers to a client that sends no more, and within which a client takes
 * something that is there.
 */
const [LINGER, TAKES] = [5_000, 1_000];
/** Requests under way on one connection. More are refused, to be sent again elsewhere. */
const STREAMS = 128;
/** "A server that is attempting to gracefully shut down a connection SHOULD send an initial GOAWAY frame with the last stream identifier set to 2^31-1". */
const ANY_STREAM = 2 ** 31 - 1;

export class Http2Session implements Client, Timed {
  readonly #context: EngineContext;
  readonly #connection: ClientConnection;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #streams = new Set<Http2Stream>();
  /** Since when there is no stream. */
  #idleSince: number;
  /** When the client took something of any stream, as far as was seen. */
  #takenAt = Number.NEGATIVE_INFINITY;
  /** It was idle for too long. */
  #closedAt: number | undefined;
  /** The client sends no more. */
  #hasEnded = false;

  constructor(context: EngineContext, socket: Socket, connection: ClientConnection) {
    const { limits } = context;
    this.#context = context;
    this.#connection = connection;
    this.#socket = socket;
    this.#idleSince = context.clock.now;
    this.#session = performServerHandshake(socket, {
      // A few more are read, to be refused with 431; beyond that the stream is reset.
      maxHeaderListPairs: 2 * limits.headFields,
      settings: {
        enablePush: false,
        maxConcurrentStreams: STREAMS,
        maxHeaderListSize: limits.headBytes,
        // What one stream may send ahead of its backend.
        initialWindowSize: 256 * 1024,
      },
    });
    const guard = guardedBy((error) => this.fail(error));
    this.#session.on('error', () => {});
    this.#session.on(
      'stream',
      guard((stream, _headers, flags, fields) => this.#onStream(stream, flags, fields)),
    );
    this.#session.on('close', () => context.clock.delete(this));
    socket.on(
      'end',
      guard(() => this.#onClientEnd()),
    );
    context.clock.add(this);
  }

  idleFor(): number | undefined {
    if (this.#streams.size === 0) return this.#context.clock.now - this.#idleSince;
    const now = performance.now();
    return this.#shortest((exchange) => exchange.standsBackFor(now));
  }

  heldUpFor(grace = GRACE): number | undefined {
    if (this.#streams.size === 0) return undefined;
    const now = performance.now();
    return this.#shortest((exchange) => exchange.standsBackFor(now) ?? exchange.waitsFor(now, grace, true));
  }

  /** Undefined where one of the streams has no such time; of those that are answered the time for which nothing was taken of the rest. */
  #shortest(timeOf: (exchange: Http1Exchange) => number | undefined): number | undefined {
    let shortest = Number.POSITIVE_INFINITY;
    for (const { exchange, since } of this.#streams) {
      const silent = this.#context.clock.now - since;
      const answered = silent >= GRACE ? silent : undefined;
      const time = exchange ? timeOf(exchange) : answered;
      if (time === undefined) return undefined;
      shortest = Math.min(shortest, time);
    }
    return shortest;
  }

  eachExchange(visit: (exchange: Http1Exchange) => void): void {
    for (const { exchange } of this.#streams) if (exchange) visit(exchange);
  }

  /** Asks the client to open no further stream; those that it opens meanwhile are served. */
  retire(): void {
    if (!this.#session.destroyed) this.#session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
  }

  /** Ends once the streams that are open have. */
  drain(): void {
    this.#session.close();
  }

  check(now: number): void {
    const { clientIdle, clientStall, requestTime } = this.#context.limits;
    if (this.#streams.size > 0) {
      this.#idleSince = now;
      // The stream that moved last speaks for all: the connection is alive.
      let newest = 0;
      let untaken: Http2Stream | undefined;
      for (const stream of this.#streams) {
        if (stream.isToGo()) untaken = stream;
        this.#takenAt = Math.max(this.#takenAt, stream.takenAt);
        newest = Math.max(newest, stream.since);
        if (now - stream.began > requestTime) stream.onLate();
      }
      askIfSilent(this.#socket, now - newest);
      if (untaken) this.#drop(untaken, now);
      else if (now - newest > clientStall || this.#isBeyondReach(now - newest)) this.#endStalled();
    } else if (this.#closedAt !== undefined) {
      // To be closed in order it has to send what is left, which a client that reads nothing never takes.
      if (now - this.#closedAt > LINGER) this.#destroy();
    } else if (now - this.#idleSince > clientIdle) {
      this.#closedAt = now;
      this.#session.close();
    }
  }

  /**
   * A client does not take what was written, and there is too much of that. Where it takes of other streams only this one goes; else all of it: what streams
   * have handed on waits for the connection, and would stay without them.
   */
  #drop(stream: Http2Stream, now: number): void {
    if (now - this.#takenAt < TAKES) stream.reset();
    else this.#destroy();
    this.#context.handler.onConnectionDropped();
  }

  /** A callback threw: this connection ends, with all that is on it. */
  fail(error: unknown): void {
    this.#context.handler.onInternalError(error);
    this.#destroy();
  }

  /** Without its socket it would wait for what was written to be taken. */
  #destroy(): void {
    this.#context.clock.delete(this);
    this.#session.destroy();
    this.#socket.destroy();
  }

  /**
   * Who sends no more opens no window either (RFC 9113 section 6.9), so that what waits for one never goes; most probably the client has gone, and
   * only a write would tell.
   */
  #isBeyondReach(silent: number): boolean {
    return this.#hasEnded && Math.min(silent, this.#context.clock.now - this.#takenAt) > LINGER;
  }

  /** Nothing moves. Streams that wait for their backends go on, for as long as those have. */
  #endStalled(): void {
    const stalled = [...this.#streams].filter(({ isClientsTurn }) => isClientsTurn);
    if (stalled.length === this.#streams.size) this.#destroy();
    else for (const stream of stalled) stream.reset();
  }

  /** It sends no more: no further stream comes, and what it asked for is answered. */
  #onClientEnd(): void {
    this.#hasEnded = true;
    for (const stream of [...this.#streams]) stream.onClientEnd();
    this.#session.close();
  }

  #onStream(stream: ServerHttp2Stream, flags: number, fields: readonly string[]): void {
    const { handler, limits } = this.#context;
    // What is closed with an error tells of it.
    stream.on('error', () => {});
    try {
      const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
      const { head, problem } = requestHeadOf(fields, limits.headFields + OWN_FIELDS, hasBody);
      const target = problem ?? targetOf(head);
      const client = new Http2Stream(this.#context, stream, this.#connection, hasBody);
      this.#streams.add(client);
      stream.on('close', () => this.#onStreamClose(client, stream));
      client.begin(new Http1Exchange(client, head, target, hasBody, undefined));
    } catch (error) {
      handler.onInternalError(error);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  #onStreamClose(client: Http2Stream, stream: ServerHttp2Stream): void {
    try {
      this.#streams.delete(client);
      this.#idleSince = this.#context.clock.now;
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) this.#takenAt = this.#idleSince;
    } catch (error) {
      this.fail(error);
    }
  }
}
