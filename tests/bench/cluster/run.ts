/**
 * How soon a change is served, in a real cluster: `node tests/bench/cluster/run.ts`. Uses the cluster named by GATEWRIGHT_E2E_CLUSTER where it
 * is up, and brings up one of its own otherwise. COUNTS gives the numbers of routes, SAMPLES how often each is measured,
 * OBJECTS how many routes come and go before the heap is looked at again; 0: it is not looked at.
 */
import { join } from 'node:path';
import { cachedArchive } from '../../../scripts/image/archives.ts';
import { runtimeImage } from '../../../scripts/image/runtime-image.ts';
import { GATEWAY_API_CRDS, manifests } from '../../cluster/builds.ts';
import { endInOrder, runInside } from '../../cluster/lifecycle.ts';
import { withCluster } from '../../cluster/with-cluster.ts';

endInOrder();
await manifests(GATEWAY_API_CRDS);
const images = [cachedArchive(await runtimeImage())];
const name = process.env.GATEWRIGHT_E2E_CLUSTER || 'bench';
process.exitCode = await withCluster({ name, nodes: 2, install: false, images }, (cluster) =>
  runInside(
    cluster,
    [process.execPath, '--conditions=gatewright-source', join(import.meta.dirname, 'measure.ts')],
    { GATEWRIGHT_E2E_OWN_CLUSTER: '1' },
  ),
);
