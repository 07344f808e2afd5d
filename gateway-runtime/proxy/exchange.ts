/**
 * One request and its response, whatever protocol carries them. The pipeline (`pipeline/`) knows only this; protocol
 * engines (`engine-http1/`, which carries HTTP/2 of clients too, and `engine-node/`) implement it. Nothing above an engine may know which one runs.
 */
import type {
  AuthorizationAnswer,
  AuthorizationRequest,
  AuthorizedHead,
  LocalReply,
  ResponseHead,
} from '../filters/definition.ts';
import type { MatchRequest } from '../match/request.ts';
import type { BackendKey, Endpoint, HttpRule, Listener, TlsVersion } from '../snapshot/snapshot.ts';
import type { ClientIdentity } from './client-certificates.ts';
import type { Refusal } from './pipeline/admission.ts';
import type { Authorization } from './pipeline/authorization.ts';
import type { CompiledBackend, CompiledRule } from './pipeline/compiled-rule.ts';
import type { Deadline } from './pipeline/deadlines.ts';
import type { RequestSession } from './sessions/rule-sessions.ts';
import type { UpstreamEndpoint } from './upstream/upstream-endpoint.ts';
import type { UpstreamTls } from './upstream/upstream-tls.ts';

/** What one client has. */
export interface ClientHolder {
  /** Connections of a port. */
  readonly places: number;
  /** Requests, and connections of TLSRoutes, that are at endpoints. */
  underWay: number;
  /**
   * Until then (`performance.now()`) it counts as one that holds up its requests, since one had to be given up for others that waited; 0: it does
   * not.
   */
  slowUntil: number;
  /** It has taken a whole answer of a backend, or anything of one by a TLSRoute, and held up no request since for which others waited. */
  wasServed: boolean;
}

/** The connection a request came on. */
export interface ClientConnection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The listener port of the Gateway (not the one bound, where ports are moved). */
  readonly port: number;
  readonly tls: boolean;
  /** Server name of the TLS handshake, canonical (`normalizeHost`); absent where the client sent none. */
  readonly serverName?: string;
  /** Of a connection over TLS. */
  readonly tlsVersion?: TlsVersion;
  /** What the client showed of itself, where the port asks for certificates. */
  readonly client?: ClientIdentity;
  /** What the same client has of the port, as far as its address tells. */
  readonly holder?: ClientHolder | undefined;
  /** What lines of the access log say of it, made when one does. */
  text?: string;
}

/** Where a handshake fails for the certificate of the client. */
export type HandshakeCause = 'client-certificate-missing' | 'client-certificate-not-valid';

/** An endpoint, and how it is to be reached. */
export interface TargetEndpoint extends Endpoint {
  /** Where it is set, over TLS, and in no other way. */
  readonly tls?: UpstreamTls | undefined;
  /** In HTTP/2, without asking whether it speaks that. Else it is HTTP/1.1. */
  readonly isHttp2?: boolean;
}

/** Why a forwarded request got no (whole) response. */
export type UpstreamFailure =
  /** The connection could not be made. */
  | 'connect'
  | 'connect-timeout'
  /** The endpoint took the connection, and no TLS came about. */
  | 'tls-handshake'
  /** Its certificate is not of an authority that is trusted for the backend, or not valid now. */
  | 'tls-untrusted'
  /** Its certificate is for another name than the backend is known by. */
  | 'tls-name'
  /** Every endpoint has as many requests as it may have, and there was no room soon. */
  | 'overloaded'
  /** The backend closed or reset before a response head. */
  | 'reset'
  /** The response was malformed or ended too early. */
  | 'malformed'
  | 'timeout'
  /** The request asks for another protocol, and the backend, which speaks HTTP/2, does not offer to switch. */
  | 'no-upgrade'
  /** The client went away. */
  | 'client-gone';

/**
 * Whether a request that failed may be sent again. `always`: nothing of it was sent. `idempotent`: a kept-alive connection
 * was closed under it, it has no body and nothing came back, so it may be where its method is idempotent (RFC 9110 section 9.2.2).
 * `unprocessed`: the endpoint says that it did nothing about it (RFC 9113 section 8.7), though some of it was sent.
 */
export type Repeatable = 'always' | 'unprocessed' | 'idempotent' | 'never';

/** What the pipeline decided about an exchange and what became of it, for response filters, log and metrics. */
export class Outcome {
  listener: Listener | undefined;
  rule: HttpRule | undefined;
  /** Of the rule, once it is sure that it serves. */
  plan: CompiledRule | undefined;
  /** Why the rule did not serve it. */
  refusal: Refusal | undefined;
  /** Whether a Service lets it go on, where its rule has one asked. */
  authorization: Authorization | undefined;
  backend: BackendKey | undefined;
  /** The same, as the rule has it. */
  chosen: CompiledBackend | undefined;
  endpoint: UpstreamEndpoint | undefined;
  /** Where the rule has sessions, and the request went as far as to its backends. */
  session: RequestSession | undefined;
  /** It waits for room at an endpoint of its backend. */
  isPending = false;
  /** The request was sent to `endpoint`, and no response has come. */
  isWaiting = false;
  /** The request was sent to `endpoint`, and its response has not ended. */
  isUnderWay = false;
  /** Endpoints that the request was sent to, in order. */
  readonly tried: TargetEndpoint[] = [];
  failure: UpstreamFailure | undefined;
  requestDeadline: Deadline<Exchange> | undefined;
  attemptDeadline: Deadline<Exchange> | undefined;
  /** Until it is sent again. */
  backoff: Deadline<Exchange> | undefined;
  /** Times that it was sent again because its rule says so. */
  retries = 0;
  /** The time that its rule gives it is over: it is not tried again. */
  isExpired = false;
}

