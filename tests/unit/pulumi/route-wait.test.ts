/** When a route is live, what is said of one that is not, and which routes are waited for. */
import { describe, expect, it } from '@jest/globals';
import { synthesize } from 'gatewright';
import storefront from '../../../examples/storefront/app.ts';
import { type KubernetesObject, nameOf, otherTypesOf } from '../../../pulumi/kubernetes-object.ts';
import { lack, type Route } from '../../../pulumi/live-routes.ts';
import { routesOf } from '../../../pulumi/route-wait.ts';

const OURS = 'gatewright.dev/gateway-controller';

const condition = (type: string, status: string, observedGeneration = 2) => ({
  type,
  status,
  observedGeneration,
  reason: status === 'True' ? 'Programmed' : 'Because',
  message: 'so it is',
});
const programmed = (status: string, generation?: number) =>
  condition('gatewright.dev/Programmed', status, generation);
const accepted = (status: string, generation?: number) => condition('Accepted', status, generation);

const parent = (conditions: ReturnType<typeof condition>[], controllerName = OURS, name = 'shared-gw') => ({
  controllerName,
  parentRef: { name, namespace: 'infra' },
  conditions,
});

const route = (...parents: ReturnType<typeof parent>[]): Route => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'store', namespace: 'shop', generation: 2 },
  status: { parents },
});

describe('a route', () => {
  it.each([
    ['every parent says so', route(parent([accepted('True'), programmed('True')]))],
    [
      'other controllers say nothing',
      route(parent([programmed('True')]), parent([accepted('False')], 'example.com/other')),
    ],
  ])('is live where %s', (_, live) => {
    expect(lack(live)).toBeUndefined();
  });

  it.each([
    [route(), 'found no status of gatewright.dev/gateway-controller'],
    [
      route(parent([programmed('True')], 'example.com/other')),
      'found no status of gatewright.dev/gateway-controller',
    ],
    [
      route(parent([accepted('True')])),
      'found no gatewright.dev/Programmed for generation 2 on Gateway infra/shared-gw',
    ],
    [route(parent([programmed('True', 1)])), 'found no gatewright.dev/Programmed for generation 2'],
    [
      route(parent([programmed('False')])),
      'found gatewright.dev/Programmed False on Gateway infra/shared-gw, expected True: Because, so it is',
    ],
    [
      route(parent([accepted('False'), programmed('False')])),
      'found Accepted False on Gateway infra/shared-gw, expected True: Because, so it is',
    ],
    [
      route(parent([accepted('False', 1), programmed('False')])),
      'found gatewright.dev/Programmed False on Gateway infra/shared-gw',
    ],
    [
      route(parent([programmed('True')]), parent([programmed('False')], OURS, 'other-gw')),
      'found gatewright.dev/Programmed False on Gateway infra/other-gw',
    ],
  ])('is not, and it is said why: %#', (other, expected) => {
    expect(lack(other)).toContain(expected);
  });
});

describe('a route that uses default Gateways', () => {
  const byDefault = (...parents: ReturnType<typeof parent>[]): Route => ({
    ...route(...parents),
    spec: { parentRefs: [{ name: 'named', namespace: 'infra' }], useDefaultGateways: 'All' },
  });
  const refused = (name: string) => parent([accepted('False'), programmed('False')], OURS, name);

  const pending = (name: string) => parent([accepted('True'), programmed('False')], OURS, name);
  const served = (name: string) => parent([accepted('True'), programmed('True')], OURS, name);

  it.each([
    ['one refuses it, and another serves it', [served('shared-gw'), refused('other-gw')]],
    ['one takes it and never serves it, and another does', [pending('shared-gw'), served('other-gw')]],
    ['what it names serves it, and none of the others', [served('named'), pending('other-gw')]],
  ])('is live where %s', (_, parents) => {
    expect(lack(byDefault(...parents))).toBeUndefined();
  });

  it.each([
    ['one that it names refuses it', [served('shared-gw'), refused('named')], 'infra/named'],
    [
      'one that it names does not serve it yet',
      [served('shared-gw'), pending('named')],
      'gatewright.dev/Programmed False on Gateway infra/named',
    ],
    ['all refuse it', [refused('shared-gw'), refused('other-gw')], 'infra/shared-gw'],
    [
      'one that takes it does not serve it yet, and others refuse it',
      [refused('other-gw'), pending('shared-gw')],
      'gatewright.dev/Programmed False on Gateway infra/shared-gw',
    ],
  ])('is not where %s', (_, parents, expected) => {
    expect(lack(byDefault(...parents))).toContain(expected);
  });
});

describe('the routes that are waited for', () => {
  const objects = synthesize(storefront).objects.map(({ object }) => object as unknown as KubernetesObject);

  it('are those of the app, without the one that synth warns of', () => {
    const names = routesOf(objects).map(nameOf);
    expect(names.sort()).toEqual([
      'HTTPRoute/data/api',
      'HTTPRoute/infra/house-rules',
      'HTTPRoute/media/in-the-lobby',
      'HTTPRoute/media/site',
      'HTTPRoute/media/with-partners',
      'HTTPRoute/shop/store',
      'HTTPRoute/shop/whoami',
    ]);
  });

  it('are those that some default Gateway takes, whoever else of those refuses them', () => {
    const gateway = (name: string, from: string) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name, namespace: 'infra' },
      spec: {
        gatewayClassName: 'any',
        defaultScope: 'All',
        listeners: [{ name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from } } }],
      },
    });
    const byDefault = (name: string, namespace: string, spec: object) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name, namespace },
      spec: { useDefaultGateways: 'All', ...spec },
    });
    const named = { parentRefs: [{ name: 'closed', namespace: 'infra' }] };
    const closed = gateway('closed', 'Same');
    const taken = byDefault('taken', 'shop', {});
    const refused = byDefault('refused', 'shop', named);
    const waitedFor = (...objects: KubernetesObject[]) => routesOf(objects).map(nameOf);
    expect(waitedFor(closed, gateway('open', 'All'), taken, refused)).toEqual(['HTTPRoute/shop/taken']);
    expect(waitedFor(closed, taken)).toEqual([]);
  });

  it('are of kinds that the runtime reads, and may have a Gateway elsewhere', () => {
    const named = (apiVersion: string, kind: string) => ({
      apiVersion,
      kind,
      metadata: { name: 'one', namespace: 'shop' },
      spec: { parentRefs: [{ name: 'elsewhere', namespace: 'other' }] },
    });
    const all = [
      named('gateway.networking.k8s.io/v1', 'HTTPRoute'),
      named('gateway.networking.k8s.io/v1', 'MeshRoute'),
      named('example.com/v1', 'HTTPRoute'),
    ];
    expect(routesOf(all)).toEqual([all[0]]);
  });
});

describe('an object under another version of its API', () => {
  it('is the same, in every group but the core', () => {
    const types = otherTypesOf(route());
    expect(types).toContain('kubernetes:gateway.networking.k8s.io/v1beta1:HTTPRoute');
    expect(types).not.toContain('kubernetes:gateway.networking.k8s.io/v1:HTTPRoute');
    expect(otherTypesOf({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'one' } })).toEqual([]);
  });
});
