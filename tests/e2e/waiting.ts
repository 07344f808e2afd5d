/** Waits for what the cluster does in its own time. */
import { eventually } from '../cluster/command.ts';
import type { KubeApi } from './kube-api.ts';

/** How long a step of the cluster may take, in milliseconds. */
export const PATIENCE = 60_000;

/** What `pick` finds in the object, once it finds something. */
export function observed<O, T>(
  api: KubeApi,
  path: string,
  what: string,
  pick: (object: O) => T | undefined,
): Promise<T> {
  return eventually(PATIENCE, async () => {
    const object = await api.get<O>(path);
    const found = pick(object);
    if (found === undefined) throw new Error(`${path} has no ${what}: ${JSON.stringify(object)}`);
    return found;
  });
}
