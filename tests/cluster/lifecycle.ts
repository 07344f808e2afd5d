/** Brings a cluster up, takes it down, and runs commands inside its network. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builds, built, CLUSTER_BUILDS } from './builds.ts';
import { makeCertificates } from './certificates.ts';
import { run } from './command.ts';
import { foreground } from './foreground.ts';
import { imageArchives } from './images.ts';
import { isNothing, leftoversOf, machineOf, marked, removeLeftovers } from './leftovers.ts';
import { alone } from './lock.ts';
import { requireMachine, requireRoot } from './prerequisites.ts';
import { say, secondsSince, timed } from './progress.ts';
import { type Cluster, type Plan, placeOf, SOURCES, workers } from './settings.ts';
import { containerdSocket } from './worker.ts';

export interface UpOptions {
  /** Number of worker nodes. */
  readonly nodes: number;
  /** Get missing Debian packages with apt-get. */
  readonly install: boolean;
  /** Whether the cluster outlives this process. One that does not ends with it, even where it is killed. */
  readonly stay: boolean;
}

export interface Ready {
  /** ISO 8601. */
  readonly since: string;
  readonly workers: number;
}

/** Undefined where the cluster is not up, or not yet. */
export function readiness(cluster: Cluster): Ready | undefined {
  const { ready } = placeOf(cluster);
  if (machineOf(cluster) === undefined || !existsSync(ready)) return undefined;
  return JSON.parse(readFileSync(ready, 'utf8')) as Ready;
}

/** The programs that a cluster needs, built where they are not in the cache. */
export async function buildAll(install: boolean): Promise<void> {
  await requireMachine(CLUSTER_BUILDS, install);
  for (const build of CLUSTER_BUILDS) await built(build);
  await imageArchives();
}

export async function up(cluster: Cluster, { nodes, install, stay }: UpOptions): Promise<void> {
  requireRoot();
  const before = readiness(cluster);
  if (before?.workers === nodes) return say(`The cluster ${cluster.name} is up since ${before.since}`);
  if (before) {
    throw new Error(
      `The cluster ${cluster.name} is up with ${before.workers} nodes, not ${nodes}: take it down first`,
    );
  }
  await buildAll(install);
  await alone(cluster, async () => {
    if (!isNothing(leftoversOf(cluster))) remove(cluster);
    const keep = downAtExit(cluster);
    try {
      await timed('preparing the cluster', () => prepare(cluster, nodes));
      await start(cluster, stay);
    } finally {
      keep();
    }
  });
}

/** Ends this process in order where it is told to end, so that what is to be done then is done. */
export function endInOrder(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(130));
}

/** Takes the cluster down where this process ends; returns what takes that back. */
export function downAtExit(cluster: Cluster): () => void {
  const end = () => remove(cluster);
  process.once('exit', end);
  return () => process.off('exit', end);
}

async function prepare(cluster: Cluster, nodes: number): Promise<void> {
  const place = placeOf(cluster);
  for (const folder of [cluster.folder, place.programs, place.logs]) mkdirSync(folder, { recursive: true });
  const link = (name: string, program: string) => symlinkSync(program, join(place.programs, name));
  link('etcd', await built(builds.etcd));
  const kubernetes = await built(builds.kubernetes);
  for (const component of ['apiserver', 'controller-manager', 'scheduler', 'proxy']) {
    link(`kube-${component}`, kubernetes);
  }
  for (const component of ['kubelet', 'kubectl']) link(component, kubernetes);
  const plan: Plan = { cluster, workers: workers(nodes), images: await imageArchives() };
  await makeCertificates(place.certificates, plan.workers);
  writeFileSync(place.plan, JSON.stringify(plan));
}

const NAMESPACES = ['--pid', '--mount', '--net', '--mount-proc', '--propagation', 'private'];

async function start(cluster: Cluster, stay: boolean): Promise<void> {
  const began = performance.now();
  const place = placeOf(cluster);
  const log = openSync(join(place.logs, 'machine.log'), 'a');
  const script = [process.execPath, join(SOURCES, 'machine.ts'), place.plan];
  const machine = spawn('unshare', [...NAMESPACES, '--fork', '--kill-child', ...script], {
    detached: true,
    stdio: ['pipe', 'pipe', log],
    env: {
      PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`,
      HOME: '/root',
      ...marked('machine', cluster),
    },
  });
  closeSync(log);
  machine.stdin!.on('error', () => {});
  let ready = false;
  for await (const line of createInterface({ input: machine.stdout! })) {
    ready = line === 'ready';
    if (ready) break;
    say(`[${secondsSince(began)}] ${line}`);
  }
  if (!ready) {
    const said = readFileSync(join(place.logs, 'machine.log'), 'utf8')
      .trim()
      .split('\n')
      .slice(-5)
      .join('\n');
    throw new Error(
      `The cluster does not come up; its logs are in ${place.logs} until the next up or down\n${said}`,
    );
  }
  say(`The cluster ${cluster.name} is up after ${secondsSince(began)}`);
  if (stay) machine.stdin!.end('stay');
  machine.unref();
  machine.stdout!.destroy();
}

/** Leaves nothing of the cluster, whatever state it is in. */
export async function down(cluster: Cluster): Promise<void> {
  requireRoot();
  await alone(cluster, async () => {
    if (isNothing(leftoversOf(cluster))) say(`There is nothing of the cluster ${cluster.name}`);
    else remove(cluster);
  });
}

function remove(cluster: Cluster): void {
  const began = performance.now();
  say(`taking the cluster ${cluster.name} down ...`);
  removeLeftovers(cluster);
  say(`The cluster ${cluster.name} is down after ${secondsSince(began)}`);
}

/** Gives images, as archives, to all nodes of a cluster that is up. */
export async function loadImages(cluster: Cluster, archives: readonly string[]): Promise<void> {
  const count = readiness(cluster)?.workers;
  if (!count) throw new Error(`The cluster ${cluster.name} is not up`);
  for (let node = 1; node <= count; node++) {
    const containerd = ['--address', containerdSocket(cluster, `n${node}`), '--namespace', 'k8s.io'];
    for (const archive of archives) await run('ctr', [...containerd, 'images', 'import', archive]);
  }
}

/** Exit status of a command that runs inside the cluster's network, with its kubectl and kubeconfig. */
export async function runInside(
  cluster: Cluster,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  requireRoot();
  const machine = machineOf(cluster);
  if (machine === undefined || !readiness(cluster)) {
    throw new Error(`The cluster ${cluster.name} is not up: node tests/cluster/cluster.ts up`);
  }
  const place = placeOf(cluster);
  // A client ends with us, also where we are killed.
  const inside = [`--net=/proc/${machine}/ns/net`, 'setpriv', '--pdeathsig', 'KILL'];
  return foreground('nsenter', [...inside, ...command], {
    PATH: `${place.programs}:${process.env.PATH}`,
    KUBECONFIG: place.kubeconfig,
    ...marked('client', cluster),
    ...environment,
  });
}
