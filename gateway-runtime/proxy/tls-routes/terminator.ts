/**
 * Handshakes with clients of listeners with protocol TLS and mode Terminate. A server of `node:tls` for each port, which listens on nothing
 * and is given connections. No protocol is chosen for the client (ALPN), since nothing is known of what follows.
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Listener } from '../../snapshot/snapshot.ts';
import { guardedBy } from '../guard.ts';
import type { Limits } from '../limits.ts';
import { ticketKeysOf } from '../ticket-keys.ts';
import { type Certificates, STRICT, tlsOptions } from '../tls.ts';

export interface TerminatorOptions {
  readonly certificates: Certificates;
  /** The listener of a port for a server name, if it is one of these. */
  readonly listener: (port: number, serverName: string) => Listener | undefined;
  readonly limits: Limits;
  readonly ticketKeys: () => Buffer;
  /** Told what is thrown; the handshake that it was about has failed. */
  readonly onError: (error: unknown) => void;
}

type OnSecure = (socket: TLSSocket | undefined) => void;

interface Port {
  readonly server: TlsServer;
  /** By the client's address and port: a server tells of sockets of its own. */
  readonly waiting: Map<string, OnSecure>;
}

export class Terminator {
  readonly #options: TerminatorOptions;
  readonly #ports = new Map<number, Port>();

  constructor(options: TerminatorOptions) {
    this.#options = options;
  }

  /** `onSecure` is called once: with what is decrypted, or with nothing where the handshake failed. */
  terminate(port: number, socket: Socket, onSecure: OnSecure): void {
    const { server, waiting } = this.#portOf(port);
    const key = keyOf(socket);
    waiting.set(key, onSecure);
    const onClose = () => {
      if (waiting.get(key) === onSecure) settle(waiting, key, undefined);
    };
    socket.on('close', guardedBy(this.#options.onError)(onClose));
    server.emit('connection', socket);
  }

  /** For sessions from now on. */
  renewTicketKeys(): void {
    for (const [port, { server }] of this.#ports) server.setTicketKeys(this.#keysOf(port));
  }

  #portOf(port: number): Port {
    const known = this.#ports.get(port);
    if (known) return known;
    const { certificates, listener, limits, onError } = this.#options;
    const options = tlsOptions({
      certificates,
      listener: (serverName) => (serverName === '' ? undefined : listener(port, serverName)),
      demand: () => undefined,
      limits,
      protocols: [],
      onError,
    });
    const { ALPNProtocols: _, ...rest } = options;
    const server = createServer({ ...STRICT, ...rest, ticketKeys: this.#keysOf(port) });
    const waiting = new Map<string, OnSecure>();
    server.on('secureConnection', (socket) => {
      try {
        socket.on('error', () => {});
        settle(waiting, keyOf(socket), socket);
      } catch (error) {
        socket.destroy();
        onError(error);
      }
    });
    server.on(
      'tlsClientError',
      guardedBy(onError)((_: Error, socket: TLSSocket) => settle(waiting, keyOf(socket), undefined)),
    );
    const made = { server, waiting };
    this.#ports.set(port, made);
    return made;
  }

  /** Apart from those of HTTPS on the same port, so that no session goes from one to the other. */
  #keysOf(port: number): Buffer {
    return ticketKeysOf(this.#options.ticketKeys(), -port);
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

function settle(waiting: Map<string, OnSecure>, key: string, socket: TLSSocket | undefined): void {
  const onSecure = waiting.get(key);
  waiting.delete(key);
  if (onSecure) onSecure(socket);
  else socket?.destroy();
}
