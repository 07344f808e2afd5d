/** What the cluster has that the kubeconfig names. */
import { ApiClient, ApiError, UnreachableError } from '../../gateway-runtime/control/cluster/client.ts';
import { ConnectionError, connection } from '../../gateway-runtime/control/cluster/connection.ts';
import type { SourcedObject } from '../../gateway-runtime/control/source.ts';
import {
  clusterObjects,
  NoKubernetesError,
  NotListedError,
} from '../../gateway-runtime/preview/cluster-objects.ts';
import { CommandError, EXIT } from '../terminal.ts';

/** Throws a CommandError where the cluster can't be reached, is none, or a kind may not be listed. */
export async function objectsOfCluster(): Promise<SourcedObject[]> {
  try {
    const client = new ApiClient(connection());
    try {
      return await clusterObjects((path) => client.get(path));
    } finally {
      client.close();
    }
  } catch (error) {
    const isExpected = [ConnectionError, UnreachableError, ApiError, NoKubernetesError, NotListedError].some(
      (type) => error instanceof type,
    );
    if (isExpected) throw new CommandError(`error cluster: ${(error as Error).message}.`, EXIT.usage);
    throw error;
  }
}
