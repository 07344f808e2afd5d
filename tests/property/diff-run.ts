/**
 * `npm run diff:pairs`: what `diff.test.ts` and `diff-tls.test.ts` hold, for 10,000 pairs of configurations and a million requests, and for as
 * many pairs with TLSRoutes, in several processes.
 *
 *     npm run diff:pairs -- [--pairs 10000] [--requests 100] [--seed 1]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { pairCase, regionsOf, requestCase, wrongRegion, wrongWitness } from './diff-pairs.ts';
import { policyPairCase } from './diff-policies.ts';
import { ASKED, tlsPairCase, tlsRegionsOf, wrongTls } from './diff-tls-pairs.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '10000' },
    /** Of each pair. */
    requests: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    /** A share of the pairs, in a process of its own. */
    share: { type: 'boolean', default: false },
  },
});
const [pairs, requests, seed] = [values.pairs, values.requests, values.seed].map(Number) as [
  number,
  number,
  number,
];

function check(): void {
  let regions = 0;
  let possible = 0;
  fc.assert(
    fc.property(
      fc.oneof(pairCase, policyPairCase),
      fc.array(requestCase, { minLength: requests, maxLength: requests }),
      (pair, asked) => {
        const found = regionsOf(pair);
        regions += found.length;
        possible += found.filter(({ witness }) => !witness).length;
        const wrong =
          wrongWitness(pair, found) ??
          asked.map((each) => wrongRegion(pair, found, each)).find((each) => each !== undefined);
        if (wrong) throw new Error(wrong);
      },
    ),
    { numRuns: pairs, seed },
  );
  console.log(
    `${pairs} pairs, ${pairs * requests} requests, ${regions} regions, ${possible} of them only possible: as they should be`,
  );
}

function checkTls(): void {
  let regions = 0;
  fc.assert(
    fc.property(tlsPairCase, (pair) => {
      const found = tlsRegionsOf(pair);
      regions += found.length;
      const wrong = wrongTls(pair, found);
      if (wrong) throw new Error(wrong);
    }),
    { numRuns: pairs, seed },
  );
  console.log(`${pairs} pairs, ${pairs * ASKED} TLS connections, ${regions} regions: as they should be`);
}

async function inProcesses(): Promise<number> {
  const count = availableParallelism();
  const codes = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const options = ['--share', '--pairs', String(Math.ceil(pairs / count))];
      const more = ['--requests', String(requests), '--seed', String(seed + index)];
      const flags = ['--conditions=gatewright-source', import.meta.filename, ...options, ...more];
      const [code] = await once(spawn(process.execPath, flags, { stdio: 'inherit' }), 'exit');
      return code as number | null;
    }),
  );
  return codes.every((code) => code === 0) ? 0 : 1;
}

if (values.share) {
  check();
  checkTls();
} else process.exitCode = await inProcesses();
