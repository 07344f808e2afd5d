import { describe, expect, it } from '@jest/globals';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import { Served } from '../../../gateway-runtime/workers/served.ts';
import { issue } from '../../support/certificates.ts';
import { backend, backendKey, endpoints, GATEWAY } from '../../support/gateway.ts';
import { listener, snapshot } from '../match/snapshots.ts';

const shop = issue('infra/shop', ['shop.example.com']);
const place = { address: '127.0.0.1', port: 1 };
const first = snapshot(listener('web', { certificates: [shop.id] }), backend('a'), backend('b'));
const nothing = Served.nothing(GATEWAY);
const served = nothing.after({
  delta: difference(undefined, first),
  endpoints: endpoints({ a: [place], b: [place] }),
  certificates: new Map([[shop.id, shop]]),
});

describe('what workers serve', () => {
  it('is nothing at first, and then all that came, for one that has nothing', () => {
    expect([nothing.whole, nothing.snapshot]).toEqual([{}, undefined]);
    const { delta, ...maps } = served.whole;
    expect(delta).toMatchObject({ to: first.version, remove: [] });
    expect(delta).not.toHaveProperty('from');
    expect(new Set(delta!.put)).toEqual(new Set(first.resources));
    expect(maps).toEqual({
      endpoints: endpoints({ a: [place], b: [place] }),
      certificates: new Map([[shop.id, shop]]),
    });
    expect(served.snapshot).toEqual(first);
    expect(served.ports).toEqual([80]);
  });

  it('holds no endpoints and no keys that the snapshot does not refer to, and what was is not altered', () => {
    const second = snapshot(listener('web'), backend('b'));
    const after = served.after({ delta: difference(first, second) });
    const { endpoints: left, certificates } = after.whole;
    expect([[...left!.keys()], certificates!.size]).toEqual([[backendKey('b')], 0]);
    expect(after.snapshot).toEqual(second);
    expect(served.whole.certificates!.size).toBe(1);
  });

  it('has plain values as they last came', () => {
    const twice = served.after({ sessionKeys: ['a'] }).after({ sessionKeys: ['b', 'a'] });
    expect(twice.after({ endpoints: new Map() }).whole.sessionKeys).toEqual(['b', 'a']);
  });

  it('changes what came beside the snapshot alone too', () => {
    const after = served.after({ endpoints: new Map([[backendKey('a'), undefined]]) });
    expect([...after.whole.endpoints!.keys()]).toEqual([backendKey('b')]);
    expect(after.version).toBe(first.version);
  });
});
