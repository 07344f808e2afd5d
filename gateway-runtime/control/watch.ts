/** Notices edits of files and folders: also files that are replaced (as most editors save), new, or not there yet. */
import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { isPassedOver } from './files.ts';

/** Milliseconds without a further event until an edit counts as done: some editors write a file in two steps. */
const QUIET = 10;

export class Watcher {
  readonly #files: FSWatcher;
  readonly #changed = new Set<string>();
  readonly #onChange: (paths: ReadonlySet<string>) => void;
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
    await this.#files.close();
  }

  #note(path: string): void {
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const changed = new Set(this.#changed);
      this.#changed.clear();
      this.#onChange(changed);
    }, QUIET);
  }
}
