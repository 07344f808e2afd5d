/**
 * Lines on their way to a file descriptor, in few large writes that never block: a reader that is slow, or a full disk, costs lines of the log
 * and no request. What was lost is said, in a line of its own.
 */
import { write, writeSync } from 'node:fs';

export interface LogFileOptions {
  /** Milliseconds for which a line may wait for company. Default: 100. */
  readonly delay?: number;
  /** Characters that may wait; lines beyond are lost. Default: 4 MiB. */
  readonly most?: number;
}

export class LogFile {
  readonly #descriptor: number;
  readonly #delay: number;
  readonly #most: number;
  #waiting = '';
  /** Lines in it. */
  #lines = 0;
  #lost = 0;
  #isWriting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(descriptor: number, { delay = 100, most = 4 * 1024 * 1024 }: LogFileOptions = {}) {
    this.#descriptor = descriptor;
    this.#delay = delay;
    this.#most = most;
  }

  /** Lines that were lost and not told of yet. */
  get lost(): number {
    return this.#lost;
  }

  /** Without line end; or several lines, without the last line end. */
  write(line: string, lines = 1): void {
    if (this.#waiting.length + line.length >= this.#most) {
      this.#lost += lines;
      return;
    }
    this.#waiting += `${line}\n`;
    this.#lines += lines;
    if (this.#timer || this.#isWriting) return;
    this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#flush(), this.#delay).unref();
  }

  /** What still waits, at once: before the process ends. A descriptor that takes nothing loses it. */
  flushSync(): void {
    clearTimeout(this.#timer);
    const octets = Buffer.from(this.#take());
    let written = 0;
    try {
      while (written < octets.length) written += writeSync(this.#descriptor, octets, written);
    } catch {
      // There is nobody left to tell.
    }
  }

  #take(): string {
    const lost = this.#lost
      ? `{"lost":${this.#lost},"reason":"the log could not be written fast enough"}\n`
      : '';
    const text = this.#waiting + lost;
    this.#waiting = '';
    this.#lines = this.#lost = 0;
    return text;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#waiting === '' && this.#lost === 0) return;
    this.#isWriting = true;
    const lines = this.#lines + this.#lost;
    this.#write(Buffer.from(this.#take()), 0, lines);
  }

  /** `lines`: that are lost where nothing of this can be written. */
  #write(octets: Buffer, from: number, lines: number): void {
    write(this.#descriptor, octets, from, octets.length - from, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#write(octets, from, lines), this.#delay).unref();
        return;
      }
      if (!error && from + written < octets.length) {
        this.#write(octets, from + written, lines);
        return;
      }
      if (error) this.#lost += lines;
      this.#isWriting = false;
      // After an error the next try waits for its turn too.
      if (this.#waiting !== '' || this.#lost > 0) this.#wait();
    });
  }
}
