/** What a protocol engine gives to the agent: servers for listener ports, and the end of its upstream connections. */
import type { Server } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { BackendKey } from '../snapshot/snapshot.ts';
import type { TlsGate } from './tls-routes/gate.ts';

export interface Engine {
  /** What it speaks under TLS, for ALPN, the best first. */
  readonly protocols: readonly string[];
  /**
   * A server for a listener port of the Gateway; `tls` where the port terminates TLS, and then `gate` is asked first what a connection
   * is for. Not listening yet.
   */
  serve(port: number, tls?: TlsOptions, gate?: TlsGate): EngineServer;
  /**
   * Requests to this backend have to wait, since its endpoints have as many as they may have: gives up so many that are held up by their own
   * clients, first those of clients that hold most connections, and of these the ones that have been at it longest; none of clients that hold no more than
   * `connections`.
   */
  relieve?(backend: BackendKey, count: number, connections: number): void;
  /** Destroys the connections to endpoints. */
  close(): void;
}

export interface EngineServer {
  /** To listen with and to ask for its address. */
  readonly server: Server;
  /** TLS for clients that send no server name; connections that stand are not touched. */
  setDefaultTls(options: SecureContextOptions): void;
  /** For sessions of TLS from now on. */
  setTicketKeys(keys: Buffer): void;
  /** Asks clients to come no more on their connections: answers say `Connection: close`. New connections are taken as before. */
  retire(): void;
  /** No new request after the one in flight on each connection: idle ones are closed, answers say `Connection: close`. */
  drain(): void;
  /** Destroys what is left. */
  destroy(): void;
}
