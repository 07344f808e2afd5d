/** What goes away while clients are served, and comes back: a node, the API server. In a cluster that the tests made, for they break it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../cluster/command.ts';
import { ask } from '../runtime/edge.ts';
import { PATIENCE } from '../waiting.ts';
import { failuresOf } from './load.ts';
import { cutLink, isOurCluster, pauseApiServer } from './machine.ts';
import { BACKEND, HOST, Site } from './site.ts';

let site: Site;
/** Mends what a test broke. */
let mend: (() => unknown) | undefined;

/** Not the one that takes what is for a Service: see the cluster's network. */
const NODE = 'n2';
const AWAY = 60_000;

const describeInOurs = isOurCluster ? describe : describe.skip;

interface Slices {
  readonly items: readonly {
    readonly endpoints?: readonly {
      readonly nodeName: string;
      readonly conditions: { readonly ready: boolean };
    }[];
  }[];
}

const now = () => performance.timeOrigin + performance.now();

/** Nodes of the ready endpoints of the team's backend. */
async function nodes(): Promise<string[]> {
  const { items } = await site.api.get<Slices>(
    `/apis/discovery.k8s.io/v1/namespaces/${site.team}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dbackend`,
  );
  return items
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions.ready)
    .map(({ nodeName }) => nodeName)
    .sort();
}

async function unready(): Promise<readonly string[]> {
  const { items } = await site.api.get<{
    items: { metadata: { name: string }; status: { conditions?: { type: string; status: string }[] } }[];
  }>(`/api/v1/namespaces/${site.infra}/pods`);
  return items
    .filter(
      ({ status }) => !status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    .map(({ metadata }) => metadata.name);
}

/** Of all containers of the Gateway's data planes. */
async function restarts(): Promise<number> {
  const { items } = await site.api.get<{
    items: { status: { containerStatuses?: { restartCount: number }[] } }[];
  }>(`/api/v1/namespaces/${site.infra}/pods`);
  return items
    .flatMap(({ status }) => status.containerStatuses ?? [])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
}

describeInOurs('a cluster that loses', () => {
  beforeAll(async () => {
    site = await Site.open();
  }, 5 * PATIENCE);
  afterEach(async () => {
    await mend?.();
    mend = undefined;
    site?.endLoads();
  });
  afterAll(() => site?.close(), 3 * PATIENCE);

  it(
    'its API server for a minute serves on, stays ready, and takes up afterwards what has changed',
    async () => {
      const loads = await site.loads();
      const before = await restarts();
      mend = pauseApiServer();
      await sleep(AWAY);
      await mend();
      const rules = [{ matches: [{ path: { type: 'Exact', value: '/after' } }], backendRefs: [BACKEND] }];
      await eventually(PATIENCE, () => site.api.applyAll([site.route('after', rules)]));
      await eventually(PATIENCE, async () => {
        expect((await ask({ address: site.address, host: HOST, path: '/after' })).status).toBe(200);
      });
      // Nothing of ours was restarted for it.
      await eventually(PATIENCE, async () => expect(await unready()).toEqual([]));
      expect(await restarts()).toBe(before);
      for (const load of loads) expect(failuresOf(await load.stop())).toEqual([]);
    },
    AWAY + 3 * PATIENCE,
  );

  it(
    'the link of a node: hardly a request fails after a second, and none once its endpoints are gone',
    async () => {
      await eventually(PATIENCE, async () => expect(await nodes()).toContain(NODE));
      expect(await nodes()).not.toEqual([NODE, NODE]);
      const loads = await site.loads({ workers: 4, timeout: 3_000 });
      const cut = now();
      mend = await cutLink(NODE);
      await eventually(3 * PATIENCE, async () => expect(await nodes()).not.toContain(NODE));
      const gone = now();
      for (const load of loads) {
        await load.goesOn(500);
        const tally = await load.stop();
        const failed = (from: number, to: number) => {
          const asked = tally.answers.filter(({ at }) => at >= from && at < to);
          return { asked: asked.length, failed: asked.filter(({ ok }) => !ok).length };
        };
        const between = failed(cut + 1000, gone + 1000);
        const after = failed(gone + 1000, Number.POSITIVE_INFINITY);
        const words = failuresOf(tally, cut).join('\n');
        expect(between.asked).toBeGreaterThan(500);
        if (between.failed >= between.asked / 100)
          throw new Error(`${between.failed} of ${between.asked}: ${words}`);
        if (after.failed > 0)
          throw new Error(`${after.failed} of ${after.asked} once they were gone: ${words}`);
      }
    },
    6 * PATIENCE,
  );
});
