/** Objects that are gone leave nothing behind. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

it('10,000 objects made and deleted bring the heap back to where it was, and none is held', async () => {
  const script = join(import.meta.dirname, 'heap-process.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=gatewright-source',
    script,
  ]);
  const { before, after, held, watched } = JSON.parse(stdout);
  expect(watched).toBe(100);
  expect(held).toBe(0);
  expect(after / before).toBeLessThan(1.05);
}, 120_000);
