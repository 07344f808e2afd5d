/** The ports that a Gateway listens on. They come and go one by one: the others are not touched. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { ClientCertificates, GatewayId, Listener } from '../snapshot/snapshot.ts';
import type { Engine, EngineServer } from './engine.ts';
import type { TlsGate } from './tls-routes/gate.ts';

/**
 * Connections that wait to be accepted, where the system's own limit (net.core.somaxconn) is not lower. One that finds no room there is tried
 * again by its client after a second; and Node accepts one in each turn of its event loop.
 */
const BACKLOG = 4_096;

/** What to do about a port that can't be bound, by the code of the system's error. */
const FIXES: Readonly<Record<string, string>> = {
  EACCES: 'choose a port above 1023',
  EADDRNOTAVAIL: 'choose an address of this machine',
};

export interface PortOptions {
  readonly gateway: GatewayId;
  readonly engine: Engine;
  readonly address: string;
  /** The port to bind for a listener port; 0 is any free one. */
  readonly bindPort: (port: number) => number;
  readonly tls: (port: number) => TlsOptions;
  /** Tells apart what comes to ports with listeners of protocol TLS. */
  readonly gate: TlsGate;
  /** For sessions of TLS on a port. */
  readonly ticketKeys: (port: number) => Buffer;
  /** Where processes share ports: how this one is bound. In place of `bindPort`. */
  readonly sharedPort?: SharedPortLookup;
  /** Milliseconds until what is left on a port that goes is cut. */
  readonly drainTime: number;
}

export interface SharedPortNumber {
  readonly number: number;
  /** Why it can't be had: the code of the system's error. */
  readonly problem?: string;
}

export type SharedPortLookup = (port: number) => SharedPortNumber | undefined;

interface BoundPort {
  /** HTTPS, TLS, or both. */
  readonly isOverTls: boolean;
  /** Whether, and how strictly, handshakes ask for certificates of clients. */
  readonly asks: ClientCertificates['mode'] | undefined;
  readonly engine: EngineServer;
  readonly number: number;
}

const isOverTls = ({ protocol }: Listener) => protocol !== 'HTTP';

export class Listeners {
  readonly #options: PortOptions;
  readonly #bound = new Map<number, BoundPort>();
  /** Ports that went, until their last connection has. */
  readonly #leaving = new Map<EngineServer, Promise<unknown>>();
  readonly #problems = new Map<number, Diagnostic>();
  #retiring = false;

  constructor(options: PortOptions) {
    this.#options = options;
  }

  get problems(): readonly Diagnostic[] {
    return [...this.#problems.values()];
  }

  /** The port that is bound for a listener port. */
  boundPort(port: number): number | undefined {
    return this.#bound.get(port)?.number;
  }

  /** Binds and unbinds, so that the ports of these listeners are the ones served. A port that failed before is tried again. */
  async set(wanted: ReadonlyMap<number, Listener>): Promise<void> {
    for (const port of this.#problems.keys()) if (!wanted.has(port)) this.#problems.delete(port);
    const before = new Map<number, number>();
    for (const [port, bound] of this.#bound) {
      const listener = wanted.get(port);
      // A connection that stands was made as the port asked before: so they go, as where the protocol is another.
      const isAsBefore = listener && isOverTls(listener) === bound.isOverTls;
      if (isAsBefore && listener.clientCertificates?.mode === bound.asks) continue;
      if (listener) before.set(port, bound.number);
      this.#bound.delete(port);
      this.#drain(bound.engine);
    }
    await Promise.all(
      [...wanted.values()]
        .filter(({ port }) => !this.#bound.has(port))
        .map((listener) => this.#bind(listener, before.get(listener.port))),
    );
  }

  /** For each port that terminates TLS. */
  setDefaultTls(options: (port: number) => Parameters<EngineServer['setDefaultTls']>[0]): void {
    for (const [port, { isOverTls, engine }] of this.#bound) {
      if (isOverTls) engine.setDefaultTls(options(port));
    }
  }

  /** They are others now. */
  renewTicketKeys(): void {
    for (const [port, { isOverTls, engine }] of this.#bound) {
      if (isOverTls) engine.setTicketKeys(this.#options.ticketKeys(port));
    }
  }

  /** Goes on accepting, but asks clients to come no more on the connections they have. */
  retire(): void {
    this.#retiring = true;
    for (const { engine } of this.#bound.values()) engine.retire();
  }

  /** Stops accepting; resolves when the last request is answered, or when the time is over and the rest was cut. */
  async drain(): Promise<void> {
    for (const { engine } of this.#bound.values()) this.#drain(engine);
    this.#bound.clear();
    await Promise.all(this.#leaving.values());
  }

  /** Cuts everything, what is draining too. */
  async close(): Promise<void> {
    const drained = this.drain();
    for (const engine of this.#leaving.keys()) engine.destroy();
    await drained;
  }

  async #bind(listener: Listener, before: number | undefined): Promise<void> {
    const { engine, bindPort, address, tls, gate, sharedPort, ticketKeys } = this.#options;
    const { port } = listener;
    const overTls = isOverTls(listener);
    const shared = sharedPort?.(port);
    const number = shared?.number ?? before ?? bindPort(port);
    if (shared?.problem !== undefined) {
      this.#problems.set(port, this.#problem(listener, number, shared.problem));
      return;
    }
    const server = engine.serve(port, overTls ? tls(port) : undefined, gate);
    if (overTls) server.setTicketKeys(ticketKeys(port));
    try {
      const sharing = shared ? { reusePort: true } : {};
      server.server.listen({ port: number, host: address, backlog: BACKLOG, ...sharing });
      await once(server.server, 'listening');
    } catch (error) {
      this.#problems.set(port, this.#problem(listener, number, (error as NodeJS.ErrnoException).code));
      return;
    }
    // Errors of accept (too many open files) pass; the port goes on.
    server.server.on('error', () => {});
    this.#problems.delete(port);
    if (this.#retiring) server.retire();
    this.#bound.set(port, {
      isOverTls: overTls,
      asks: listener.clientCertificates?.mode,
      engine: server,
      number: (server.server.address() as AddressInfo).port,
    });
  }

  #drain(engine: EngineServer): void {
    const deadline = setTimeout(() => engine.destroy(), this.#options.drainTime);
    const closed = once(engine.server, 'close').then(() => {
      clearTimeout(deadline);
      this.#leaving.delete(engine);
    });
    this.#leaving.set(engine, closed);
    engine.server.close();
    engine.drain();
  }

  #problem({ port, source }: Listener, number: number, code: string | undefined): Diagnostic {
    const { address } = this.#options;
    const reason =
      code === 'EADDRINUSE'
        ? 'is in use by another process'
        : code === 'EACCES'
          ? 'may not be bound by this user'
          : code === 'EADDRNOTAVAIL'
            ? `can't be bound: ${address} is no address of this machine`
            : `can't be bound (${code ?? 'unknown reason'})`;
    return {
      severity: 'error',
      code: 'listener/port-not-bound',
      object: {
        group: GATEWAY_GROUP,
        kind: source.kind,
        namespace: source.namespace,
        name: source.name,
      },
      field: `spec.listeners["${source.listener}"].port`,
      message: `port ${number} of ${address}, for the listener port ${port}, ${reason}`,
      fix: FIXES[code ?? ''] ?? 'free the port or choose another one',
    };
  }
}
