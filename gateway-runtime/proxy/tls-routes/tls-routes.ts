/** What the data plane of a Gateway has for TLSRoutes: the gate of its ports, and what is behind it. */
import type { TlsTable } from '../../match/tls-table.ts';
import type { BackendKey, Listener } from '../../snapshot/snapshot.ts';
import type { Limits } from '../limits.ts';
import type { Certificates } from '../tls.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { ClientHelloGate, type TlsGate } from './gate.ts';
import type { TlsShares } from './shares.ts';
import { Terminator } from './terminator.ts';
import { TlsConnections, type TlsObserver } from './tls-connections.ts';

export interface TlsRoutesOptions {
  readonly upstreams: Upstreams;
  readonly certificates: Certificates;
  /** Of a port for a server name, of the table that serves now. */
  readonly listener: (port: number, serverName: string) => Listener | undefined;
  readonly ticketKeys: () => Buffer;
  readonly observer: TlsObserver;
  readonly limits: Limits;
  /** From 0 up to 1, for weights. */
  readonly random: () => number;
}

export class TlsRoutes {
  readonly gate: TlsGate;
  /** Those where the gate is needed: on others no ClientHello is read here. */
  ports: ReadonlySet<number> = new Set();
  readonly #connections: TlsConnections;
  readonly #terminator: Terminator;

  constructor({ listener, observer, limits, upstreams, certificates, ticketKeys, random }: TlsRoutesOptions) {
    this.#terminator = new Terminator({
      certificates,
      listener: (port, serverName) => {
        const found = listener(port, serverName);
        return found?.protocol === 'TLS' && found.tlsMode === 'Terminate' ? found : undefined;
      },
      limits,
      ticketKeys,
      onError: (error) => observer.internalError(error),
    });
    this.#connections = new TlsConnections({
      upstreams,
      terminator: this.#terminator,
      observer,
      limits,
      random,
    });
    this.gate = new ClientHelloGate({
      isNeeded: (port) => this.ports.has(port),
      listener,
      most: limits.clientHello,
      time: limits.tlsHandshake,
      onRouted: (announced) => this.#connections.begin(announced),
      onRefused: (connection) => observer.handshakeFailed(connection),
      onError: (error) => observer.internalError(error),
    });
  }

  /** The rules that serve: replaced in one assignment. */
  get table(): TlsTable<TlsShares> {
    return this.#connections.table;
  }

  set table(table: TlsTable<TlsShares>) {
    this.#connections.table = table;
  }

  /** The endpoints of the backend have changed. */
  roomAt(backend: BackendKey): void {
    this.#connections.roomAt(backend);
  }

  /** For sessions of TLS from now on. */
  renewTicketKeys(): void {
    this.#terminator.renewTicketKeys();
  }
}
