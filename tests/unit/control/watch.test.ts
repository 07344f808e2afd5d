import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { Watcher } from '../../../gateway-runtime/control/watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatewright-watch-'));
const file = join(folder, 'app.ts');
let watcher: Watcher | undefined;

afterEach(async () => {
  await watcher?.close();
  rmSync(folder, { recursive: true });
});

/** What the file said whenever an edit was told of, until it said `last`. */
async function told(last: string, edit: () => void): Promise<string[]> {
  const texts: string[] = [];
  await new Promise<void>((resolve) => {
    watcher = new Watcher([file], () => {
      texts.push(readFileSync(file, 'utf8'));
      if (texts.at(-1) === last) resolve();
    });
    void watcher.ready().then(edit);
  });
  return texts;
}

it('tells of no file that is empty only until it is written, and of one that stays so', async () => {
  writeFileSync(file, 'before');
  expect(
    await told('after', () => {
      const open = openSync(file, 'w');
      // Longer than the quiet time that ends an edit.
      setTimeout(() => {
        writeSync(open, 'after');
        closeSync(open);
      }, 30);
    }),
  ).toEqual(['after']);
  await watcher!.close();
  expect(await told('', () => writeFileSync(file, ''))).toEqual(['']);
});
