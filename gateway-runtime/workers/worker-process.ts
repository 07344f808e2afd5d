/** One worker as its parent sees it: a process, what is to be sent to it, and what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { Connection } from '../distribution/connection.ts';
import { DISTRIBUTION_LIMITS, type DistributionLimits } from '../distribution/limits.ts';
import type { Beat, Goodbye } from '../distribution/messages.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { WholeLines } from './whole-lines.ts';
import { CHANNEL } from './worker.ts';

/** What a worker runs; it calls `runWorker`. */
export interface WorkerProgram {
  readonly file: string;
  readonly args?: readonly string[];
}

export interface WorkerProcessOptions {
  readonly program: WorkerProgram;
  /** How long one may be silent before it is taken for dead. */
  readonly limits?: Partial<Pick<DistributionLimits, 'beat' | 'silence'>>;
  /** Whole lines of the access log, without the last line end, and how many they are. */
  readonly onLines: (lines: string, count: number) => void;
  readonly onMessage: (message: FromWorker) => void;
  /** Once, when nothing more comes of it; and how it ended, in words. */
  readonly onEnd: (how: string) => void;
}

/** Milliseconds that a process may take from the end of its pipe to its own. */
const CLOSE = 1_000;

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #connection: Connection | undefined;
  #why = '';
  #last: Promise<unknown> = Promise.resolve();
  readonly ended: Promise<void>;

  constructor({ program, limits, onLines, onMessage, onEnd }: WorkerProcessOptions) {
    // A debugger can't listen at one port for all of them.
    const execArgv = process.execArgv.filter((each) => !each.startsWith('--inspect'));
    this.#child = spawn(process.execPath, [...execArgv, program.file, ...(program.args ?? [])], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const end = (how: string) => {
      onEnd(this.#why ? `${how} (${this.#why})` : how);
      resolve();
    };
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      // There is no process; where there is one, its end is told below.
      if (this.#child.pid === undefined) end(`it could not be started: ${error.code ?? error.message}`);
    });
    if (this.#child.pid === undefined) return;
    this.#child.on('close', (code, signal) => end(signal ?? `code ${code}`));
    const lines = new WholeLines(onLines);
    this.#child.stdout!.on('data', (octets: Buffer) => lines.push(octets));
    this.#connection = new Connection({
      socket: this.#child.stdio[CHANNEL] as Readable as Socket,
      limit: DISTRIBUTION_LIMITS.controlFrame,
      limits: { ...DISTRIBUTION_LIMITS, ...limits },
      onMessage: (value) => {
        const { type } = value as Beat | Goodbye;
        if (type !== 'beat' && type !== 'goodbye') onMessage(value as FromWorker);
      },
      onClose: (why, isOurs) => {
        // Also where it ends by itself once it finds the pipe closed.
        if (isOurs) this.#why ||= why;
        // Without the pipe it is of no use; mostly it is the process that ended.
        setTimeout(() => this.kill(why), CLOSE).unref();
      },
    });
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToWorker): void {
    this.sendAll([JSON.stringify(message)]);
  }

  /** Messages as JSON, after all that was to be sent before. They are made as there is room for them. */
  sendAll(messages: Iterable<string>): void {
    this.#last = this.#last.then(() => this.#connection?.sendAll(messages));
  }

  kill(why: string): void {
    this.#why ||= why;
    this.#child.kill('SIGKILL');
  }
}
