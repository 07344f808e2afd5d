/** Real processes of the command line: run to their end, or running until the test ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const MAIN = resolve('cli/main.ts');
/** Milliseconds that a process may take to say what a test waits for: far more than it needs on a busy machine. */
const PATIENCE = 60_000;
const NODE_OPTIONS = ['--conditions=gatewright-source', MAIN];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function gatewright(args: readonly string[], cwd = process.cwd()): Promise<Finished> {
  const child = start(args, cwd);
  const finished = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text: string) => {
    finished.stdout += text;
  });
  child.stderr!.on('data', (text: string) => {
    finished.stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...finished };
}

/** A `serve` that runs. Dispose of it: `await using`. */
export class Serving implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  #stdout = '';
  #stderr = '';
  #heard: (() => void)[] = [];

  /** `node`: options for Node itself. */
  constructor(args: readonly string[], cwd = process.cwd(), node: readonly string[] = []) {
    this.#child = start(['serve', '--admin', '127.0.0.1:0', ...args], cwd, node);
    this.#child.stdout!.on('data', (text: string) => this.#hear(text, ''));
    this.#child.stderr!.on('data', (text: string) => this.#hear('', text));
    this.#closed = once(this.#child, 'close').then(([code]) => {
      this.#hear('', '');
      return code as number | null;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when it serves and watches. */
  async ready(): Promise<this> {
    await this.until(
      () => this.#stdout.includes('Watching:') || this.events.some(({ event }) => event === 'watching'),
    );
    return this;
  }

  /** What `--json` told. */
  get events(): Record<string, unknown>[] {
    return this.#stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves when it has said so; asked again whenever it says more. Rejects where it ends before, or says nothing of it. */
  async until(said: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!said()) {
      const left = deadline - Date.now();
      if (left <= 0 || this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`not said (exit code ${this.#child.exitCode}):\n${this.#stdout}\n${this.#stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#heard.push(resolve);
        setTimeout(resolve, left).unref();
      });
    }
    // What it wrote before to its other pipe can be read by now, and is within two turns.
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  }

  /** The number of the port that serves a listener port. */
  port(listenerPort: number): number {
    const line = this.#stdout.split('\n').find((each) => each.includes(`(port ${listenerPort}`));
    return Number(/:(\d+) {2}\(port/.exec(line ?? '')?.[1]);
  }

  /** The pasteable commands it printed. */
  get commands(): string[] {
    return this.#stdout
      .replaceAll('\\\n', '')
      .split('\n')
      .map((line) => line.trim().replace(/\s{2,}/g, ' '))
      .filter((line) => line.startsWith('curl '));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  ended(): Promise<number | null> {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #hear(stdout: string, stderr: string): void {
    this.#stdout += stdout;
    this.#stderr += stderr;
    const heard = this.#heard;
    this.#heard = [];
    for (const each of heard) each();
  }
}

function start(args: readonly string[], cwd: string, node: readonly string[] = []): ChildProcess {
  const child = spawn(process.execPath, [...node, ...NODE_OPTIONS, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Jest's own options are not for it.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  return child;
}
