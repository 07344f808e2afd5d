/**
 * What happens to a connection that a TLSRoute decides about: rule, backend, endpoint, and then octets both ways as they come. In mode
 * Passthrough they are the client's own, the ClientHello first; in mode Terminate what is inside of them, over TLS again where a
 * BackendTLSPolicy says so. Nothing is ever answered in the gateway's own name: what can't be served is closed.
 */
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TlsTable } from '../../match/tls-table.ts';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Allowance } from '../allowance.ts';
import type { ClientConnection, UpstreamFailure } from '../exchange.ts';
import type { Limits } from '../limits.ts';
import { type Deadline, Deadlines } from '../pipeline/deadlines.ts';
import { Pending, pendingBounds } from '../pipeline/pending.ts';
import { tunnel } from '../tunnel.ts';
import type { UpstreamEndpoint } from '../upstream/upstream-endpoint.ts';
import { tlsFailure } from '../upstream/upstream-tls.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { Announced } from './gate.ts';
import { drawn, sharesOf, type TlsShares } from './shares.ts';
import type { Terminator } from './terminator.ts';
import { TlsConnection, type TlsFailure } from './tls-connection.ts';

/** What is told of these connections. */
export interface TlsObserver {
  /** Once for each. */
  tlsEnded(connection: TlsConnection): void;
  /** It has to wait for an endpoint. */
  requestWaited(): void;
  handshakeFailed(connection: ClientConnection): void;
  internalError(error: unknown): void;
}

export interface TlsConnectionsOptions {
  readonly upstreams: Upstreams;
  readonly terminator: Terminator;
  readonly observer: TlsObserver;
  readonly limits: Limits;
  /** From 0 up to 1, for weights. */
  readonly random: () => number;
}

/** Octets that wait in each direction. */
const HIGH_WATER_MARK = 64 * 1024;

interface Attempt {
  readonly connection: TlsConnection;
  readonly socket: Socket;
}

export class TlsConnections {
  /** The table that serves: replaced in one assignment. */
  table = TlsTable.empty<TlsShares>(sharesOf);
  readonly #options: TlsConnectionsOptions;
  readonly #pending: Pending<TlsConnection>;
  readonly #connecting: Deadlines<Attempt>;

