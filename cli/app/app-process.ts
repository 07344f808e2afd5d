/**
 * Runs an app in a process of its own, a fresh one each time, and keeps the next one waiting with the libraries imported:
 * from a saved file to its objects takes as long as the app's own code.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AppObject, AppProblem, AppReply, LoadRequest } from './messages.ts';

export type LoadedApp = Extract<AppReply, { type: 'loaded' }>;

/** The app could not be loaded. `files` are those that were imported until then. */
export class AppError extends Error {
  readonly problems: readonly AppProblem[];
  readonly files: readonly string[];
  /** What it would give, where only its checks failed. */
  readonly objects: readonly AppObject[] | undefined;

  constructor({ problems, files = [], objects }: Partial<Extract<AppReply, { type: 'failed' }>>) {
    super(problems?.[0]?.message);
    this.problems = problems ?? [];
    this.files = files;
    this.objects = objects;
  }
}

/** A newer edit took the place of the one that was being loaded. */
export class Superseded extends Error {}

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CHILD = fileURLToPath(new URL(`./app-child.${EXTENSION}`, import.meta.url));

export class AppProcess {
  readonly #path: string;
  readonly #print: (text: string) => void;
  #waiting: ChildProcess | undefined;
  #loading: { child: ChildProcess; supersede: () => void } | undefined;

  /** `print` gets what the app writes to its console. */
  constructor(path: string, print: (text: string) => void) {
    this.#path = path;
    this.#print = print;
  }

  /** Starts a process that waits for the next load. */
  warm(): void {
    this.#waiting ??= this.#start();
  }

  /** Ends a load that is under way, since what it read is old: it rejects with Superseded. */
  supersede(): void {
    this.#loading?.supersede();
  }

  /** Loads the app as it stands on disk now. One at a time. */
  load(synth?: LoadRequest['synth']): Promise<LoadedApp> {
    const child = this.#waiting ?? this.#start();
    this.#waiting = undefined;
    return new Promise<LoadedApp>((resolve, reject) => {
      const settle = (finish: () => void) => {
        if (this.#loading?.child === child) this.#loading = undefined;
        finish();
      };
      this.#loading = {
        child,
        supersede: () => {
          child.kill('SIGKILL');
          reject(new Superseded());
        },
      };
      child.on('message', (reply: AppReply) => {
        if (reply.type === 'loaded') settle(() => resolve(reply));
        if (reply.type === 'failed') settle(() => reject(new AppError(reply)));
      });
      // Not on exit: a reply may be on its way still.
      child.once('close', (code, signal) => {
        const how = signal ? `was ended by ${signal}` : `ended itself with exit code ${code}`;
        settle(() =>
          reject(
            new AppError({ problems: [{ message: `the app's process ${how} before it gave its objects` }] }),
          ),
        );
      });
      child.once('error', (error) =>
        settle(() => reject(new AppError({ problems: [{ message: error.message }] }))),
      );
      child.send({ load: this.#path, ...(synth ? { synth } : {}) } satisfies LoadRequest);
    });
  }

  close(): void {
    this.#loading?.supersede();
    this.#waiting?.kill('SIGKILL');
    this.#waiting = undefined;
  }

  #start(): ChildProcess {
    const child = fork(CHILD, [this.#path], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', this.#print);
    }
    // A process that dies while it waits is replaced when it is needed.
    child.once('exit', () => {
      if (this.#waiting === child) this.#waiting = undefined;
    });
    child.on('error', () => {});
    return child;
  }
}
