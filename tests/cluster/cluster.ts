/** The command line of the cluster under test; README.md tells the rest. */
import { parseArgs } from 'node:util';
import { CACHE } from '../../scripts/image/cache.ts';
import { foreground } from './foreground.ts';
import { foreignKubeconfig } from './foreign.ts';
import { isNothing, leftoversOf } from './leftovers.ts';
import { buildAll, down, endInOrder, loadImages, readiness, runInside, up } from './lifecycle.ts';
import { say } from './progress.ts';
import { type Cluster, clusterNamed, DEFAULT_NAME, MOST_WORKERS, placeOf } from './settings.ts';

const USAGE = `usage: node tests/cluster/cluster.ts COMMAND [--name NAME] [--nodes N] [--install]
       (before "run": what comes after it belongs to the command)

  up            a cluster of N worker nodes (2 unless said) in namespaces of this machine; leaves one that is up alone
  down          everything of it gone, also what an interrupted or killed "up" has left
  status        what there is of it; exit status 1 where it is not up
  kubeconfig    prints the path of its kubeconfig, which works inside its network
  run COMMAND   runs a command inside its network, where nodes, pods, Services and the API server are reached
  load FILE...  gives container images, as archives, to all of its nodes
  build         only fills the cache (${CACHE})

--install gets missing Debian packages with apt-get, as it does where CI is set. Where KUBECONFIG is set, the cluster is
the one it names: nothing is brought up or taken down.`;

async function status(cluster: Cluster): Promise<number> {
  const ready = readiness(cluster);
  if (!ready) {
    const found = leftoversOf(cluster);
    say(
      isNothing(found)
        ? `The cluster ${cluster.name} is down`
        : `The cluster ${cluster.name} is not up, but there is something left of it, which "down" removes: ` +
            `${found.processes.length} processes, ${found.controlGroups.length} control groups, ${found.folder ?? 'no folder'}`,
    );
    return 1;
  }
  say(`The cluster ${cluster.name} is up since ${ready.since}, with its logs in ${placeOf(cluster).logs}`);
  return runInside(cluster, ['kubectl', 'get', 'nodes', '-o', 'wide']);
}

async function withForeignCluster(
  kubeconfig: string,
  command: string,
  rest: readonly string[],
): Promise<number> {
  switch (command) {
    case 'kubeconfig':
      process.stdout.write(`${kubeconfig}\n`);
      return 0;
    case 'up':
    case 'status':
      say(`KUBECONFIG is set: this is the cluster of ${kubeconfig}`);
      return foreground('kubectl', ['get', 'nodes', '-o', 'wide', '--request-timeout=10s']);
    case 'down':
      say(`KUBECONFIG is set: the cluster of ${kubeconfig} stays as it is`);
      return 0;
    case 'run':
      return foreground(rest[0]!, rest.slice(1));
    default:
      throw new Error(`${command} is for clusters of one's own, and KUBECONFIG is set: unset it`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === '--help' || args[0] === '-h') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  // What comes after `run` belongs to the command.
  const at = args.indexOf('run');
  const own = at < 0 ? args : args.slice(0, at + 1);
  const inner = at < 0 ? [] : args.slice(at + 1).filter((each, index) => index > 0 || each !== '--');
  const { values, positionals } = parseArgs({
    args: [...own],
    allowPositionals: true,
    options: {
      name: { type: 'string', default: DEFAULT_NAME },
      nodes: { type: 'string', default: '2' },
      install: { type: 'boolean', default: Boolean(process.env.CI) },
    },
  });
  const [command, ...rest] = [...positionals, ...inner];
  const nodes = Number(values.nodes);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MOST_WORKERS) {
    throw new Error(`--nodes: found ${values.nodes}, expected 1 to ${MOST_WORKERS}`);
  }
  const takesMore = command === 'run' || command === 'load';
  if (!command || takesMore !== rest.length > 0) throw new Error(USAGE);
  const foreign = command === 'build' ? undefined : foreignKubeconfig();
  if (foreign) return withForeignCluster(foreign, command, rest);

  const cluster = clusterNamed(values.name);
  // A command that runs inside decides for itself.
  if (command !== 'run') endInOrder();
  switch (command) {
    case 'up':
      await up(cluster, { nodes, install: values.install, stay: true });
      return 0;
    case 'down':
      await down(cluster);
      return 0;
    case 'status':
      return status(cluster);
    case 'kubeconfig':
      process.stdout.write(`${placeOf(cluster).kubeconfig}\n`);
      return 0;
    case 'run':
      return runInside(cluster, rest);
    case 'load':
      await loadImages(cluster, rest);
      return 0;
    case 'build':
      await buildAll(values.install);
      return 0;
    default:
      throw new Error(USAGE);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
