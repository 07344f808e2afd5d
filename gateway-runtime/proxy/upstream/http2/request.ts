/**
 * One request on a session with an endpoint, and what comes of it. It is sent once the session is open; where the endpoint turns out to take
 * fewer requests at a time than it was thought to, on another one.
 */
import type { ClientHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { Timed } from '../../engine-http1/clock.ts';
import type { Repeatable, UpstreamFailure } from '../../exchange.ts';
import type { TunnelEnd } from '../../tunnel.ts';
import { endingOf, watchEnding } from './ending.ts';
import { responseFields, trailerPairs, trailersToSend } from './fields.ts';
import type { Http2Session } from './session.ts';

/** What a request tells. Nothing is told after `close`, a failure or a tunnel. */
export interface RequestEvents {
  /** The body can be sent: for the first time, or again. */
  onReady(): void;
  /** An interim response. Fields: names and values in turns. */
  onInformation(status: number, fields: readonly string[]): void;
  onResponse(status: number, fields: readonly string[]): void;
  /** False: no more until `resume`. */
  onData(chunk: Buffer): boolean;
  /** Of the response; the request may still go on. */
  onEnd(trailers: [name: string, value: string][]): void;
  /** The endpoint has switched to the protocol that was asked for: the stream carries it from now on. */
  onTunnel(fields: readonly string[], stream: TunnelEnd): void;
  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void;
  /** A callback threw. */
  onError(error: unknown): void;
}

export interface RequestOptions {
  /** Those of the request line first, then names and values in turns. */
  readonly fields: string[];
  readonly hasBody: boolean;
  /** An extended CONNECT (RFC 8441). */
  readonly isTunnel: boolean;
  /** Whether the limits for a response and its pauses hold. */
  readonly timed: boolean;
}

type Phase = 'waiting' | 'head' | 'body' | 'over';

/** Sessions that a request may be moved to before it counts as refused. */
const MOVES = 3;

const {
  NGHTTP2_NO_ERROR,
  NGHTTP2_PROTOCOL_ERROR,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR,
  NGHTTP2_REFUSED_STREAM,
  NGHTTP2_CANCEL,
  NGHTTP2_COMPRESSION_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM,
} = constants;

/** Codes with which a stream ends here because of what came on it; a head beyond the limits is the last one. */
const MALFORMED = new Set([
  NGHTTP2_PROTOCOL_ERROR,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR,
  NGHTTP2_COMPRESSION_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM,
]);

export class Http2Request implements Timed {
  /** The head of the response has come. */
  hasResponse = false;
  #session: Http2Session;
  #phase: Phase = 'waiting';
  #options: RequestOptions | undefined;
  #events: RequestEvents | undefined;
  #stream: ClientHttp2Stream | undefined;
  #moves = 0;
  /** Of the body, before there is a stream. */
  #unsent: Buffer[] | undefined;
  #bodyEnded = false;
  #trailers: ReturnType<typeof trailersToSend> = {};
  #received: [name: string, value: string][] = [];
  /** Octets of heads, those of interim responses too, which a backend could go on sending for ever. */
  #headOctets = 0;
  #paused = false;
  /** Octets of the body that are announced and did not come; NaN where it is not known. */
  #left = Number.NaN;
  #isMalformed = false;
  /** Requests were sent on the session before. */
  #isLater = false;
  /** When something moved last. */
  #since = 0;

  constructor(session: Http2Session) {
    this.#session = session;
  }

  get isConnecting(): boolean {
    return this.#phase === 'waiting';
  }

  /** It was sent, and nothing has come of it. */
  get isUnanswered(): boolean {
    return this.#phase === 'head';
  }

  get scheme(): 'http' | 'https' {
    return this.#session.scheme;
  }

  /** Whether the body can be sent now. */
  get isReady(): boolean {
    return this.#stream !== undefined && !this.#stream.writableNeedDrain;
  }

  /** Octets that were handed over and are not sent. */
  get buffered(): number {
    if (this.#stream) return this.#stream.writableLength;
    return this.#unsent?.reduce((sum, { length }) => sum + length, 0) ?? 0;
  }

  /** Once. Throws where a field can't be sent. */
  begin(options: RequestOptions, events: RequestEvents): void {
    this.#options = options;
    this.#events = events;
    if (!options.hasBody) this.#bodyEnded = true;
    this.#session.context.clock.add(this);
    if (this.#session.isOpen) this.#start();
    else if (!this.#session.isConnecting) this.#move();
  }

  /** The session is open, and has room for this many and not for all: see `Http2Session`. */
  onSession(hasRoom: boolean): void {
    if (this.#phase !== 'waiting' || !this.#options) return;
    this.#guarded(() => (hasRoom ? this.#start() : this.#move()));
  }

  /** It can't be sent on its session, and nothing of it was. */
  #move(): void {
    const session = ++this.#moves > MOVES ? undefined : this.#session.move(this);
    if (!session) this.#fail('overloaded', 'always');
    else {
      this.#session = session;
      if (session.isOpen) this.#start();
    }
  }

  #start(): void {
    const { fields, hasBody, isTunnel } = this.#options!;
    const { clock } = this.#session.context;
    if (isTunnel && !this.#session.takesTunnels) {
      this.#fail('no-upgrade', 'never');
      return;
    }
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.send(fields, {
        endStream: !hasBody && !isTunnel,
        waitForTrailers: hasBody,
      });
    } catch (error) {
      // Nobody else knows that it has a place on the session.
      this.close();
      throw error;
    }
    watchEnding(stream);
    this.#stream = stream;
    this.#phase = 'head';
    this.#since = clock.now;
    this.#isLater = this.#session.used > 1;
    stream.on('headers', (_, __, raw) => this.#guarded(() => this.#onInformation(raw)));
    stream.on('response', (_, __, raw) => this.#guarded(() => this.#onResponse(raw)));
    stream.on('data', this.#onData);
    stream.on('trailers', (_, __, raw) =>
      this.#guarded(() => {
        this.#received = trailerPairs(raw ?? []);
      }),
    );
    stream.on('end', this.#onEnd);
    stream.on('error', (error: NodeJS.ErrnoException) =>
      this.#guarded(() => {
        // What came on the connection is not HTTP/2.
        if (error.code === 'ERR_HTTP2_ERROR') this.#isMalformed = true;
      }),
    );
    stream.on('close', () => this.#guarded(() => this.#onClose()));
    if (!hasBody) return;
    stream.on('drain', () => this.#guarded(() => this.#events!.onReady()));
    stream.on('wantTrailers', () => this.#sendTrailers(stream));
    for (const chunk of this.#unsent ?? []) stream.write(chunk);
    this.#unsent = undefined;
    if (this.#bodyEnded) stream.end();
    else this.#events!.onReady();
  }

  #sendTrailers(stream: ClientHttp2Stream): void {
    try {
      stream.sendTrailers(this.#trailers);
    } catch (error) {
      stream.destroy();
      this.fail(error);
    }
  }

  /** A part of the body. False: no more until `onReady`. What is not `owned` is copied. */
  write(octets: Buffer, owned: boolean): boolean {
    if (this.#phase === 'over') return true;
    this.#since = this.#session.context.clock.now;
    const chunk = owned ? octets : Buffer.from(octets);
    if (this.#stream) {
      this.#session.noteAsked();
      return this.#stream.write(chunk);
    }
    this.#unsent ??= [];
    this.#unsent.push(chunk);
    return false;
  }

  endBody(trailers: readonly (readonly [name: string, value: string])[]): void {
    this.#bodyEnded = true;
    this.#trailers = trailersToSend(trailers);
    this.#since = this.#session.context.clock.now;
    this.#stream?.end();
  }

  /** After `onData` gave false. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#since = this.#session.context.clock.now;
    this.#stream?.resume();
  }

  /** Nobody wants anything of it any more. What is not complete is cancelled. */
  close(): void {
    if (this.#phase === 'over') return;
    this.#leave();
    const stream = this.#stream;
    if (!stream) this.#session.leave(this);
    else {
      if (!stream.readableEnded) stream.close(NGHTTP2_CANCEL);
      // To be closed it would be ended, and the backend would take what it has of the body for all of it.
      else if (!stream.writableFinished) stream.destroy();
      // It is closed once all of it was read.
      stream.resume();
    }
  }

  check(now: number): void {
    const { limits } = this.#session.context;
    if (this.#phase === 'waiting' || !this.#options!.timed) return;
    const silent = now - this.#since;
    // While the client sends its body, its own pace is no fault of the backend.
    const most = this.#phase === 'head' && this.#bodyEnded ? limits.response : limits.upstreamStall;
    if (!this.#paused && silent > most) this.#fail('timeout', 'never');
  }

  /** The session could not be opened. */
  onNoSession(failure: UpstreamFailure): void {
    if (this.#phase === 'waiting' && this.#events) this.#fail(failure, 'always');
  }

  #onInformation(raw: readonly string[]): void {
    const fields = this.#fieldsOf(raw);
    if (fields) this.#events!.onInformation(Number(raw[1]), fields);
  }

  #onResponse(raw: readonly string[]): void {
    const fields = this.#fieldsOf(raw);
    if (!fields) return;
    const status = Number(raw[1]);
    this.#phase = 'body';
    this.hasResponse = true;
    if (this.#options!.isTunnel && status >= 200 && status < 300) {
      this.#tunnel(fields);
      return;
    }
    const hasBody = this.#options!.fields[1] !== 'HEAD' && status !== 204 && status !== 304;
    const length = hasBody ? fields.indexOf('content-length') : -1;
    if (length >= 0 && length % 2 === 0) this.#left = Number(fields[length + 1]);
    this.#events!.onResponse(status, fields);
  }

  /** Undefined where they are not valid: then it has failed. */
  #fieldsOf(raw: readonly string[]): string[] | undefined {
    this.#since = this.#session.context.clock.now;
    for (const text of raw) this.#headOctets += text.length;
    const fields =
      this.#headOctets > this.#session.context.limits.headBytes ? undefined : responseFields(raw);
    if (!fields) this.#fail('malformed', 'never');
    return fields;
  }

  #tunnel(fields: readonly string[]): void {
    const stream = this.#stream!;
    const events = this.#events!;
    stream.off('data', this.#onData);
    stream.off('end', this.#onEnd);
    stream.pause();
    this.#leave();
    events.onTunnel(fields, stream);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#guarded(() => {
      this.#since = this.#session.context.clock.now;
      this.#left -= chunk.length;
      if (this.#events!.onData(chunk)) return;
      this.#paused = true;
      this.#stream!.pause();
    });
  };

  readonly #onEnd = (): void => {
    this.#guarded(() => {
      const stream = this.#stream!;
      const ending = endingOf(stream);
      const isReset =
        ending === 'cut' ||
        (ending === undefined && stream.closed && (stream.rstCode !== NGHTTP2_NO_ERROR || stream.aborted));
      if (this.#phase === 'body' && !isReset && !(this.#left > 0)) this.#events!.onEnd(this.#received);
    });
  };

  #onClose(): void {
    this.#session.leave(this);
    // No response, or not to its end.
    const stream = this.#stream!;
    const { rstCode } = stream;
    const isMalformed = this.#isMalformed || MALFORMED.has(rstCode) || this.#phase === 'body';
    this.#fail(
      isMalformed ? 'malformed' : 'reset',
      this.#phase === 'head' ? this.#repeatable(stream) : 'never',
    );
  }

  #repeatable({ rstCode, id }: ClientHttp2Stream): Repeatable {
    if (rstCode === NGHTTP2_REFUSED_STREAM || id === undefined || id > this.#session.lastProcessed)
      return 'unprocessed';
    const isStale = this.#session.isLost && this.#isLater && this.#headOctets === 0;
    return isStale && !this.#options!.hasBody ? 'idempotent' : 'never';
  }

  #fail(failure: UpstreamFailure, repeatable: Repeatable): void {
    const events = this.#events!;
    this.close();
    try {
      events.onFailure(failure, repeatable);
    } catch (error) {
      events.onError(error);
    }
  }

  #leave(): void {
    this.#phase = 'over';
    this.#session.context.clock.delete(this);
  }

  #guarded(tell: () => void): void {
    try {
      if (this.#phase !== 'over') tell();
      // Its stream ends after it, or was given away.
      else if (this.#stream?.closed) this.#session.leave(this);
    } catch (error) {
      this.fail(error);
    }
  }

  /** A callback threw: it ends. */
  fail(error: unknown): void {
    const events = this.#events!;
    this.close();
    events.onError(error);
  }
}
