/** Why something can't be written, in words instead of the code of the system. */

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  EISDIR: 'it is a folder, expected a file',
  EEXIST: 'it is a file, expected a folder',
  ENOTDIR: 'what is above it is a file, expected a folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'nothing can be written there (read-only)',
  ENOSPC: 'the disk is full',
};

/** The end of a sentence that begins with the path, without its full stop. */
export function unwritable(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return `can't be written: ${WORDS[code] ?? message}`;
}