export interface Exchange {
  readonly connection: ClientConnection;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  /** Why the request must not be routed, such as a host that can't be read: a reply with a sentence in it. */
  readonly problem?: { readonly status: number; readonly message: string };
  /** For matching: as received, normalized. Fields are empty where `problem` is set. */
  readonly request: MatchRequest;
  /**
   * For filters: what will be forwarded, without what belongs to one hop (RFC 9110 section 7.6.1), which the engine strips and writes. Made when
   * it is first asked for; not where `problem` is set.
   */
  readonly head: AuthorizedHead;
  /** The request asks for a protocol upgrade (RFC 9110 section 7.8), such as `websocket`. */
  readonly upgrade?: string;
  /** The request has a body, which its client may take its time with. */
  readonly hasBody: boolean;
  readonly outcome: Outcome;
  /** Answers without a backend. At most once, and not after a response head of a backend. */
  reply(reply: LocalReply): void;
  /**
   * Sends head and body to an endpoint; what comes back arrives at the handler. Again only once that has failed, or was not wanted.
   *
   * @param fresh on a connection that no request used before
   * @param timed whether `limits.response` and `limits.upstreamStall` hold
   */
  forward(endpoint: TargetEndpoint, fresh: boolean, timed: boolean): void;
  /**
   * Has a copy of the head as it is now, and of the body as it comes, sent to another endpoint as well, once the request is forwarded.
   * What becomes of the copy makes no difference to the exchange, and nothing of it comes back.
   */
  mirror(endpoint: TargetEndpoint): void;
  /**
   * Before anything else is done for it: lets no more of the body through than so many bytes. False where its client announces more, and
   * then nothing of it is read after the answer. Of one that turns out to be larger `onBodyTooLarge` tells.
   */
  boundBody(most: number): boolean;
  /** Before it is forwarded: has the body kept, up to so many bytes, so that it can be forwarded again after a part was sent. */
  keepBody(most: number): void;
  /**
   * Before it is forwarded: has the body received, and `onBody` told of it once it is here, or is larger than so many bytes. What was
   * received is kept, and forwarded with the request.
   */
  holdBody(most: number): void;
  /** What is held of it. */
  readonly heldBody: readonly Buffer[];
  /**
   * Before it is forwarded: sends a request of its own about this one to another endpoint; `onAuthorizationAnswer` or
   * `onAuthorizationFailure` follows unless the exchange ends. Again only after one of them.
   *
   * @param fresh on a connection that no request used before
   */
  authorize(endpoint: TargetEndpoint, request: AuthorizationRequest, fresh: boolean): void;
  /** Whether all of the body that was received can be sent again. */
  readonly isRepeatable: boolean;
  /**
   * Gives up what is under way because it took too long: a failure like any other. Where a part of the response was sent already,
   * the client's connection is destroyed.
   */
  expire(): void;
  /** What was thrown is about it: it is told as an internal error, and ends; with 500 where nothing of an answer was sent. */
  fail(error: unknown): void;
}

export interface ExchangeTotals {
  /** Status sent to the client; 0 where none was. */
  readonly status: number;
  /** Bytes of bodies, without framing. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Milliseconds from the request's head to the end of its response. */
  readonly duration: number;
}

/** What an engine calls. Implemented once, by the pipeline, for all engines. */
export interface ExchangeHandler {
  /** A request head was read: route it, then `reply` or `forward`. */
  onRequest(exchange: Exchange): void;
  /** After `holdBody`: all of the body, or nothing where it is too large. */
  onBody(exchange: Exchange, isWhole: boolean): void;
  /**
   * More of the body came than `boundBody` lets through: `reply`. What was sent of the request was broken off. Not called where an answer has
   * begun, which is broken off as well.
   */
  onBodyTooLarge(exchange: Exchange): void;
  /** After `authorize`: the whole answer. */
  onAuthorizationAnswer(exchange: Exchange, answer: AuthorizationAnswer): void;
  /** After `authorize`: no answer came. */
  onAuthorizationFailure(exchange: Exchange, failure: UpstreamFailure): void;
  /** A response head came back: edit it before it is sent. False: it is not wanted, and the exchange will be forwarded again. */
  onResponse(exchange: Exchange, head: ResponseHead): boolean;
  /** No response came and the client waits: `reply`, or `forward` again where `repeatable` allows. */
  onFailure(exchange: Exchange, failure: UpstreamFailure, repeatable: Repeatable): void;
  /** Everything was sent, or will never be: log and count. Once per exchange. */
  onEnd(exchange: Exchange, totals: ExchangeTotals): void;
  /** What came on the connection is no request; it was answered with this status (0: not at all) and closed. */
  onMalformed(connection: ClientConnection, status: number): void;
  /** A connection was closed because the port has as many as it may have: one that waits for its client, or else a new one at once. */
  onConnectionDropped(): void;
  /** A copy of a request was given up: its endpoint was too slow, not there, or had copies enough. */
  onMirrorDropped(): void;
  /**
   * No TLS connection came about: no listener for the server name, no common version, not TLS at all, or the certificate of the client is
   * missing or not valid.
   */
  onHandshakeFailure(connection: ClientConnection, cause?: HandshakeCause): void;
  /** A callback threw. The exchange or connection it belongs to was ended. */
  onInternalError(error: unknown): void;
}
