/** A git repository for a test that has this package and its peers installed, as a user's has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Finished } from './command.ts';
import { Folder } from './folder.ts';

const LINKED = ['cdk8s', 'cdk8s-plus-25', 'constructs'];

/** Runs a program to its end, with this Node and, where a repository is given, its commands. */
export async function command(program: string, args: readonly string[], cwd: string): Promise<Finished> {
  const path = [join(cwd, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', PATH: path },
  });
  const finished = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    finished.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    finished.stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...finished };
}

/** A copy of a folder of the checkout, as the first commit. */
export async function repositoryOf(folder: string): Promise<Folder> {
  const copy = Folder.copyOf(folder);
  mkdirSync(copy.file('node_modules/.bin'), { recursive: true });
  for (const name of LINKED) symlinkSync(resolve('node_modules', name), copy.file(`node_modules/${name}`));
  symlinkSync(resolve('.'), copy.file('node_modules/gatewright'));
  const bin = copy.write(
    'node_modules/.bin/gatewright',
    `#!/bin/sh\nexec node --conditions=gatewright-source '${resolve('cli/main.ts')}' "$@"\n`,
  );
  chmodSync(bin, 0o755);
  copy.write('.gitignore', 'node_modules\n');
  await commit(copy, 'first');
  return copy;
}

/** All that is there. */
export async function commit({ path }: Folder, message: string): Promise<void> {
  const git = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  for (const args of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', message],
  ]) {
    const { code, stderr } = await command('git', [...git, ...args], path);
    if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  }
}
