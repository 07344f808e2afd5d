/** Archives of images in the cache: one for each state of the sources, of which the newest are kept. */
import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './cache.ts';
import { archiveOf, digest, type Image, runConfiguration, writeWhole } from './image.ts';
import { tarOf } from './tar.ts';
import { treeOf } from './tree.ts';

/** Archives of one name that are kept, however old they are. */
const KEPT = 4;
/** And those that may be, while they are young: another run, which does not hold them open yet, may be about to read them. */
const MOST = 16;
/** Milliseconds after its last use for which an archive is young. */
const YOUNG = 60 * 60 * 1000;

/** Path of the image's archive in the cache, where it is kept by its content and written unless it is there. */
export function cachedArchive(image: Image, folder = join(CACHE, 'images')): string {
  const layer = tarOf(treeOf(image.files));
  const { references } = image;
  const key = digest([JSON.stringify([references, runConfiguration(image), process.arch]), ...layer]);
  const name = references[0]!.replace(/:.*/, '').replace(/.*\//, '');
  const archive = join(folder, `${name}-${key.slice(0, 12)}.tar`);
  if (isUsedAgain(archive)) return archive;
  writeWhole(archive, archiveOf(image, layer));
  clear(folder, name);
  return archive;
}

/** Its time is that of its last use. False where it is not there. */
function isUsedAgain(archive: string): boolean {
  const now = new Date();
  try {
    utimesSync(archive, now, now);
    return true;
  } catch {
    return false;
  }
}

/** Deletes archives of one name beyond those that are kept, and what was left of ones that were never finished. */
function clear(folder: string, name: string): void {
  const young = Date.now() - YOUNG;
  const entries = readdirSync(folder).filter(
    (entry) =>
      entry.startsWith(`${name}-`) && /^[0-9a-f]{12}\.tar(?:\.|$)/.test(entry.slice(name.length + 1)),
  );
  const found = entries
    .map((entry) => ({ path: join(folder, entry), isWhole: entry.endsWith('.tar') }))
    .map((each) => ({ ...each, used: usedAt(each.path) }))
    .sort((a, b) => b.used - a.used);
  const whole = found.filter(({ isWhole }) => isWhole);
  const old = whole.filter(({ used }, index) => index >= MOST || (index >= KEPT && used < young));
  const parts = found.filter(({ isWhole, used }) => !isWhole && used < young);
  for (const { path, used } of [...old, ...parts]) remove(path, used);
}

/** Milliseconds since 1970; 0 where it is gone, since others clear up too. */
const usedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Unless it is used again meanwhile. Who comes later does not find it, and writes it anew; who reads it reads on. */
function remove(path: string, used: number): void {
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
    if (usedAt(aside) > used) renameSync(aside, path);
    else rmSync(aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
