/** Grant objects: what of the grants of an app a cluster is told. */
import { describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import { allNamespaces, DedicatedGateway, http, PlatformChart, SharedGateway, Team } from 'gatewright';
import { fixture } from '../roles/fixture.ts';
import { errors, named, ofKind } from './synth.ts';

const ASKING = 'gatewright.dev/granted-listeners';
const web = { listeners: { web: http(80) } };

function platformOf() {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  return { app, platform, shop: new Team(platform, 'shop'), media: new Team(platform, 'media') };
}

describe('a shared gateway', () => {
  it('names the listeners of ports in it, which have no hostnames', () => {
    expect(named(fixture().app, 'Grant', 'ports-gw-media').spec.grants).toEqual([
      {
        name: 'media',
        hostnames: [],
        kinds: ['TCPRoute'],
        listeners: [{ kind: 'Gateway', name: 'ports-gw', sectionNames: ['db'] }],
        paths: ['/'],
        delegated: [],
      },
    ]);
  });

  it('writes one Grant for each team, with all of its grants and delegations', () => {
    const { app } = fixture();
    const ofGateway = ofKind(app, 'Grant').filter(({ spec }) => spec.gatewayName === 'shared-gw');
    expect(ofGateway.map(({ metadata }) => metadata)).toEqual(
      ['shop', 'payments', 'media'].map((team) => ({
        name: `shared-gw-${team}`,
        namespace: 'infra',
        labels: { 'gatewright.dev/team': team },
      })),
    );
    const all = ['web', 'secure'].flatMap((listener) => [
      `${listener}.shop.example.com`,
      `${listener}-any.apps.example.com`,
    ]);
    const hostnames = ['shop.example.com', '*.apps.example.com'];
    expect(named(app, 'Grant', 'shared-gw-shop').spec).toEqual({
      gatewayName: 'shared-gw',
      team: 'shop',
      namespace: 'shop',
      grants: [
        {
          name: 'shop',
          hostnames,
          kinds: ['HTTPRoute'],
          listeners: [{ kind: 'ListenerSet', name: 'shared-gw-shop', sectionNames: all }],
          paths: ['/'],
          delegated: [{ path: '/checkout', hostnames, team: 'payments', namespace: 'payments' }],
        },
        {
          name: 'pay',
          hostnames: ['pay.example.com'],
          kinds: ['HTTPRoute'],
          listeners: [
            { kind: 'ListenerSet', name: 'shared-gw-shop-pay', sectionNames: ['secure.pay.example.com'] },
          ],
          paths: ['/'],
          delegated: [],
        },
        {
          name: 'rpc',
          hostnames: ['rpc.example.com'],
          kinds: ['GRPCRoute'],
          listeners: [
            {
              kind: 'ListenerSet',
              name: 'shared-gw-shop-rpc',
              sectionNames: ['web.rpc.example.com', 'secure.rpc.example.com'],
            },
          ],
          paths: ['/'],
          delegated: [],
        },
      ],
    });
    expect(named(app, 'Grant', 'shared-gw-media').spec.grants[1]).toEqual({
      name: 'brand',
      hostnames: ['brand.example.com'],
      kinds: ['HTTPRoute'],
      listeners: [
        { kind: 'ListenerSet', name: 'shared-gw-media-brand', sectionNames: ['web.brand.example.com'] },
      ],
      paths: ['/'],
      delegated: [],
      ownListeners: [{ port: 443, protocol: 'HTTPS' }],
    });
    expect(named(app, 'Grant', 'shared-gw-payments').spec.grants).toEqual([
      {
        name: 'shop/payments',
        hostnames,
        kinds: ['HTTPRoute'],
        listeners: [{ kind: 'ListenerSet', name: 'shared-gw-shop', sectionNames: all }],
        paths: ['/checkout'],
        delegated: [],
      },
    ]);
  });

  it('asks for Grants at all listeners but those that are open to whole namespaces', () => {
    const { app, platform, shop } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', {
      listeners: { web: http(80), open: http(81, { routes: allNamespaces() }) },
      teamListeners: 'gateway',
    });
    shared.grant(shop, { hostnames: ['shop.example.com'] });
    new SharedGateway(platform, 'closed', web).grant(shop, { hostnames: ['a.example.com'] });
    const asking = (kind: string, name: string) => named(app, kind, name).metadata.annotations;
    expect(asking('Gateway', 'shared-gw')).toEqual({ [ASKING]: 'web,web.shop.example.com' });
    expect(asking('Gateway', 'closed')).toEqual({ [ASKING]: '*' });
    expect(asking('ListenerSet', 'closed-shop')).toEqual({ [ASKING]: '*' });
    expect(named(app, 'Grant', 'shared-gw-shop').spec.grants[0].listeners).toEqual([
      { kind: 'Gateway', name: 'shared-gw', sectionNames: ['web.shop.example.com'] },
    ]);
  });

  it('asks for none where all of its listeners are open', () => {
    const { app, platform } = platformOf();
    new SharedGateway(platform, 'open', { listeners: { web: http(80, { routes: allNamespaces() }) } });
    expect(named(app, 'Gateway', 'open').metadata.annotations).toBeUndefined();
  });

  it('writes them anew at each synth, with what was granted by then', () => {
    const { app, platform, shop, media } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', web);
    const edge = shared.grant(shop, { hostnames: ['shop.example.com'] });
    expect(ofKind(app, 'Grant')).toHaveLength(1);
    edge.delegate('/feed', media);
    expect(ofKind(app, 'Grant').map(({ metadata }) => metadata.name)).toEqual([
      'shared-gw-shop',
      'shared-gw-media',
    ]);
    expect(named(app, 'Grant', 'shared-gw-shop').spec.grants[0].delegated).toHaveLength(1);
  });

  it('leaves them out where another implementation serves the gateway', () => {
    const { app, platform, shop } = platformOf();
    const shared = new SharedGateway(platform, 'shared-gw', { ...web, heldBy: 'listeners' });
    shared.grant(shop, { hostnames: ['shop.example.com'] });
    expect(ofKind(app, 'Grant')).toEqual([]);
    expect(named(app, 'Gateway', 'shared-gw').metadata.annotations).toBeUndefined();
    expect(named(app, 'ListenerSet', 'shared-gw-shop').metadata.annotations).toBeUndefined();
  });
});

