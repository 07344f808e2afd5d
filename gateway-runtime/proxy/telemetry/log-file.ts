/**
 * Lines on their way to a file descriptor, in few large writes that never block: a reader that is slow, or a full disk, costs lines of the log
 * and no request. What was lost is said, in a line of its own.
 */
import { write } from 'node:fs';
import { type Guard, guardedBy } from '../guard.ts';

export interface LogFileOptions {
  /** Milliseconds for which a line may wait for company. Default: 100. */
  readonly delay?: number;
  /** Octets that may wait; lines beyond are lost. Default: 4 MiB. */
  readonly most?: number;
  /** Told of what is thrown, with which the lines are lost that were being written. Default: console.error. */
  readonly onError?: (error: unknown) => void;
}

/** Lines as octets, whole ones. */
interface Piece {
  readonly octets: Buffer;
  length: number;
  lines: number;
  /** Lines lost before, of which this tells. */
  readonly told: number;
}

const LF = 10;
/** Octets of what is written at once. Lines are kept as octets from the start: as text they would be old when they are written, and dear to collect. */
const PIECE = 64 * 1024;
/** Octets that a character (a unit of UTF-16) takes at most. */
const WIDEST = 3;

const piece = (octets: Buffer): Piece => ({ octets, length: 0, lines: 0, told: 0 });

export class LogFile {
  readonly #descriptor: number;
  readonly #delay: number;
  readonly #most: number;
  /** What lines are added to. */
  #open: Piece | undefined;
  /** What is full, in order. */
  #full: Piece[] = [];
  /** Octets in both, and in what is being written. */
  #waiting = 0;
  /** For the next piece. */
  #spare: Buffer | undefined;
  #lost = 0;
  #isWriting = false;
  /** The last line that was written is not whole. */
  #isCut = false;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  readonly #guard: Guard;
  /** Nothing may wait for company any more. */
  #onFlushed: (() => void) | undefined;

  constructor(
    descriptor: number,
    { delay = 100, most = 4 * 1024 * 1024, onError = console.error }: LogFileOptions = {},
  ) {
    this.#descriptor = descriptor;
    this.#delay = delay;
    this.#most = most;
    this.#guard = guardedBy((error) => {
      this.#isWriting = false;
      onError(error);
    });
  }

  /** Lines that were lost so far, those that were told of too. */
  lostInAll = 0;

  /** Lines that were lost and not told of yet. */
  get lost(): number {
    return this.#lost;
  }

  /** Without line end; or several lines, without the last line end. */
  write(line: string, lines = 1): void {
    if (this.#hasEnded || this.#waiting + line.length >= this.#most) {
      this.#lost += lines;
      this.lostInAll += lines;
      return;
    }
    const open = this.#openFor(WIDEST * line.length + 1);
    const before = open.length;
    open.length += open.octets.write(line, before);
    open.octets[open.length++] = LF;
    open.lines += lines;
    this.#waiting += open.length - before;
    if (!this.#timer && !this.#isWriting) this.#wait();
  }

  /** With room for so many octets. */
  #openFor(octets: number): Piece {
    if (this.#open && this.#open.octets.length - this.#open.length >= octets) return this.#open;
    if (this.#open) {
      this.#full.push(this.#open);
      if (!this.#isWriting) this.#writeNext();
    }
    if (octets > PIECE) {
      this.#open = piece(Buffer.allocUnsafeSlow(octets));
    } else {
      this.#open = piece(this.#spare ?? Buffer.allocUnsafeSlow(PIECE));
      this.#spare = undefined;
    }
    return this.#open;
  }

  #wait(): void {
    const onDue = this.#guard(() => this.#writeNext());
    this.#timer = setTimeout(onDue, this.#delay).unref();
  }

  /**
   * Resolves when all that waits is written: before the process ends. Also after an error, and when the time (milliseconds) is over: then there is
   * nobody left to tell. Nothing is begun after it: the descriptor may be another's by then.
   */
  async end(time = 2_000): Promise<void> {
    if (!this.#isWriting) this.#writeNext();
    if (this.#isWriting) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onFlushed = resolve;
      const patience = setTimeout(resolve, time);
      await promise;
      clearTimeout(patience);
      this.#onFlushed = undefined;
    }
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** What is to be written next, with a line about what was lost at its end. */
  #next(): Piece | undefined {
    const next = this.#full.shift() ?? this.#open;
    if (next === this.#open) this.#open = undefined;
    if (this.#lost === 0) return next;
    const told = this.#lost;
    const line = `{"lost":${told},"reason":"the log could not be written fast enough"}\n`;
    const octets = Buffer.concat([
      Buffer.from(this.#isCut ? '\n' : ''),
      next?.octets.subarray(0, next.length) ?? Buffer.of(),
      Buffer.from(line),
    ]);
    this.#isCut = false;
    this.#lost = 0;
    this.#waiting += octets.length - (next?.length ?? 0);
    return { octets, length: octets.length, lines: next?.lines ?? 0, told };
  }

  #writeNext(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const next = this.#next();
    if (!next) return;
    this.#isWriting = true;
    this.#write(next, 0);
  }

  #write(next: Piece, from: number): void {
    const onWritten = this.#guard((error: NodeJS.ErrnoException | null, written: number) => {
      if (error?.code === 'EAGAIN') {
        const again = this.#guard(() => this.#write(next, from));
        this.#timer = setTimeout(again, this.#delay).unref();
        return;
      }
      if (this.#hasEnded) return;
      if (!error && from + written < next.length) {
        this.#write(next, from + written);
        return;
      }
      this.#waiting -= next.length;
      if (error) this.#lose(next, from);
      if (next.octets.length === PIECE) this.#spare = next.octets;
      this.#isWriting = false;
      const isSome = this.#full.length > 0 || this.#open !== undefined || this.#lost > 0;
      // After an error the next try waits for its turn too.
      if (!error && (this.#full.length > 0 || (isSome && this.#onFlushed))) this.#writeNext();
      else {
        if (isSome) this.#wait();
        this.#onFlushed?.();
      }
    });
    write(this.#descriptor, next.octets, from, next.length - from, null, onWritten);
  }

  /** After an error, as of a full disk, before which `from` octets were written. */
  #lose({ octets, length, lines, told }: Piece, from: number): void {
    let whole = 0;
    for (let i = octets.indexOf(LF); i >= 0 && i < from; i = octets.indexOf(LF, i + 1)) whole++;
    const lost = Math.max(0, lines - whole);
    this.#lost += lost + told;
    this.lostInAll += lost;
    this.#isCut ||= from > 0 && from < length && octets[from - 1] !== LF;
  }
}
