/** The cluster that is used in place of one of our own. */
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { CACHE } from '../../scripts/image/cache.ts';

/** $KUBECONFIG, unless it is that of a cluster of our own; an error where it names no file. */
export function foreignKubeconfig(): string | undefined {
  const given = process.env.KUBECONFIG;
  if (!given || given.startsWith(`${CACHE}/`)) return undefined;
  if (!given.split(delimiter).some((file) => existsSync(file))) {
    throw new Error(`KUBECONFIG is ${given}, and there is no such file: unset it, or name one that is there`);
  }
  return given;
}
