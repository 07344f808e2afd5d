/** What fuzzing begins with and what it found: each at every place where it can be cut in two. */
import { describe, expect, it } from '@jest/globals';
import { seedsOf } from './seeds.ts';
import { TARGETS } from './targets.ts';

describe.each(Object.keys(TARGETS))('%s', (name) => {
  it('holds for every seed and find, however it is cut', () => {
    const seeds = seedsOf(name);
    expect(seeds.length).toBeGreaterThan(20);
    for (const octets of seeds) {
      for (let cut = 0; cut <= octets.length; cut++) TARGETS[name]!.check(octets, cut);
    }
  });
});
