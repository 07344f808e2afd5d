/** The catalogue itself: that each violation is one, complete, and tried by a team that the platform knows. */
import { describe, expect, it } from '@jest/globals';
import { synthesize } from 'gatewright';
import { fixture, TEAMS } from './fixture.ts';
import { VIOLATIONS } from './violations/index.ts';

describe('the catalogue of violations', () => {
  it('has at least 25 that types see, and more in all, each under a name of its own', () => {
    const names = VIOLATIONS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(VIOLATIONS.filter(({ typescript }) => 'at' in typescript).length).toBeGreaterThanOrEqual(25);
  });

  it.each(VIOLATIONS)('$name: says who does what, and which objects are the same by hand', (violation) => {
    expect(TEAMS).toHaveProperty(violation.by);
    for (const text of [violation.violates, violation.code, violation.missing])
      expect(text.length).toBeGreaterThan(10);
    expect(new URL(violation.threatens).protocol).toBe('http:');
    expect(violation.objects.length).toBeGreaterThan(0);
    for (const object of violation.objects) {
      expect(object).toEqual(JSON.parse(JSON.stringify(object)));
      expect(object).toMatchObject({
        apiVersion: expect.stringMatching(/v1/),
        kind: expect.any(String),
        metadata: { name: expect.any(String) },
      });
    }
  });

  it('starts from a platform with which nothing is wrong', () => {
    const { objects, warnings } = synthesize(fixture().app);
    // The runtime says of itself what it does not serve yet.
    const unserved = ['platform/shared-gw/rpc', 'platform/ports-gw'];
    expect(warnings.filter(({ path }) => !unserved.includes(path))).toEqual([]);
    const listenerSets = objects.filter(({ object }) => object.kind === 'ListenerSet');
    expect(listenerSets.map(({ object }) => (object.metadata as { name: string }).name)).toEqual([
      'shared-gw-shop',
      'shared-gw-shop-pay',
      'shared-gw-shop-rpc',
      'shared-gw-media',
      'shared-gw-media-brand',
    ]);
  });
});