  constructor(options: TlsConnectionsOptions) {
    this.#options = options;
    const { limits, observer } = options;
    const onError = (error: unknown) => observer.internalError(error);
    this.#pending = new Pending<TlsConnection>({
      ...pendingBounds(limits),
      allowance: (waiting) => options.upstreams.allowance(waiting),
      send: (backend, connection, allowance) => this.#sendPending(backend, connection, allowance),
      onLate: (connection) => this.#guarded(connection, () => this.#end(connection, 'overloaded')),
      // A connection once made takes as long as it takes: there is none to be given up for another.
      onWaiting: () => {},
      onError,
    });
    this.#connecting = new Deadlines<Attempt>(
      ({ connection, socket }) =>
        this.#guarded(connection, () => this.#lose(connection, socket, 'connect-timeout')),
      onError,
    );
  }

  /** Routes a connection whose ClientHello was read. */
  begin({ socket, place, connection: from, listener, serverName, head }: Announced): void {
    place.client = BUSY;
    const passed = listener.tlsMode === 'Passthrough' ? head : undefined;
    const connection = new TlsConnection(from, listener, serverName, socket, passed);
    socket.on('close', () => this.#guarded(connection, () => this.#onClientGone(connection)));
    this.#guarded(connection, () => {
      if (!this.#route(connection)) return;
      if (passed) this.#forward(connection);
      else this.#terminate(connection, socket, head);
    });
  }

  /** The endpoints of the backend have changed. */
  roomAt(backend: BackendKey): void {
    this.#pending.roomAt(backend);
  }

  /** Whether it has a backend to go to. */
  #route(connection: TlsConnection): boolean {
    const { listener, serverName, outcome } = connection;
    const entry = this.table.find(listener.key, serverName);
    outcome.rule = entry?.rule;
    outcome.backend = entry && drawn(entry.payload, this.#options.random());
    if (outcome.backend !== undefined) return true;
    this.#end(connection, entry ? 'no-backend' : 'no-route');
    return false;
  }

  #terminate(connection: TlsConnection, socket: Socket, head: Buffer): void {
    socket.unshift(head);
    this.#options.terminator.terminate(connection.connection.port, socket, (secure) =>
      this.#guarded(connection, () => this.#onHandshake(connection, secure)),
    );
  }

  #onHandshake(connection: TlsConnection, secure: TLSSocket | undefined): void {
    if (connection.isOver) {
      secure?.destroy();
      return;
    }
    if (!secure) {
      this.#options.observer.handshakeFailed(connection.connection);
      this.#end(connection, 'client-handshake');
      return;
    }
    connection.client = secure;
    secure.on('close', () => this.#guarded(connection, () => this.#onClientGone(connection)));
    this.#forward(connection);
  }

  #forward(connection: TlsConnection): void {
    const { upstreams, observer } = this.#options;
    const backend = connection.outcome.backend!;
    const allowance = upstreams.allowance(connection);
    const mustWait = this.#pending.has(backend, allowance);
    const endpoint = mustWait ? undefined : upstreams.next(backend, allowance);
    if (endpoint) this.#attempt(connection, endpoint);
    else if (!mustWait && !upstreams.of(backend)?.isFull(allowance)) this.#end(connection, 'no-endpoints');
    else if (this.#pending.add(backend, connection)) observer.requestWaited();
    else this.#end(connection, 'overloaded');
  }

  #sendPending(backend: BackendKey, connection: TlsConnection, allowance: Allowance): boolean {
    let isOver = true;
    this.#guarded(connection, () => {
      const { upstreams } = this.#options;
      const endpoint = upstreams.next(backend, allowance);
      if (endpoint) {
        this.#pending.passed(connection);
        this.#attempt(connection, endpoint);
      } else if (upstreams.of(backend)?.isFull(allowance)) isOver = false;
      else this.#end(connection, 'no-endpoints');
    });
    return isOver;
  }

  #attempt(connection: TlsConnection, endpoint: UpstreamEndpoint): void {
    const { upstreams, limits } = this.#options;
    const { outcome, listener } = connection;
    // What is passed through is encrypted already, whatever a policy says of the backend.
    const tls = listener.tlsMode === 'Passthrough' ? undefined : endpoint.tls;
    outcome.endpoint = endpoint;
    outcome.tried.push(endpoint);
    connection.isUnderWay = connection.isConnecting = true;
    const { holder } = connection.connection;
    if (holder) holder.underWay++;
    upstreams.sent(endpoint);
    const socket = tls ? tls.connectRaw(endpoint, HIGH_WATER_MARK) : reach(endpoint);
    connection.upstream = socket;
    const time = limits.connect + (tls ? limits.tlsHandshake : 0);
    const deadline = this.#connecting.set({ connection, socket }, time);
    socket.on('error', () => {});
    const onClose = () =>
      this.#guarded(connection, () => {
        deadline.cancel();
        this.#lose(connection, socket, tls ? failureOf(socket) : 'connect');
      });
    socket.on('close', onClose);
    socket.on(tls ? 'secureConnect' : 'connect', () =>
      this.#guarded(connection, () => {
        socket.off('close', onClose);
        this.#join(connection, socket, deadline);
      }),
    );
  }

  #join(connection: TlsConnection, socket: Socket, deadline: Deadline<Attempt>): void {
    deadline.cancel();
    if (connection.isOver) {
      socket.destroy();
      return;
    }
    const { upstreams, limits } = this.#options;
    const { client, head, outcome } = connection;
    connection.isConnecting = false;
    upstreams.connected(outcome.endpoint!);
    let isBackendFirst = false;
    const onBackendEnd = () =>
      this.#guarded(connection, () => {
        isBackendFirst ||= !client.readableEnded && !client.destroyed;
      });
    socket.on('end', onBackendEnd);
    socket.on('error', onBackendEnd);
    socket.on('close', onBackendEnd);
    if (head) socket.write(head);
    const onError = (error: unknown) => this.#fail(connection, error);
    tunnel(client, socket, limits.tunnelIdle, limits.clientIdle, onError, (toBackend, toClient) => {
      connection.received = toBackend + (head?.length ?? 0);
      connection.sent = toClient;
      const isFault = toClient === 0 && isBackendFirst;
      upstreams.disconnected(outcome.endpoint!, isFault);
      this.#end(connection, isFault ? 'reset' : undefined);
    });
  }

  /** The endpoint gave no connection: nothing was sent, so another is asked. */
  #lose(connection: TlsConnection, socket: Socket, failure: UpstreamFailure): void {
    if (connection.upstream !== socket || !connection.isConnecting) return;
    const { upstreams, limits } = this.#options;
    const { outcome } = connection;
    this.#leave(connection, failure);
    socket.destroy();
    const { tried, backend } = outcome;
    const allowance = upstreams.allowance(connection);
    const next = tried.length < limits.attempts ? upstreams.next(backend!, allowance, tried) : undefined;
    if (next) this.#attempt(connection, next);
    else this.#end(connection, failure);
  }

  #onClientGone(connection: TlsConnection): void {
    // Once joined, both ends are the tunnel's.
    if (connection.isOver || (connection.upstream && !connection.isConnecting)) return;
    this.#end(connection, 'client-gone');
  }

  #leave(connection: TlsConnection, failure: UpstreamFailure): void {
    if (!connection.isUnderWay) return;
    const { upstreams } = this.#options;
    const { endpoint, backend } = connection.outcome;
    if (connection.isConnecting) upstreams.failed(endpoint!, failure, false);
    connection.isUnderWay = connection.isConnecting = false;
    upstreams.left(endpoint!);
    const { holder } = connection.connection;
    if (holder) holder.underWay--;
    this.#pending.roomAt(backend!);
  }

  #end(connection: TlsConnection, failure: TlsFailure | undefined): void {
    if (connection.isOver) return;
    connection.isOver = true;
    const { outcome, client, upstream, sent } = connection;
    outcome.failure = failure;
    const { holder } = connection.connection;
    if (holder && sent > 0 && !failure) holder.wasServed = true;
    if (outcome.backend !== undefined) this.#pending.remove(connection);
    this.#leave(connection, 'client-gone');
    client.destroy();
    upstream?.destroy();
    this.#options.observer.tlsEnded(connection);
  }

  /** What is thrown ends this connection and touches no other. */
  #guarded(connection: TlsConnection, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(connection, error);
    }
  }

  #fail(connection: TlsConnection, error: unknown): void {
    this.#options.observer.internalError(error);
    try {
      this.#end(connection, 'internal-error');
    } catch (another) {
      this.#options.observer.internalError(another);
    }
    // It may have been at its end that something was thrown.
    connection.client.destroy();
    connection.upstream?.destroy();
  }
}

/** Nobody's place is given away while it has a connection. */
const BUSY = { idleFor: () => undefined };

function reach({ address, port }: UpstreamEndpoint): Socket {
  const options = { host: address, port, allowHalfOpen: true, noDelay: true };
  return connect({ ...options, ...({ highWaterMark: HIGH_WATER_MARK } as object) });
}

/** Where TCP came about it is a failure of TLS. */
const failureOf = (socket: Socket): UpstreamFailure =>
  socket.bytesRead > 0 || socket.bytesWritten > 0 ? tlsFailure(socket as TLSSocket) : 'connect';
