/** Manifests, folders of them and apps, read by their path as the command line reads them, while the test waits. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  formatSourceProblem,
  type SourcedObject,
  type SourceProblem,
} from '../gateway-runtime/control/source.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CHILD = fileURLToPath(new URL(`./read-path-child.${EXTENSION}`, import.meta.url));
const MOST_OCTETS = 512 * 1024 * 1024;

/** What the child says, as JSON. */
export interface PathReply {
  readonly objects: readonly SourcedObject[];
  readonly problems: readonly SourceProblem[];
  /** Absolute: the files and folders that were read. */
  readonly files: readonly string[];
}

export interface ReadPath {
  readonly objects: readonly SourcedObject[];
  /** Whether something that was read has changed since on disk. */
  readonly isStale: () => boolean;
}

/** Throws where the path can't be read, or has errors, in words. */
export function readPath(path: string): ReadPath {
  const conditions = process.execArgv.filter((each) => each.startsWith('--conditions='));
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [...conditions, '--no-warnings', CHILD, path],
    { encoding: 'utf8', maxBuffer: MOST_OCTETS, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  if (error || status !== 0) {
    throw new Error(
      `${path} could not be read: ${error?.message ?? (stderr.trim() || `exit code ${status}`)}`,
    );
  }
  const reply = JSON.parse(stdout) as PathReply | { readonly problem: string };
  if ('problem' in reply) throw new Error(reply.problem);
  const errors = reply.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new Error(`${path} has errors:\n${errors.map(formatSourceProblem).join('\n')}`);
  const stamps = new Map(reply.files.map((file) => [file, stampOf(file)]));
  return {
    objects: reply.objects,
    isStale: () => [...stamps].some(([file, stamp]) => stampOf(file) !== stamp),
  };
}

function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? `${found.mtimeMs} ${found.size}` : 'none';
}
