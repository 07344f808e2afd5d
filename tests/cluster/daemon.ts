/** A program that is to run for as long as the cluster is up. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

export interface Daemon {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a daemon that ended stays away, in milliseconds. */
const RESTART_AFTER = 1000;

/**
 * Starts it, with its output in `<name>.log`, and again each time that it ends, which is told. It ends for good with the
 * process namespace.
 */
export function keepRunning(daemon: Daemon, logs: string, onEnd: (line: string) => void): void {
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, `${daemon.name}.log`), 'a');
  const child = spawn(daemon.program, daemon.args, {
    env: { ...process.env, ...daemon.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let over = false;
  const again = (why: string) => {
    if (over) return;
    over = true;
    onEnd(`${daemon.name} ended with ${why}, starts again`);
    setTimeout(() => keepRunning(daemon, logs, onEnd), RESTART_AFTER);
  };
  child.on('error', (error) => again(error.message));
  child.on('exit', (status, signal) => again(String(status ?? signal)));
}
