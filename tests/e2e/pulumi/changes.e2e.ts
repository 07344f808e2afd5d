/**
 * `pulumi up` of the storefront and what its previews show after an edit. No pod of the control plane runs here: where the
 * statuses of routes matter, the test writes them itself.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { RAN_ON } from '../../pulumi/programs.ts';
import type { Result, Stack } from '../../pulumi/stack.ts';
import { hasGatewayApi, uninstallGatewayApi } from '../gateway-api-crds.ts';
import { KubeApi } from '../kube-api.ts';
import { PATIENCE } from '../waiting.ts';
import { type Pair, pairFor, setCertificates, storefrontStack } from './storefront-stack.ts';

/** The names of the storefront may be taken in a cluster that is not ours. */
const describeAlone = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? describe : describe.skip;

interface Route extends RawObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly spec: { readonly parentRefs: readonly unknown[]; readonly rules: readonly unknown[] };
}

const route = (namespace: string, name: string): RawObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { namespace, name },
});
const STORE = route('shop', 'store');
/** Those that are waited for: all but the one that its listener refuses. */
const ROUTES = [
  STORE,
  route('shop', 'whoami'),
  route('media', 'site'),
  route('media', 'in-the-lobby'),
  route('media', 'with-partners'),
  route('data', 'api'),
  route('infra', 'house-rules'),
];

let api: KubeApi;
let stack: Stack;
let hadGatewayApi: boolean;

const live = async <T = Route>(object: RawObject) => api.get<T>(await api.pathOf(object));

/** Exit status 0 only where nothing would change. */
const unchanged = () => stack.run(['preview', '--diff', '--expect-no-changes']);
const up = () => stack.run(['up', '--yes', '--skip-preview']);
const UNCHANGED = { status: 0, text: expect.not.stringContaining('to update') };

/** The lines of a preview that show another value. */
const changedLines = ({ text }: Result) => text.split('\n').filter((line) => line.includes(' => '));

/** What the weights alter, as `gatewright diff` says it. */
const ALTERED = `traffic: 1 altered
ALTERED: answered where they were, in another way
  shop.example.com /foo
    before    shop/whoami:80 75 %, shop/nginx:80 25 %
              HTTPRoute shop/store spec.rules[4] (cluster)
    after     shop/whoami:80 50 %, shop/nginx:80 50 %
              HTTPRoute shop/store spec.rules[4] (shop/store)
    try       GET http://shop.example.com/foo
`;
/** Diagnostics stand indented in a summary. */
const withoutIndent = ({ text }: Result) => text.replaceAll(/^ {4}/gm, '');

/** As the control plane would write it. */
async function setProgrammed(
  object: RawObject,
  status: 'True' | 'False',
  generation?: number,
): Promise<void> {
  const found = await live(object);
  const condition = (type: string, value: string, reason: string, message: string) => ({
    type,
    status: value,
    reason,
    message,
    observedGeneration: generation ?? found.metadata.generation,
    lastTransitionTime: new Date().toISOString(),
  });
  const parents = found.spec.parentRefs.map((parentRef) => ({
    parentRef,
    controllerName: 'gatewright.dev/gateway-controller',
    conditions: [
      condition('Accepted', 'True', 'Accepted', 'taken by the test'),
      status === 'True'
        ? condition('gatewright.dev/Programmed', status, 'Programmed', 'written by the test')
        : condition('gatewright.dev/Programmed', status, 'NoReplicas', 'no data plane is connected'),
    ],
  }));
  const answer = await api.call(
    'PATCH',
    `${await api.pathOf(object)}/status`,
    { status: { parents } },
    'application/merge-patch+json',
  );
  expect(answer.status).toBe(200);
}

const pairs: Record<string, Pair> = {
  'infra/wildcard': pairFor('wildcard', ['*.example.com']),
  'infra/data-certificate': pairFor('data', ['data.example.com']),
};
/** Every form in which a key could be found: its lines, and how the API has it. */
const tracesOf = ({ key }: Pair) => [
  key.split('\n')[1]!,
  Buffer.from(key).toString('base64'),
  Buffer.from(key).toString('base64').slice(60, 120),
];

