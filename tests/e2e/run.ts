/**
 * Runs the tests that need a cluster: `node tests/e2e/run.ts [--install] [jest arguments]`. Where KUBECONFIG is set they run
 * against the cluster it names. Otherwise a cluster is brought up for them and taken down at the end; one that is up already
 * is used, and stays. It is called `e2e`, or what GATEWRIGHT_E2E_CLUSTER says, and has the runtime's image. Tests below tests/cluster bring up their own.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cachedArchive } from '../../scripts/image/archives.ts';
import { runtimeImage } from '../../scripts/image/runtime-image.ts';
import { built, GATEWAY_API_CRDS, manifests } from '../cluster/builds.ts';
import { foreground } from '../cluster/foreground.ts';
import { foreignKubeconfig } from '../cluster/foreign.ts';
import { buildAll, endInOrder, runInside } from '../cluster/lifecycle.ts';
import { say } from '../cluster/progress.ts';
import { withCluster } from '../cluster/with-cluster.ts';
import { PULUMI_BUILDS } from '../pulumi/programs.ts';

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
  // A suite that could not clean up leaves handles open, and must not keep the cluster up.
  '--forceExit',
];

async function againstOwnCluster(install: boolean, args: readonly string[]): Promise<number> {
  const name = process.env.GATEWRIGHT_E2E_CLUSTER || 'e2e';
  const images = [cachedArchive(await runtimeImage())];
  return withCluster({ name, nodes: NODES, install, images }, (cluster) => {
    // What tests leave there, where they are killed, goes with the cluster.
    const temporary = join(cluster.folder, 'tmp');
    mkdirSync(temporary, { recursive: true });
    return runInside(cluster, [...jest, ...args], {
      GATEWRIGHT_E2E_OWN_CLUSTER: '1',
      TMPDIR: temporary,
    });
  });
}

const PULUMI_TESTS = 'tests/e2e/pulumi';
/** Whether an argument of jest names the tests of Pulumi, or a folder that they are in. */
const mayRunPulumi = (argument: string) =>
  argument.startsWith(PULUMI_TESTS) || PULUMI_TESTS.startsWith(argument.replace(/\/$/, ''));

async function main(): Promise<number> {
  endInOrder();
  const install = process.argv.includes('--install') || Boolean(process.env.CI);
  const given = process.argv.slice(2).filter((argument) => argument !== '--install');
  const args = given.length > 0 ? given : ['tests/e2e'];
  const foreign = foreignKubeconfig();
  if (foreign) say(`KUBECONFIG is set: running against the cluster of ${foreign}`);
  const bringTheirOwn = args.some((argument) => argument.startsWith('tests/cluster'));
  if (bringTheirOwn) await buildAll(install);
  // The network of a cluster of our own has no way out.
  await manifests(GATEWAY_API_CRDS);
  if (!foreign && args.some(mayRunPulumi)) for (const build of PULUMI_BUILDS) await built(build);
  if (foreign || bringTheirOwn) return foreground(jest[0]!, [...jest.slice(1), ...args]);
  return againstOwnCluster(install, args);
}

try {
  process.exitCode = await main();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
