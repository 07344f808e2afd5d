/** One try to get a response from one endpoint with `http.request`: connection, body, timeouts, and what can go wrong. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Repeatable, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import { forwardableTrailers } from '../hop-by-hop.ts';
import type { Limits } from '../limits.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { isTlsError } from '../upstream/upstream-tls.ts';
import { Connecting } from './connecting.ts';
import type { ConnectionPool } from './connection-pool.ts';

/** What an attempt tells. Nothing is told after `cancel`, a failure or an upgrade. */
export interface AttemptEvents {
  /** The body of the request can be sent: for the first time, or again. */
  onReady(): void;
  onInformation(status: number, rawHeaders: readonly string[]): void;
  onResponse(status: number, rawHeaders: readonly string[]): void;
  /** False: no more until `resume`. */
  onResponseChunk(chunk: Buffer): boolean;
  onResponseEnd(trailers: [name: string, value: string][]): void;
  /** 101: the connection is the exchange's now. */
  onUpgrade(rawHeaders: readonly string[], socket: TunnelEnd): void;
  /** Before a response head. */
  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void;
  /** After a response head, before the end of its body. */
  onTruncated(failure: UpstreamFailure): void;
}

/** An attempt that was begun. */
export interface Attempted {
  readonly isConnecting: boolean;
  /** Stops at once; nothing is told any more. */
  cancel(): void;
  /** After `onResponseChunk` gave false. */
  resume(): void;
  /** A part of the request's body. False: no more until `onReady`. */
  write(chunk: Buffer): boolean;
  endBody(trailers: [string, string][]): void;
}

/** Wraps a callback so that what it throws ends the exchange, not the process. */
export type Guard = <A extends unknown[]>(callback: (...args: A) => void) => (...args: A) => void;

export interface AttemptOptions {
  readonly endpoint: TargetEndpoint;
  /** On a connection that no request used before. */
  readonly fresh: boolean;
  /** Whether the limits for a response and its pauses hold. */
  readonly timed: boolean;
  readonly method: string;
  readonly target: string;
  /** All fields, names and values in turns. */
  readonly headers: string[];
  readonly hasBody: boolean;
  readonly pool: ConnectionPool;
  readonly limits: Limits;
  readonly guard: Guard;
}

export class Attempt implements Attempted {
  readonly #options: AttemptOptions;
  readonly #events: AttemptEvents;
  readonly #request: ClientRequest;
  #response: IncomingMessage | undefined;
  readonly #connecting = new Connecting();
  #timedOut = false;
  #bytesReadBefore = 0;
  #over = false;

  constructor(options: AttemptOptions, events: AttemptEvents) {
    this.#options = options;
    this.#events = events;
    const { endpoint, pool, fresh, method, target, headers, limits, hasBody, guard } = options;
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
    const { limits, guard, endpoint } = this.#options;
    this.#connecting.follow(this.#request, socket, endpoint, limits, guard(this.#onConnect));
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
    const { guard } = this.#options;
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