describeAlone(`pulumi up of the storefront (${RAN_ON})`, () => {
  beforeAll(async () => {
    api = await KubeApi.connect();
    hadGatewayApi = await hasGatewayApi(api);
    stack = await storefrontStack('gatewright.test/runtime:dev');
    stack.edit('infra/index.ts', "'gatewright', { image,", "'gatewright', { image, replicas: 0,");
    // Under an older version of its API, to be raised later.
    stack.edit(
      'examples/storefront/media.ts',
      '// Routes of shop may',
      `new ApiObject(chart, 'older', { apiVersion: 'gateway.networking.k8s.io/v1beta1', kind: 'ReferenceGrant', metadata: { name: 'older' }, spec: { from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }], to: [{ group: '', kind: 'Service' }] } });
// Routes of shop may`,
    );
    stack.edit(
      'examples/storefront/media.ts',
      'import { app, media',
      "import { ApiObject } from 'cdk8s';\nimport { app, media",
    );
    await setCertificates(stack, pairs);
    await stack.succeed(['config', 'set', 'wait', '0']);
  });

  afterAll(async () => {
    await stack?.run(['destroy', '--yes', '--skip-preview']);
    stack?.remove();
    if (!hadGatewayApi) await uninstallGatewayApi(api);
    api.close();
  });

  it('makes CRDs, runtime, gateways and teams', async () => {
    await stack.succeed(['up', '--yes', '--skip-preview']);
    expect(await live<RawObject>(STORE)).toMatchObject({ spec: { hostnames: ['shop.example.com'] } });
    const { items } = await api.get<{ items: { metadata: { name: string } }[] }>(
      '/apis/gateway.networking.k8s.io/v1/gatewayclasses',
    );
    expect(items.map(({ metadata }) => metadata.name)).toContain('gatewright');
  });

  it('and then previews no change', async () => {
    expect(await unchanged()).toMatchObject(UNCHANGED);
  });

  it('previews a changed weight as that one line, and changes that one object', async () => {
    const before = await live(STORE);
    stack.edit('examples/storefront/shop.ts', 'weights: [3, 1]', 'weights: [1, 1]');
    const preview = await stack.run(['preview', '--diff']);
    expect(changedLines(preview).map((line) => line.trim())).toEqual(['~ weight: 3 => 1']);
    expect(preview.text).toMatch(/^ +~ 1 to update\n +\d+ unchanged$/m);
    expect(preview.text).toContain(ALTERED);
    const done = await up();
    expect(withoutIndent(done)).toContain(ALTERED);
    expect(done.text).toMatch(/^ +~ 1 updated\n +\d+ unchanged$/m);
    const after = await live(STORE);
    expect(after.metadata).toMatchObject({
      uid: before.metadata.uid,
      generation: before.metadata.generation + 1,
    });
    expect(JSON.stringify(after.spec)).not.toContain('"weight":3');
  });

  it('refuses in a preview what the policy does, with and without the cluster, and lets pass what is approved', async () => {
    const path = "hello.rule({ path: exact('/') })";
    await stack.succeed(['config', 'set', 'refuse', '["lost", "cross-team"]']);
    stack.edit('examples/storefront/shop.ts', path, path.replace("'/'", "'/hello'"));
    const lost = '  lost: whoami.shop.example.com /\n    now shop/whoami:80; then 404: no rule matches\n';
    const refused = await stack.run(['preview']);
    expect(refused.status).not.toBe(0);
    expect(withoutIndent(refused)).toContain(
      `error: 1 of 2 changes of traffic are refused (refuse: lost, cross-team)\n${lost}`,
    );
    // Whom it reaches knows nothing of this stack.
    const blind = await stack.run(['preview'], { env: { KUBECONFIG: stack.file('no-kubeconfig') } });
    expect(blind.status).not.toBe(0);
    expect(withoutIndent(blind)).toContain('spec.rules[0] (the last deployment)\n');
    expect(withoutIndent(blind)).toContain(lost);

    stack.edit(
      'infra/index.ts',
      'approve: []',
      "approve: [{ host: 'whoami.shop.example.com', why: 'moved' }, { host: 'old.example.com', why: 'gone' }]",
    );
    const approved = await stack.succeed(['preview']);
    expect(approved).toContain('warning: traffic: 1 lost');
    expect(approved).toContain('warning: no request of old.example.com changes its way any more');
    stack.edit('examples/storefront/shop.ts', "exact('/hello')", "exact('/')");
  });

  it('previews renamed constructs as no change', async () => {
    stack.edit(
      'examples/storefront/shop.ts',
      "'store', { on: shopEdge",
      "'window', { name: 'store', on: shopEdge",
    );
    stack.edit('examples/storefront/shop.ts', "new TeamChart(app, 'shop'", "new TeamChart(app, 'boutique'");
    stack.edit('examples/storefront/workload.ts', '-deployment`', '-pods`');
    expect(await unchanged()).toMatchObject(UNCHANGED);
  });

  it('takes a new apiVersion as an update of the same object', async () => {
    const grant = (version: string): RawObject => ({
      apiVersion: `gateway.networking.k8s.io/${version}`,
      kind: 'ReferenceGrant',
      metadata: { namespace: 'media', name: 'older' },
    });
    const before = await live(grant('v1beta1'));
    stack.edit(
      'examples/storefront/media.ts',
      'gateway.networking.k8s.io/v1beta1',
      'gateway.networking.k8s.io/v1',
    );
    const preview = await stack.run(['preview', '--diff']);
    expect(changedLines(preview)).toEqual([expect.stringContaining('gateway.networking.k8s.io/v1beta1')]);
    expect(preview.text).toMatch(/^ +~ 1 to update\n +\d+ unchanged$/m);
    expect(preview.text).not.toMatch(/replace|delete/);
    expect(await up()).toMatchObject({ status: 0 });
    expect((await live(grant('v1'))).metadata.uid).toBe(before.metadata.uid);
  });

  it('puts certificates of the configuration into the cluster, and shows their keys nowhere', async () => {
    const wildcard: RawObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'infra', name: 'wildcard' },
    };
    const keyOf = async () => {
      const { data } = await live<{ data: Record<string, string> }>(wildcard);
      return Buffer.from(data['tls.key']!, 'base64').toString();
    };
    const old = pairs['infra/wildcard']!;
    expect(await keyOf()).toBe(old.key);
    const rotated = pairFor('rotated', ['*.example.com']);
    await setCertificates(stack, { ...pairs, 'infra/wildcard': rotated });
    const preview = await stack.succeed(['preview', '--diff']);
    expect(preview).toContain('stringData: [secret]');
    await stack.succeed(['up', '--yes', '--skip-preview', '--diff']);
    expect(await keyOf()).toBe(rotated.key);
    await stack.succeed(['stack', 'export']);
    // It shows what it should, or nothing would be proved.
    expect(stack.shown(['Secret/infra/wildcard'])).toHaveLength(1);
    const traces = [old, rotated, pairs['infra/data-certificate']!].flatMap(tracesOf);
    expect(stack.shown(traces)).toEqual([]);
  });

  it('fails where a route is not live in time, and says which, and why', async () => {
    for (const each of ROUTES.slice(2)) await setProgrammed(each, 'True');
    await setProgrammed(STORE, 'False');
    const { generation } = (await live(ROUTES[1]!)).metadata;
    await setProgrammed(ROUTES[1]!, 'True', generation - 1);
    await stack.succeed(['config', 'set', 'wait', '2']);
    const { status, text } = await up();
    expect(status).not.toBe(0);
    expect(text).toContain('error: 2 of 7 routes are not live after 2 s');
    const errors = text.split('\n').filter((line) => /^ +error: HTTPRoute/.test(line));
    expect(errors.map((line) => line.trim()).sort()).toEqual([
      'error: HTTPRoute shop/store is not live after 2 s: found gatewright.dev/Programmed False on ListenerSet infra/shared-gw-shop, expected True: NoReplicas, no data plane is connected',
      `error: HTTPRoute shop/whoami is not live after 2 s: found no gatewright.dev/Programmed for generation ${generation} on ListenerSet infra/shared-gw-shop, expected True`,
    ]);
  });

  it('waits until every route is live', async () => {
    await stack.succeed(['config', 'set', 'wait', '120']);
    let ended = false;
    const running = up().finally(() => {
      ended = true;
    });
    for (const each of ROUTES.slice(1)) await setProgrammed(each, 'True');
    // Everything is there, and it has begun to wait.
    try {
      await eventually(PATIENCE, async () =>
        expect(stack.said()).toContain('waiting up to 120 s for 7 routes to be live'),
      );
      expect(ended).toBe(false);
    } finally {
      await setProgrammed(STORE, 'True');
      await running;
    }
    expect(await running).toMatchObject({ status: 0 });
  });

  it('waits in no preview', async () => {
    await setProgrammed(STORE, 'False');
    expect(await unchanged()).toMatchObject(UNCHANGED);
  });

  it('takes away what it made, and leaves the CRDs to who else uses them', async () => {
    expect(await stack.run(['destroy', '--yes', '--skip-preview'])).toMatchObject({ status: 0 });
    const namespace: RawObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    expect(await api.call('GET', await api.pathOf(namespace))).toMatchObject({ status: 404 });
    expect(await hasGatewayApi(api)).toBe(true);
  });
});
