/** `npm run image`: assembles the runtime's container image, without Docker. */
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { cachedArchive } from './archives.ts';
import { archiveOf, writeWhole } from './image.ts';
import { DEFAULT_REFERENCE, runtimeImage } from './runtime-image.ts';
import { tarOf } from './tar.ts';
import { treeOf, writeTree } from './tree.ts';

const USAGE = `usage: npm run image -- [--reference NAME:TAG] [--output FILE | --folder FOLDER] [--size]

Prints the path of an archive for "docker load" or "ctr images import".

--reference  what the image is called (default: ${DEFAULT_REFERENCE})
--output     where the archive goes (default: the cache, by content)
--folder     the image's files go there instead, as a Dockerfile needs them
--size       also tells how large the image is, as it is and compressed
`;

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      reference: { type: 'string', default: DEFAULT_REFERENCE },
      output: { type: 'string' },
      folder: { type: 'string' },
      size: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  if (!/^[a-z0-9][a-z0-9._/:-]*:[\w][\w.-]*$/.test(values.reference)) {
    throw new Error(
      `--reference: found ${values.reference}, expected a name with a tag, such as ${DEFAULT_REFERENCE}`,
    );
  }
  const image = await runtimeImage(values.reference);
  const tree = treeOf(image.files);
  if (values.folder) {
    writeTree(values.folder, tree);
  } else if (values.output) {
    writeWhole(values.output, archiveOf(image));
    process.stdout.write(`${values.output}\n`);
  } else {
    process.stdout.write(`${cachedArchive(image)}\n`);
  }
  if (values.size) {
    const layer = Buffer.concat(tarOf(tree));
    process.stderr.write(`${mebibytes(layer.length)}, compressed ${mebibytes(gzipSync(layer).length)}\n`);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
