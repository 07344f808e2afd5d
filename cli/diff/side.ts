/** One side of a comparison: files, a git revision of them, or the cluster; read and translated. */
import { existsSync } from 'node:fs';
import type { LocalCertificates } from '../../gateway-runtime/control/certificates.ts';
import { formatSourceProblem, type SourcedObject } from '../../gateway-runtime/control/source.ts';
import { byKey, type State } from '../../gateway-runtime/preview/compared.ts';
import { readOnce } from '../read-once.ts';
import { CommandError, EXIT } from '../terminal.ts';
import { objectsOfCluster } from './cluster.ts';
import { CheckedOut, parseRevision } from './git-revision.ts';

export interface SideOptions {
  readonly classes: readonly string[] | undefined;
  readonly strict: boolean;
  readonly appTimeout: number;
  /** The same on both sides, so that what is made in place of what is missing is no difference. */
  readonly certificates: LocalCertificates;
  /** When objects were created, by key, for those that do not say so: a file has the time of the object that it is applied over. */
  readonly created?: ReadonlyMap<string, string>;
  /** What the files are applied over. */
  readonly onto?: readonly SourcedObject[];
}

/** Stands for the cluster; a file or folder of this name is `./cluster`. */
export const CLUSTER = 'cluster';

export interface Side extends State {
  readonly name: string;
  /** Errors and warnings, formatted. */
  readonly problems: readonly string[];
}

/** Throws a CommandError where it can't be read. */
export async function readSide(given: string, options: SideOptions): Promise<Side> {
  if (given === CLUSTER) {
    return readFiles(given, [], (text) => text, { ...options, onto: await objectsOfCluster() });
  }
  const revision = existsSync(given) ? undefined : parseRevision(given);
  if (!revision) return readFiles(given, [given], (text) => text, options);
  await using checkedOut = await CheckedOut.of(revision);
  return await readFiles(given, [checkedOut.path], (text) => checkedOut.shown(text), options);
}

async function readFiles(
  name: string,
  paths: readonly string[],
  shown: (text: string) => string,
  { classes, strict, appTimeout, certificates, created, onto }: SideOptions,
): Promise<Side> {
  const read = await readOnce(paths, {
    classes,
    strict,
    assumesServices: true,
    appTimeout,
    tells: false,
    certificates,
    ...(created ? { created } : {}),
    ...(onto ? { onto } : {}),
  }).catch((error) => {
    throw error instanceof CommandError ? new CommandError(shown(error.message), EXIT.usage) : error;
  });
  const errors = read.problems.filter(({ severity }) => severity === 'error');
  if (read.objects.length === 0) {
    const [why = `${shown(read.whatToName)}.`] = errors.map((each) =>
      shown(formatSourceProblem(each)).replace(/^error /, ''),
    );
    throw new CommandError(`error ${name} has no objects. ${why}`, EXIT.usage);
  }
  return {
    name,
    snapshots: read.translation.snapshots,
    objects: byKey(read.objects),
    problems: read.problems.map((each) => shown(formatSourceProblem(each))),
    originOf: (ref) => {
      const origin = read.originOf(ref);
      return origin === undefined ? undefined : shown(origin);
    },
  };
}
