/**
 * How octets come from a socket and go to it. Everything else of a connection, such as its end and its errors, is the socket's own, whatever the
 * transport. The one here needs no more than the public API of `node:net`; `internals.ts` has its faster twin, which is off unless asked for.
 */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { tellLostWrites } from './lost-writes.ts';

/** What the engine writes to, and asks to read on or not. A socket is one; it is the socket that emits 'drain'. */
export interface Wire {
  readonly writableNeedDrain: boolean;
  /** Octets that wait. */
  readonly writableLength: number;
  /** False: no more until 'drain'. Octets are kept until they are written; `onWritten` is called then, or once they never will be. */
  write(octets: Uint8Array, onWritten?: () => void): boolean;
  write(text: string, encoding: 'latin1'): boolean;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
}

/** Takes what was read, and throws nothing. What is not `owned` is gone when this returns. */
export type OnOctets = (octets: Buffer, start: number, end: number, owned: boolean) => void;

export interface Transport {
  /** For a connection that a server accepted, before anything was read of it. */
  accept(socket: Socket, onOctets: OnOctets): Wire;
  /**
   * The socket of a new connection, and what is written to and paused. `onLost` is told of writes to a side that reads no more
   * (`lost-writes.ts`).
   */
  connect(
    options: TcpNetConnectOpts,
    onOctets: OnOctets,
    onLost: () => void,
  ): { readonly socket: Socket; readonly wire: Wire };
  /** Makes the socket a stream like any other, and calls `onOctets` no more. Only for what came from `accept`. */
  give(socket: Socket, wire: Wire): void;
}

/** Octets that a connection takes before it says that it is full. */
export const HIGH_WATER_MARK = 128 * 1024;

/** One for all connections: what is in it is used up, or copied, before the next read. */
export const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

export const PUBLIC: Transport = {
  accept(socket, onOctets) {
    return socket.on('data', (chunk: Buffer) => onOctets(chunk, 0, chunk.length, true));
  },
  connect(options, onOctets, onLost) {
    const callback = (length: number) => {
      onOctets(READ_BUFFER, 0, length, false);
      return true;
    };
    const socket = connect({ ...options, onread: { buffer: READ_BUFFER, callback } });
    tellLostWrites(socket, onLost);
    return { socket, wire: socket };
  },
  give(socket) {
    // Not all at once: a stream that flows would drop what is put back.
    for (const each of socket.listeners('data')) socket.off('data', each as () => void);
  },
};
