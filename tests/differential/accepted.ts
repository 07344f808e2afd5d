/** Connections that servers of this process accepted, so that a client can wait until what it wrote was read: else two writes may be one read. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.server.socket';

export class Accepted {
  /** The server's side of each, by the client's address and the server's port; undefined once it is closed. */
  readonly #sockets = new Map<string, Socket | undefined>();
  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    const key = keyOf(socket.remoteAddress, socket.localPort);
    this.#sockets.set(key, socket);
    socket.on('close', () => this.#sockets.set(key, undefined));
  };

  constructor() {
    subscribe(CHANNEL, this.#onSocket);
  }

  /** Until the server has read so many octets of the client at `address`, whose only connection to it this is, or has closed. */
  async untilRead(address: string, port: number, octets: number): Promise<void> {
    const key = keyOf(address, port);
    // Accepted later than the client is connected.
    while (!this.#sockets.has(key)) await new Promise(setImmediate);
    for (;;) {
      const socket = this.#sockets.get(key);
      if (!socket || socket.bytesRead >= octets) return;
      await new Promise(setImmediate);
    }
  }

  close(): void {
    unsubscribe(CHANNEL, this.#onSocket);
  }
}

const keyOf = (address: string | undefined, port: number | undefined) => `${address} ${port}`;
