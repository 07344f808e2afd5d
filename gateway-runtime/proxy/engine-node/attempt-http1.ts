/** One try to get a response from an endpoint that speaks HTTP/1.1, with `http.request`: connection, body, timeouts, and what can go wrong. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Guard, guardedBy } from '../guard.ts';
import { forwardableTrailers } from '../hop-by-hop.ts';
import { isTlsError } from '../upstream/upstream-tls.ts';
import type { Attempt, AttemptEvents, AttemptOptions } from './attempt.ts';
import { Connecting } from './connecting.ts';

export class Http1Attempt implements Attempt {
  readonly #options: AttemptOptions;
  readonly #events: AttemptEvents;
  readonly #request: ClientRequest;
  #response: IncomingMessage | undefined;
  readonly #connecting = new Connecting();
  #timedOut = false;
  #bytesReadBefore = 0;
  #over = false;
  readonly #guard: Guard;

  constructor(options: AttemptOptions, events: AttemptEvents) {
    this.#options = options;
    this.#events = events;
    this.#guard = guardedBy(options.onError);
    const { endpoint, pool, fresh, method, target, headers, limits, hasBody } = options;
    const guard = this.#guard;
    this.#request = pool
      .request(endpoint, fresh, {
        method,
        path: target,
        headers,
        maxHeaderSize: limits.headBytes,
        timeout: this.#responseTime,
        insecureHTTPParser: false,
      })
      .on('socket', guard(this.#onSocket))
      .on(
        'information',
        guard((info) => {
          if (!this.#over) events.onInformation(info.statusCode, info.rawHeaders);
        }),
      )
      .on('response', guard(this.#onResponse))
      .on('upgrade', guard(this.#onUpgrade))
      .on('timeout', guard(this.#onTimeout))
      .on('error', guard(this.#onError));
    if (hasBody) this.#request.on('drain', guard(this.#onDrain));
    else this.#request.end();
  }

  get isConnecting(): boolean {
    return !this.#connecting.isDone;
  }

  get buffered(): number {
    return this.#request.writableLength;
  }

  begin(): void {
    // A request of node:http goes out by itself.
  }

  /** 0 is none, which is also what sockets take for it. */
  get #responseTime(): number {
    return this.#options.timed ? this.#options.limits.response : 0;
  }

  get #stallTime(): number {
    return this.#options.timed ? this.#options.limits.upstreamStall : 0;
  }

  cancel(): void {
    this.#over = true;
    this.#request.destroy();
  }

  resume(): void {
    if (!this.#response?.isPaused()) return;
    this.#request.socket?.setTimeout(this.#stallTime);
    this.#response.resume();
  }

  readonly #onSocket = (socket: Socket): void => {
    this.#bytesReadBefore = socket.bytesRead;
    const { limits, endpoint } = this.#options;
    this.#connecting.follow(this.#request, socket, endpoint, limits, this.#guard, this.#onConnect);
  };

  readonly #onConnect = (): void => {
    const { hasBody } = this.#options;
    // While the client sends its body, its own pace is no fault of the backend.
    this.#request.socket?.setTimeout(hasBody ? this.#stallTime : this.#responseTime);
    if (!hasBody || this.#over) return;
    // A backend may want to see the head before the client sends any of the body.
    this.#request.flushHeaders();
    this.#events.onReady();
  };

  readonly #onDrain = (): void => {
    if (!this.#over) this.#events.onReady();
  };

  write(chunk: Buffer): boolean {
    return this.#over || this.#request.write(chunk);
  }

  endBody(trailers: [string, string][]): void {
    if (this.#over) return;
    if (trailers.length) this.#request.addTrailers(trailers);
    this.#request.end();
    if (!this.#response && this.#connecting.isDone) this.#request.socket?.setTimeout(this.#responseTime);
  }

  readonly #onResponse = (response: IncomingMessage): void => {
    if (this.#over) return;
    const status = response.statusCode ?? 0;
    if (status < 200) {
      this.cancel();
      this.#events.onFailure('malformed', 'never');
      return;
    }
    this.#response = response;
    const guard = this.#guard;
    this.#request.socket?.setTimeout(this.#stallTime);
    response.on('error', guard(this.#onTruncated));
    this.#events.onResponse(status, response.rawHeaders);
    response.on(
      'data',
      guard((chunk: Buffer) => {
        if (this.#over || this.#events.onResponseChunk(chunk)) return;
        response.pause();
        // The client is slow, the backend waits for it: no time runs against the backend.
        this.#request.socket?.setTimeout(0);
      }),
    );
    response.on(
      'end',
      guard(() => {
        if (this.#over || !response.complete) return;
        this.#events.onResponseEnd(forwardableTrailers(response.rawTrailers));
        // The backend has answered and won't read the rest of the request.
        if (!this.#isSent) this.cancel();
      }),
    );
  };

  /** Whether the whole request has left. A TLS socket says so late, when the answer may have come. */
  get #isSent(): boolean {
    const { writableFinished, writableEnded, socket } = this.#request;
    if (writableFinished || !this.#options.endpoint.tls) return writableFinished;
    return writableEnded && !socket?.writableNeedDrain;
  }

  readonly #onUpgrade = (response: IncomingMessage, socket: Socket, read: Buffer): void => {
    if (this.#over) {
      socket.destroy();
      return;
    }
    this.#over = true;
    if (read.length) socket.unshift(read);
    this.#events.onUpgrade(response.rawHeaders, socket);
  };

  readonly #onTimeout = (): void => {
    this.#timedOut = true;
    this.#request.destroy(new Error('timeout'));
  };

  /** After the head: what is complete can't fail any more. */
  readonly #onTruncated = (): void => {
    if (this.#over || this.#response?.complete) return;
    this.#over = true;
    this.#request.destroy();
    this.#events.onTruncated(this.#timedOut ? 'timeout' : 'malformed');
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#response) {
      this.#onTruncated();
      return;
    }
    if (this.#over) return;
    this.#over = true;
    this.#request.destroy();
    if (!this.#connecting.isDone) {
      this.#events.onFailure(this.#timedOut ? 'connect-timeout' : this.#connecting.failure, 'always');
      return;
    }
    if (isTlsError(error)) this.#events.onFailure('tls-handshake', 'never');
    else if (this.#timedOut) this.#events.onFailure('timeout', 'never');
    else if (error.code?.startsWith('HPE_')) this.#events.onFailure('malformed', 'never');
    else this.#events.onFailure('reset', this.#isStale() ? 'idempotent' : 'never');
  };

  /** The backend closed a kept-alive connection while the request was on its way to it. */
  #isStale(): boolean {
    const { reusedSocket, socket } = this.#request;
    const nothingCame = !socket || socket.bytesRead === this.#bytesReadBefore;
    return reusedSocket && nothingCame && !this.#options.hasBody;
  }
}
