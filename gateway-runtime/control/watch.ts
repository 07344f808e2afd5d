/** Notices edits of files and folders: also files that are replaced (as most editors save), new, or not there yet. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { isPassedOver } from './files.ts';

/** Milliseconds without a further event until an edit counts as done: some editors write a file in two steps. */
const QUIET = 10;
/**
 * Milliseconds after which a file that was edited is looked at once more: of several writes within 50 ms chokidar tells of the
 * first only, and the last one counts.
 */
const SECOND_LOOK = 100;
/** Milliseconds that a file that became empty is given to be filled: who writes in place empties it first. */
const EMPTIED = 100;

export class Watcher {
  readonly #files: FSWatcher;
  readonly #changed = new Set<string>();
  readonly #onChange: (paths: ReadonlySet<string>) => void;
  /** The state of each edited file when it was last told of. */
  readonly #told = new Map<string, string>();
  /** Files that were empty when they were looked at, and may be filled the next moment. */
  readonly #emptied = new Set<string>();
  readonly #looks = new Set<NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;

  /** `onChange` gets the absolute paths that were written, made or removed. */
  constructor(paths: readonly string[], onChange: (paths: ReadonlySet<string>) => void) {
    this.#onChange = onChange;
    const given = new Set(paths);
    this.#files = watch([...paths], {
      ignoreInitial: true,
      ignored: (path) => !given.has(path) && isPassedOver(basename(path)),
    });
    this.#files.on('all', (event, path) => {
      if (event !== 'addDir' && event !== 'unlinkDir') this.#note(path);
    });
  }

  /** Resolves when every edit from now on will be noticed. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#files.once('ready', resolve);
      this.#files.once('error', reject);
    });
  }

  /** Watches these too; those that are watched already stay. */
  add(paths: readonly string[]): void {
    this.#files.add([...paths]);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    for (const look of this.#looks) clearTimeout(look);
    await this.#files.close();
  }

  #note(path: string): void {
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), QUIET);
  }

  #tell(): void {
    // One edit may bring several events, some of them late.
    const changed = new Set([...this.#changed].filter((path) => stateOf(path) !== this.#told.get(path)));
    this.#changed.clear();
    for (const path of changed) if (this.#isJustEmptied(path)) changed.delete(path);
    if (changed.size === 0) return;
    for (const path of changed) this.#told.set(path, stateOf(path));
    this.#later(SECOND_LOOK, () => {
      for (const path of changed) if (stateOf(path) !== this.#told.get(path)) this.#note(path);
    });
    this.#onChange(changed);
  }

  #isJustEmptied(path: string): boolean {
    const isEmpty = statSync(path, { throwIfNoEntry: false })?.size === 0;
    if (!isEmpty || this.#emptied.has(path)) {
      this.#emptied.delete(path);
      return false;
    }
    this.#emptied.add(path);
    this.#later(EMPTIED, () => this.#note(path));
    return true;
  }

  #later(milliseconds: number, work: () => void): void {
    const look = setTimeout(() => {
      this.#looks.delete(look);
      work();
    }, milliseconds);
    this.#looks.add(look);
  }
}

/** Which writing of a file this is; the same as long as nobody writes. */
function stateOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : '';
}
