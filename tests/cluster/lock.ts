/** One process at a time changes a cluster. */
import { createServer } from 'node:net';
import type { Cluster } from './settings.ts';

/** Keeps others from changing the cluster meanwhile. The kernel frees the name when this process ends. */
export async function alone<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  const lock = createServer();
  await new Promise<void>((resolve, reject) => {
    lock.once('error', () =>
      reject(new Error(`Another process is bringing the cluster ${cluster.name} up or down: wait for it`)),
    );
    lock.listen(`\0${cluster.folder}`, resolve);
  });
  try {
    return await work();
  } finally {
    lock.close();
  }
}
