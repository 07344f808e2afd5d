/** Which endpoint of a backend is next: turns, load, ejection, room. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALL, COMMON, NEARLY_ALL } from '../../../gateway-runtime/proxy/allowance.ts';
import { FAILURES, FIRST, FORGIVEN, LONGEST } from '../../../gateway-runtime/proxy/upstream/ejection.ts';
import { EndpointHealth } from '../../../gateway-runtime/proxy/upstream/endpoint-health.ts';
import { Upstream } from '../../../gateway-runtime/proxy/upstream/upstream.ts';
import type { UpstreamEndpoint } from '../../../gateway-runtime/proxy/upstream/upstream-endpoint.ts';
import type { Endpoint } from '../../../gateway-runtime/snapshot/snapshot.ts';

/** Numbers that look drawn by chance and are the same every time. */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const places = (...ports: number[]): Endpoint[] => ports.map((port) => ({ address: '10.0.0.1', port }));

/** The endpoints with which it began, by port. */
const known = new WeakMap<Upstream, ReadonlyMap<number, UpstreamEndpoint>>();

function upstreamOf(endpoints: readonly Endpoint[], options: { most?: number; random?: () => number } = {}) {
  const upstream = new Upstream({ health: new EndpointHealth(), most: 1_000, random: drawn(7), ...options });
  upstream.put(endpoints);
  known.set(upstream, new Map(endpoints.map(({ address, port }) => [port, upstream.at(address, port)!])));
  return upstream;
}

/** Sends a request, which stays under way. */
function send(upstream: Upstream): UpstreamEndpoint {
  const endpoint = upstream.next([])!;
  upstream.entered(endpoint);
  return endpoint;
}

const ports = (upstream: Upstream, count: number) =>
  Array.from({ length: count }, () => upstream.next([])?.port);

/** So many requests, each with so many under way that last as many steps as `lasts` says. */
function shares(upstream: Upstream, requests: number, underWay: number, lasts: (port: number) => number) {
  const counts = new Map<number, number>();
  const running: { endpoint: UpstreamEndpoint; until: number }[] = [];
  let now = 0;
  for (let i = 0; i < requests; i++) {
    while (running.length >= underWay) {
      running.sort((a, b) => a.until - b.until);
      const { endpoint, until } = running.shift()!;
      now = until;
      upstream.left(endpoint);
    }
    const endpoint = send(upstream);
    counts.set(endpoint.port, (counts.get(endpoint.port) ?? 0) + 1);
    running.push({ endpoint, until: now + lasts(endpoint.port) });
  }
  for (const { endpoint } of running) upstream.left(endpoint);
  expect(upstream.figures.active).toBe(0);
  return counts;
}

describe('requests', () => {
  it('are spread evenly over endpoints that are equally fast, however many there are', () => {
    for (const count of [2, 3, 10, 100]) {
      const upstream = upstreamOf(places(...Array.from({ length: count }, (_, i) => i + 1)));
      const counts = [...shares(upstream, count * 100, count * 2, () => 10).values()];
      expect(counts).toHaveLength(count);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(95);
      expect(Math.max(...counts)).toBeLessThanOrEqual(105);
    }
  });

  it('go less to an endpoint that is slow', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const upstream = upstreamOf(places(1, 2, 3, 4), { random: drawn(seed) });
      const counts = shares(upstream, 4_000, 40, (port) => (port === 1 ? 1_000 : 10));
      // A fourth by turns; what it can do in the time is a hundredth of what each of the others can.
      expect(counts.get(1)! / 4_000).toBeLessThan(0.03);
      expect(
        Math.max(...counts.values()) / Math.min(counts.get(2)!, counts.get(3)!, counts.get(4)!),
      ).toBeLessThan(1.2);
    }
  });

  it('go to the less loaded of two', () => {
    const upstream = upstreamOf(places(1, 2));
    const first = send(upstream);
    const second = send(upstream);
    expect([first.port, second.port]).toEqual([1, 2]);
    upstream.left(second);
    // The turn is that of the first, which has one under way.
    expect(ports(upstream, 4)).toEqual([2, 2, 2, 2]);
  });

  it('find what is known of an endpoint as it was, where the list of endpoints comes anew', () => {
    const upstream = upstreamOf(places(1, 2));
    const first = send(upstream);
    upstream.put(places(3, 1));
    expect(ports(upstream, 3)).toEqual([3, 3, 3]);
    upstream.left(first);
    expect(new Set(ports(upstream, 4))).toEqual(new Set([1, 3]));
  });

  it('leave an endpoint that has gone meanwhile, and change nothing for those that are there', () => {
    const upstream = upstreamOf(places(1, 2), { most: 1 });
    const gone = send(upstream);
    upstream.put(places(2));
    expect(upstream.isFull(ALL)).toBe(false);
    const there = send(upstream);
    expect([gone.port, there.port, upstream.isFull(ALL)]).toEqual([1, 2, true]);
    upstream.left(gone);
    expect(upstream.isFull(ALL)).toBe(true);
    upstream.left(there);
    expect(upstream.isFull(ALL)).toBe(false);
  });

  it('pass over an endpoint that has as many as it may have', () => {
    const upstream = upstreamOf(places(1, 2, 3), { most: 2 });
    const sent = Array.from({ length: 6 }, () => send(upstream).port);
    expect(sent.sort()).toEqual([1, 1, 2, 2, 3, 3]);
    expect(upstream.isFull(ALL)).toBe(true);
    expect(upstream.next([])).toBeUndefined();
    upstream.put(places(1, 2, 3, 4));
    expect(upstream.isFull(ALL)).toBe(false);
    expect(ports(upstream, 3)).toEqual([4, 4, 4]);
  });

  it.each([
    ['a common', COMMON, 14],
    ['nearly the largest', NEARLY_ALL, 15],
    ['the largest', ALL, 16],
  ] as const)('with %s allowance have their part of each endpoint', (_, allowance, each) => {
    const upstream = upstreamOf(places(1, 2), { most: 16 });
    const larger = ([ALL, NEARLY_ALL] as const).filter((other) => other < allowance);
    let last: UpstreamEndpoint | undefined;
    for (let i = 0; i < 2 * each; i++) {
      expect(upstream.isFull(allowance)).toBe(false);
      last = upstream.next([], allowance)!;
      upstream.entered(last);
    }
    const state = () => [
      upstream.next([], allowance),
      upstream.isFull(allowance),
      ...larger.map((other) => upstream.isFull(other)),
    ];
    expect(state()).toEqual([undefined, true, ...larger.map(() => false)]);
    upstream.put(places(1, 2));
    expect(state()).toEqual([undefined, true, ...larger.map(() => false)]);
    for (const other of larger) expect(upstream.next([], other)).toBeDefined();
    upstream.left(last!);
    expect(upstream.next([], allowance)).toBe(last);
  });

  it('have all places with any allowance where there are few', () => {
    const upstream = upstreamOf(places(1), { most: 4 });
    for (let i = 0; i < 4; i++) upstream.entered(upstream.next([], COMMON)!);
    expect(upstream.next([], ALL)).toBeUndefined();
  });

  it('go to terminating endpoints only where there is no other', () => {
    const leaving = places(1, 2).map((each) => ({ ...each, terminating: true }));
    const upstream = upstreamOf([...leaving, ...places(3)]);
    expect(ports(upstream, 3)).toEqual([3, 3, 3]);
    expect(upstream.at('10.0.0.1', 1)).toBeUndefined();
    upstream.put(leaving);
    expect(new Set(ports(upstream, 3))).toEqual(new Set([1, 2]));
    expect(upstream.at('10.0.0.1', 1)?.port).toBe(1);
    upstream.put([...leaving, ...places(3)]);
    expect(ports(upstream, 3)).toEqual([3, 3, 3]);
  });
});

