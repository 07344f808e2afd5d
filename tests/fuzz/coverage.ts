/** Which parts of some files ran, as V8 counts them: no build and no instrumentation. */
import { Session } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #files: readonly string[];
  readonly #seen = new Set<string>();

  /** @param files ends of the URLs of the files that count */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Parts that ran since the last time and are not noted. */
  fresh(): string[] {
    const fresh: string[] = [];
    // Called back at once: the session is with this thread.
    this.#session.post('Profiler.takePreciseCoverage', (_error, { result }) => {
      for (const { url, functions } of result) {
        if (!this.#files.some((file) => url.endsWith(file))) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count === 0) continue;
            const key = `${url} ${startOffset} ${endOffset}`;
            if (!this.#seen.has(key)) fresh.push(key);
          }
        }
      }
    });
    return fresh;
  }

  note(parts: readonly string[]): void {
    for (const part of parts) this.#seen.add(part);
  }

  get size(): number {
    return this.#seen.size;
  }
}
