import { describe, expect, it } from '@jest/globals';
import { chooseBackend } from '../../../gateway-runtime/proxy/pipeline/backend-choice.ts';
import { type CompiledRule, compileRule } from '../../../gateway-runtime/proxy/pipeline/compiled-rule.ts';
import { FAILURES } from '../../../gateway-runtime/proxy/upstream/ejection.ts';
import { Upstreams } from '../../../gateway-runtime/proxy/upstream/upstreams.ts';
import type { Endpoint, WeightedBackend } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { backend, backendKey, to, toNothing } from '../../support/gateway.ts';
import { rule } from '../match/snapshots.ts';

const KEY = backendKey('a');
const places = (...ports: number[]): Endpoint[] => ports.map((port) => ({ address: '10.0.0.1', port }));
const put = (upstreams: Upstreams, endpoints: readonly Endpoint[]) =>
  upstreams.putEndpoints(KEY, { backend: KEY, endpoints });
const ports = (upstreams: Upstreams, count: number, tried?: readonly Endpoint[]) =>
  Array.from({ length: count }, () => upstreams.next(KEY, 0, tried)?.port);

describe('endpoints', () => {
  it('take turns, also after there are fewer', () => {
    const upstreams = new Upstreams();
    put(upstreams, places(1, 2, 3));
    expect(ports(upstreams, 4)).toEqual([1, 2, 3, 1]);
    put(upstreams, places(7));
    expect(ports(upstreams, 2)).toEqual([7, 7]);
    put(upstreams, []);
    expect(ports(upstreams, 1)).toEqual([undefined]);
  });

  it('that were tried are left out', () => {
    const upstreams = new Upstreams();
    const all = places(1, 2, 3);
    put(upstreams, all);
    expect(ports(upstreams, 3, [all[1]!])).toEqual([1, 3, 1]);
    expect(ports(upstreams, 1, places(1, 2, 3))).toEqual([undefined]);
  });

  it('of an unknown backend are none', () => {
    expect(ports(new Upstreams({ fallback: () => places(1) }), 1)).toEqual([undefined]);
  });

  it('are asked for elsewhere only for a backend of the snapshot that has none', () => {
    const upstreams = new Upstreams({ fallback: ({ service }) => (service === 'a' ? places(9) : []) });
    upstreams.putBackend(backend('a'));
    expect(ports(upstreams, 1)).toEqual([9]);
    put(upstreams, places(1));
    expect(ports(upstreams, 1)).toEqual([1]);
    upstreams.putEndpoints(KEY, undefined);
    expect(ports(upstreams, 1)).toEqual([9]);
    upstreams.removeBackend(KEY);
    expect(ports(upstreams, 1)).toEqual([undefined]);
  });

  it.each(['timeout', 'connect-timeout'] as const)(
    'are ejected for a %s again and again, but not where the rule gave them the time',
    (failure) => {
      const upstreams = new Upstreams();
      put(upstreams, places(1, 2));
      const endpoint = upstreams.next(KEY)!;
      const fail = (times: number, isImpatient: boolean) => {
        for (let i = 0; i < times; i++) {
          upstreams.sent(endpoint);
          upstreams.failed(endpoint, failure, isImpatient);
          upstreams.left(endpoint);
        }
        return endpoint.isEjected;
      };
      expect([fail(3 * FAILURES, true), fail(FAILURES, false)]).toEqual([false, true]);
    },
  );

  it('go with their backend', () => {
    const upstreams = new Upstreams();
    upstreams.putBackend(backend('a'));
    put(upstreams, places(1));
    upstreams.removeBackend(KEY);
    upstreams.putBackend(backend('a'));
    expect(ports(upstreams, 1)).toEqual([undefined]);
  });
});

describe('the backend of a draw', () => {
  const compiled = (...backends: WeightedBackend[]): CompiledRule => {
    const made = rule({ rest: { backends } });
    return compileRule(made, made.matches[0]!, (port) => port);
  };
  const draw = (from: CompiledRule, point: number) => chooseBackend(from, point)?.backend;

  it('is the one whose share it falls into', () => {
    const three = compiled(to('a', 3), to('b', 1));
    expect([0, 0.5, 0.7499, 0.75, 0.999999].map((point) => draw(three, point))).toEqual(
      ['a', 'a', 'a', 'b', 'b'].map(backendKey),
    );
  });

  it('is never one without weight', () => {
    const some = compiled(to('a', 0), to('b', 1), to('c', 0));
    expect([0, 0.5, 0.999999].map((point) => draw(some, point))).toEqual(['b', 'b', 'b'].map(backendKey));
    expect(chooseBackend(compiled(to('a', 0)), 0)).toBeUndefined();
    expect(chooseBackend(compiled(), 0)).toBeUndefined();
  });

  it('keeps the share of one that did not resolve', () => {
    const half = compiled(toNothing(1), to('b', 1));
    expect(chooseBackend(half, 0.25)).toMatchObject({ upTo: 1 });
    expect(draw(half, 0.25)).toBeUndefined();
    expect(draw(half, 0.75)).toBe(backendKey('b'));
  });
});
