/** One try to get a response from one endpoint, whichever protocol it speaks. */
import type { Repeatable, TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import type { Limits } from '../limits.ts';
import type { TunnelEnd } from '../tunnel.ts';
import { Http1Attempt } from './attempt-http1.ts';
import { Http2Attempt } from './attempt-http2.ts';
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
  /** 101: the connection is whoever's this is now. */
  onUpgrade(rawHeaders: readonly string[], socket: TunnelEnd): void;
  /** Before a response head. */
  onFailure(failure: UpstreamFailure, repeatable: Repeatable): void;
  /** After a response head, before the end of its body. */
  onTruncated(failure: UpstreamFailure): void;
}

export interface Attempt {
  readonly isConnecting: boolean;
  /** Octets of the body that were handed over and are not sent. */
  readonly buffered: number;
  /** Has it sent. Once, and after whatever there is of the body was written. Throws where a field can't be sent. */
  begin(): void;
  /** Stops at once; nothing is told any more. */
  cancel(): void;
  /** After `onResponseChunk` gave false. */
  resume(): void;
  /** A part of the request's body. False: no more until `onReady`. */
  write(chunk: Buffer): boolean;
  endBody(trailers: [string, string][]): void;
}

/** A request in the form of HTTP/1.1. */
export interface SentRequest {
  readonly method: string;
  readonly target: string;
  /** All fields, names and values in turns. */
  readonly headers: string[];
  readonly hasBody: boolean;
}

export interface AttemptOptions extends SentRequest {
  readonly endpoint: TargetEndpoint;
  /** On a connection that no request used before. */
  readonly fresh: boolean;
  /** Whether the limits for a response and its pauses hold. */
  readonly timed: boolean;
  readonly pool: ConnectionPool;
  readonly limits: Limits;
  /** Told what a callback threw. */
  readonly onError: (error: unknown) => void;
}

/** Undefined where the endpoint has as many requests as it may have. */
export function attemptAt(options: AttemptOptions, events: AttemptEvents): Attempt | undefined {
  const { endpoint, fresh, pool } = options;
  if (!endpoint.isHttp2) return pool.isFull(endpoint) ? undefined : new Http1Attempt(options, events);
  const request = pool.http2.take(endpoint, fresh);
  return request && new Http2Attempt(request, options, events);
}
