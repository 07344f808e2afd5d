/**
 * A connection of HTTP/2 to an endpoint, in the clear by prior knowledge (RFC 9113 section 3.3) or over TLS (section 3.2). It counts as open once the endpoint has sent its SETTINGS:
 * before, nobody knows that it speaks HTTP/2 at all, nor how many requests it takes at a time.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type Settings } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timed } from '../../engine-http1/clock.ts';
import { HIGH_WATER_MARK } from '../../engine-http1/transport.ts';
import type { ExchangeHandler, TargetEndpoint, UpstreamFailure } from '../../exchange.ts';
import { guardedBy } from '../../guard.ts';
import type { Limits } from '../../limits.ts';
import { tlsFailure, type UpstreamTls } from '../upstream-tls.ts';
import type { Http2Request } from './request.ts';
import type { Http2Sessions, Place } from './sessions.ts';

export interface Http2Context {
  readonly handler: Pick<ExchangeHandler, 'onInternalError'>;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** What a response may be ahead of its client. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 4 * 1024 * 1024;
/** MiB of all streams; beyond that new ones are refused. */
const MEMORY = 64;
/** A silent connection is asked by the kernel whether it is still there, after so many milliseconds. */
const KEEP_ALIVE = 15_000;
/** Streams have numbers, which come to an end (section 5.1.1). */
const MOST_USED = 2 ** 29;

type State = 'connecting' | 'open' | 'leaving' | 'over';

export class Http2Session implements Timed {
  readonly context: Http2Context;
  readonly endpoint: TargetEndpoint;
  readonly place: Place;
  /** Requests sent on it so far. */
  used = 0;
  /** The last stream that the endpoint has looked at, once it says so with GOAWAY; those after it can be sent again (section 6.8). */
  lastProcessed = Number.POSITIVE_INFINITY;
  readonly #sessions: Http2Sessions;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  /** Those that wait for it to open, too. */
  readonly #requests = new Set<Http2Request>();
  #state: State = 'connecting';
  /** With TLS: the endpoint took the connection, and the handshake has come to its end. */
  #isReached = false;
  #isSecure = false;
  #error: NodeJS.ErrnoException | undefined;
  /** Streams that the endpoint takes at a time. */
  #most: number;
  /** Since when it is without requests, or was begun, or was asked to close. */
  #since: number;
  /** Since when something is unanswered and nothing comes. */
  #asked: number | undefined;
  #bytesRead = 0;
  /** When the last PING was sent, and whether it is not answered. */
  #pinged = Number.NEGATIVE_INFINITY;
  #awaitsPong = false;
  readonly #guard = guardedBy((error) => this.fail(error));

