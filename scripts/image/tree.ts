/** What is in a container image: a tree of files, as it is hashed, written into an archive or into a folder. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One file or folder. Owner and time are the same for all, so that the same content is the same image. */
export interface Entry {
  /** Without a leading slash; folders end with one. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** A file here, or text. Files become executable. */
export type Source = { readonly file: string } | { readonly text: string };

const NOTHING = Buffer.alloc(0);

/** Users that programs look up; without a line of its own an id has no home and no name. */
const USERS = {
  '/etc/passwd': { text: 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' },
  '/etc/group': { text: 'root:x:0:\nnonroot:x:65532:\n' },
};

/** The sources by absolute path, users and a folder for temporary files, sorted by path, each folder before what is in it. */
export function treeOf(sources: Readonly<Record<string, Source>>): Entry[] {
  const entries = new Map<string, Entry>([['tmp/', { path: 'tmp/', mode: 0o1777, content: NOTHING }]]);
  for (const [absolute, source] of Object.entries<Source>({ ...USERS, ...sources })) {
    const path = absolute.slice(1);
    entries.set(
      path,
      'file' in source
        ? { path, mode: 0o755, content: readFileSync(source.file) }
        : { path, mode: 0o644, content: Buffer.from(source.text) },
    );
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at + 1);
      if (!entries.has(folder)) entries.set(folder, { path: folder, mode: 0o755, content: NOTHING });
    }
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Writes the tree below the folder. */
export function writeTree(folder: string, tree: readonly Entry[]): void {
  for (const { path, mode, content } of tree) {
    const target = join(folder, path);
    if (path.endsWith('/')) {
      mkdirSync(target, { recursive: true });
    } else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
    }
    // The modes that the calls above take are narrowed by the process's mask.
    chmodSync(target, mode);
  }
}
