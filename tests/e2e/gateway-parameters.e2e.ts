/**
 * The CRD of GatewayParameters is generated from the schema that checks them here; the API server, with its OpenAPI and CEL, takes and
 * refuses the same. SEED and RUNS give another choice of changed objects, or more of it.
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  GATEWAY_PARAMETERS_DEFINITION,
  PARAMETERS_KIND,
} from '../../gateway-runtime/api/gateway-parameters.ts';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { generator } from '../support/random.ts';
import { KubeApi } from './kube-api.ts';
import { mutator } from './mutation.ts';
import { installOwnCrds } from './own-crds.ts';
import { eachSample, type OpenApiSchema } from './samples.ts';
import { Pool } from './value-pool.ts';
import { ourVerdict, serverVerdict } from './verdict.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 1500);

let api: KubeApi;
let uninstall = async () => {};

beforeAll(async () => {
  api = await KubeApi.connect();
  uninstall = await installOwnCrds(api);
});

afterAll(async () => {
  await uninstall();
  api.close();
});

const parameters = (spec: unknown): RawObject => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind: PARAMETERS_KIND,
  metadata: { name: 'p', namespace: 'default' },
  spec,
});

const annotations = (...keys: readonly string[]) => ({
  service: { annotations: Object.fromEntries(keys.map((key) => [key, ''])) },
});
const amounts = (cpu: unknown, memory: unknown = 1) => ({ resources: { requests: { cpu, memory } } });

const SPECS: readonly unknown[] = [
  {},
  undefined,
  null,
  { unknown: 1 },
  ...[0, 1, 1000, 1001, '1'].map((replicas) => ({ replicas })),
  { autoscaling: {} },
  ...[1, 2, 3, 1000, 1001].map((maxReplicas) => ({ autoscaling: { maxReplicas } })),
  ...[1, 5, 6].map((minReplicas) => ({ autoscaling: { minReplicas, maxReplicas: 5 } })),
  ...[0, 1, 1000, 1001].map((percentage) => ({
    autoscaling: { maxReplicas: 5, targetCPUUtilizationPercentage: percentage },
  })),
  ...[0, -1, 1, 2147483647, 2147483648, '1', '0.5', '1.125', '1.1254', '500m', '1.5m', '', 'm', '1Gi'].map(
    (cpu) => amounts(cpu),
  ),
  ...[0, '1', '1Ki', '256Mi', '1.5Gi', '1E', '1m', 'Gi', '1234567890123456'].map((memory) =>
    amounts(1, memory),
  ),
  ...['LoadBalancer', 'NodePort', 'ClusterIP', 'ExternalName', ''].map((type) => ({ service: { type } })),
  ...['Local', 'Cluster', 'local'].map((externalTrafficPolicy) => ({ service: { externalTrafficPolicy } })),
  annotations('a', 'example.com/a', 'A.b_c-1'),
  ...['', '-a', 'a/', '/a', 'Example.com/a', 'a/b/c', `${'a'.repeat(64)}`, `${'a'.repeat(253)}/a`, 'a b'].map(
    (key) => annotations(key),
  ),
  annotations(...Array.from({ length: 16 }, (_, index) => `a${index}`)),
  annotations(...Array.from({ length: 17 }, (_, index) => `a${index}`)),
  { service: { annotations: { a: 'x'.repeat(4096) } } },
  { service: { annotations: { a: 'x'.repeat(4097) } } },
  { service: { annotations: { a: 1 } } },
  ...[{}, { minAvailable: 1 }, { maxUnavailable: '25%' }, { minAvailable: 1, maxUnavailable: 1 }].map(
    (podDisruptionBudget) => ({ podDisruptionBudget }),
  ),
  ...[-1, 0, '0%', '100%', '101%', '1', '%', ''].map((minAvailable) => ({
    podDisruptionBudget: { minAvailable },
  })),
  ...[0, 1, 64, 65, '2'].map((workers) => ({ workers })),
  { accessLog: true },
  { accessLog: 'true' },
];

async function difference(object: RawObject): Promise<string | undefined> {
  const ours = ourVerdict(object)!;
  const theirs = await serverVerdict(api, object, 'default');
  if (ours.accepted === theirs.accepted) return undefined;
  const who = ours.accepted ? 'only the API server refuses' : 'only we refuse';
  return `${who} ${JSON.stringify(object.spec)}: ${ours.reason || theirs.reason}`;
}

describe('field rules of GatewayParameters are those of its CRD', () => {
  it('at the edges of every field', async () => {
    const differences: string[] = [];
    const accepted = { true: 0, false: 0 };
    for (const spec of SPECS) {
      const object = parameters(spec);
      accepted[`${ourVerdict(object)!.accepted}`]++;
      const found = await difference(object);
      if (found) differences.push(found);
    }
    expect(differences).toEqual([]);
    expect(Math.min(accepted.true, accepted.false)).toBeGreaterThan(20);
  });

  it(`for ${RUNS} objects with a few fields changed, from seed ${SEED}`, async () => {
    const objects = SPECS.map(parameters).filter((object) => ourVerdict(object)!.accepted);
    const pool = new Pool(objects);
    const [version] = GATEWAY_PARAMETERS_DEFINITION.spec.versions;
    const schema = version!.schema.openAPIV3Schema.properties.spec as OpenApiSchema;
    eachSample(schema, PARAMETERS_KIND, (...sample) => pool.add(...sample));
    const mutate = mutator(pool, generator(SEED));
    const differences: string[] = [];
    for (let run = 0; run < RUNS; run++) {
      const found = await difference(mutate().object);
      if (found) differences.push(found);
    }
    expect(differences).toEqual([]);
  });

  it('and both fill in the same defaults', async () => {
    const object = parameters({ autoscaling: { maxReplicas: 3 } });
    const { status, body } = await api.apply(object, { dryRun: true });
    expect(status).toBeLessThan(300);
    expect(JSON.parse(body).spec).toEqual({
      autoscaling: { minReplicas: 2, maxReplicas: 3, targetCPUUtilizationPercentage: 70 },
    });
  });
});
