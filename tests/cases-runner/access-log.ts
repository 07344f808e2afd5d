/** The access log of the live layer: a line is written when an exchange ends, which may be after its client has the answer. */
export interface LogEntry {
  /** `TLS` for a connection of a TLSRoute, which has no status. */
  readonly protocol: string;
  readonly status: number;
  readonly listener?: string;
  readonly namespace?: string;
  readonly route?: string;
  readonly rule?: string | number;
}

/** Far above what it takes. */
const PATIENCE_MS = 2000;

export class AccessLog {
  #line: string | undefined;
  #arrived: (() => void) | undefined;

  clear(): void {
    this.#line = undefined;
  }

  take(line: string): void {
    this.#line ??= line;
    this.#arrived?.();
  }

  /** The first line since `clear`; undefined where none comes. */
  async next(): Promise<LogEntry | undefined> {
    if (this.#line === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#arrived = undefined;
    }
    return this.#line === undefined ? undefined : JSON.parse(this.#line);
  }
}
