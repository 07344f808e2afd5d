/** The images that every worker node has from its start: nothing is ever pulled. */
import { cachedArchive } from '../../scripts/image/archives.ts';
import { type Image, NONROOT } from '../../scripts/image/image.ts';
import { NODE_PATH, nodeProgram } from '../../scripts/image/node-program.ts';
import { builds, built } from './builds.ts';
import { timed } from './progress.ts';

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

async function clusterImages(): Promise<Image[]> {
  return [
    {
      references: [PAUSE],
      entrypoint: ['/pause'],
      user: NONROOT,
      files: { '/pause': { file: await built(builds.pause) } },
    },
    {
      references: [COREDNS, ...SUITE_NAMES.coredns],
      entrypoint: ['/coredns'],
      files: { '/coredns': { file: await built(builds.coredns) } },
    },
    {
      references: [ECHO, ...SUITE_NAMES.echo],
      entrypoint: ['/echo-basic'],
      user: NONROOT,
      files: { '/echo-basic': { file: await built(builds.echo) } },
    },
    { references: [NODE], entrypoint: [NODE_PATH], user: NONROOT, files: nodeProgram() },
  ];
}

export async function imageArchives(): Promise<string[]> {
  const images = await clusterImages();
  return timed('writing images', async () => images.map((image) => cachedArchive(image)));
}
