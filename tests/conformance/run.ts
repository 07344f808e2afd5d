/** `npm run conformance`: builds the official suite and runs it against the runtime's image in the cluster under test. */
import { parseArgs } from 'node:util';
import { cachedArchive } from '../../scripts/image/archives.ts';
import { runtimeImage } from '../../scripts/image/runtime-image.ts';
import { GATEWAY_API_CRDS, manifests } from '../cluster/builds.ts';
import { foreground } from '../cluster/foreground.ts';
import { foreignKubeconfig } from '../cluster/foreign.ts';
import { endInOrder, runInside } from '../cluster/lifecycle.ts';
import { say, secondsSince } from '../cluster/progress.ts';
import { poolAddress } from '../cluster/settings.ts';
import { withCluster } from '../cluster/with-cluster.ts';
import { suiteProgram } from './suite.ts';

const USAGE = `usage: npm run conformance -- [--runs N] [--keep] [--test NAME,...] [--features NAME,...] [--build] [--install] [--debug]

--runs N    how often, one after another; all have to succeed (default: 1)
--keep      keeps the report, and how the runs went, in tests/conformance/reports, where all succeeded
--test NAME these tests of the suite only
--features  what to test beyond what the GatewayClass claims; nothing is kept then
--build     only builds the suite and the image
--install   gets missing Debian packages with apt-get, as it does where CI is set
--debug     has the suite say what it waits for

Where KUBECONFIG is set, the cluster is the one it names, with an image it can pull in GATEWRIGHT_E2E_IMAGE, and a free and a
foreign address for a Gateway in --usable-address and --unusable-address. Otherwise a cluster called "conformance" is brought
up and taken down; GATEWRIGHT_E2E_CLUSTER names another, and one that is up is used and stays.
`;

/** Of the pool, far from where addresses are given first; and one that no network has (RFC 5737). */
const OWN_ADDRESSES = ['--usable-address', poolAddress(199), '--unusable-address', '192.0.2.1'];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1' },
      test: { type: 'string' },
      build: { type: 'boolean' },
      install: { type: 'boolean', default: Boolean(process.env.CI) },
      features: { type: 'string' },
      debug: { type: 'boolean' },
      keep: { type: 'boolean' },
      'usable-address': { type: 'string' },
      'unusable-address': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (!/^[1-9]\d?$/.test(values.runs)) throw new Error(`--runs: found ${values.runs}, expected 1 to 99`);
  const start = performance.now();
  const program = await suiteProgram();
  // The network of a cluster of our own has no way out.
  await manifests(GATEWAY_API_CRDS);
  const foreign = foreignKubeconfig();
  const images = foreign ? [] : [cachedArchive(await runtimeImage())];
  say(`The suite and the image are there after ${secondsSince(start)}`);
  if (values.build) return 0;
  const script = [
    process.execPath,
    '--conditions=gatewright-source',
    `${import.meta.dirname}/inside.ts`,
    program,
    ...['--runs', values.runs],
    ...(values.test ? ['--test', values.test] : []),
    ...(values.features ? ['--features', values.features] : []),
    ...(values.debug ? ['--debug'] : []),
    ...(values.keep && !values.test && !values.features ? ['--keep'] : []),
  ];
  if (foreign) {
    const usable = values['usable-address'];
    const unusable = values['unusable-address'];
    if (!usable || !unusable) {
      throw new Error('KUBECONFIG is set: expected --usable-address and --unusable-address too');
    }
    const addresses = ['--usable-address', usable, '--unusable-address', unusable];
    return foreground(script[0]!, [...script.slice(1), ...addresses]);
  }
  const name = process.env.GATEWRIGHT_E2E_CLUSTER || 'conformance';
  return withCluster({ name, nodes: 2, install: values.install, images }, (cluster) =>
    runInside(cluster, [...script, ...OWN_ADDRESSES], { GATEWRIGHT_E2E_OWN_CLUSTER: '1' }),
  );
}

endInOrder();
try {
  process.exitCode = await main();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
