/**
 * The faster twin of the transport in `transport.ts`: it reads into one buffer that all connections share, and writes past the stream machinery
 * of `node:net`. That saves a few microseconds a request, and rests on what Node does not document: a socket's `_handle`, and the bindings
 * `tcp_wrap` and `stream_wrap`. So it is used only where it was asked for, and only where Node has all of it in the form known here; elsewhere
 * `internals()` gives undefined.
 *
 * The socket stays what it is for all else: connecting, its end, errors, and queues of writes that it took itself.
 */
import { connect, type Socket } from 'node:net';
import { type Guard, guardedBy } from '../guard.ts';
import { isLost, tellLostWrites } from './lost-writes.ts';
import {
  HIGH_WATER_MARK,
  type OnOctets,
  PUBLIC,
  READ_BUFFER,
  type Transport,
  type Wire,
} from './transport.ts';

interface WriteRequest {
  oncomplete: (status: number) => void;
  size: number;
  /** Keeps the octets of a write that goes on. */
  octets: Uint8Array | undefined;
  onWritten: (() => void) | undefined;
}

interface Handle {
  onread: (this: Handle, octets?: ArrayBuffer) => unknown;
  reading: boolean;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, octets: Uint8Array): number;
}

interface Binding {
  readonly WriteRequest: new () => WriteRequest;
  /** What the last read and the last write came to. */
  readonly state: Int32Array;
  /** Where in it. */
  readonly read: number;
  readonly offset: number;
  readonly isAsync: number;
}

/** The binding, where this Node has it. */
function binding(): Binding | undefined {
  try {
    const found = (process as unknown as { binding(name: string): Record<string, unknown> }).binding(
      'stream_wrap',
    );
    const { WriteWrap, streamBaseState, kReadBytesOrError, kArrayBufferOffset, kLastWriteWasAsync } = found;
    const isKnown =
      typeof WriteWrap === 'function' &&
      ArrayBuffer.isView(streamBaseState) &&
      typeof kReadBytesOrError === 'number' &&
      typeof kArrayBufferOffset === 'number' &&
      typeof kLastWriteWasAsync === 'number';
    if (!isKnown) return undefined;
    return {
      WriteRequest: WriteWrap as Binding['WriteRequest'],
      state: streamBaseState as Int32Array,
      read: kReadBytesOrError,
      offset: kArrayBufferOffset,
      isAsync: kLastWriteWasAsync,
    };
  } catch {
    return undefined;
  }
}

const handleOf = (socket: Socket) => (socket as unknown as { _handle: Handle | null })._handle;

const isKnown = (handle: Handle | null): handle is Handle =>
  handle !== null &&
  typeof handle.onread === 'function' &&
  typeof handle.useUserBuffer === 'function' &&
  typeof handle.readStart === 'function' &&
  typeof handle.readStop === 'function' &&
  typeof handle.writeLatin1String === 'function' &&
  typeof handle.writeBuffer === 'function';

/**
 * Undefined where this Node has no such internals.
 *
 * @param onError is told of what is thrown; the connection has ended that it was about; default: console.error
 */
export function internals(onError: (error: unknown) => void = console.error): Transport | undefined {
  const bound = binding();
  if (!bound) return undefined;
  return {
    accept(socket, onOctets) {
      const wire = new InternalWire(bound, socket, onOctets, onError);
      wire.attach();
      return wire;
    },
    connect(options, onOctets, onLost) {
      const socket = connect(options);
      tellLostWrites(socket, onLost);
      const wire = new InternalWire(bound, socket, onOctets, onError, onLost);
      // Before the engine hears of it, and before anything is read.
      const attach = () => wire.attach();
      socket.prependOnceListener('connect', wire.guard(attach));
      return { socket, wire };
    },
    give(_socket, wire) {
      (wire as InternalWire).give();
    },
  };
}

class InternalWire implements Wire {
  /** What is thrown ends the connection. */
  readonly guard: Guard;
  readonly #bound: Binding;
  readonly #socket: Socket;
  readonly #onOctets: OnOctets;
  /** Absent where a write that is lost ends the connection. */
  readonly #onLost: (() => void) | undefined;
  /** Absent until the socket is connected, and where its handle is none that we know. */
  #handle: Handle | undefined;
  #isGiven = false;
  /** A request that is free to be used again. */
  #spare: WriteRequest | undefined;
  /** Octets that the kernel has not taken of what was written past the socket. */
  #waiting = 0;
  #mustDrain = false;

