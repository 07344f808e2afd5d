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

const LF = 10;

export class LogFile {
  readonly #descriptor: number;
  readonly #delay: number;
  readonly #most: number;
  #waiting = '';
  /** Lines in it. */
  #lines = 0;
  #lost = 0;
  #isWriting = false;
  /** The last line that was written is not whole. */
  #isCut = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(descriptor: number, { delay = 100, most = 4 * 1024 * 1024 }: LogFileOptions = {}) {
    this.#descriptor = descriptor;
    this.#delay = delay;
    this.#most = most;
  }

  /** Lines that were lost so far, those that were told of too. */
  lostInAll = 0;

  /** Lines that were lost and not told of yet. */
  get lost(): number {
    return this.#lost;
  }

  /** Without line end; or several lines, without the last line end. */
  write(line: string, lines = 1): void {
    if (this.#waiting.length + line.length >= this.#most) {
      this.#lost += lines;
      this.lostInAll += lines;
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
    const text = (this.#isCut ? '\n' : '') + this.#waiting + lost;
    this.#isCut = false;
    this.#waiting = '';
    this.#lines = this.#lost = 0;
    return text;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#waiting === '' && this.#lost === 0) return;
    this.#isWriting = true;
    const lines = this.#lines;
    const told = this.#lost;
    this.#write(Buffer.from(this.#take()), 0, lines, told);
  }

  /** `lines`, and `told` of before that these tell of: lost where nothing of this can be written. */
  #write(octets: Buffer, from: number, lines: number, told: number): void {
    write(this.#descriptor, octets, from, octets.length - from, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#write(octets, from, lines, told), this.#delay).unref();
        return;
      }
      if (!error && from + written < octets.length) {
        this.#write(octets, from + written, lines, told);
        return;
      }
      if (error) this.#lose(octets, from, lines, told);
      this.#isWriting = false;
      // After an error the next try waits for its turn too.
      if (this.#waiting !== '' || this.#lost > 0) this.#wait();
    });
  }

  /** After an error, as of a full disk, before which `from` octets were written. */
  #lose(octets: Buffer, from: number, lines: number, told: number): void {
    let whole = 0;
    for (let i = octets.indexOf(LF); i >= 0 && i < from; i = octets.indexOf(LF, i + 1)) whole++;
    const lost = Math.max(0, lines - whole);
    this.#lost += lost + told;
    this.lostInAll += lost;
    this.#isCut ||= from > 0 && octets[from - 1] !== LF;
  }
}
