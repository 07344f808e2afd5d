/** YAML and JSON files and folders as a source of objects. */
import type { Dirent, Stats } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, relative, resolve } from 'node:path';
import { LARGEST_FILE, type ParsedText, type ParseOptions, parseText } from './document.ts';

const EXTENSIONS = new Set(['.yaml', '.yml', '.json']);
const MOST_FILES = 20_000;

/** Whether a file of this name is read when its folder is given. */
export function isManifest(path: string): boolean {
  return EXTENSIONS.has(extname(path).toLowerCase());
}

/** Hidden folders and installed packages hold no manifests of the user. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules';
}

/** As messages name a file: relative to the working directory where it lies below it. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short && !short.startsWith('..') && !isAbsolute(short) ? short : path;
}

/** A path of the command line can't be used: said in one sentence, with the next step. */
export class PathError extends Error {}

/**
 * The manifests that a path stands for, as absolute paths in stable order: the file itself, or every *.yaml, *.yml and
 * *.json below the folder.
 */
export async function findManifests(path: string): Promise<string[]> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    throw new PathError(
      found.code === 'ENOENT'
        ? `${path}: no such file or folder`
        : `${path}: can't be read (${found.code ?? found.message})`,
    );
  }
  if (!found.isDirectory()) return [absolute];
  const files: string[] = [];
  await walk(absolute, files, new Set());
  return files.sort();
}

/** Follows symbolic links (mounted ConfigMaps are made of them), but no folder twice. */
async function walk(folder: string, files: string[], visited: Set<string>): Promise<void> {
  const real = await realpath(folder);
  if (visited.has(real)) return;
  visited.add(real);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (isPassedOver(entry.name)) continue;
    const path = join(folder, entry.name);
    const kind = await followed(entry, path);
    if (kind?.isDirectory()) await walk(path, files, visited);
    else if (kind?.isFile() && isManifest(entry.name)) files.push(path);
    if (files.length > MOST_FILES) {
      throw new PathError(`${shownPath(folder)}: more than ${MOST_FILES} manifests; name a smaller folder`);
    }
  }
}

async function followed(entry: Dirent, path: string): Promise<Dirent | Stats | undefined> {
  // A link to nothing is not an error of the folder.
  return entry.isSymbolicLink() ? stat(path).catch(() => undefined) : entry;
}

/** One manifest, read whole; undefined where it is gone. A file that is being written is read again. */
export async function readManifest(path: string, options?: ParseOptions): Promise<ParsedText | undefined> {
  const file = shownPath(path);
  for (let attempt = 1; ; attempt++) {
    try {
      const before = await stat(path);
      if (before.size > LARGEST_FILE) {
        return unreadable(file, `${before.size} bytes, expected at most ${LARGEST_FILE}`, 'split it');
      }
      const text = await readFile(path, 'utf8');
      const after = await stat(path);
      if ((before.mtimeMs === after.mtimeMs && before.size === after.size) || attempt === 5) {
        return parseText(text, file, options);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      return unreadable(file, `can't be read (${code ?? message})`);
    }
  }
}

function unreadable(file: string, message: string, fix?: string): ParsedText {
  return {
    objects: [],
    problems: [{ severity: 'error', file, message, ...(fix ? { fix } : {}) }],
    passedOver: new Map(),
    broken: true,
  };
}
