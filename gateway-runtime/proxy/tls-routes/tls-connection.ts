/** A connection of a TLSRoute: what was decided about it and what became of it, for log and metrics. */
import type { BackendKey, Listener, TlsRule } from '../../snapshot/snapshot.ts';
import type { ClientConnection, UpstreamFailure } from '../exchange.ts';
import type { TunnelEnd } from '../tunnel.ts';
import type { UpstreamEndpoint } from '../upstream/upstream-endpoint.ts';

/** Why no backend, or not all of it, reached the client. */
export type TlsFailure =
  | UpstreamFailure
  /** No rule of the listener is for the server name. */
  | 'no-route'
  /** The reference of the share that was drawn does not resolve, or no share has a weight. */
  | 'no-backend'
  | 'no-endpoints'
  /** The handshake with the client failed, where the gateway terminates TLS. */
  | 'client-handshake'
  /** A defect of the gateway itself. */
  | 'internal-error';

export class TlsConnection {
  readonly connection: ClientConnection;
  readonly listener: Listener;
  /** Canonical; empty where the client sent none. */
  readonly serverName: string;
  /** Of the client: as accepted, or what was decrypted. Changes once, where the gateway terminates TLS. */
  client: TunnelEnd;
  /** What was read of the client and is for the backend. */
  readonly head: Buffer | undefined;
  readonly outcome: {
    rule: TlsRule | undefined;
    backend: BackendKey | undefined;
    endpoint: UpstreamEndpoint | undefined;
    readonly tried: UpstreamEndpoint[];
    failure: TlsFailure | undefined;
  } = { rule: undefined, backend: undefined, endpoint: undefined, tried: [], failure: undefined };
  readonly begun = performance.now();
  /** Octets of the client to the backend, and back. */
  received = 0;
  sent = 0;
  /** On its way to `outcome.endpoint`. */
  upstream: TunnelEnd | undefined;
  /** A place at `outcome.endpoint` is taken. */
  isUnderWay = false;
  /** `outcome.endpoint` was asked for a connection, and has not given it. */
  isConnecting = false;
  isOver = false;

  constructor(
    connection: ClientConnection,
    listener: Listener,
    serverName: string,
    client: TunnelEnd,
    head: Buffer | undefined,
  ) {
    this.connection = connection;
    this.listener = listener;
    this.serverName = serverName;
    this.client = client;
    this.head = head;
  }
}
