/**
 * A tenant who writes whatever the API server takes from him, while another one's clients are served. SEED and RUNS give another choice, or
 * more of it.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { loadCases } from '../../cases-runner/load.ts';
import { eventually } from '../../cluster/command.ts';
import { hugeObjects } from '../../property/huge-objects.ts';
import { generator } from '../../support/random.ts';
import { specSchemas } from '../gateway-api-crds.ts';
import { mutator } from '../mutation.ts';
import { ask } from '../runtime/edge.ts';
import { SYSTEM } from '../runtime/installed.ts';
import { eachSample } from '../samples.ts';
import { Pool } from '../value-pool.ts';
import { PATIENCE } from '../waiting.ts';
import { failuresOf, type Load } from './load.ts';
import { BACKEND, HOST, OPEN, Site } from './site.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 400);
/** So many places, so that objects are replaced by others and change what they are. */
const NAMES = 40;

let site: Site;
let hostile: string;
let loads: readonly Load[];

beforeAll(async () => {
  site = await Site.open();
  hostile = `${site.team}-hostile`;
  await site.namespace(hostile);
  // What a platform gives a tenant whom it does not know: no pods, and none of the few addresses.
  await site.api.applyAll([
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none', namespace: hostile },
      spec: { hard: { pods: '0', 'services.loadbalancers': '0' } },
    },
  ]);
}, 5 * PATIENCE);
afterEach(() => site?.endLoads());
afterAll(() => site?.close(), 3 * PATIENCE);

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[];
  };
}

/** The pods of a namespace, how often each was started again, and whether it is ready. */
async function pods(namespace: string): Promise<string[]> {
  const { items } = await site.api.get<{ items: readonly Pod[] }>(`/api/v1/namespaces/${namespace}/pods`);
  return items.map(({ metadata, status: { containerStatuses = [] } }) =>
    [metadata.name, ...containerStatuses.map(({ ready, restartCount }) => `${ready} ${restartCount}`)].join(
      ' ',
    ),
  );
}

const allPods = async () => (await Promise.all([SYSTEM, site.infra, site.team].map(pods))).flat();

/** The object as the tenant could write it, for the Gateway that he may attach to; undefined for kinds that no namespace has. */
function moved(object: RawObject, name: string): RawObject | undefined {
  if (object.kind === 'GatewayClass' || object.kind === 'Namespace') return undefined;
  const {
    metadata,
    spec,
    status: _,
    ...rest
  } = structuredClone(object) as {
    metadata?: object;
    spec?: Record<string, unknown>;
    status?: unknown;
  } & RawObject;
  if (spec && 'parentRefs' in spec) {
    spec.parentRefs = [{ name: 'edge', namespace: site.infra }];
    if ('hostnames' in spec) spec.hostnames = [`${name}.${OPEN}`];
  }
  return {
    ...rest,
    ...(spec ? { spec } : {}),
    metadata: { ...metadata, namespace: hostile, name, creationTimestamp: undefined },
  } as RawObject;
}

/** Objects of the cases, with values for every field of the CRDs. */
async function poolOfValues(): Promise<Pool> {
  const objects = loadCases().flatMap(({ steps }) => steps.flatMap((step) => step.objects));
  const pool = new Pool([...new Map(objects.map((object) => [JSON.stringify(object), object])).values()]);
  const kinds = new Set(pool.objects.map(({ kind }) => kind));
  for (const { kind, schema } of await specSchemas()) {
    if (kinds.has(kind)) eachSample(schema, kind, (...sample) => pool.add(...sample));
  }
  return pool;
}

/** Whether the API server took it. */
async function write(object: RawObject): Promise<boolean> {
  if (!(await site.api.knows(object))) return false;
  return (await site.api.apply(object)).status < 300;
}

describe('a tenant', () => {
  let before: readonly string[];

  const begin = async () => {
    before = await allPods();
    loads = await site.loads();
  };

  /** Another's requests were all answered, nothing was started again, and a change of another's is served. */
  const unharmed = async (path: string) => {
    const rules = [{ matches: [{ path: { type: 'Exact', value: path } }], backendRefs: [BACKEND] }];
    await site.api.applyAll([site.route(path.slice(1), rules)]);
    await eventually(PATIENCE, async () => {
      expect((await ask({ address: site.address, host: HOST, path })).status).toBe(200);
    });
    for (const load of loads) await load.goesOn(50);
    for (const load of loads) expect(failuresOf(await load.stop())).toEqual([]);
    expect(await allPods()).toEqual(before);
  };

  it(
    `who writes ${RUNS} mutated objects harms no other's traffic, from seed ${SEED}`,
    async () => {
      const random = generator(SEED);
      const mutate = mutator(await poolOfValues(), random);
      await begin();
      let taken = 0;
      for (let run = 0; run < RUNS; run++) {
        const object = moved(mutate().object, `n${Math.floor(random() * NAMES)}`);
        if (object && (await write(object))) taken++;
        // Some go again, with what was made for them.
        if (object && random() < 0.1 && (await site.api.knows(object))) await site.api.remove(object);
      }
      expect(taken).toBeGreaterThan(RUNS / 10);
      await unharmed('/after-mutated');
    },
    5 * PATIENCE,
  );

  it(
    "who writes the largest objects that are taken harms no other's traffic",
    async () => {
      await begin();
      let taken = 0;
      for (const object of hugeObjects({ namespace: site.infra, name: 'edge' }, hostile)) {
        if (await write(object)) taken++;
      }
      expect(taken).toBeGreaterThan(0);
      await unharmed('/after-huge');
    },
    5 * PATIENCE,
  );
});
