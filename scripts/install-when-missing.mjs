// Runs before `npm start` and `npm test`, so that each can be the first command in a fresh clone: installs the
// locked dependencies where they are missing or older than the lock file. Plain JavaScript for any Node from 20 up.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
const lock = 'package-lock.json';

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('Installing the locked dependencies (about a minute, once) ...');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(npm, ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (error) console.error(`Could not run npm: ${error.message}. Install npm 10 or newer and try again.`);
  if (status !== 0) process.exit(status ?? 1);
}