  constructor(sessions: Http2Sessions, context: Http2Context, endpoint: TargetEndpoint, place: Place) {
    const { limits, clock } = context;
    this.#sessions = sessions;
    this.context = context;
    this.endpoint = endpoint;
    this.place = place;
    this.#most = place.most;
    this.#since = clock.now;
    this.#socket = endpoint.tls
      ? this.#connectTls(endpoint.tls)
      : connectSocket({ host: endpoint.address, port: endpoint.port, noDelay: true });
    this.#socket.setKeepAlive(true, KEEP_ALIVE);
    const options = {
      createConnection: () => this.#socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: limits.headBytes,
      },
      // :status is one of them.
      maxHeaderListPairs: limits.headFields + 1,
      maxSendHeaderBlockLength: 2 * limits.headBytes,
      maxSessionMemory: MEMORY,
      // What a client sent twice goes on twice.
      strictSingleValueFields: false,
    };
    this.#session = connect('http://backend', options);
    this.#listenTo(this.#session);
    clock.add(this);
  }

  #listenTo(session: ClientHttp2Session): void {
    const guard = this.#guard;
    session.on(
      'connect',
      guard(() => session.setLocalWindowSize(CONNECTION_WINDOW)),
    );
    session.on(
      'remoteSettings',
      guard(({ maxConcurrentStreams = this.context.limits.http2Streams }: Settings) =>
        this.#onSettings(maxConcurrentStreams),
      ),
    );
    session.on(
      'goaway',
      guard((_code: number, last: number) => {
        this.lastProcessed = last;
        this.#leavePool();
      }),
    );
    session.on(
      'error',
      guard((error: NodeJS.ErrnoException) => {
        this.#error = error;
      }),
    );
    session.on(
      'close',
      guard(() => this.#onClose()),
    );
  }

  #connectTls(tls: UpstreamTls): TLSSocket {
    const socket = tls.connectHttp2(this.endpoint, HIGH_WATER_MARK);
    const onReached = () => {
      this.#isReached = true;
    };
    const onSecure = () => {
      // "Implementations that support HTTP/2 over TLS MUST use protocol negotiation in TLS" (section 3.2).
      if (socket.alpnProtocol === 'h2') this.#isSecure = true;
      else socket.destroy();
    };
    socket.once('connect', this.#guard(onReached));
    socket.once('secureConnect', this.#guard(onSecure));
    return socket;
  }

  /** Of requests on it. */
  get scheme(): 'http' | 'https' {
    return this.endpoint.tls ? 'https' : 'http';
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting';
  }

  get isOpen(): boolean {
    return this.#state === 'open' && !this.#session.closed && !this.#session.destroyed;
  }

  /** The connection is gone, with whatever was on it. */
  get isLost(): boolean {
    return this.#session.destroyed;
  }

  /** Whether an extended CONNECT may be sent (RFC 8441 section 3). */
  get takesTunnels(): boolean {
    return this.#session.remoteSettings.enableConnectProtocol === true;
  }

  /** Whether one more request may be sent on it. */
  get hasRoom(): boolean {
    if (this.#requests.size >= this.#most || this.used >= MOST_USED) return false;
    return this.isConnecting || (this.isOpen && !this.#isDoubtful);
  }

  /** Something was sent, and nothing has come for a while: the endpoint may be gone. */
  get #isDoubtful(): boolean {
    const { clock, limits } = this.context;
    return this.#asked !== undefined && clock.now - this.#asked > limits.http2Silence;
  }

  add(request: Http2Request): void {
    this.#requests.add(request);
    this.place.requests++;
  }

  send(
    fields: string[],
    options: { readonly endStream: boolean; readonly waitForTrailers: boolean },
  ): ClientHttp2Stream {
    const stream = this.#session.request(fields, options);
    this.used++;
    this.noteAsked();
    return stream;
  }

  /** Something was sent that is to be answered. */
  noteAsked(): void {
    this.#listen();
    this.#asked ??= this.context.clock.now;
  }

  /** Whatever comes shows that the endpoint is there. */
  #listen(): void {
    const { bytesRead } = this.#socket;
    if (bytesRead === this.#bytesRead) return;
    this.#bytesRead = bytesRead;
    this.#asked = undefined;
    for (const request of this.#requests) {
      if (request.isUnanswered) this.#asked = this.context.clock.now;
    }
  }

  /** Another session for a request of this one. */
  move(request: Http2Request): Http2Session | undefined {
    this.leave(request);
    const session = this.#sessions.session(this.endpoint, false);
    session?.add(request);
    return session;
  }

  leave(request: Http2Request): void {
    if (!this.#requests.delete(request)) return;
    this.place.requests--;
    if (this.#requests.size > 0) return;
    this.#since = this.context.clock.now;
    if (this.#state === 'leaving') this.#session.close();
  }

  check(now: number): void {
    const { connect: connectTime, upstreamIdle, http2Ping } = this.context.limits;
    const silent = now - this.#since;
    if (this.#state === 'connecting') {
      if (silent <= connectTime) return;
      this.#end('connect-timeout');
      this.#socket.destroy();
    } else if (this.#requests.size > 0) this.#watch(now);
    else if (this.#session.closed || this.#session.destroyed) {
      // Node waits for the endpoint to close its side, and some never do.
      if (silent > http2Ping) this.#socket.destroy();
    } else if (silent > upstreamIdle) {
      this.#since = now;
      this.#session.close();
    }
  }

  /** An endpoint that is gone says nothing, not even to a PING. Many answer PINGs only now and then, so they are few. */
  #watch(now: number): void {
    const { http2Ping, http2PingApart } = this.context.limits;
    this.#listen();
    if (this.#awaitsPong) {
      if (now - this.#pinged > http2Ping) this.#session.destroy();
    } else if (this.#isDoubtful && now - this.#pinged > http2PingApart && !this.#session.destroyed) {
      this.#pinged = now;
      this.#awaitsPong = true;
      // Node sends no PING where the endpoint has said that it leaves. SETTINGS are answered as well (section 6.5.3).
      const onPong = this.#guard(() => this.#onPong());
      if (this.#session.closed) this.#session.settings({}, onPong);
      else this.#session.ping(onPong);
    }
  }

  /** It is there, and takes its time. */
  #onPong(): void {
    this.#awaitsPong = false;
    this.#bytesRead = this.#socket.bytesRead;
    this.#asked = undefined;
  }

  /** A callback threw: the connection ends, with all that is on it. */
  fail(error: unknown): void {
    this.context.handler.onInternalError(error);
    this.destroy();
  }

  destroy(): void {
    this.#end('reset');
    this.#socket.destroy();
  }

  #onSettings(most: number): void {
    this.#most = Math.min(most, this.context.limits.http2Streams);
    // One that takes none now may take some later.
    this.place.most = Math.max(1, this.#most);
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    let room = this.#most;
    for (const request of [...this.#requests]) request.onSession(room-- > 0);
  }

  #leavePool(): void {
    if (this.#state !== 'open') return;
    this.#state = 'leaving';
    this.#sessions.leave(this);
  }

  #onClose(): void {
    if (this.endpoint.tls && this.#isReached && !this.#isSecure) {
      this.#end(tlsFailure(this.#socket as TLSSocket));
    } else if (this.#error?.code === 'ERR_HTTP2_ERROR') this.#end('malformed');
    else this.#end(this.#socket.bytesRead > 0 || !this.#error ? 'reset' : 'connect');
  }

  /** Requests that it has sent are told by their streams. */
  #end(failure: UpstreamFailure): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.context.clock.delete(this);
    this.#sessions.forget(this);
    this.#session.destroy();
    for (const request of [...this.#requests]) request.onNoSession(failure);
  }
}
