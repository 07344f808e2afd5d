/** A cluster for the length of some work: one that is up is used and stays, any other is brought up and taken down. */
import { down, downAtExit, loadImages, readiness, up } from './lifecycle.ts';
import { type Cluster, clusterNamed } from './settings.ts';

export interface WithClusterOptions {
  readonly name: string;
  /** Of a cluster that is not up yet. */
  readonly nodes: number;
  /** Get missing Debian packages with apt-get. */
  readonly install: boolean;
  /** Archives of images to give to all nodes. */
  readonly images?: readonly string[];
}

/** What the work gives. A cluster that does not come up is left for its logs to be read; nothing of it runs. */
export async function withCluster<T>(
  { name, nodes, install, images = [] }: WithClusterOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = clusterNamed(name);
  const stays = readiness(cluster) !== undefined;
  if (!stays) await up(cluster, { nodes, install, stay: false });
  const keep = stays ? () => {} : downAtExit(cluster);
  try {
    await loadImages(cluster, images);
    return await work(cluster);
  } finally {
    if (!stays) await down(cluster);
    keep();
  }
}
