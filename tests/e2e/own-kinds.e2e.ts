/**
 * The CRDs of our own kinds are generated from the schemas that check their objects here; the API server, with its OpenAPI and CEL, takes
 * and refuses the same. SEED and RUNS give another choice of changed objects, or more of it.
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_PARAMETERS_DEFINITION } from '../../gateway-runtime/api/gateway-parameters.ts';
import { GATEWAY_POLICY_DEFINITION } from '../../gateway-runtime/api/gateway-policy.ts';
import { GRANT_DEFINITION } from '../../gateway-runtime/api/grant.ts';
import { parse } from '../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { ROUTE_POLICY_DEFINITION } from '../../gateway-runtime/api/route-policy.ts';
import { generator } from '../support/random.ts';
import { NOT_GRANTED_PATHS } from '../unit/api/field-rules.ts';
import { KubeApi } from './kube-api.ts';
import { mutator } from './mutation.ts';
import { installOwnCrds } from './own-crds.ts';
import { GATEWAY_POLICIES, ROUTE_POLICIES } from './policy-specs.ts';
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

const annotations = (...keys: readonly string[]) => ({
  service: { annotations: Object.fromEntries(keys.map((key) => [key, ''])) },
});
const amounts = (cpu: unknown, memory: unknown = 1) => ({ resources: { requests: { cpu, memory } } });

const PARAMETERS: readonly unknown[] = [
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

const entry = (part: object, name = 'shop') => ({ name, kinds: ['HTTPRoute'], ...part });
const grant = (...entries: readonly unknown[]) => ({
  gatewayName: 'edge',
  team: 'shop',
  namespace: 'shop',
  grants: entries,
});
const delegated = (part: object) =>
  grant(
    entry({
      delegated: [{ path: '/a', hostnames: ['a.example.com'], team: 'a', namespace: 'a', ...part }],
    }),
  );
const listener = (part: object) =>
  grant(entry({ listeners: [{ kind: 'Gateway', name: 'edge', sectionNames: ['web'], ...part }] }));
const own = (part: object) => grant(entry({ ownListeners: [{ port: 443, protocol: 'HTTPS', ...part }] }));
const several = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, i) => make(i));

const GRANTS: readonly unknown[] = [
  {},
  null,
  grant(),
  grant(entry({})),
  { ...grant(entry({})), unknown: 1 },
  ...['', 'A', 'a.b', 'x'.repeat(63), 'x'.repeat(64), 7].flatMap((text) => [
    { ...grant(entry({})), team: text },
    { ...grant(entry({})), namespace: text },
    { ...grant(entry({})), gatewayName: text },
    grant(entry({ name: text })),
  ]),
  grant(entry({}), entry({}, 'other')),
  grant(entry({}), entry({})),
  grant(...several(64, (index) => entry({}, `g${index}`))),
  grant(...several(65, (index) => entry({}, `g${index}`))),
  ...[
    'a.example.com',
    '*.example.com',
    '*',
    'A.example.com',
    'a.example.com.',
    'a:80',
    'a.*.b',
    '',
    'é',
  ].flatMap((host) => [grant(entry({ hostnames: [host] })), delegated({ hostnames: [host] })]),
  grant(entry({ hostnames: several(64, (index) => `h${index}`) })),
  grant(entry({ hostnames: several(65, (index) => `h${index}`) })),
  ...[[], ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'], ['Gateway'], undefined].map(
    (kinds) => grant(entry({ kinds })),
  ),
  ...[{}, { kind: 'ListenerSet' }, { kind: 'Service' }, { name: '' }, { sectionNames: [] }].map(listener),
  ...[['a'], ['A'], several(64, (index) => `l${index}`), several(65, (index) => `l${index}`)].map(
    (sectionNames) => listener({ sectionNames }),
  ),
  ...[
    ...['/', '/a', '/a/b', '/a.b', '/.a', '/;a', '/a;..', '/-', "/!$&'()*+,=:@~_"],
    ...[...NOT_GRANTED_PATHS, '/.;a', '/a%20', '/a?', '/a#', '/a\n'],
  ].flatMap((path) => [grant(entry({ paths: [path] })), delegated({ path })]),
  grant(entry({ paths: [] })),
  ...['', 'A', undefined].flatMap((text) => [delegated({ team: text }), delegated({ namespace: text })]),
  delegated({ hostnames: [] }),
  ...[1, 65535, 0, 65536, '80'].map((port) => own({ port })),
  ...['HTTP', 'TLS', 'TCP', 'UDP', 'QUIC'].map((protocol) => own({ protocol })),
];

const SUBJECTS = [
  { definition: GATEWAY_PARAMETERS_DEFINITION, specs: PARAMETERS, least: 20 },
  { definition: GRANT_DEFINITION, specs: GRANTS, least: 20 },
  { definition: GATEWAY_POLICY_DEFINITION, specs: GATEWAY_POLICIES, least: 50 },
  { definition: ROUTE_POLICY_DEFINITION, specs: ROUTE_POLICIES, least: 30 },
].map(({ definition, ...rest }) => {
  const { kind } = definition.spec.names;
  const [version] = definition.spec.versions;
  return { kind, schema: version!.schema.openAPIV3Schema.properties.spec as OpenApiSchema, ...rest };
});

const objectOf = (kind: string, spec: unknown): RawObject => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind,
  metadata: { name: 'p', namespace: 'default' },
  spec,
});

async function difference(object: RawObject): Promise<string | undefined> {
  const ours = ourVerdict(object)!;
  const theirs = await serverVerdict(api, object, 'default');
  if (ours.accepted === theirs.accepted) return undefined;
  const who = ours.accepted ? 'only the API server refuses' : 'only we refuse';
  return `${who} ${JSON.stringify(object.spec)}: ${ours.reason || theirs.reason}`;
}

describe.each(SUBJECTS)('field rules of $kind are those of its CRD', ({ kind, schema, specs, least }) => {
  it('at the edges of every field', async () => {
    const differences: string[] = [];
    const accepted = { true: 0, false: 0 };
    for (const spec of specs) {
      const object = objectOf(kind, spec);
      accepted[`${ourVerdict(object)!.accepted}`]++;
      const found = await difference(object);
      if (found) differences.push(found);
    }
    expect(differences).toEqual([]);
    expect(Math.min(accepted.true, accepted.false)).toBeGreaterThan(least);
  });

  it(`for ${RUNS} objects with a few fields changed, from seed ${SEED}`, async () => {
    const objects = specs.map((spec) => objectOf(kind, spec)).filter((each) => ourVerdict(each)!.accepted);
    const pool = new Pool(objects);
    eachSample(schema, kind, (...sample) => pool.add(...sample));
    const mutate = mutator(pool, generator(SEED));
    const differences: string[] = [];
    for (let run = 0; run < RUNS; run++) {
      const found = await difference(mutate().object);
      if (found) differences.push(found);
    }
    expect(differences).toEqual([]);
  });
});

it.each([
  [
    'GatewayParameters',
    { autoscaling: { maxReplicas: 3 } },
    { autoscaling: { minReplicas: 2, maxReplicas: 3, targetCPUUtilizationPercentage: 70 } },
  ],
  ['Grant', grant(entry({})), grant(entry({ hostnames: [], listeners: [], paths: ['/'], delegated: [] }))],
])('defaults of %s are filled in by both', async (kind, given, full) => {
  const object = objectOf(kind, given);
  const { status, body } = await api.apply(object, { dryRun: true });
  expect(status).toBeLessThan(300);
  expect(JSON.parse(body).spec).toEqual(full);
  expect(parse(object)).toMatchObject({ object: { spec: full } });
});
