/** Runs a program to its end. */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input. */
  readonly input?: string;
  /** Standard error goes to ours as it comes. Otherwise its end is part of the error, where there is one. */
  readonly show?: boolean;
}

export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const LAST_LINES = 15;

/** Standard output of the program; an error that shows the end of what it said where it fails. */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', options.show ? 'inherit' : 'pipe'],
  });
  // A program must not outlive us: `go build` goes on for minutes.
  const end = () => child.kill('SIGINT');
  process.once('exit', end);
  const output = { out: '', err: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.err += text;
  });
  // A program that does not read its input ends with a status of its own.
  child.stdin!.on('error', () => {}).end(options.input);
  child.on('error', (error) => {
    process.off('exit', end);
    reject(new CommandError(`${program} could not be run: ${error.message}`));
  });
  child.on('close', (status, signal) => {
    process.off('exit', end);
    if (status === 0) return resolve(output.out);
    const said = (output.err.trim() || output.out.trim()).split('\n').slice(-LAST_LINES).join('\n');
    reject(new CommandError(`${[program, ...args].join(' ')} ended with ${status ?? signal}\n${said}`));
  });
  return promise;
}

/** Tries until it succeeds; the last error where it did not within `milliseconds`. */
export async function eventually<T>(milliseconds: number, attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