describe('an endpoint that fails one request after the other', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000_000, doNotFake: ['setInterval'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const endpointOf = (upstream: Upstream, port: number) => known.get(upstream)!.get(port)!;
  const fail = (upstream: Upstream, port: number, times = FAILURES) => {
    for (let i = 0; i < times; i++) upstream.failed(endpointOf(upstream, port));
  };

  it('is passed over, for longer each time', () => {
    const upstream = upstreamOf(places(1, 2, 3));
    for (const time of [FIRST, 2 * FIRST, 4 * FIRST]) {
      fail(upstream, 1);
      expect(ports(upstream, 4)).not.toContain(1);
      expect(upstream.at('10.0.0.1', 1)).toBeUndefined();
      jest.advanceTimersByTime(time - 1);
      expect(ports(upstream, 4)).not.toContain(1);
      jest.advanceTimersByTime(1);
      expect(ports(upstream, 4)).toContain(1);
    }
    expect(upstream.figures.ejections).toBe(3);
    for (let i = 0; i < 10; i++) {
      fail(upstream, 1);
      jest.advanceTimersByTime(LONGEST);
      expect(ports(upstream, 4)).toContain(1);
    }
    jest.advanceTimersByTime(FORGIVEN);
    fail(upstream, 1);
    jest.advanceTimersByTime(FIRST);
    expect(ports(upstream, 4)).toContain(1);
  });

  it('and not where one that did not fail came between', () => {
    const upstream = upstreamOf(places(1, 2, 3));
    fail(upstream, 1, FAILURES - 1);
    upstream.succeeded(endpointOf(upstream, 1));
    fail(upstream, 1, FAILURES - 1);
    expect(upstream.figures.ejections).toBe(0);
    expect(ports(upstream, 3)).toContain(1);
  });

  it('goes on being asked where it is the only one, or half of them are ejected', () => {
    const one = upstreamOf(places(1));
    fail(one, 1, 100);
    expect(ports(one, 1)).toEqual([1]);
    expect(one.figures.ejections).toBe(0);
    const five = upstreamOf(places(1, 2, 3, 4, 5));
    for (const port of [1, 2, 3, 4, 5]) fail(five, port);
    expect(five.figures.ejections).toBe(2);
    expect(new Set(ports(five, 6))).toEqual(new Set([3, 4, 5]));
  });

  it('comes back where there are too few left without it', () => {
    const upstream = upstreamOf(places(1, 2, 3, 4));
    fail(upstream, 1);
    jest.advanceTimersByTime(1);
    fail(upstream, 2);
    upstream.put(places(1, 2, 3));
    expect(new Set(ports(upstream, 6))).toEqual(new Set([1, 3]));
    upstream.put(places(1, 2));
    expect(new Set(ports(upstream, 6))).toEqual(new Set([1]));
    upstream.put(places(2));
    expect(new Set(ports(upstream, 6))).toEqual(new Set([2]));
  });

  it('is asked rather than none', () => {
    const upstream = upstreamOf(places(1, 2));
    fail(upstream, 1);
    expect(upstream.next(places(2))?.port).toBe(1);
  });
});
