/**
 * One request and its response, whatever protocol carries them. The pipeline (`pipeline/`) knows only this; protocol
 * engines (`engine-node/` first) implement it. Nothing above an engine may know which one runs.
 */
import type { LocalReply, RequestHead, ResponseHead } from '../filters/definition.ts';
import type { MatchRequest } from '../match/request.ts';
import type { Endpoint } from '../snapshot/snapshot.ts';

/** The connection a request came on. */
export interface ClientConnection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The listener port of the Gateway (not the one bound, where ports are moved). */
  readonly port: number;
  readonly tls: boolean;
  /** Server name of the TLS handshake, lower case. */
  readonly serverName?: string;
}

/** Why a forwarded request got no (whole) response. */
export type UpstreamFailure =
  /** The connection could not be made. */
  | 'connect'
  | 'connect-timeout'
  /** The backend closed or reset before a response head. */
  | 'reset'
  /** The response was malformed or ended too early. */
  | 'malformed'
  | 'timeout'
  /** The client went away. */
  | 'client-gone';

export interface Exchange {
  readonly connection: ClientConnection;
  /** For matching: as received, normalized. */
  readonly request: MatchRequest;
  /** For filters: what will be forwarded. */
  readonly head: RequestHead;
  /** The request asks for a protocol upgrade (RFC 9110 section 7.8), such as `websocket`. */
  readonly upgrade?: string;
  /** Set by the pipeline when the request was routed; carried for log and metrics. */
  route?: unknown;
  /** Answers without a backend. At most once, and not after `forward`. */
  reply(reply: LocalReply): void;
  /** Sends head and body to an endpoint; what comes back arrives at the handler. */
  forward(endpoint: Endpoint): void;
}

export interface ExchangeTotals {
  /** Status sent to the client; 0 where none was. */
  readonly status: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Milliseconds from the request's head to the end of its response. */
  readonly duration: number;
}

/** What an engine calls. Implemented once, by the pipeline, for all engines. */
export interface ExchangeHandler {
  /** A request head was read: route it, then `reply` or `forward`. */
  onRequest(exchange: Exchange): void;
  /** A response head came back: edit it before it is sent. */
  onResponse(exchange: Exchange, head: ResponseHead): void;
  /** No response came: the reply to give, unless the client is gone. */
  onFailure(exchange: Exchange, failure: UpstreamFailure): LocalReply;
  /** Everything was sent, or will never be: log and count. Once per exchange. */
  onEnd(exchange: Exchange, totals: ExchangeTotals): void;
}
