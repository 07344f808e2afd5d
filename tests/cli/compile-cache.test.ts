import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { Folder } from './support/folder.ts';

/** With nothing of Node's own settings, where `cache` is for what programs may do without. */
async function help(cache: string, environment: Record<string, string> = {}) {
  const { PATH, HOME } = process.env;
  return promisify(execFile)(
    process.execPath,
    ['--conditions=gatewright-source', 'cli/main.ts', 'help', 'serve'],
    { env: { PATH, HOME, XDG_CACHE_HOME: cache, ...environment } },
  );
}

it('what is compiled is kept in a folder of the user', async () => {
  using folder = new Folder();
  const { stderr } = await help(folder.path);
  expect(stderr).toBe('');
  const files = readdirSync(folder.file('gatewright/compiled'), { recursive: true, withFileTypes: true });
  expect(files.filter((each) => each.isFile()).length).toBeGreaterThan(5);
  expect(statSync(folder.file('gatewright/compiled')).mode & 0o022).toBe(0);
});

it('is kept where the user has chosen, or not at all', async () => {
  using folder = new Folder();
  await help(folder.path, { NODE_COMPILE_CACHE: folder.file('chosen') });
  expect([existsSync(folder.file('chosen')), existsSync(folder.file('gatewright'))]).toEqual([true, false]);
  using other = new Folder();
  await help(other.path, { NODE_DISABLE_COMPILE_CACHE: '1' });
  expect(existsSync(other.file('gatewright'))).toBe(false);
});

it('commands work where the folder can not be written', async () => {
  using folder = new Folder();
  const { stdout, stderr } = await help(folder.write('no-folder', ''));
  expect(stdout).toContain('--workers');
  expect(stderr).toBe('');
});
