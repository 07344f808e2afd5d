/** The Pulumi program without a cluster: which resources it registers, under which names, in which order. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { log, runtime } from '@pulumi/pulumi';
import { ApiObject, App, Chart } from 'cdk8s';
import { http, PlatformChart, ReferenceGrant, SharedGateway, service, Team, TeamChart } from 'gatewright';
import { stringify } from 'yaml';
import { app as storefront } from '../examples/storefront/teams.ts';
import type { KubernetesObject } from '../pulumi/kubernetes-object.ts';

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** What a program registers, once all of it is. */
async function resourcesOf(
  program: () => Promise<unknown>,
  config: Record<string, string> = {},
  preview = false,
): Promise<Registered[]> {
  const registered: Registered[] = [];
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs });
        return { id: `${name}-id`, state: inputs };
      },
      call: ({ inputs }) => inputs,
    },
    'gatewright',
    'test',
    preview,
  );
  runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`gatewright:${key}`, value])),
    ['gatewright:certificates'],
  );
  process.env.KUBECONFIG = join(scratch, 'no-kubeconfig');
  await runtime.runInPulumiStack(program);
  await runtime.disconnect();
  return registered.filter(({ type }) => type !== 'pulumi:pulumi:Stack');
}

const { AppResources } = await import('../pulumi/app-resources.ts');
const { BUNDLE_VERSION, gatewayApi } = await import('./gateway-api.ts');
const { readSettings } = await import('./settings.ts');

