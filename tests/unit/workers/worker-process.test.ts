/** How a worker ended, as its parent tells it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { WorkerProcess } from '../../../gateway-runtime/workers/worker-process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewright-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Of a worker that runs this, and may be silent for some milliseconds. */
async function endOf(program: string, silence: number): Promise<string> {
  const file = join(folder, 'worker.mjs');
  writeFileSync(file, program);
  let how = '';
  const { ended } = new WorkerProcess({
    program: { file },
    limits: { beat: silence, silence },
    onLines: () => {},
    onMessage: () => {},
    onEnd: (told) => {
      how = told;
    },
  });
  await ended;
  return how;
}

it('one that says nothing ends for that, also where it ends by itself when it finds its pipe closed', async () => {
  const program = `
    import { Socket } from 'node:net';
    new Socket({ fd: 3, readable: true, writable: true }).on('close', () => process.exit(0)).resume();`;
  expect(await endOf(program, 200)).toMatch(/ \(the other side was silent for 0\.2 s\)$/);
});

it('one that ends by itself ends for nothing else, though its pipe is closed then, too', async () => {
  expect(await endOf('process.exit(3);', 60_000)).toBe('code 3');
});
