/** Folders for a test, gone after it. Apps need one inside the checkout, so that they find its packages. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export class Folder implements Disposable {
  readonly path: string;

  constructor() {
    mkdirSync('.cache', { recursive: true });
    this.path = mkdtempSync(resolve('.cache/cli-test-'));
  }

  static copyOf(folder: string): Folder {
    const copy = new Folder();
    cpSync(folder, copy.path, { recursive: true });
    return copy;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** As messages name a file of it. */
  shown(name: string): string {
    return join(relative(process.cwd(), this.path), name);
  }

  write(name: string, text: string): string {
    const file = this.file(name);
    writeFileSync(file, text);
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
