/** Pods that are replaced while clients are served: backends, data planes, the control plane. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../cluster/command.ts';
import { ask } from '../runtime/edge.ts';
import { SYSTEM } from '../runtime/installed.ts';
import { PATIENCE } from '../waiting.ts';
import { failuresOf, type Tally } from './load.ts';
import { BACKEND, HOST, Site } from './site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open();
}, 5 * PATIENCE);
afterEach(() => site?.endLoads());
afterAll(() => site?.close(), 3 * PATIENCE);

const CONTROL_PLANE = `/apis/apps/v1/namespaces/${SYSTEM}/deployments/gatewright`;
const PODS = `/api/v1/namespaces/${SYSTEM}/pods`;

interface Named {
  readonly metadata: { readonly name: string };
}

/** Load over HTTP, HTTPS and HTTP/2 while the work is done, and a little longer. */
async function under(work: () => Promise<void>): Promise<readonly Tally[]> {
  const loads = [
    await site.load(),
    await site.load({ tls: true }),
    await site.load({ tls: true, protocol: 'h2' }),
  ];
  await work();
  for (const load of loads) await load.goesOn(50);
  return Promise.all(loads.map((load) => load.stop()));
}

const nobodyFailed = (tallies: readonly Tally[]) =>
  expect(tallies.flatMap((tally) => failuresOf(tally))).toEqual([]);

/** A change is served after all. */
async function serves(path: string): Promise<void> {
  const rules = [{ matches: [{ path: { type: 'Exact', value: path } }], backendRefs: [BACKEND] }];
  await site.api.applyAll([site.route(path.slice(1), rules)]);
  await eventually(PATIENCE, async () => {
    expect((await ask({ address: site.address, host: HOST, path })).status).toBe(200);
  });
}

/** The replica of the control plane that holds the Lease. */
async function leader(): Promise<string> {
  const { spec } = await site.api.get<{ spec: { holderIdentity: string } }>(
    `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/gatewright`,
  );
  const { items } = await site.api.get<{ items: Named[] }>(PODS);
  const found = items.find(({ metadata }) => spec.holderIdentity.includes(metadata.name));
  if (!found) throw new Error(`the Lease is held by ${spec.holderIdentity || 'nobody'}, which is no pod`);
  return found.metadata.name;
}

/** Deletes a pod without any time to end. */
async function kill(pod: string): Promise<void> {
  const { status, body } = await site.api.call('DELETE', `${PODS}/${pod}?gracePeriodSeconds=0`);
  if (status >= 300) throw new Error(`${pod}: ${status} ${body}`);
}

describe('no request fails while', () => {
  it(
    'backends are rolled out',
    async () => {
      const tallies = await under(() =>
        site.restart(`/apis/apps/v1/namespaces/${site.team}/deployments/backend`),
      );
      nobodyFailed(tallies);
      // Two of before and two of after, and all of them have served.
      for (const { pods } of tallies) expect(Object.keys(pods)).toHaveLength(4);
    },
    4 * PATIENCE,
  );

  it(
    'data planes are rolled out',
    async () => nobodyFailed(await under(() => site.restart(site.dataPlanes))),
    6 * PATIENCE,
  );

  it(
    'the control plane is rolled out',
    async () => {
      nobodyFailed(
        await under(async () => {
          await site.restart(CONTROL_PLANE);
          await serves('/after-rollout');
        }),
      );
    },
    4 * PATIENCE,
  );

  it(
    'the leader of the control plane is killed, and then all of it',
    async () => {
      nobodyFailed(
        await under(async () => {
          const before = await eventually(PATIENCE, leader);
          await kill(before);
          await eventually(PATIENCE, async () => expect(await leader()).not.toBe(before));
          await serves('/after-leader');
          const { items } = await site.api.get<{ items: Named[] }>(PODS);
          for (const { metadata } of items) await kill(metadata.name);
          await site.isWhole(CONTROL_PLANE);
          await serves('/after-all');
        }),
      );
    },
    5 * PATIENCE,
  );
});
