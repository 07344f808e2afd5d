/** A container image as an archive that `docker load` and `ctr images import` read: one layer, no registry, no Docker. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { tarOf } from './tar.ts';
import { type Entry, type Source, treeOf } from './tree.ts';

export interface Image {
  /** Names it goes by, each with a tag. */
  readonly references: readonly string[];
  readonly entrypoint: readonly string[];
  /** `user:group`, numeric; root unless said. */
  readonly user?: string;
  /** By absolute path in the image. */
  readonly files: Readonly<Record<string, Source>>;
}

/** The user that programs without need of root run as. */
export const NONROOT = '65532:65532';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** How the image is run, in the words of the image specification. */
export const runConfiguration = ({ entrypoint, user = '' }: Image) => ({
  User: user,
  Entrypoint: entrypoint,
  Env: ['PATH=/usr/local/bin:/usr/bin:/bin:/'],
  WorkingDir: '/',
});

export const digest = (pieces: readonly (Buffer | string)[]): string => {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
};

const file = (path: string, content: string | Buffer): Entry => ({
  path,
  mode: 0o644,
  content: Buffer.from(content as Buffer),
});

/** The bytes of the archive, in pieces. The same content gives the same bytes. */
export function archiveOf(image: Image, layer: readonly Buffer[] = tarOf(treeOf(image.files))): Buffer[] {
  const configuration = JSON.stringify({
    architecture: ARCHITECTURES[process.arch],
    os: 'linux',
    config: runConfiguration(image),
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest(layer)}`] },
  });
  const name = `${digest([configuration])}.json`;
  const manifest = [{ Config: name, RepoTags: image.references, Layers: ['layer.tar'] }];
  return tarOf([
    file(name, configuration),
    { path: 'layer.tar', mode: 0o644, content: Buffer.concat(layer) },
    file('manifest.json', JSON.stringify(manifest)),
  ]);
}

/** A reader never sees a part of it. */
export function writeWhole(path: string, pieces: readonly Buffer[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}`;
  try {
    writeFileSync(part, Buffer.concat(pieces));
    renameSync(part, path);
  } finally {
    rmSync(part, { force: true });
  }
}
