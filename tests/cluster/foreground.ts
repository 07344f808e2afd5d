/** Runs a program in our place: with our standard input and output, and its exit status as the answer. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export async function foreground(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  // Ctrl-C reaches the program as well, and it is the program that decides.
  const wait = () => {};
  process.on('SIGINT', wait);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${program} could not be run: ${error.message}`)));
      child.once('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal!]));
    });
  } finally {
    process.off('SIGINT', wait);
  }
}
