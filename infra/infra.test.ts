/** The Pulumi program without a cluster: which resources it registers, under which names, in which order. */
import { describe, expect, it, jest } from '@jest/globals';
import { log, runtime } from '@pulumi/pulumi';
import { ApiObject, App, Chart } from 'cdk8s';
import { PlatformChart, Team } from 'gatewright';
import storefront from '../examples/storefront/app.ts';

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** What a program registers, once all of it is. */
async function resourcesOf(program: () => Promise<unknown>): Promise<Registered[]> {
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
  );
  await runtime.runInPulumiStack(program);
  await runtime.disconnect();
  return registered.filter(({ type }) => type !== 'pulumi:pulumi:Stack');
}

const { AppResources } = await import('./app-resources.ts');

describe('the Pulumi program', () => {
  it('is one component with a resource for each object of the storefront, named as the cluster names them', async () => {
    const warn = jest.spyOn(log, 'warn').mockResolvedValue();
    const [component, ...resources] = await resourcesOf(() => import('./index.ts'));
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringMatching(/^\[media\/in-the-house\] HTTPRoute/),
    ]);
    expect(component).toMatchObject({ type: 'gatewright:index:AppResources', name: 'storefront' });
    const objects = storefront.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
    expect(resources).toHaveLength(objects.length);
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
    expect(resources.map(({ name }) => name)).toContain('GatewayClass/gatewright');
    expect(resources.filter(({ type }) => type.endsWith(':Secret'))).toEqual([]);
  });

  it('makes namespaces and definitions before what is in them', async () => {
    const resources = await resourcesOf(async () => {
      const app = new App();
      const chart = new Chart(app, 'chart', { namespace: 'late' });
      const object = (id: string, apiVersion: string, kind: string, spec = {}) =>
        new ApiObject(chart, id, { apiVersion, kind, metadata: { name: id }, spec });
      const first = object('first', 'example.com/v1', 'Thing');
      const second = object('second', 'example.com/v1', 'Thing');
      first.addDependency(second);
      object('things', 'apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        group: 'example.com',
        names: { kind: 'Thing' },
      });
      new Team(new PlatformChart(app, 'platform', { namespace: 'infra' }), 'late');
      new AppResources('ordered', app);
    });
    const order = resources.map(({ name }) => name);
    const before = (one: string, other: string) =>
      expect(order.indexOf(one)).toBeLessThan(order.indexOf(other));
    expect(order).toContain('Thing/late/first');
    before('Namespace/late', 'Thing/late/second');
    before('CustomResourceDefinition/late/things', 'Thing/late/second');
    before('Thing/late/second', 'Thing/late/first');
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
        new AppResources('refused', app);
      } catch (error) {
        message = (error as Error).message;
      }
    });
    expect(message).toContain('[chart/key] Secret wildcard holds a value');
    expect(message).not.toContain('not to be seen');
  });
});
