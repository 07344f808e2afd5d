/** A folder for something unfinished. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/** Deletes the folder `<path>.<random>` when the work is done, has failed or this process ends by itself. */
export async function withScratch<T>(path: string, work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const folder = mkdtempSync(`${path}.`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
