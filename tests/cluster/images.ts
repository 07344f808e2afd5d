/** The images that every worker node has from its start: nothing is ever pulled. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { builds, built } from './builds.ts';
import { run } from './command.ts';
import { type Image, writeImage } from './image-archive.ts';
import { timed } from './progress.ts';
import { CACHE } from './settings.ts';

export const PAUSE = 'gatewright.test/pause:1';
export const COREDNS = `registry.k8s.io/coredns/coredns:v${builds.coredns.version}`;
export const NODE = 'gatewright.test/node:24';
/** Answers every request with a description of it, in JSON. */
export const ECHO = 'registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.3';

/** Other names of the same images, by which the conformance suite calls them. */
export const SUITE_NAMES = {
  echo: ['v1.5.1', 'v1.6.0-dev.2'].map((tag) => ECHO.replace(/:.*/, `:${tag}`)),
  coredns: [COREDNS.replace(/:.*/, ':v1.12.2')],
};

const NONROOT = '65532:65532';

/** The Node that runs this, with the libraries that it is linked to. */
async function nodeImage(): Promise<Image> {
  const linked = await run('ldd', [process.execPath]);
  const libraries = [...linked.matchAll(/(\/[^ ]+) \(0x/g)].map((found) => found[1]!);
  return {
    references: [NODE],
    entrypoint: ['/usr/local/bin/node'],
    user: NONROOT,
    files: {
      '/usr/local/bin/node': process.execPath,
      ...Object.fromEntries(libraries.map((library) => [library, library])),
    },
  };
}

async function clusterImages(): Promise<Image[]> {
  return [
    {
      references: [PAUSE],
      entrypoint: ['/pause'],
      user: NONROOT,
      files: { '/pause': await built(builds.pause) },
    },
    {
      references: [COREDNS, ...SUITE_NAMES.coredns],
      entrypoint: ['/coredns'],
      files: { '/coredns': await built(builds.coredns) },
    },
    {
      references: [ECHO, ...SUITE_NAMES.echo],
      entrypoint: ['/echo-basic'],
      user: NONROOT,
      files: { '/echo-basic': await built(builds.echo) },
    },
    await nodeImage(),
  ];
}

/** Path of the image's archive, which is written first where it is not in the cache. */
async function archived(image: Image): Promise<string> {
  const states = Object.values(image.files).map((file) => [
    file,
    statSync(file).size,
    statSync(file).mtimeMs,
  ]);
  const key = createHash('sha256')
    .update(JSON.stringify([image, states]))
    .digest('hex')
    .slice(0, 12);
  const name = basename(image.references[0]!.replace(/:.*/, ''));
  const archive = join(CACHE, 'images', `${name}-${key}.tar`);
  if (!existsSync(archive)) await timed(`writing image ${name}`, () => writeImage(archive, image));
  return archive;
}

export async function imageArchives(): Promise<string[]> {
  const archives: string[] = [];
  for (const image of await clusterImages()) archives.push(await archived(image));
  return archives;
}
