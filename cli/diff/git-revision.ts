/**
 * What a git revision has, in a temporary folder: `HEAD~1:manifests/` as git writes it, relative to the root of the repository, or to the
 * working directory where the path begins with "./". Git is run without a shell, and gets the revision as the hash that it resolved it to.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { isApp } from '../sources.ts';
import { CommandError, EXIT } from '../terminal.ts';

const run = promisify(execFile);

export interface Revision {
  /** As given. */
  readonly name: string;
  readonly path: string;
}

/** Undefined for what is no revision with a path. */
export function parseRevision(text: string): Revision | undefined {
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  return { name: text.slice(0, colon), path: text.slice(colon + 1) };
}

export class CheckedOut implements AsyncDisposable {
  readonly #folder: string;
  /** The file or folder asked for. */
  readonly path: string;
  readonly #revision: string;

  private constructor(folder: string, path: string, revision: string) {
    this.#folder = folder;
    this.path = path;
    this.#revision = revision;
  }

  static async of({ name, path }: Revision): Promise<CheckedOut> {
    const root = await git(['rev-parse', '--show-toplevel'], process.cwd()).catch(() => {
      throw usage(
        `${name}:${path}: neither a file here, nor is this folder in a git repository that could have the revision`,
      );
    });
    const commit = await git(
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`],
      root,
    ).catch(() => {
      throw usage(`${name}:${path}: git knows no revision ${JSON.stringify(name)}`);
    });
    const inside = insideOf(root, path);
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'gatewright-diff-')));
    const checkedOut = new CheckedOut(folder, join(folder, inside), name);
    try {
      const type = await git(['cat-file', '-t', `${commit}:${inside}`], root).catch(() => {
        throw usage(`${name}:${path}: the revision has no file or folder ${inside || '.'}`);
      });
      // An app imports what else the revision has, and the packages that are installed now.
      const isWhole = type === 'blob' && isApp(inside);
      await extract(root, commit, isWhole ? '' : inside, folder);
      if (isWhole) await linkPackages(root, inside, folder);
      return checkedOut;
    } catch (error) {
      await checkedOut[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A text that names files of the folder, as it names them in the revision. */
  shown(text: string): string {
    return text.replaceAll(this.#folder + sep, `${this.#revision}:`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Relative to the root of the repository, with slashes; empty for the root. */
function insideOf(root: string, path: string): string {
  const absolute = /^\.\.?(\/|$)/.test(path) ? resolve(path) : resolve(root, path);
  const inside = relative(root, absolute).split(sep).join(posix.sep);
  if (inside === '..' || inside.startsWith('../'))
    throw usage(`${path} is outside of the repository ${root}`);
  return inside;
}

async function git(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run('git', args, { cwd });
  return stdout.trimEnd();
}

async function extract(root: string, commit: string, inside: string, folder: string): Promise<void> {
  const paths = inside ? ['--', `:(top,literal)${inside}`] : [];
  const archive = spawn('git', ['archive', '--format=tar', commit, ...paths], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const unpack = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  for (const { stderr } of [archive, unpack]) {
    stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
  }
  // Where one ends early, the other says so by its exit code.
  unpack.stdin.on('error', () => {});
  archive.stdout.pipe(unpack.stdin);
  const codes = await Promise.all([archive, unpack].map((child) => once(child, 'close')));
  if (codes.every(([code]) => code === 0)) return;
  throw new CommandError(
    `error git archive ${commit} failed: ${complaint.trim().split('\n')[0]}.`,
    EXIT.usage,
  );
}

/** Packages are not in a revision: those of the work tree serve, at every folder from the app's to the root. */
async function linkPackages(root: string, inside: string, folder: string): Promise<void> {
  for (let at = dirname(inside); ; at = dirname(at)) {
    const installed = join(root, at, 'node_modules');
    const target = join(folder, at, 'node_modules');
    if (existsSync(installed) && !existsSync(target)) {
      await mkdir(dirname(target), { recursive: true });
      await symlink(installed, target);
    }
    if (at === '.') return;
  }
}

const usage = (message: string) => new CommandError(`error ${message}.`, EXIT.usage);
