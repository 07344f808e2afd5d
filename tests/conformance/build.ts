/**
 * `node tests/conformance/build.ts`: builds the official conformance suite, or finds it in the cache, checks that the
 * cluster under test has every image that the suite names, and prints the path of the suite's test binary.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builds, built, CONFORMANCE_SUITE, manifests } from '../cluster/builds.ts';
import { COREDNS, ECHO, SUITE_NAMES } from '../cluster/images.ts';
import { say } from '../cluster/progress.ts';

/** For the mesh profile, which is not ours. */
const MESH_IMAGE = /\/echo-advanced:/;

async function missingImages(): Promise<string[]> {
  const folder = await manifests(CONFORMANCE_SUITE);
  const texts = globSync('{base,tests}/**/*.yaml', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  );
  const named = texts.flatMap((text) => [...text.matchAll(/image: *(\S+)/g)].map((found) => found[1]!));
  const made = [ECHO, COREDNS, ...SUITE_NAMES.echo, ...SUITE_NAMES.coredns];
  return [...new Set(named)].filter((image) => !made.includes(image) && !MESH_IMAGE.test(image));
}

try {
  const missing = await missingImages();
  if (missing.length > 0) {
    throw new Error(
      `The suite names images that tests/cluster/images.ts does not make: ${missing.join(', ')}`,
    );
  }
  process.stdout.write(`${await built(builds.conformance)}\n`);
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
