/** Files into a folder where none of them is. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import { CommandError } from '../terminal.ts';
import { unwritable } from '../unwritable.ts';

/** Throws a CommandError, before anything is written, where one of them is there already. */
export function writeNew(folder: string, files: ReadonlyMap<string, string>): void {
  const there = [...files.keys()].filter((name) => existsSync(join(folder, name)));
  if (there.length > 0) {
    throw new CommandError(
      `error ${shownPath(folder)} has ${there.slice(0, 3).join(', ')}${there.length > 3 ? ` and ${there.length - 3} more` : ''} already, so nothing was written. Fix: name another folder, or move what is there.`,
    );
  }
  try {
    for (const [name, text] of files) {
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { flag: 'wx' });
    }
  } catch (error) {
    throw new CommandError(`error ${shownPath(folder)} ${unwritable(error)}. Fix: name another folder.`);
  }
}
