/**
 * Tells apart what comes to a port with listeners of protocol TLS, by the server name of the ClientHello: connections for HTTPS listeners
 * go on to the server of the engine with every octet that was read, the others to where their TLSRoute says. And it turns away, on ports
 * with listeners that take TLS 1.3 only, who does not offer that to them: OpenSSL has one minimum for a port, and has chosen the version
 * before it asks which listener is meant. A port without such listeners never gets here.
 */
import type { Socket } from 'node:net';
import { normalizeHost } from '../../match/normalize.ts';
import type { Listener } from '../../snapshot/snapshot.ts';
import type { ClientConnection } from '../exchange.ts';
import { type Deadline, Deadlines } from '../pipeline/deadlines.ts';
import type { Place } from '../places/place.ts';
import { ClientHelloReader, type HelloProgress } from './client-hello.ts';

/** A connection that was accepted, before anything of it was read. */
export interface Arrival {
  readonly socket: Socket;
  readonly place: Place;
  readonly connection: ClientConnection;
  /** Hands it to the server of the engine. */
  readonly toHttps: () => void;
}

/** One whose ClientHello was read. */
export interface Announced extends Arrival {
  readonly listener: Listener;
  /** Canonical; empty where the client sent none. */
  readonly serverName: string;
  /** What was read of the socket. */
  readonly head: Buffer;
}

/** What listens on a port asks before it begins with TLS. */
export interface TlsGate {
  /** Whether the port has now a listener of protocol TLS, or one that takes TLS 1.3 only. */
  isNeeded(port: number): boolean;
  admit(arrival: Arrival): void;
}

export interface GateOptions {
  readonly isNeeded: (port: number) => boolean;
  /** The listener of a port for a server name: of the table that serves now. */
  readonly listener: (port: number, serverName: string) => Listener | undefined;
  /** Octets that are read of a ClientHello at most, and milliseconds for which it is waited for. */
  readonly most: number;
  readonly time: number;
  readonly onRouted: (announced: Announced) => void;
  /** It was closed: no ClientHello came, or one for a server name that no listener takes, or in a version that its listener does not. */
  readonly onRefused: (connection: ClientConnection) => void;
  readonly onError: (error: unknown) => void;
}

/** A record with the fatal alert protocol_version (RFC 8446 section 6.2), in the version in which every client reads records. */
const PROTOCOL_VERSION = Buffer.from([21, 3, 1, 0, 2, 2, 70]);

export class ClientHelloGate implements TlsGate {
  readonly #options: GateOptions;
  readonly #deadlines: Deadlines<Peek>;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines((peek) => peek.refuse(), options.onError);
  }

  isNeeded(port: number): boolean {
    return this.#options.isNeeded(port);
  }

  admit(arrival: Arrival): void {
    const peek = new Peek(arrival, this.#options);
    peek.deadline = this.#deadlines.set(peek, this.#options.time);
  }
}

/** A connection until its ClientHello is read. */
class Peek {
  readonly #arrival: Arrival;
  readonly #options: GateOptions;
  readonly #reader: ClientHelloReader;
  #read: Buffer[] = [];
  #isOver = false;
  deadline: Deadline<Peek> | undefined;

  constructor(arrival: Arrival, options: GateOptions) {
    this.#arrival = arrival;
    this.#options = options;
    this.#reader = new ClientHelloReader(options.most);
    const { socket } = arrival;
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onGone);
    socket.on('close', this.#onGone);
  }

  refuse(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#arrival.socket.destroy();
    this.#options.onRefused(this.#arrival.connection);
  }

  readonly #onGone = (): void => {
    try {
      this.refuse();
    } catch (error) {
      this.#options.onError(error);
    }
  };

  readonly #onReadable = (): void => {
    try {
      const octets = this.#arrival.socket.read() as Buffer | null;
      if (octets === null) return;
      this.#read.push(octets);
      const progress = this.#reader.read(octets);
      if (progress !== 'more') this.#decide(progress);
    } catch (error) {
      this.#leave();
      this.#arrival.socket.destroy();
      this.#options.onError(error);
    }
  };

  #decide(progress: Exclude<HelloProgress, 'more'>): void {
    const { listener: listenerOf, onRouted } = this.#options;
    const { socket, connection, toHttps } = this.#arrival;
    const serverName = progress === 'malformed' ? undefined : canonical(progress.serverName);
    const listener = serverName === undefined ? undefined : listenerOf(connection.port, serverName);
    if (progress === 'malformed' || serverName === undefined || !listener) {
      this.refuse();
      return;
    }
    this.#leave();
    if (listener.minTlsVersion === 'TLSv1.3' && !progress.offersTls13) {
      socket.end(PROTOCOL_VERSION, () => socket.destroy());
      this.#options.onRefused(connection);
      return;
    }
    const head = this.#read.length === 1 ? this.#read[0]! : Buffer.concat(this.#read);
    if (listener.protocol === 'TLS') {
      onRouted({ ...this.#arrival, listener, serverName, head });
      return;
    }
    socket.unshift(head);
    toHttps();
  }

  #leave(): void {
    this.#isOver = true;
    this.deadline?.cancel();
    const { socket } = this.#arrival;
    socket.off('readable', this.#onReadable);
    socket.off('end', this.#onGone);
    socket.off('close', this.#onGone);
  }
}

function canonical(serverName: string): string | undefined {
  if (serverName === '') return '';
  const host = normalizeHost(serverName);
  return typeof host === 'string' ? host : undefined;
}
