/**
 * Our field rules against those of the CRDs, where no case has thought of it: objects of the cases with a few
 * fields changed. SEED and RUNS give another choice, or more of it.
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyOf, loadCases } from '../cases-runner/load.ts';
import { generator } from '../support/random.ts';
import { installGatewayApi, specSchemas } from './gateway-api-crds.ts';
import { KubeApi } from './kube-api.ts';
import { mutator } from './mutation.ts';
import { eachSample } from './samples.ts';
import { Pool } from './value-pool.ts';
import { ourVerdict, serverVerdict } from './verdict.ts';

/** The one that the CRDs have been asked about; older versions have the same rules. */
const VERSION = 'gateway.networking.k8s.io/v1';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 3000);

let api: KubeApi;
let uninstall = async () => {};

beforeAll(async () => {
  api = await KubeApi.connect();
  uninstall = await installGatewayApi(api);
});

afterAll(async () => {
  await uninstall();
  api.close();
});

/** Objects that both accept, and for every field of the CRDs values to try. */
async function poolOfValues(): Promise<Pool> {
  const objects = loadCases()
    .flatMap(({ steps }) => steps.flatMap((step) => step.objects))
    .filter(({ apiVersion, spec }) => apiVersion === VERSION && spec)
    .filter((object) => ourVerdict(object)?.accepted);
  const pool = new Pool([...new Map(objects.map((object) => [JSON.stringify(object), object])).values()]);
  const kinds = new Set(pool.objects.map(({ kind }) => kind));
  for (const { kind, schema } of await specSchemas()) {
    if (kinds.has(kind)) eachSample(schema, kind, (...sample) => pool.add(...sample));
  }
  return pool;
}

describe('field rules are those of the CRDs', () => {
  it(`for ${RUNS} objects with a few fields changed, from seed ${SEED}`, async () => {
    const mutate = mutator(await poolOfValues(), generator(SEED));
    const differences: string[] = [];
    const counts = { accepted: 0, refused: 0 };
    for (let run = 0; run < RUNS; run++) {
      const { object, changes } = mutate();
      const ours = ourVerdict(object)!;
      const theirs = await serverVerdict(api, object, 'default');
      counts[theirs.accepted ? 'accepted' : 'refused']++;
      if (ours.accepted === theirs.accepted) continue;
      const who = ours.accepted ? 'only the API server refuses' : 'only we refuse';
      differences.push(`${who} ${keyOf(object)}, ${changes.join(', ')}: ${ours.reason || theirs.reason}`);
    }
    expect(differences).toEqual([]);
    // The choice is worth something only where it has a good deal of either.
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(RUNS / 10);
  });
});
