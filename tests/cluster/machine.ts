/**
 * The machine that a cluster runs on: the first process of process, mount and network namespaces of their own, in
 * which it makes the network and runs the control plane, the load balancer and the workers. When it ends, by whatever
 * cause, the kernel ends every process in there, and with them go all mounts, network namespaces, links and routes.
 *
 * Told on standard output: one line for each step, at last `ready` or `failed: ...`. It ends with standard input, that
 * is with who started it, unless it has read `stay` there.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, type ApiObject, type ObjectList } from './api-client.ts';
import { eventually, run } from './command.ts';
import { controlPlane } from './control-plane.ts';
import { keepRunning } from './daemon.ts';
import { COREDNS } from './images.ts';
import { balance } from './load-balancer.ts';
import { Traffic } from './load-balancer-traffic.ts';
import { makeNetwork } from './network.ts';
import { DNS_SERVICE, type Plan, placeOf, SOURCES } from './settings.ts';
import { workerDaemon } from './worker.ts';

/** How long each step may take, in milliseconds. */
const PATIENCE = 120_000;

/** How many ends of daemons there may be until the cluster is up. */
const MOST_ENDS = 5;

interface Node extends ApiObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Deployment extends ApiObject {
  readonly status: { readonly readyReplicas?: number };
}

const tell = (line: string) => process.stdout.write(`${line}\n`);

let stays = false;
process.stdin.setEncoding('utf8').on('data', (text) => {
  stays ||= String(text).includes('stay');
});
process.stdin.on('close', () => {
  if (!stays) process.exit(1);
});

function fail(problem: string): never {
  tell(`failed: ${problem}`);
  process.exit(1);
}

let isUp = false;
let ends = 0;

function onEnd(line: string): void {
  console.error(line);
  if (isUp) return;
  tell(line);
  if (++ends === MOST_ENDS) fail('its daemons end again and again');
}

async function bringUp({ cluster, workers, images }: Plan): Promise<void> {
  const place = placeOf(cluster);
  // Where `ip` keeps network namespaces; the one outside is not touched.
  await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  await makeNetwork(workers);

  const daemons = controlPlane(cluster);
  mkdirSync(join(cluster.folder, 'etcd'), { mode: 0o700 });
  for (const daemon of daemons) keepRunning(daemon, place.logs, onEnd);
  // Importing images takes a worker as long as the API server takes to start.
  for (const worker of workers) keepRunning(workerDaemon(cluster, worker, images), place.logs, onEnd);
  const api = new ApiClient(place.certificates);
  await eventually(PATIENCE, () => api.ready());
  tell('API server ready');

  const traffic = new Traffic(workers);
  traffic.run();
  balance(api, traffic);
  const manifest = readFileSync(join(SOURCES, 'manifests', 'coredns.yaml'), 'utf8')
    .replace('COREDNS_IMAGE', COREDNS)
    .replace('DNS_ADDRESS', DNS_SERVICE);
  await run(join(place.programs, 'kubectl'), ['--kubeconfig', place.kubeconfig, 'apply', '-f', '-'], {
    input: manifest,
  });

  await eventually(PATIENCE, async () => {
    const { items } = await api.get<ObjectList<Node>>('/api/v1/nodes');
    const ready = items.filter(({ status }) =>
      status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
    );
    if (ready.length < workers.length) {
      throw new Error(`${ready.length} of ${workers.length} nodes are ready`);
    }
  });
  tell(`${workers.map(({ name }) => name).join(', ')} ready`);

  await eventually(PATIENCE, async () => {
    const coredns = await api.get<Deployment>('/apis/apps/v1/namespaces/kube-system/deployments/coredns');
    if (!coredns.status.readyReplicas) throw new Error('CoreDNS is not ready');
  });
  tell('CoreDNS ready');
  writeFileSync(place.ready, JSON.stringify({ since: new Date().toISOString(), workers: workers.length }));
}

try {
  await bringUp(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Plan);
  isUp = true;
  tell('ready');
} catch (error) {
  fail((error as Error).message);
}
