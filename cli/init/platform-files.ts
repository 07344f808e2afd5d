/** The repository of the platform: the example as it is. */
import type { PackageSource } from './package-source.ts';
import { example, repositoryFiles } from './repository-files.ts';

const FILES = ['platform.ts', 'export-grants.ts', 'platform.test.ts', 'README.md'];

export function platformFiles(folder: string, source: PackageSource): Map<string, string> {
  const app = 'platform.ts';
  const others = { grants: 'node export-grants.ts' };
  return new Map([
    ...FILES.map((name) => [name, example(`platform/${name}`)] as const),
    ...repositoryFiles(folder, source, { app, preview: app, others }),
  ]);
}
