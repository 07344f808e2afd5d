/**
 * Runs the tests that need a cluster: `node tests/e2e/run.ts [--install] [tests and other jest arguments]`. Where KUBECONFIG is set they
 * run against the cluster it names. Otherwise a cluster is brought up for them and taken down at the end, unless one
 * named `e2e` is up already (`node tests/cluster/cluster.ts up --name e2e`), which stays.
 */
import { join } from 'node:path';
import { GATEWAY_API_CRDS, manifests } from '../cluster/builds.ts';
import { foreground } from '../cluster/foreground.ts';
import { buildAll, down, downWhenInterrupted, readiness, runInside, up } from '../cluster/lifecycle.ts';
import { say } from '../cluster/progress.ts';
import { CACHE, clusterNamed } from '../cluster/settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NODES = 2;

const jest = [
  process.execPath,
  '--conditions=gatewright-source',
  '--experimental-vm-modules',
  '--no-warnings=ExperimentalWarning',
  join(ROOT, 'node_modules/jest/bin/jest.js'),
  `--config=${join(import.meta.dirname, 'jest.config.js')}`,
  '--runInBand',
];

async function againstForeignCluster(args: readonly string[]): Promise<number> {
  say(`KUBECONFIG is set: running against the cluster of ${process.env.KUBECONFIG}`);
  return foreground(jest[0]!, [...jest.slice(1), ...args]);
}

async function againstOwnCluster(args: readonly string[], install: boolean): Promise<number> {
  const cluster = clusterNamed('e2e');
  const stays = readiness(cluster) !== undefined;
  const uninterrupted = stays ? () => {} : downWhenInterrupted(cluster);
  try {
    await up(cluster, { nodes: NODES, install, stay: false });
    return await runInside(cluster, [...jest, ...args], { GATEWRIGHT_E2E_OWN_CLUSTER: '1' });
  } finally {
    if (!stays) await down(cluster);
    uninterrupted();
  }
}

async function main(): Promise<number> {
  const install = process.argv.includes('--install') || Boolean(process.env.CI);
  const given = process.argv.slice(2).filter((argument) => argument !== '--install');
  const args = given.length > 0 ? given : ['tests/e2e'];
  // The network of a cluster of our own has no way out.
  await manifests(GATEWAY_API_CRDS);
  const foreign = process.env.KUBECONFIG && !process.env.KUBECONFIG.startsWith(`${CACHE}/`);
  if (foreign) return againstForeignCluster(args);
  // Tests of clusters as such bring up their own.
  if (args.some((argument) => argument.startsWith('tests/cluster'))) {
    await buildAll(install);
    return foreground(jest[0]!, [...jest.slice(1), ...args]);
  }
  return againstOwnCluster(args, install);
}

try {
  process.exitCode = await main();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
