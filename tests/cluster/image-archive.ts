/** Writes a container image as an archive that `ctr images import` and `docker load` read: one layer, no registry. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './command.ts';
import { withScratch } from './scratch.ts';

export interface Image {
  /** Names it goes by, each with a tag. */
  readonly references: readonly string[];
  readonly entrypoint: readonly string[];
  /** `user:group`, numeric; root unless said. */
  readonly user?: string;
  /** Path in the image to file here. All become executable. */
  readonly files: Readonly<Record<string, string>>;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const USERS = 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n';
const GROUPS = 'root:x:0:\nnonroot:x:65532:\n';

/** Reproducible: no time, no owner, sorted. */
const PLAIN_TAR = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

export async function writeImage(archive: string, image: Image): Promise<void> {
  await withScratch(archive, async (scratch) => {
    const root = join(scratch, 'root');
    await fillRoot(root, image.files);
    const content = join(scratch, 'content');
    mkdirSync(content);
    const layer = join(content, 'layer.tar');
    await run('tar', ['-C', root, ...PLAIN_TAR, '-cf', layer, '.']);
    const config = JSON.stringify({
      architecture: ARCHITECTURES[process.arch],
      os: 'linux',
      config: {
        User: image.user ?? '',
        Entrypoint: image.entrypoint,
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin:/'],
        WorkingDir: '/',
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256(layer)}`] },
    });
    const configFile = `${createHash('sha256').update(config).digest('hex')}.json`;
    writeFileSync(join(content, configFile), config);
    const manifest = [{ Config: configFile, RepoTags: image.references, Layers: ['layer.tar'] }];
    writeFileSync(join(content, 'manifest.json'), JSON.stringify(manifest));
    const result = join(scratch, 'archive.tar');
    await run('tar', ['-C', content, ...PLAIN_TAR, '-cf', result, '.']);
    renameSync(result, archive);
  });
}

async function fillRoot(root: string, files: Image['files']): Promise<void> {
  for (const folder of ['etc', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  writeFileSync(join(root, 'etc/passwd'), USERS);
  writeFileSync(join(root, 'etc/group'), GROUPS);
  for (const [path, file] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    await copyFile(file, target);
    await chmod(target, 0o755);
  }
}
