/** The Node that runs this, as files of an image. */
import { execFileSync } from 'node:child_process';
import type { Source } from './tree.ts';

export const NODE_PATH = '/usr/local/bin/node';

/** By path in the image: the program, and the libraries that it is linked to, where it looks for them. */
export function nodeProgram(): Record<string, Source> {
  if (process.platform !== 'linux') {
    throw new Error(`found ${process.platform}, expected Linux: the image is made of the Node that makes it`);
  }
  const linked = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
  const libraries = [...linked.matchAll(/(\/[^ ]+) \(0x/g)].map((found) => found[1]!);
  return {
    [NODE_PATH]: { file: process.execPath },
    ...Object.fromEntries(libraries.map((library) => [library, { file: library }])),
  };
}