  constructor(
    bound: Binding,
    socket: Socket,
    onOctets: OnOctets,
    onError: (error: unknown) => void,
    onLost?: () => void,
  ) {
    this.guard = guardedBy((error) => {
      socket.destroy();
      onError(error);
    });
    this.#bound = bound;
    this.#socket = socket;
    this.#onOctets = onOctets;
    this.#onLost = onLost;
  }

  /** From now on what comes is told to us alone. */
  attach(): void {
    const handle = handleOf(this.#socket);
    if (!isKnown(handle)) {
      PUBLIC.accept(this.#socket, this.#onOctets);
      return;
    }
    this.#handle = handle;
    const { state, read, offset } = this.#bound;
    const before = handle.onread;
    handle.useUserBuffer(READ_BUFFER);
    handle.onread = (octets) => {
      const length = state[read]!;
      if (length <= 0) return before.call(handle, octets);
      if (this.#isGiven) {
        state[offset] = 0;
        return before.call(handle, new Uint8Array(READ_BUFFER.subarray(0, length)).buffer);
      }
      this.#readEarly();
      this.#onOctets(READ_BUFFER, 0, length, false);
      return undefined;
    };
    // Under TLS some may have come with the end of the handshake.
    if (this.#socket.readableLength > 0) process.nextTick(this.guard(() => this.#readEarly()));
  }

  #readEarly(): void {
    if (this.#isGiven || this.#socket.readableLength === 0) return;
    const chunk: Buffer | null = this.#socket.read();
    if (chunk) this.#onOctets(chunk, 0, chunk.length, true);
  }

  give(): void {
    this.#isGiven = true;
    if (!this.#handle) PUBLIC.give(this.#socket, this);
  }

  write(data: Uint8Array, onWritten?: () => void): boolean;
  write(data: string, encoding: 'latin1'): boolean;
  write(data: string | Uint8Array, more?: 'latin1' | (() => void)): boolean {
    const socket = this.#socket;
    const handle = this.#handle;
    // What the socket itself has taken goes first.
    if (!handle || socket.writableLength > 0 || socket.writableCorked > 0 || !socket.writable) {
      return socket.write(data as string, more as 'latin1') && !this.writableNeedDrain;
    }
    const request = this.#spare ?? this.#newRequest();
    this.#spare = undefined;
    const isText = typeof data === 'string';
    const failed = isText ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data);
    const onWritten = typeof more === 'function' ? more : undefined;
    if (failed !== 0) {
      const isTaken = this.#takesLoss(failed);
      if (!isTaken) socket.destroy();
      onWritten?.();
      return isTaken;
    }
    if (this.#bound.state[this.#bound.isAsync] === 0) {
      this.#spare = request;
      onWritten?.();
      return true;
    }
    request.onWritten = onWritten;
    request.size = data.length;
    if (!isText) request.octets = data;
    this.#waiting += data.length;
    if (this.#waiting >= HIGH_WATER_MARK) this.#mustDrain = true;
    return !this.writableNeedDrain;
  }

  #newRequest(): WriteRequest {
    const request = new this.#bound.WriteRequest();
    request.size = 0;
    request.octets = undefined;
    request.onWritten = undefined;
    request.oncomplete = this.guard((status) => this.#written(request, status));
    return request;
  }

  #written(request: WriteRequest, status: number): void {
    this.#waiting -= request.size;
    request.octets = undefined;
    request.onWritten?.();
    request.onWritten = undefined;
    this.#spare = request;
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (status < 0 && !this.#takesLoss(status)) socket.destroy();
    else if (this.#mustDrain && this.#waiting === 0) {
      this.#mustDrain = false;
      if (!socket.writableNeedDrain) socket.emit('drain');
    }
  }

  /** As `tellLostWrites`. */
  #takesLoss(code: number): boolean {
    if (!this.#onLost || !isLost(code)) return false;
    this.#onLost();
    return true;
  }

  get writableNeedDrain(): boolean {
    return this.#mustDrain || this.#socket.writableNeedDrain;
  }

  get writableLength(): number {
    return this.#waiting + this.#socket.writableLength;
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    const handle = this.#handle;
    if (!handle) this.#socket.pause();
    else if (handle.reading && !this.#socket.destroyed) {
      handle.reading = false;
      handle.readStop();
    }
  }

  resume(): void {
    const handle = this.#handle;
    if (!handle) this.#socket.resume();
    else if (!handle.reading && !this.#socket.destroyed) {
      handle.reading = true;
      handle.readStart();
    }
  }
}
