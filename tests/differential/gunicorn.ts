/** gunicorn, which needs a Python: in an environment of its own in the cache, or that of the machine. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/image/cache.ts';
import { run } from '../cluster/command.ts';
import { timed } from '../cluster/progress.ts';
import { withScratch } from '../cluster/scratch.ts';

const VERSION = '27.0.1';
const ENVIRONMENT = join(CACHE, `gunicorn-${VERSION}`);
const OWN_PYTHON = join(ENVIRONMENT, 'bin', 'python');

/** The machine's Python; undefined where there is none. */
export const python = (): string | undefined =>
  ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);

/** The Python that an environment was made with may have gone, or be another one now. */
const hasGunicorn = (program: string): boolean =>
  existsSync(program) && spawnSync(program, ['-c', 'import gunicorn']).status === 0;

/** A Python that has gunicorn; undefined where there is none. */
export function pythonWithGunicorn(): string | undefined {
  if (hasGunicorn(OWN_PYTHON)) return OWN_PYTHON;
  const machines = python();
  return machines && spawnSync(machines, ['-c', 'import gunicorn']).status === 0 ? machines : undefined;
}

/** Puts it into the cache, where it is not there yet. Throws where there is no Python with venv, or nothing to be reached from which it comes. */
export async function installGunicorn(): Promise<void> {
  if (hasGunicorn(OWN_PYTHON)) return;
  await withScratch(ENVIRONMENT, (scratch) =>
    timed(`installing gunicorn ${VERSION}`, async () => {
      const made = join(scratch, 'environment');
      await run(python() ?? 'python3', ['-m', 'venv', made]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      await run(join(made, 'bin', 'python'), [...pip, `gunicorn==${VERSION}`]);
      rmSync(ENVIRONMENT, { recursive: true, force: true });
      renameSync(made, ENVIRONMENT);
    }),
  );
}
