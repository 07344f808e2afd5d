/** Pairs of configurations on two running proxies: what a comparison shows is what clients get. */
import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Region, RegionSide, Witness } from '../../gateway-runtime/diff/region.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { pairCase, regionsOf, shown } from '../property/diff-pairs.ts';
import { Backend } from '../support/backend.ts';
import { exchange } from '../support/client.ts';
import { backend, TestGateway } from '../support/gateway.ts';

const PAIRS = 40;
const SEED = 20;

let cart: Backend;
let next: Backend;
const gateways: TestGateway[] = [];

beforeAll(async () => {
  [cart, next] = [await Backend.echo('cart'), await Backend.echo('next')];
  gateways.push(new TestGateway(), new TestGateway());
});
afterAll(async () => {
  await Promise.all([...gateways, cart, next].map((each) => each.close()));
});

/** What one client can see of a single answer: a share of several backends it can not, and neither limits that nothing meets. */
const isSeenAtOnce = ({ before, after }: Region) => {
  const isOne = ({ outcome }: RegionSide) =>
    outcome.backends.length <= 1 &&
    outcome.limits.length === 0 &&
    (outcome.errors === 0 || outcome.errors === 1);
  return isOne(before) && isOne(after);
};

async function answerOf(gateway: TestGateway, witness: Witness): Promise<string> {
  const { host, method, path, query, headers } = witness;
  const bound = gateway.agent.boundPort(witness.port);
  if (bound === undefined) return 'connection refused';
  const seen = () => [...cart.seen, ...next.seen].length;
  const before = seen();
  const { status, headers: answered } = await exchange(bound, {
    host,
    method,
    path: query ? `${path}?${query}` : path,
    headers: Object.fromEntries(headers),
  });
  // To whom it went, and as what.
  const by = seen() === before ? undefined : [cart, next].map((each) => each.seen.at(-1)?.url);
  for (const each of [cart, next]) each.seen.length = 0;
  return JSON.stringify([status, answered.location, by]);
}

describe('a comparison', () => {
  it(`shows requests that two proxies answer differently, of ${PAIRS} pairs`, async () => {
    let asked = 0;
    for (const pair of fc.sample(pairCase, { numRuns: PAIRS, seed: SEED })) {
      const sides: [TestGateway, Snapshot][] = [
        [gateways[0]!, pair.before],
        [gateways[1]!, pair.after],
      ];
      for (const [gateway, { resources }] of sides) {
        const result = await gateway.serve({
          resources: [...resources, backend('cart'), backend('next')],
          endpoints: { cart: [cart.endpoint], next: [next.endpoint] },
        });
        expect(result.accepted).toBe(true);
      }
      for (const region of regionsOf(pair)) {
        const { witness } = region;
        if (!witness || witness.tls || !METHODS.includes(witness.method) || !isSeenAtOnce(region)) continue;
        asked++;
        const [before, after] = [
          await answerOf(gateways[0]!, witness),
          await answerOf(gateways[1]!, witness),
        ];
        if (before === after) throw new Error(`both answer ${before}: ${shown(region)}`);
      }
    }
    expect(asked).toBeGreaterThan(PAIRS);
  });
});
