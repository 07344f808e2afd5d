/** The comparison of configurations against the reference matcher; `npm run diff:pairs` tries many more. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Pair, pairCase, regionsOf, requestCase, wrongRegion, wrongWitness } from './diff-pairs.ts';
import { policyPairCase } from './diff-policies.ts';

const PAIRS = 200;
const REQUESTS = 40;

describe('the regions of a difference', () => {
  it.each<[string, fc.Arbitrary<Pair>, number]>([
    ['of rules', pairCase, PAIRS / 10],
    ['of routes under policies', policyPairCase, 0],
  ])(
    `%s are where random requests differ, and nowhere else, and their witnesses differ: ${PAIRS} pairs`,
    (_, pairs, least) => {
      const seen = { lost: 0, moved: 0, altered: 0, new: 0 };
      let witnesses = 0;
      let possible = 0;
      fc.assert(
        fc.property(
          pairs,
          fc.array(requestCase, { minLength: REQUESTS, maxLength: REQUESTS }),
          (pair, requests) => {
            const regions = regionsOf(pair);
            for (const { severity, witness } of regions) {
              seen[severity]++;
              if (witness) witnesses++;
              else possible++;
            }
            const wrong =
              wrongWitness(pair, regions) ??
              requests.map((each) => wrongRegion(pair, regions, each)).find((each) => each !== undefined);
            if (wrong) throw new Error(wrong);
          },
        ),
        { numRuns: PAIRS },
      );
      for (const times of Object.values(seen)) expect(times).toBeGreaterThan(least);
      expect(witnesses).toBeGreaterThan(PAIRS);
      // Most of what expressions leave open is found all the same.
      expect(possible).toBeLessThan(witnesses / 5);
    },
  );
});