const definition = (name: string, group: string, kind: string): KubernetesObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${name}.${group}` },
  spec: { group, names: { kind } },
});

const scratch = mkdtempSync(join(tmpdir(), 'gatewright-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A chart with room for objects of any kind. */
function chartWith(namespace: string) {
  const app = new App();
  const chart = new Chart(app, 'chart', { namespace });
  const object = (id: string, apiVersion: string, kind: string, spec = {}, name = id) =>
    new ApiObject(chart, id, { apiVersion, kind, metadata: { name }, spec });
  return { app, object };
}

describe('the Pulumi program', () => {
  it('is one component with a resource for each object, named as the cluster names them', async () => {
    const warn = jest.spyOn(log, 'warn').mockResolvedValue();
    const crds = join(scratch, 'crds.yaml');
    const routes = definition('httproutes', 'gateway.networking.k8s.io', 'HTTPRoute');
    writeFileSync(crds, `---\n${stringify(routes)}---\n`);
    const certificates = JSON.stringify({ 'infra/wildcard': { certificate: 'PEM', key: 'not to be seen' } });
    const [component, ...resources] = await resourcesOf(() => import('./index.ts'), {
      image: 'registry.example.com/gatewright:1.2.3',
      classes: '{"gatewright":{"description":"of this cluster"}}',
      wait: '0',
      crds,
      certificates,
    });
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringMatching(/^traffic is not compared: the cluster could not be read/),
      expect.stringMatching(/^\[media\/in-the-house\] HTTPRoute/),
    ]);
    expect(component).toMatchObject({ type: 'gatewright:index:AppResources', name: 'storefront' });
    const objects = storefront.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
    expect(resources).toHaveLength(objects.length + 2);
    expect(new Set(resources.map(({ name }) => name)).size).toBe(resources.length);
    expect(resources).toContainEqual({
      type: 'kubernetes:gateway.networking.k8s.io/v1:HTTPRoute',
      name: 'HTTPRoute/shop/store',
      inputs: expect.objectContaining({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'store', namespace: 'shop' },
        spec: expect.objectContaining({ hostnames: ['shop.example.com'] }),
      }),
    });
    const inputsOf = (name: string) => resources.find((each) => each.name === name)?.inputs;
    expect(inputsOf('GatewayClass/gatewright')).toMatchObject({ spec: { description: 'of this cluster' } });
    expect(JSON.stringify(inputsOf('Deployment/gatewright-system/gatewright'))).toContain(
      '"image":"registry.example.com/gatewright:1.2.3"',
    );
    const names = resources.map(({ name }) => name);
    const definitionAt = names.indexOf('CustomResourceDefinition/httproutes.gateway.networking.k8s.io');
    expect(definitionAt).toBeGreaterThanOrEqual(0);
    expect(definitionAt).toBeLessThan(names.indexOf('HTTPRoute/shop/store'));
    expect(resources.filter(({ type }) => type.endsWith(':Secret'))).toEqual([
      {
        type: 'kubernetes:core/v1:Secret',
        name: 'Secret/infra/wildcard',
        inputs: expect.objectContaining({ type: 'kubernetes.io/tls' }),
      },
    ]);
  });

  it('makes namespaces and definitions before what is in them', async () => {
    const resources = await resourcesOf(async () => {
      const { app, object } = chartWith('late');
      const first = object('first', 'example.com/v1', 'Thing');
      const second = object('second', 'example.com/v1', 'Thing');
      first.addDependency(second);
      object('other', 'example.org/v1', 'Thing');
      object('things', 'apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        group: 'example.com',
        names: { kind: 'Thing' },
      });
      new Team(new PlatformChart(app, 'platform', { namespace: 'infra' }), 'late');
      new AppResources('ordered', { app, definitions: [definition('things', 'example.org', 'Thing')] });
    });
    const order = resources.map(({ name }) => name);
    const before = (one: string, other: string) => {
      expect(order).toContain(one);
      expect(order.indexOf(one)).toBeLessThan(order.indexOf(other));
    };
    before('Namespace/late', 'Thing/late/second');
    before('CustomResourceDefinition/late/things', 'Thing/late/second');
    before('CustomResourceDefinition/things.example.org', 'Thing/late/other');
    before('Thing/late/second', 'Thing/late/first');
  });

  it('makes Grants and ReferenceGrants before the routes that they let in, and what judges routes after them, if the program says nothing else', async () => {
    const order = async (isOther: boolean) => {
      const resources = await resourcesOf(async () => {
        const app = new App();
        const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
        const [shop, media] = ['shop', 'media'].map((name) => new Team(platform, name)) as [Team, Team];
        const route = new ApiObject(new TeamChart(app, 'first', { team: shop }), 'r', {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'HTTPRoute',
          metadata: { name: 'r' },
          spec: { rules: [{ backendRefs: [{ name: 'feed', namespace: 'media', port: 80 }] }] },
        });
        const feed = service('feed', 80);
        new ReferenceGrant(new TeamChart(app, 'second', { team: media }), 'to-shop', {
          from: shop,
          to: feed,
        });
        const shared = new SharedGateway(platform, 'gw', { listeners: { web: http(80) } });
        shared.grant(shop, { hostnames: ['shop.example.com'] });
        if (isOther) shared.node.addDependency(route);
        new AppResources('admitted', { app });
      });
      const names = resources.map(({ name }) => name);
      const binding = names.find((name) => /^ValidatingAdmissionPolicyBinding\/shop/.test(name))!;
      return ['ReferenceGrant/media/to-shop', 'Grant/infra/gw-shop', 'HTTPRoute/shop/r', binding].toSorted(
        (a, b) => names.indexOf(a) - names.indexOf(b),
      );
    };
    const binding = expect.stringMatching('^ValidatingAdmissionPolicyBinding/shop');
    expect((await order(false)).slice(-2)).toEqual(['HTTPRoute/shop/r', binding]);
    const other = await order(true);
    expect(other.indexOf('HTTPRoute/shop/r')).toBeLessThan(other.indexOf('Grant/infra/gw-shop'));
  });

  it('tells apart what has one kind, namespace and name in two groups', async () => {
    const resources = await resourcesOf(async () => {
      const { app, object } = chartWith('shop');
      for (const group of ['example.com', 'example.org']) {
        object(group, `${group}/v1`, 'Thing', {}, 'one');
      }
      new AppResources('two', { app });
    });
    expect(resources.map(({ type, name }) => `${type} ${name}`).slice(1)).toEqual([
      'kubernetes:example.com/v1:Thing Thing/shop/one',
      'kubernetes:example.org/v1:Thing Thing/shop/one',
    ]);
  });

  it('renders an object for synth, and once more for all that is made of it', async () => {
    const renders = jest.spyOn(ApiObject.prototype, 'toJson');
    await resourcesOf(async () => {
      const { app, object } = chartWith('shop');
      object('one', 'v1', 'ConfigMap');
      object('route', 'gateway.networking.k8s.io/v1', 'HTTPRoute');
      new AppResources('rendered', { app });
    });
    expect(renders).toHaveBeenCalledTimes(2 * 2);
    renders.mockRestore();
  });

  it('refuses the value of a Secret', async () => {
    const app = new App();
    new ApiObject(new Chart(app, 'chart'), 'key', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'wildcard' },
      stringData: { 'tls.key': 'not to be seen' },
    });
    let message = '';
    await resourcesOf(async () => {
      try {
        new AppResources('refused', { app });
      } catch (error) {
        message = (error as Error).message;
      }
    });
    expect(message).toContain('[chart/key] Secret wildcard holds a value');
    expect(message).not.toContain('not to be seen');
  });

  it('marks the key of a certificate as a secret', async () => {
    let isSecret: boolean | undefined;
    await resourcesOf(async () => {
      const pair = { certificate: 'PEM', key: 'not to be seen' };
      const certificates = new Map([['infra/wildcard', pair]]);
      const { resources } = new AppResources('keys', { app: new App(), certificates });
      const made = resources.get('Secret/infra/wildcard') as unknown as {
        stringData: { isSecret: Promise<boolean> };
      };
      isSecret = await made.stringData.isSecret;
    });
    expect(isSecret).toBe(true);
  });
});

describe('the configuration', () => {
  const read = async (config: Record<string, string>) => {
    let told: unknown;
    await resourcesOf(async () => {
      told = await readSettings().catch((error: Error) => error.message);
    }, config);
    return told;
  };

  it('asks for an image, and has a default for the rest', async () => {
    expect(await read({})).toMatch(/gatewright:image/);
    expect(await read({ image: 'x' })).toEqual({
      image: 'x',
      classes: undefined,
      crds: 'https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/experimental-install.yaml',
      wait: 300,
      refuse: [],
      certificates: new Map(),
    });
  });

  it.each([
    ['certificates', '[]'],
    ['certificates', '{"wildcard":{"certificate":"a","key":"secret"}}'],
    ['certificates', '{"infra/wildcard":{"certificate":"a"}}'],
    ['certificates', '{"infra/wildcard":{"certificate":"a","key":"secret","ca":"secret"}}'],
    ['wait', '-1'],
    ['wait', 'soon'],
  ])('says what is wrong with %s: %s, without a secret', async (key, value) => {
    const told = await read({ image: 'x', [key]: value });
    expect(told).toMatch(new RegExp(`gatewright:${key}`));
    expect(told).not.toContain('"secret"');
  });
});

describe('the CRDs of Gateway API', () => {
  const write = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text);
    return join(scratch, name);
  };

  it.each([
    ['a path without a file', () => join(scratch, 'nowhere'), /nowhere could not be read/],
    ['no YAML', () => write('broken.yaml', '{'), /broken\.yaml is no YAML/],
    ['no objects', () => write('list.yaml', 'a: b'), /list\.yaml holds a document without apiVersion/],
    [
      'CRDs of others',
      () => write('other.yaml', stringify(definition('things', 'example.com', 'Thing'))),
      /found no CustomResourceDefinition of gateway\.networking\.k8s\.io in .*other\.yaml/,
    ],
    ['a URL in the clear', () => 'http://example.com/crds.yaml', /found http:.*expected https:/],
    // Nothing listens on the discard port.
    [
      'a URL that is not there',
      () => 'https://127.0.0.1:9/crds.yaml',
      /could not be read: .*Set gatewright:crds to the path/,
    ],
  ])('says what is wrong with %s', async (_, source, message) => {
    await expect(gatewayApi(source())).rejects.toThrow(message);
  });

  it('are none where the cluster has them', async () => {
    expect(await gatewayApi('none')).toEqual([]);
  });

  it('are of the version that the control plane expects', async () => {
    const expected = await import('../gateway-runtime/control/cluster/installed-crds.ts');
    expect(BUNDLE_VERSION).toBe(expected.BUNDLE_VERSION);
  });
});

it('Pulumi.yaml names this program', () => {
  expect(readFileSync(join(import.meta.dirname, '..', 'Pulumi.yaml'), 'utf8')).toContain(
    'main: infra/index.ts',
  );
});
