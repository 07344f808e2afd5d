/** `gatewright synth`: the Kubernetes objects of an app, as files or on standard output. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { shownPath } from '../gateway-runtime/control/files.ts';
import { formatSourceProblem } from '../gateway-runtime/control/source.ts';
import { AppError, AppProcess } from './app/app-process.ts';
import { appTimeoutOption } from './app/app-timeout.ts';
import { appProblem, isApp } from './sources.ts';
import { CommandError, counted, EXIT, tell, tellAsIs, tellProblem } from './terminal.ts';
import { unwritable } from './unwritable.ts';

interface Flags {
  readonly output?: string;
  readonly appTimeout: number;
}

export function define(command: Command): void {
  command
    .argument('<app.ts>', 'a module whose default export is a cdk8s App, or that calls its synth()')
    .option('-o, --output <folder>', 'write one file per chart into this folder, instead of standard output')
    .addOption(appTimeoutOption())
    .addHelpText('after', EXAMPLES)
    .action((app: string, flags: Flags) => synth(app, flags));
}

const EXAMPLES = `
Examples:
  gatewright synth app.ts -o dist
  gatewright synth app.ts | kubectl apply --server-side -f -

Standard output has definitions and Namespaces first, so that it can be applied
in one go. Everything is checked before: grants, field rules, and what the
objects mean together. Errors name the construct and end with exit code 1;
warnings do not.`;

async function synth(path: string, { output: folder, appTimeout }: Flags): Promise<void> {
  const app = resolve(path);
  if (!(await stat(app).catch(() => undefined)))
    throw new CommandError(`error ${path}: no such file.`, EXIT.usage);
  if (!isApp(app)) {
    throw new CommandError(
      `error ${path}: expected a TypeScript or JavaScript module with a cdk8s App.`,
      EXIT.usage,
    );
  }
  if (folder) await makeFolder(folder);
  const runner = new AppProcess(app, { print: tellAsIs, timeout: appTimeout });
  const started = Date.now();
  const loading = runner.load(folder ? { folder: resolve(folder) } : 'text');
  try {
    const { text, objects, warnings } = await loading;
    for (const each of warnings) tellProblem(formatSourceProblem(appProblem(each, app, 'warning')));
    if (text !== undefined) process.stdout.write(text);
    else if (folder) {
      for (const file of await writtenSince(resolve(folder), started)) tell(`wrote ${shownPath(file)}`);
      tell(`${counted(objects.length, 'object')} in ${folder}`);
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    for (const problem of error.problems) tellProblem(formatSourceProblem(appProblem(problem, app)));
    throw new CommandError(
      `error nothing was written: ${counted(error.problems.length, 'error')} in ${path}.`,
    );
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new CommandError(
      `error --output ${folder} ${unwritable(error)}. Fix: name another folder.`,
      EXIT.usage,
    );
  }
}

async function writtenSince(folder: string, time: number): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  // File systems round times.
  return files.filter((_, index) => times[index]! >= time - 1000).sort();
}
