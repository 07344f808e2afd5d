/** The catalogue at synth, where no compiler was asked: as plain JavaScript, as objects by hand, and with two copies of the package. */
import { describe, expect, it } from '@jest/globals';
import * as gatewright from 'gatewright';
import { fixture } from './fixture.ts';
import { refusals, refusalsOfObjects } from './refusals.ts';
import { VIOLATIONS } from './violations/index.ts';

describe('synth', () => {
  for (const { name, code, objects, javascript, missing } of VIOLATIONS) {
    if ('stoppedBy' in javascript) {
      it(`does not see ${name}: ${javascript.why}`, () => {
        expect(refusals(fixture(), gatewright, code, objects)).toEqual([]);
      });
      continue;
    }
    it(`refuses ${name} in plain JavaScript`, () => {
      const found = refusals(fixture(), gatewright, code, objects);
      const words = javascript.namesNoGrant ? javascript.words : [...javascript.words, missing];
      const line = found.find(({ path }) => path === javascript.path);
      expect(found.map(({ path }) => path)).toContain(javascript.path);
      for (const each of words) expect(line!.message).toContain(each);
    });
  }

  it.each(VIOLATIONS)('refuses $name as objects in the chart of the team', ({ by, objects }) => {
    expect(refusalsOfObjects(fixture(), gatewright, by, objects)).not.toEqual([]);
  });
});
