/** Every bound of the data plane, in one place. Times are in milliseconds, sizes in bytes. */
export interface Limits {
  /** A request head or response head, all of it. Larger: 431, or 502 from a backend. */
  readonly headBytes: number;
  /** Header fields of a request. More: 431. */
  readonly headFields: number;
  /** From the first byte of a request to the end of its head. */
  readonly headTime: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTime: number;
  /** A client connection without a request. */
  readonly clientIdle: number;
  /** A client connection on which nothing moves while a request is under way. */
  readonly clientStall: number;
  /** An upgraded connection (WebSocket) on which nothing moves. */
  readonly tunnelIdle: number;
  /** From the connection to the end of the TLS handshake with endpoints; of clients to their ClientHello, and again from there to the end. */
  readonly tlsHandshake: number;
  /** A ClientHello that is read for its server name, up to its end. Larger: the connection is closed. */
  readonly clientHello: number;
  /**
   * Client connections of one listener port. Close to it, those go that wait for their own client, of clients that hold most first; where there is none, new ones
   * are closed at once. The last 128th is for clients that have taken an answer before.
   */
  readonly connections: number;
  /**
   * Octets written for clients that these have not taken, of all connections of a process together. More: clients that have some get no more until they
   * have taken it, and those that take nothing are closed.
   */
  readonly unsent: number;
  /** Requests of one connection that wait for their answer (pipelining). More: 503 and close. */
  readonly pipelined: number;
  readonly connect: number;
  /** From the end of the request to the head of its response. Longer: 504. Timeouts of a rule stand in place of this one and the next. */
  readonly response: number;
  /** A connection to an endpoint on which nothing moves while a body is under way, the client's own pauses aside. */
  readonly upstreamStall: number;
  /** A kept-alive connection to an endpoint without a request. Shorter than the 5 s after which common servers close. */
  readonly upstreamIdle: number;
  /** Requests under way to one endpoint, and connections to it. While all endpoints of a backend have so many, requests wait. */
  readonly connectionsPerEndpoint: number;
  /** Requests that wait for an endpoint of one backend. More: 503. */
  readonly pendingPerBackend: number;
  /** For which a request waits for an endpoint, at most. Longer: 503. */
  readonly pendingTime: number;
  /**
   * The same two of clients that held up a request a short while ago. More and longer: to refuse them is to have them come again, with a new
   * connection and its handshake, while to wait costs nothing.
   */
  readonly slowPendingPerBackend: number;
  readonly slowPendingTime: number;
  /**
   * Kept-alive connections to an endpoint that stay for `upstreamIdle`. More stay for `surplusIdle`, with the engine
   * `node` not at all: a server may have a thread for each.
   */
  readonly idleConnectionsPerEndpoint: number;
  readonly surplusIdle: number;
  /** Connections to an endpoint for copies of requests. While all are in use, no more is mirrored there. */
  readonly mirrorsPerEndpoint: number;
  /** What waits for an endpoint to take its copy of a request. More: the copy is given up. */
  readonly mirrorBytes: number;
  /** From the moment at which an authorization service is asked to the end of its answer. Longer: 503. */
  readonly authorization: number;
  /** Body of the answer of an authorization service that says no. Larger: it is left out. */
  readonly authorizationBody: number;
  /** Requests at a time on one connection of HTTP/2 to an endpoint, where that does not say less. */
  readonly http2Streams: number;
  /** A connection of HTTP/2 to an endpoint on which something was sent and nothing came: it gets a PING, and no new requests meanwhile. */
  readonly http2Silence: number;
  /** Until the PING is answered. Longer: the connection is given up. */
  readonly http2Ping: number;
  /** Between PINGs. Servers of gRPC take more than one in five minutes for an attack. */
  readonly http2PingApart: number;
  /** Endpoints that are tried for one request when connections fail. */
  readonly attempts: number;
  /** From drain to the end of what is still in flight. */
  readonly drain: number;
}

export const LIMITS: Limits = {
  headBytes: 64 * 1024,
  headFields: 100,
  headTime: 15_000,
  requestTime: 3_600_000,
  clientIdle: 60_000,
  clientStall: 300_000,
  tunnelIdle: 3_600_000,
  tlsHandshake: 10_000,
  clientHello: 16 * 1024,
  connections: 20_000,
  unsent: 48 * 1024 * 1024,
  pipelined: 64,
  connect: 5_000,
  response: 60_000,
  upstreamStall: 300_000,
  upstreamIdle: 4_000,
  connectionsPerEndpoint: 1_024,
  pendingPerBackend: 1_024,
  pendingTime: 1_000,
  slowPendingPerBackend: 4_096,
  slowPendingTime: 30_000,
  idleConnectionsPerEndpoint: 64,
  surplusIdle: 500,
  mirrorsPerEndpoint: 64,
  mirrorBytes: 256 * 1024,
  authorization: 10_000,
  authorizationBody: 64 * 1024,
  http2Streams: 100,
  http2Silence: 5_000,
  http2Ping: 5_000,
  http2PingApart: 300_000,
  attempts: 3,
  drain: 30_000,
};