it('a dedicated gateway writes one for its team', () => {
  const { app, platform, shop } = platformOf();
  new DedicatedGateway(platform, 'own', { ...web, team: shop, hostnames: ['shop.example.com'] });
  expect(named(app, 'Gateway', 'own').metadata.annotations).toEqual({ [ASKING]: '*' });
  expect(named(app, 'Grant', 'own-shop').spec).toMatchObject({
    gatewayName: 'own',
    grants: [
      {
        name: 'shop',
        listeners: [{ kind: 'Gateway', name: 'own', sectionNames: ['web.shop.example.com'] }],
        paths: ['/'],
      },
    ],
  });
});

it('a path that a Grant could not say is refused', () => {
  const { app, platform, shop, media } = platformOf();
  const edge = new SharedGateway(platform, 'shared-gw', web).grant(shop, { hostnames: ['shop.example.com'] });
  edge.delegate('/a%20b', media);
  expect(errors(app).join()).toContain('delegate() takes first a path such as /checkout, without "%"');
});

it('two teams of one namespace are refused', () => {
  const { app, platform, shop } = platformOf();
  const shared = new SharedGateway(platform, 'shared-gw', web);
  shared.grant(shop, { hostnames: ['shop.example.com'] });
  shared.grant({ name: 'annex', namespace: 'shop' }, { hostnames: ['annex.example.com'] });
  expect(errors(app)).toEqual([
    '[platform/shared-gw/Grants] teams shop and annex are both in namespace shop: give each team a namespace of its own',
  ]);
});
