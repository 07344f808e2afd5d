/** The official suite as a program, and what it says of itself. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builds, built, CONFORMANCE_SUITE, manifests } from '../cluster/builds.ts';
import { run } from '../cluster/command.ts';
import { COREDNS, ECHO, SUITE_NAMES } from '../cluster/images.ts';
import { withScratch } from '../cluster/scratch.ts';
import type { TestList } from './verdict.ts';

/** For the mesh profile, which is not ours. */
const MESH_IMAGE = /\/echo-advanced:/;

/** Path of the suite, which is built where it is not in the cache; an error where its manifests name an image that is not made. */
export async function suiteProgram(): Promise<string> {
  const missing = await missingImages();
  if (missing.length === 0) return built(builds.conformance);
  throw new Error(`The suite names images that tests/cluster/images.ts does not make: ${missing.join(', ')}`);
}

async function missingImages(): Promise<string[]> {
  const folder = await manifests(CONFORMANCE_SUITE);
  const texts = globSync('{base,tests}/**/*.yaml', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  );
  const named = texts.flatMap((text) => [...text.matchAll(/image: *(\S+)/g)].map((found) => found[1]!));
  const made = [ECHO, COREDNS, ...SUITE_NAMES.echo, ...SUITE_NAMES.coredns];
  return [...new Set(named)].filter((image) => !made.includes(image) && !MESH_IMAGE.test(image));
}

/** The tests that are in the suite, and what each needs. */
export function testList(program: string): Promise<TestList> {
  return withScratch(program, async (folder) => {
    const file = join(folder, 'tests.json');
    await run(program, ['-test.run=^TestList$'], { env: { TEST_LIST: file } });
    return JSON.parse(readFileSync(file, 'utf8')) as TestList;
  });
}
