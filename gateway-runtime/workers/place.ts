/** The place of one worker among those of a Gateway: a process, and another one after it where it ends. */
import type { Applied, FromWorker, ToWorker, Unbound } from './messages.ts';
import { WorkerProcess, type WorkerProcessOptions } from './worker-process.ts';

export interface PlaceOptions extends Pick<WorkerProcessOptions, 'program' | 'limits' | 'onLines'> {
  /** From 1 on. */
  readonly number: number;
  /** Milliseconds from the end of a process to the next: none where it ran well for the longest of them, then doubling from first to longest. */
  readonly backoff: { readonly first: number; readonly longest: number };
  readonly onMessage: (place: Place, message: Exclude<FromWorker, Unbound>) => void;
  /** Before the next one is started; `wait` in milliseconds, and undefined where there will be none. */
  readonly onEnd: (place: Place, how: string, wait: number | undefined) => void;
}

export class Place {
  readonly #options: PlaceOptions;
  #process: WorkerProcess;
  /** Whether it was sent what is served, and so gets what comes. */
  isBegun = false;
  /** The last update that it has answered. */
  answered = 0;
  #applied: Applied | undefined;
  /** CPU time in microseconds and memory in bytes, as it last told. */
  cpu = 0;
  memory = 0;
  /** CPU time of the processes before. */
  cpuBefore = 0;
  /** Processes that came after one that ended. */
  restarts = 0;
  #startedAt = 0;
  #failures = 0;
  #isClosing = false;
  readonly #unbound = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
    this.#process = this.#start();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** On its way for the first time. One that comes in place of another is not waited for. */
  get isNew(): boolean {
    return !this.isBegun && this.#failures === 0 && this.restarts === 0 && !this.#isClosing;
  }

  /** It has ports and rules, and takes requests. */
  get serves(): boolean {
    return this.#applied !== undefined && this.#applied.result.version !== '';
  }

  /** The last answer of this process. */
  get applied(): Applied | undefined {
    return this.#applied;
  }

  set applied(applied: Applied) {
    this.#applied = applied;
    this.answered = applied.id;
  }

  /** Resolves when others can have its ports, after it was told to drain or has ended for good. */
  get unbound(): Promise<void> {
    return this.#unbound.promise;
  }

  send(message: ToWorker): void {
    this.#process.send(message);
  }

  sendAll(messages: Iterable<string>): void {
    this.#process.sendAll(messages);
  }

  /** Another one comes in its place. */
  kill(why: string): void {
    this.#process.kill(why);
  }

  /** Resolves when it has ended by itself, or was killed since the time (milliseconds) is over. None comes in its place. */
  async end(patience: number): Promise<void> {
    this.#isClosing = true;
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#unbound.resolve();
      return;
    }
    const patient = setTimeout(() => this.kill('it did not end in time'), patience);
    await this.#process.ended;
    clearTimeout(patient);
  }

  #start(): WorkerProcess {
    const { program, limits, onLines, onMessage } = this.#options;
    this.#timer = undefined;
    this.#startedAt = performance.now();
    return new WorkerProcess({
      program,
      ...(limits ? { limits } : {}),
      onLines,
      onMessage: (message) => {
        if (message.type === 'unbound') this.#unbound.resolve();
        else onMessage(this, message);
      },
      onEnd: (how) => this.#ended(how),
    });
  }

  #ended(how: string): void {
    const { backoff, onEnd } = this.#options;
    this.cpuBefore += this.cpu;
    this.cpu = this.memory = 0;
    if (this.#isClosing) {
      this.#unbound.resolve();
      onEnd(this, how, undefined);
      return;
    }
    if (performance.now() - this.#startedAt > backoff.longest) this.#failures = 0;
    const wait =
      this.#failures === 0
        ? 0
        : Math.min(backoff.longest, backoff.first * 2 ** Math.min(this.#failures - 1, 30));
    this.#failures++;
    this.restarts++;
    this.#timer = setTimeout(() => {
      this.#process = this.#start();
    }, wait);
    onEnd(this, how, wait);
    this.isBegun = false;
    this.#applied = undefined;
    this.answered = 0;
  }
}
