/** What there is before a deployment, as far as it can be known: what the cluster has, or what this stack deployed last. */
import { readObject } from '../../gateway-runtime/control/read-object.ts';
import type { SourcedObject } from '../../gateway-runtime/control/source.ts';
import { clusterObjects } from '../../gateway-runtime/preview/cluster-objects.ts';
import { type ClusterAccess, Kubectl } from '../kubectl.ts';
import type { LastDeployed } from './last-deployed.ts';

export interface Present {
  readonly from: 'cluster' | 'last deployment' | 'nothing';
  readonly objects: readonly SourcedObject[];
  /** Why the cluster could not be read, where it could not. */
  readonly why?: string;
}

/** @param milliseconds for the cluster to be read in */
export async function present(
  access: ClusterAccess,
  last: LastDeployed | undefined,
  milliseconds: number,
): Promise<Present> {
  try {
    return { from: 'cluster', objects: await liveObjects(access, milliseconds) };
  } catch (error) {
    const why = (error as Error).message;
    if (!last) return { from: 'nothing', objects: [], why };
    const objects = last.objects.flatMap((raw) => {
      const { object } = readObject(raw, 'the last deployment', () => ({ file: 'the last deployment' }));
      return object ? [object] : [];
    });
    return { from: 'last deployment', objects, why };
  }
}

/** Reads no Secret. One that can't be had in time, or of which a part may not be read, counts as none. */
async function liveObjects(access: ClusterAccess, milliseconds: number): Promise<SourcedObject[]> {
  const end = new AbortController();
  const late = AbortSignal.timeout(milliseconds);
  const signal = AbortSignal.any([late, end.signal]);
  const turns = new Turns(MOST_AT_ONCE);
  try {
    const kubectl = await Kubectl.connect(access);
    await kubectl.reach(signal);
    return await clusterObjects((path) => turns.take(() => kubectl.get(path, signal)));
  } catch (error) {
    if (late.aborted) throw new Error(`it did not answer within ${milliseconds / 1000} s`);
    throw error;
  } finally {
    end.abort();
  }
}

/** Processes of kubectl at once. */
const MOST_AT_ONCE = 4;

class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
