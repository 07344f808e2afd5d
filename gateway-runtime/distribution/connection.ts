/**
 * One end of a stream: frames of JSON over a TLS connection, both ways.
 *
 * Why not HTTP/2 or gRPC: there is one long-lived exchange on each connection, so nothing is left for them to multiplex; what they
 * add is a second flow control above TCP's, flood defences of their own, and codes for ways to fail that do not exist here. Why
 * not an upgrade from HTTP/1.1: nothing stands between the two ends that would need to understand it. TLS gives the protocol's
 * version (ALPN), TCP gives backpressure, and what is left to get right is a length.
 */
import type { Socket } from 'node:net';
import { InvalidContentError } from './exactly.ts';
import { FrameError, FrameReader, frame } from './frames.ts';
import type { DistributionLimits } from './limits.ts';
import type { ControlMessage, DataPlaneMessage, Goodbye, GoodbyeReason } from './messages.ts';

/** How long the other side may take to read a goodbye. */
const LINGER = 2_000;

export interface ConnectionOptions {
  /** Connected, the handshake done. */
  readonly socket: Socket;
  /** Bytes of the largest frame that is taken; see `limit`. */
  readonly limit: number;
  readonly limits: Pick<DistributionLimits, 'beat' | 'silence'>;
  /** May throw, and then the stream ends. `size` is in bytes. */
  readonly onMessage: (value: unknown, size: number) => void;
  /** Once, at the end, and why in words; `isOurs` where it was this side that ended it. */
  readonly onClose: (why: string, isOurs: boolean) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #timer: NodeJS.Timeout;
  #heardAt = performance.now();
  #spokeAt = performance.now();
  #ending = false;
  #closed = false;
  #why = 'the other side closed the connection';
  /** Goes on with what waits for room. */
  #resume: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { socket, limit, limits } = options;
    this.#socket = socket;
    this.#reader = new FrameReader(limit);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#ending) this.#why = error.code ?? error.message;
    });
    socket.on('drain', () => this.#resume?.());
    socket.on('close', () => this.#onClose());
    this.#timer = setInterval(() => this.#tick(), Math.min(limits.beat, limits.silence) / 2);
    this.#timer.unref();
  }

  get isOpen(): boolean {
    return !this.#closed && !this.#ending;
  }

  /** Bytes of the largest frame that is taken from now on. */
  set limit(bytes: number) {
    this.#reader.limit = bytes;
  }

  /** One small message. */
  send(message: ControlMessage | DataPlaneMessage): void {
    this.#write(JSON.stringify(message));
  }

  /**
   * Messages as JSON, each asked for when the one before it has found room: what waits is one message, however slow the other
   * side reads. False where the stream ended before all was written. Only one call at a time.
   */
  async sendAll(messages: Iterable<string>): Promise<boolean> {
    for (const json of messages) {
      if (!this.isOpen) return false;
      if (this.#write(json)) continue;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    return this.isOpen;
  }

  /** Says why, and ends. */
  end(reason: GoodbyeReason, message: string): void {
    if (!this.isOpen) return;
    const goodbye: Goodbye = { type: 'goodbye', reason, message };
    this.#write(JSON.stringify(goodbye));
    this.#ending = true;
    this.#why = message;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LINGER).unref();
  }

  /** Ends without a word. */
  destroy(why: string): void {
    if (!this.#ending) this.#why = why;
    this.#ending = true;
    this.#socket.destroy();
  }

  #write(json: string): boolean {
    if (!this.isOpen) return false;
    this.#spokeAt = performance.now();
    return this.#socket.write(frame(json));
  }

  #read(chunk: Buffer): void {
    this.#heardAt = performance.now();
    if (!this.isOpen) return;
    try {
      this.#reader.push(chunk);
      for (let next = this.#reader.next(); next && this.isOpen; next = this.#reader.next()) {
        this.#options.onMessage(next.value, next.size);
      }
    } catch (error) {
      const told = error instanceof FrameError || error instanceof InvalidContentError;
      this.end('protocol', told ? error.message : 'a message could not be processed');
    }
  }

  #tick(): void {
    const { beat, silence } = this.#options.limits;
    const now = performance.now();
    // Where it was this process that stood still, what came meanwhile is read first.
    if (now - this.#heardAt > silence) setImmediate(() => this.#endIfSilent());
    // What is not read yet says as much.
    if (now - this.#spokeAt >= beat / 2 && this.#socket.writableLength === 0) this.send({ type: 'beat' });
  }

  #endIfSilent(): void {
    const { silence } = this.#options.limits;
    if (performance.now() - this.#heardAt <= silence) return;
    this.destroy(`the other side was silent for ${silence / 1000} s`);
  }

  #onClose(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#resume?.();
    this.#options.onClose(this.#why, this.#ending);
  }
}
