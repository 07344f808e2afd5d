/** What the new repository installs this package from. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';

export interface PackageSource {
  /** As package.json has it. */
  readonly spec: string;
  /** Versions of what the new repository needs beside it, as this package has them. */
  readonly versions: Readonly<Record<string, string>>;
  /** Commands to run before its `npm install`. */
  readonly before: readonly string[];
}

const ROOT = dirname(createRequire(import.meta.url).resolve('gatewright/package.json'));

interface Manifest {
  readonly name?: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** `given` goes before everything else. */
export function packageSource(folder: string, given: string | undefined): PackageSource {
  const own = manifestOf(ROOT);
  const versions = { ...own.devDependencies, ...own.peerDependencies };
  if (given !== undefined) return { spec: given, versions, before: [] };
  if (basename(dirname(ROOT)) === 'node_modules')
    return { spec: installedFrom(folder, own), versions, before: [] };
  // A checkout, of which npm can install only what was packed.
  const tarball = join(ROOT, `gatewright-${own.version}.tgz`);
  const before = existsSync(tarball) ? [] : [`(cd ${relative(process.cwd(), ROOT) || '.'} && npm pack)`];
  return { spec: fileSpec(folder, tarball), versions, before };
}

const fileSpec = (folder: string, file: string) => `file:${relative(resolve(folder), file)}`;

/** As the repository that this is installed in has it; where that says nothing, by its version. */
function installedFrom(folder: string, { version }: Manifest): string {
  const user = dirname(dirname(ROOT));
  const file = join(user, 'package.json');
  const { dependencies, devDependencies } = existsSync(file) ? manifestOf(user) : ({ version } as Manifest);
  const spec = { ...devDependencies, ...dependencies }.gatewright;
  if (spec === undefined) return `^${version}`;
  return spec.startsWith('file:') ? fileSpec(folder, resolve(user, spec.slice('file:'.length))) : spec;
}
