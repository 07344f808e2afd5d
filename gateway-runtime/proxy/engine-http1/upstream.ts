/** One request on its way to an endpoint, whichever version of HTTP carries it there: what an exchange asks of it, and what it is told. */
import type { Repeatable, UpstreamFailure } from '../exchange.ts';
import type { TunnelEnd } from '../tunnel.ts';
import type { Head } from './head.ts';

export interface Upstream {
  /** Of the last response, in the form of HTTP/1.1. */
  readonly head: Head;
  /** There is no connection yet on which the request could be sent. */
  readonly isConnecting: boolean;
  /** Whether the body of the request can be sent now. */
  readonly isReady: boolean;
  /** Octets that were handed over and are not sent. */
  readonly buffered: number;
  /**
   * Sends the head of a request, in the form of HTTP/1.1. Where a body follows, the head may wait for its first octets or for `flush`.
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
  ): void;
  /** False: no more until `onUpstreamReady`. */
  sendBody(octets: Buffer, start: number, end: number, owned: boolean): boolean;
  /** `trailers`: field lines, each with its line end. */
  endBody(trailers: string): void;
  flush(): void;
  /** After `onUpstreamBody` gave false. */
  resume(): void;
  /** Its exchange is over. */
  release(): void;
  /** Gives up. */
  destroy(): void;
  /** After a switch of protocols: gives the connection away. */
  detach(): TunnelEnd;
}

/** What a response, or the lack of one, is told to. Nothing is told after `release`. */
export interface ResponseSink {
  /** Another connection to the endpoint was free before its own was there: the request goes on with that one. */
  onUpstreamMoved(upstream: Upstream): void;
  /** The body of the request is wanted again, or for the first time. */
  onUpstreamReady(): void;
  /** `upstream.head` is an interim response (1xx, but not 101). */
  onInformation(upstream: Upstream): void;
  /** `upstream.head` is the response. Whether a body follows is for the request to say as well. */
  onUpstreamHead(upstream: Upstream): void;
  /** The connection is the sink's now, with what was read beyond the head. */
  onSwitch(upstream: Upstream, read: Buffer): void;
  /** False: no more until `resume`. */
  onUpstreamBody(octets: Buffer, start: number, end: number, owned: boolean): boolean;
  onUpstreamEnd(trailers: string): void;
  /** All that could be read was: what was held back for company should be sent. */
  onUpstreamPause(): void;
  onUpstreamFailure(failure: UpstreamFailure, repeatable: Repeatable): void;
  /** A callback threw: it ends. */
  fail(error: unknown): void;
}
