/** The comparison of TLS connections against the reference for them; `npm run diff:pairs` tries many more. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tlsPairCase, tlsRegionsOf, wrongTls } from './diff-tls-pairs.ts';

it('agrees with the reference for every server name, and each witness shows its region', () => {
  const seen = { lost: 0, moved: 0, altered: 0, new: 0, none: 0 };
  fc.assert(
    fc.property(tlsPairCase, (pair) => {
      const regions = tlsRegionsOf(pair);
      for (const { severity } of regions) seen[severity]++;
      if (regions.length === 0) seen.none++;
      const wrong = wrongTls(pair, regions);
      if (wrong) throw new Error(wrong);
    }),
    { numRuns: 500 },
  );
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
});
