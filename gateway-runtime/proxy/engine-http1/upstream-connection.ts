/** A connection to an endpoint: one request after the other, each answered before the next is sent. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Repeatable, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import { guardedBy } from '../guard.ts';
import { isIdempotent } from '../idempotent.ts';
import { isTlsError, tlsFailure } from '../upstream/upstream-tls.ts';
import type { Carrier } from './bulk.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { Timed } from './clock.ts';
import type { EngineContext } from './engine.ts';
import { askIfSilent } from './half-open.ts';
import { Head } from './head.ts';
import { MORE, readResponse } from './head-reader.ts';
import { sendBody } from './send-body.ts';
import { PUBLIC, type Wire } from './transport.ts';
import { Unread } from './unread.ts';
import type { ResponseSink, Upstream } from './upstream.ts';
import type { UpstreamPool } from './upstream-pool.ts';
import { openSocket } from './upstream-socket.ts';

type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'over';

export class UpstreamConnection implements Upstream, Timed, Carrier {
  readonly endpoint: TargetEndpoint;
  /** Of the last response. */
  readonly head = new Head();
  readonly socket: Socket;
  /** That came on it. */
  answers = 0;
  readonly #wire: Wire;
  readonly #context: EngineContext;
  readonly #pool: UpstreamPool;
  readonly #unread = new Unread();
  #phase: Phase = 'connecting';
  /** The endpoint took the connection; with TLS, the handshake follows. */
  #isReached = false;
  /** TLS was broken off by the endpoint after its handshake. */
  #isTlsBroken = false;
  #sink: ResponseSink | undefined;
  /** Of the request, until it can be sent. */
  #pending = '';
  /** It may be given away, and without TLS does not tell of lost writes. */
  readonly #isStream: boolean;
  #isHead = false;
  #chunkedRequest = false;
  #hasRequestBody = false;
  #requestSent = false;
  #timed = true;
  /** Requests, this one included, and the one for which it was opened. */
  #used = 0;
  #receivedAny = false;
  /** Of heads, those of interim responses too, which a backend could go on sending for ever. */
  #headOctets = 0;
  #reusable = false;
  /** The endpoint reads no more: what was written to it is lost, in part at least. */
  #hasLost = false;
  /** Its client takes no more. */
  #paused = false;
  /** Much was read in this turn. */
  #isHeld = false;
  // The body of the response: octets that are left, Infinity until the connection ends.
  #left = 0;
  #chunked: ChunkedBody | undefined;
  /** When something moved last, or since when it is idle. */
  #since: number;
  #idleTime: number;
  readonly #guard = guardedBy((error) => this.fail(error));

  /** `stream`: its socket is read as a stream, so that it can be given away after a switch of protocols. */
  constructor(context: EngineContext, pool: UpstreamPool, endpoint: TargetEndpoint, stream: boolean) {
    this.#context = context;
    this.#pool = pool;
    this.endpoint = endpoint;
    this.#isStream = stream;
    this.#since = context.clock.now;
    this.#idleTime = context.limits.upstreamIdle;
    const { socket, wire } = openSocket(context.transport, endpoint, stream, this.#onOctets, this.#onLost);
    this.socket = socket;
    this.#wire = wire;
    if (endpoint.tls) this.socket.on('connect', this.#onReached);
    this.socket.on(endpoint.tls ? 'secureConnect' : 'connect', this.#onConnect);
    this.socket.on('drain', this.#onDrain);
    this.socket.on('end', this.#onEnd);
    this.socket.on('close', this.#onClose);
    this.socket.on('error', this.#onSocketError);
    context.clock.add(this);
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting';
  }

  /** Whether the body of the request can be sent now. */
  get isReady(): boolean {
    return this.#phase !== 'connecting' && !this.#wire.writableNeedDrain;
  }

  get buffered(): number {
    return this.#wire.writableLength;
  }

  /** Not closed, and not for so long without a request that the endpoint may close it now. */
  get isUsable(): boolean {
    return !this.socket.destroyed && this.age <= this.#idleTime;
  }

  /** Milliseconds for which it has been on its way, or its handshake has; or since something moved. */
  get age(): number {
    return this.#context.clock.now - this.#since;
  }

  /** The request that waits for it could be sent again if its connection closed under it (RFC 9110 section 9.2.2). */
  get isRepeatable(): boolean {
    return !this.#hasRequestBody && isIdempotent(this.#pending.slice(0, this.#pending.indexOf(' ')));
  }

  /** The response has come to its end, and the connection may be used again once the request has too. */
  get isReusable(): boolean {
    return this.#reusable && this.#phase === 'idle' && this.#requestSent && !this.#hasLost;
  }

  /**
   * Sends the head of a request. Where a body follows, the head waits for its first octets or for `flush`.
   *
   * @param chunked whether the body is sent in chunks
   * @param timed whether the limits for a response and its pauses hold
   */
  begin(
    sink: ResponseSink,
    head: string,
    isHead: boolean,
    hasBody: boolean,
    chunked: boolean,
    timed: boolean,
  ): void {
    this.#timed = timed;
    this.#sink = sink;
    this.#isHead = isHead;
    this.#hasRequestBody = hasBody;
    this.#chunkedRequest = chunked;
    this.#requestSent = false;
    this.#receivedAny = false;
    this.#headOctets = 0;
    if (this.#phase === 'connecting') {
      this.#pending = head;
      return;
    }
    this.#since = this.#context.clock.now;
    this.#used++;
    this.#phase = 'head';
    if (hasBody) this.#pending = head;
    else {
      this.#requestSent = true;
      this.#wire.write(head, 'latin1');
    }
  }

  /** Sends the request that waits for `other` to be connected. False where there is none, or a part of it is with that one's socket. */
  takeOver(other: UpstreamConnection): boolean {
    const sink = other.#sink;
    const head = other.#pending;
    if (!sink || head === '') return false;
    other.#sink = undefined;
    other.#pending = '';
    other.#requestSent = true;
    sink.onUpstreamMoved(this);
    // Who had it before has nothing to do with what is thrown.
    this.#guard(() => {
      this.begin(sink, head, other.#isHead, other.#hasRequestBody, other.#chunkedRequest, other.#timed);
      sink.onUpstreamReady();
      this.flush();
    })();
    return true;
  }

  /** False: no more until `onUpstreamReady`. */
  sendBody(octets: Buffer, start: number, end: number, owned: boolean): boolean {
    const head = this.#pending;
    this.#pending = '';
    this.#since = this.#context.clock.now;
    return sendBody(this.#wire, head, this.#chunkedRequest, octets, start, end, owned);
  }

  endBody(trailers: string): void {
    const text = this.#chunkedRequest ? `${this.#pending}0\r\n${trailers}\r\n` : this.#pending;
    this.#pending = '';
    this.#requestSent = true;
    this.#since = this.#context.clock.now;
    if (text) this.#wire.write(text, 'latin1');
  }

  /** A backend may want to see the head before the client sends any of the body. */
  flush(): void {
    if (!this.#pending || this.#phase === 'connecting') return;
    this.#wire.write(this.#pending, 'latin1');
    this.#pending = '';
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#since = this.#context.clock.now;
    if (this.#isHeld) return;
    if (this.#context.bulk.goesOn(this)) this.#wire.resume();
    else this.#isHeld = true;
  }

  readOn(): boolean {
    if (!this.#isHeld || this.#phase === 'over') return false;
    this.#isHeld = false;
    if (!this.#paused) this.#wire.resume();
    return !this.#paused;
  }

  /** Its exchange is over: back to the pool, or closed. */
  release(): void {
    const reusable = this.isReusable && !this.#paused;
    this.#sink = undefined;
    if (reusable) {
      this.#since = this.#context.clock.now;
      // Some wrongly send a body behind the head that says how long it would be, and it may come later.
      this.#pool.put(this, !this.#isHead && this.head.status !== 304);
    } else this.destroy();
  }

  destroy(): void {
    this.#sink = undefined;
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#context.clock.delete(this);
    this.#pool.forget(this);
    // Some backends take an end for that of a body of which they were promised more. Under TLS an end without a notice tells.
    const isCut = !this.#requestSent && !this.socket.connecting;
    if (!isCut || 'encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Gives the socket away: nothing here listens to it any more. */
  detach(): Socket {
    this.#phase = 'over';
    this.#sink = undefined;
    this.#context.clock.delete(this);
    PUBLIC.give(this.socket, this.#wire);
    this.socket.off('drain', this.#onDrain);
    this.socket.off('end', this.#onEnd);
    this.socket.off('close', this.#onClose);
    const onClose = () => this.#pool.forget(this);
    this.socket.once('close', this.#guard(onClose));
    return this.socket;
  }

  check(now: number): void {
    const { limits } = this.#context;
    const silent = now - this.#since;
    if (this.#phase === 'idle' && !this.#sink) {
      const isSurplus = silent > limits.surplusIdle && this.#pool.isSurplus(this);
      if (isSurplus || silent > this.#idleTime) this.destroy();
      else if (this.head.text !== '') this.head.forget();
    } else if (this.#phase === 'connecting') {
      if (silent > (this.#isReached ? limits.tlsHandshake : limits.connect))
        this.#fail('connect-timeout', 'always');
    } else {
      askIfSilent(this.socket, silent);
      if (this.#timed && silent > this.#mostSilent) this.#fail('timeout', 'never');
    }
  }

  /** Milliseconds. A rule may have times of its own in their place. */
  get #mostSilent(): number {
    const { response, upstreamStall } = this.#context.limits;
    if (this.#phase === 'body') return this.#paused ? Number.POSITIVE_INFINITY : upstreamStall;
    if (this.#phase !== 'head') return Number.POSITIVE_INFINITY;
    // While the client sends its body, its own pace is no fault of the backend.
    return this.#requestSent ? response : upstreamStall;
  }

  readonly #onReached = this.#guard(() => {
    this.#isReached = true;
    this.#since = this.#context.clock.now;
  });

  readonly #onConnect = this.#guard(() => {
    if (this.#phase !== 'connecting') return;
    this.#used++;
    this.#since = this.#context.clock.now;
    const isWanted = this.#sink !== undefined;
    this.#phase = isWanted ? 'head' : 'idle';
    this.#pool.connected(this);
    if (!isWanted) return;
    if (!this.#hasRequestBody) {
      this.#requestSent = true;
      this.#wire.write(this.#pending, 'latin1');
      this.#pending = '';
    }
    this.#sink?.onUpstreamReady();
    this.flush();
  });

  readonly #onDrain = this.#guard(() => {
    if (this.#phase !== 'over') this.#sink?.onUpstreamReady();
  });

  readonly #onOctets = (octets: Buffer, start: number, end: number, owned: boolean): void => {
    const sink = this.#sink;
    try {
      if (!sink || this.#phase === 'idle') {
        // Nobody asked: what comes now would be taken for the answer of the next request.
        if (sink) this.#reusable = false;
        else this.destroy();
        return;
      }
      this.#receivedAny = true;
      if (this.#phase === 'body') this.#readBody(sink, octets, start, end, owned);
      else if (this.#phase === 'head') this.#readHead(sink, octets, start, end, owned);
      this.#sink?.onUpstreamPause();
    } catch (error) {
      // What went wrong after the end of one request is none of the next one's.
      if (!this.#sink || this.#sink === sink) this.destroy();
      if (sink) sink.fail(error);
      else this.#context.handler.onInternalError(error);
    }
  };

  #readHead(sink: ResponseSink, octets: Buffer, start: number, end: number, owned: boolean): void {
    const { limits } = this.#context;
    if (this.#unread.length > 0) {
      this.#unread.add(octets, start, end);
      if (this.#unread.length <= limits.headBytes && !this.#unread.hasEmptyLine()) return;
      octets = this.#unread.take();
      start = 0;
      end = octets.length;
      owned = true;
    }
    let from = start;
    for (;;) {
      const next = readResponse(this.head, octets, from, end, limits.headFields);
      if (next === MORE && end - from <= limits.headBytes) {
        if (from < end) this.#unread.add(octets, from, end);
        return;
      }
      this.#headOctets += next - from;
      if (next < 0 || this.#headOctets > limits.headBytes) {
        this.#fail('malformed', 'never');
        return;
      }
      this.#since = this.#context.clock.now;
      from = next;
      if (this.head.status >= 200) break;
      if (this.head.status === 101) {
        sink.onSwitch(this, Buffer.from(octets.subarray(from, end)));
        return;
      }
      sink.onInformation(this);
      if (this.#sink !== sink) return;
    }
    this.#frame();
    sink.onUpstreamHead(this);
    if (this.#sink !== sink) return;
    if (this.#phase === 'idle') {
      if (from < end) this.#reusable = false;
      sink.onUpstreamEnd('');
    } else this.#readBody(sink, octets, from, end, owned);
  }

  /** How long the body is (RFC 9112 section 6.3). */
  #frame(): void {
    const { head } = this;
    this.answers++;
    this.#reusable = !head.close && head.minor === 1 && !this.#isStream;
    this.#chunked = undefined;
    this.#phase = 'body';
    if (this.#isHead || head.status === 204 || head.status === 304) {
      this.#phase = 'idle';
      // Who says what a 204 must not say may send what it must not have.
      if (head.status === 204 && (head.chunked || head.length > 0)) this.#reusable = false;
    } else if (head.chunked) this.#chunked = new ChunkedBody();
    else if (head.length >= 0) {
      this.#left = head.length;
      if (this.#left === 0) this.#phase = 'idle';
    } else {
      this.#left = Number.POSITIVE_INFINITY;
      this.#reusable = false;
    }
    if (head.keepAlive >= 0) this.#noteIdleTime(head.valueOf(head.keepAlive));
  }

  /** `Keep-Alive: timeout=5` (RFC 2068 section 19.7.1.1): we close first, with a second to spare. */
  #noteIdleTime(value: string): void {
    const seconds = Number(/(?:^|[\s,;])timeout\s*=\s*"?(\d{1,6})/i.exec(value)?.[1] ?? Number.NaN);
    if (Number.isNaN(seconds)) return;
    this.#idleTime = Math.max(0, Math.min(this.#context.limits.upstreamIdle, seconds * 1000 - 1000));
    if (this.#idleTime === 0) this.#reusable = false;
  }

  #readBody(sink: ResponseSink, octets: Buffer, start: number, end: number, owned: boolean): void {
    this.#since = this.#context.clock.now;
    const body = this.#chunked;
    if (body) {
      const next = body.read(octets, start, end, owned, this);
      if (this.#sink !== sink) return;
      if (next < 0) this.#fail('malformed', 'never');
      else if (body.done) this.#endBody(sink, next < end, body.trailers);
      else this.#hold(end - start);
      return;
    }
    const until = Math.min(end, start + this.#left);
    this.#left -= until - start;
    if (until > start) this.onContent(octets, start, until, owned);
    if (this.#left === 0 && this.#sink === sink) this.#endBody(sink, until < end, '');
    else this.#hold(end - start);
  }

  /** Others have their turn first, where much of bodies was read in this one. */
  #hold(octets: number): void {
    if (this.#phase !== 'body' || this.#isHeld || this.#context.bulk.carried(octets, this)) return;
    this.#isHeld = true;
    if (!this.#paused) this.#wire.pause();
  }

  onContent(octets: Buffer, start: number, end: number, owned: boolean): void {
    if (this.#sink && !this.#sink.onUpstreamBody(octets, start, end, owned)) this.#pause();
  }

  #pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  #endBody(sink: ResponseSink, hasMore: boolean, trailers: string): void {
    this.#phase = 'idle';
    if (this.#paused || this.#isHeld) {
      this.#paused = this.#isHeld = false;
      this.#wire.resume();
    }
    // More than was announced: whatever it is, it is not the answer to another request.
    if (hasMore) this.#reusable = false;
    sink.onUpstreamEnd(trailers);
  }

  readonly #onLost = (): void => {
    this.#hasLost = true;
  };

  readonly #onEnd = this.#guard(() => {
    const isUntilEnd = this.#left === Number.POSITIVE_INFINITY && !this.#chunked;
    // After a write that was lost a reset looks like an end.
    if (this.#phase === 'body' && isUntilEnd && !this.#hasLost) {
      this.#phase = 'idle';
      this.#sink?.onUpstreamEnd('');
      return;
    }
    if (this.#phase === 'idle' && this.#sink) this.#reusable = false;
    else this.#onClose();
  });

  readonly #onClose = this.#guard(() => {
    if (this.#phase === 'over') return;
    if (!this.#sink) this.destroy();
    else if (this.#phase === 'connecting') {
      this.#fail(this.#isReached ? tlsFailure(this.socket as TLSSocket) : 'connect', 'always');
    } else if (this.#phase === 'head' && this.#isTlsBroken && !this.#receivedAny) {
      this.#fail('tls-handshake', 'never');
    } else if (this.#phase === 'head') {
      const isStale = this.#used > 1 && !this.#receivedAny && !this.#hasRequestBody;
      this.#fail(
        this.#receivedAny && this.#unread.length > 0 ? 'malformed' : 'reset',
        isStale ? 'idempotent' : 'never',
      );
    } else if (this.#phase === 'body') this.#fail('malformed', 'never');
    else this.#reusable = false;
  });

  readonly #onSocketError = this.#guard((error: Error) => {
    // 'close' follows.
    this.#isTlsBroken = isTlsError(error);
  });

  #fail(failure: UpstreamFailure, repeatable: Repeatable): void {
    const sink = this.#sink;
    this.destroy();
    if (!sink) return;
    try {
      sink.onUpstreamFailure(failure, repeatable);
    } catch (error) {
      sink.fail(error);
    }
  }

  /** A callback threw: it ends, with the request on it. */
  fail(error: unknown): void {
    const sink = this.#sink;
    this.destroy();
    if (sink) sink.fail(error);
    else this.#context.handler.onInternalError(error);
  }
}
