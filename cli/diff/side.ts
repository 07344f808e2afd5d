/** One side of a comparison: files, a git revision of them, or the cluster; read and translated. */
import { existsSync } from 'node:fs';
import { parse } from '../../gateway-runtime/api/kinds.ts';
import { type ObjectRef, refKey } from '../../gateway-runtime/api/object.ts';
import type { LocalCertificates } from '../../gateway-runtime/control/certificates.ts';
import { formatSourceProblem, type SourcedObject } from '../../gateway-runtime/control/source.ts';
import { canonicalJson } from '../../gateway-runtime/snapshot/canonical.ts';
import type { Origin } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { Translation } from '../../gateway-runtime/translate/translation.ts';
import { readOnce } from '../read-once.ts';
import { CommandError, EXIT } from '../terminal.ts';
import { clusterObjects } from './cluster-objects.ts';
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

export interface Side {
  readonly name: string;
  readonly snapshots: Translation['snapshots'];
  /** Objects as they were read, by key. */
  readonly objects: ReadonlyMap<string, SourcedObject>;
  /** Errors and warnings, formatted. */
  readonly problems: readonly string[];
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}

/** Throws a CommandError where it can't be read. */
export async function readSide(given: string, options: SideOptions): Promise<Side> {
  if (given === CLUSTER) {
    return readFiles(given, [], (text) => text, { ...options, onto: await clusterObjects() });
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
    const [why = `${shown(read.whatToName)}.`] = errors.map((each) => shown(formatSourceProblem(each)));
    throw new CommandError(`error ${name} has no objects. ${why}`, EXIT.usage);
  }
  return {
    name,
    snapshots: read.translation.snapshots,
    objects: new Map(read.objects.map((each) => [refKey(each.ref), each])),
    problems: read.problems.map((each) => shown(formatSourceProblem(each))),
    originOf: (ref) => {
      const origin = read.originOf(ref);
      return origin === undefined ? undefined : shown(origin);
    },
  };
}

/** The times that the objects of a side say. */
export function creationTimes({ objects }: Side): ReadonlyMap<string, string> {
  const times = new Map<string, string>();
  for (const [key, { raw }] of objects) {
    const { creationTimestamp } = raw.metadata as { creationTimestamp?: unknown };
    if (typeof creationTimestamp === 'string') times.set(key, creationTimestamp);
  }
  return times;
}

/** Whether the two sides have the object in different forms, as far as their authors write it. */
export function isEdited(before: Side, after: Side, key: string): boolean {
  return written(before.objects.get(key)) !== written(after.objects.get(key));
}

/** With the defaults filled in, as an API server does. */
function written(object: SourcedObject | undefined): string | undefined {
  if (!object) return undefined;
  const parsed = parse(object.raw);
  const { spec } = (parsed.outcome === 'known' ? parsed.object : object.raw) as { spec?: unknown };
  const { labels } = object.raw.metadata as { labels?: unknown };
  return canonicalJson([spec, labels]);
}
