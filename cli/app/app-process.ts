/**
 * Runs an app in a process of its own, a fresh one each time, and keeps the next one waiting with the libraries imported:
 * from a saved file to its objects takes as long as the app's own code.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { shownPath } from '../../gateway-runtime/control/files.ts';
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

/** What Node says of every app of its kind: that it is TypeScript, and a module though its package.json does not say so. */
const QUIET = ['ExperimentalWarning', 'MODULE_TYPELESS_PACKAGE_JSON'].map(
  (each) => `--disable-warning=${each}`,
);

/** Milliseconds after which it is said that an app is still waited for. */
const SLOW = 2_000;
/** Seconds that an app may take, unless told otherwise. */
export const APP_TIMEOUT = 30;
/** Processes that wait for edits: one for a save, and one for another save right after it. */
const KEPT = 2;

export interface AppProcessOptions {
  /** Gets what the app writes to its console, and a word where it takes long. */
  readonly print: (text: string) => void;
  /** Seconds. */
  readonly timeout: number;
}

export class AppProcess {
  readonly #path: string;
  readonly #options: AppProcessOptions;
  #waiting: ChildProcess[] = [];
  #loading: { child: ChildProcess; supersede: () => void } | undefined;

  constructor(path: string, options: AppProcessOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Starts processes that wait for the next loads, one after the other so that they don't compete. */
  warm(): void {
    if (this.#waiting.length >= KEPT) return;
    const child = this.#start();
    this.#waiting.push(child);
    child.once('message', () => {
      if (this.#waiting.includes(child)) this.warm();
    });
    // One that dies while it waits is replaced when it is needed.
    child.once('exit', () => {
      this.#waiting = this.#waiting.filter((each) => each !== child);
    });
  }

  /** Ends a load that is under way, since what it read is old: it rejects with Superseded. */
  supersede(): void {
    this.#loading?.supersede();
  }

  /** Loads the app as it stands on disk now. One at a time. */
  async load(synth?: LoadRequest['synth']): Promise<LoadedApp> {
    const child = this.#waiting.shift() ?? this.#start();
    const timers = this.#watch(child);
    const undo = onEnd(() => this.supersede());
    try {
      return await this.#reply(child, { load: this.#path, ...(synth ? { synth } : {}) });
    } finally {
      for (const timer of timers) clearTimeout(timer);
      undo();
      if (this.#loading?.child === child) this.#loading = undefined;
    }
  }

  close(): void {
    this.#loading?.supersede();
    for (const child of this.#waiting) child.kill('SIGKILL');
    this.#waiting = [];
  }

  #reply(child: ChildProcess, request: LoadRequest): Promise<LoadedApp> {
    return new Promise((resolve, reject) => {
      const fail = (message: string) => reject(new AppError({ problems: [{ message }] }));
      this.#loading = {
        child,
        supersede: () => {
          child.kill('SIGKILL');
          reject(new Superseded());
        },
      };
      child.on('message', (reply: AppReply) => {
        if (reply.type === 'loaded') resolve(reply);
        if (reply.type === 'failed') reject(new AppError(reply));
      });
      // Not on exit: a reply may be on its way still.
      child.once('close', (code, signal) => {
        const how = signal ? `was ended by ${signal}` : `ended itself with exit code ${code}`;
        const late = this.#timedOut.has(child) ? this.#lateText() : undefined;
        fail(late ?? `the app's process ${how} before it gave its objects`);
      });
      child.once('error', (error) => fail(error.message));
      child.send(request);
    });
  }

  readonly #timedOut = new WeakSet<ChildProcess>();

  #watch(child: ChildProcess): NodeJS.Timeout[] {
    const { print, timeout } = this.#options;
    const end = () => {
      this.#timedOut.add(child);
      child.kill('SIGKILL');
    };
    return [
      setTimeout(() => print(`Still waiting for ${shownPath(this.#path)} ...\n`), SLOW),
      setTimeout(end, timeout * 1000),
    ];
  }

  #lateText(): string {
    const { timeout } = this.#options;
    return `the app did not give its objects within ${timeout} s: it loops, or waits for something that does not come. Mend that, or give it longer (--app-timeout ${timeout * 2})`;
  }

  #start(): ChildProcess {
    const child = fork(CHILD, [this.#path], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...process.execArgv, ...QUIET],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', this.#options.print);
    }
    child.on('error', () => {});
    return child;
  }
}

/** A process in an endless loop does not hear that this one has ended, so it is ended before. Returns what undoes this. */
function onEnd(work: () => void): () => void {
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  const end = (signal: NodeJS.Signals) => {
    work();
    undo();
    // Nobody else cares, so the signal does what it would have done.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const undo = () => {
    for (const signal of signals) process.off(signal, end);
  };
  for (const signal of signals) process.on(signal, end);
  return undo;
}
