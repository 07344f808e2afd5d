/** Which ways the NetworkPolicies of an app leave open, by an evaluator that knows the objects alone. */
import { describe, expect, it } from '@jest/globals';
import { ApiObject, App } from 'cdk8s';
import {
  allNamespaces,
  DedicatedGateway,
  GatewayRuntime,
  type GatewayRuntimeProps,
  http,
  mirror,
  namespacesWith,
  PlatformChart,
  ReferenceGrant,
  SharedGateway,
  service,
  Team,
  TeamChart,
  type TeamProps,
  TeamRoute,
  tcp,
} from 'gatewright';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import { NetworkFlows, type NetworkPolicy, OUTSIDE, type Party } from '../support/network-flows.ts';
import { errors, objects, ofKind } from './synth.ts';

const CONTROL = { port: 9903 };
const ADMIN = { port: 9902 };
/** Where data planes have the listener of port 80. */
const WEB = { port: 64_592 };
const ANY = { port: 8080 };
const DNS = { port: 53, protocol: 'UDP' } as const;

interface Site {
  readonly networkPolicies?: GatewayRuntimeProps<string>['networkPolicies'];
  readonly permissions?: 'cluster';
  readonly shop?: TeamProps;
}

/** Shop and media at a shared gateway, shop at a gateway of its own as well, and payments at none. */
function site({ shop: ofShop = {}, ...runtimeProps }: Site) {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const runtime = new GatewayRuntime(platform, 'runtime', {
    image: 'registry.example.com/gatewright:1',
    ...runtimeProps,
  });
  const shop = new Team(platform, 'shop', ofShop);
  const media = new Team(platform, 'media');
  const payments = new Team(platform, 'payments');
  const shared = new SharedGateway(platform, 'shared', {
    class: runtime,
    listeners: { web: http(80), db: tcp(5432) },
  });
  shared.grant(shop, { hostnames: ['shop.example.com'] });
  shared.grant(media, { hostnames: ['media.example.com'] });
  const own = new DedicatedGateway(platform, 'own', {
    class: runtime,
    namespace: 'edge',
    team: shop,
    hostnames: ['own.example.com'],
    listeners: { web: http(80), more: http(9090) },
  });
  const charts = {
    shop: new TeamChart(app, 'shop', { team: shop }),
    media: new TeamChart(app, 'media', { team: media }),
    payments: new TeamChart(app, 'payments', { team: payments }),
  };
  const policies = () => ofKind(app, 'NetworkPolicy') as unknown as NetworkPolicy[];
  return { app, platform, runtime, shop, media, payments, shared, own, charts, policies };
}

const dataPlane = (namespace: string, gateway: string): Party => ({
  namespace,
  labels: {
    'gateway.networking.k8s.io/gateway-name': gateway,
    'gateway.networking.k8s.io/gateway-class-name': 'gatewright',
    'app.kubernetes.io/managed-by': 'gatewright',
  },
});
const pod = (namespace: string, labels = {}): Party => ({ namespace, labels: { app: 'echo', ...labels } });
const SHARED = dataPlane('infra', 'shared');
const OWN = dataPlane('edge', 'own');
const CONTROL_PLANE = pod('gatewright-system', { 'app.kubernetes.io/name': 'gatewright' });
const RESOLVER = pod('kube-system', { 'k8s-app': 'kube-dns' });

describe('without NetworkPolicies', () => {
  it('there are none', () => {
    expect(site({}).policies()).toEqual([]);
    expect(site({ networkPolicies: false, shop: { isolated: false } }).policies()).toEqual([]);
  });
});

describe('data planes', () => {
  const flows = () => new NetworkFlows(site({ networkPolicies: { monitoring: ['metrics'] } }).policies());

  it('are reached by anybody at the ports of their listeners, and for metrics from where those are collected', () => {
    const net = flows();
    for (const client of [OUTSIDE, pod('shop'), pod('other')] as const) {
      expect(net.allows(client, SHARED, WEB)).toBe(true);
      expect(net.allows(client, OWN, { port: 9090 })).toBe(true);
      expect(net.allows(client, SHARED, { port: 9090 })).toBe(false);
      expect(net.allows(client, SHARED, { port: 5432 })).toBe(false);
      expect(net.allows(client, SHARED, ADMIN)).toBe(false);
    }
    expect(net.allows(pod('metrics'), SHARED, ADMIN)).toBe(true);
    expect(net.allows(pod('metrics'), OWN, ADMIN)).toBe(true);
  });

  it('reach names, the control plane, and pods of teams with a grant; of other gateways those that have one there', () => {
    const net = flows();
    for (const plane of [SHARED, OWN]) {
      expect(net.allows(plane, RESOLVER, DNS)).toBe(true);
      expect(net.allows(plane, RESOLVER, { port: 53 })).toBe(true);
      expect(net.allows(plane, RESOLVER, ANY)).toBe(false);
      expect(net.allows(plane, CONTROL_PLANE, CONTROL)).toBe(true);
      expect(net.allows(plane, CONTROL_PLANE, ADMIN)).toBe(false);
      expect(net.allows(plane, pod('shop'), ANY)).toBe(true);
      expect(net.allows(plane, pod('payments'), ANY)).toBe(false);
      expect(net.allows(plane, pod('kube-system'), DNS)).toBe(false);
      expect(net.allows(plane, OUTSIDE, { port: 443 })).toBe(false);
    }
    expect(net.allows(SHARED, pod('media'), ANY)).toBe(true);
    expect(net.allows(OWN, pod('media'), ANY)).toBe(false);
    expect(net.allows(SHARED, pod('infra'), ANY)).toBe(false);
  });

  it('leave other pods of their namespaces as they are', () => {
    const net = flows();
    expect(net.allows(pod('infra'), OUTSIDE, ANY)).toBe(true);
    expect(net.allows(OUTSIDE, pod('edge'), ANY)).toBe(true);
    expect(net.allows(OUTSIDE, pod('shop'), ANY)).toBe(true);
  });

  it('reach what is lent to the routes of their gateway, delegated, admitted without a grant, or said', () => {
    const { charts, media, payments, platform, policies, runtime, shared, shop } = site({
      networkPolicies: { backends: ['legacy'] },
    });
    new ReferenceGrant(charts.payments, 'lent', { from: media, to: service('pay', 8080) });
    const gifts = shared.grant(shop, { name: 'gifts', hostnames: ['gifts.example.com'] });
    const open = new SharedGateway(platform, 'open', {
      class: runtime,
      listeners: {
        lobby: http(80, { hostname: 'lobby.example.com', routes: namespacesWith({ tier: 'front' }) }),
      },
    });
    const all = new SharedGateway(platform, 'all', {
      class: runtime,
      listeners: { lobby: http(80, { hostname: 'all.example.com', routes: allNamespaces() }) },
    });
    const net = () => new NetworkFlows(policies(), { front: { tier: 'front' } });
    const from = (gateway: { name: string; namespace: string }) => dataPlane(gateway.namespace, gateway.name);
    expect(net().allows(SHARED, pod('payments'), ANY)).toBe(true);
    expect(net().allows(OWN, pod('payments'), ANY)).toBe(false);
    expect(net().allows(OWN, pod('legacy'), ANY)).toBe(true);
    expect(net().allows(from(open), pod('front'), ANY)).toBe(true);
    expect(net().allows(from(open), pod('shop'), ANY)).toBe(false);
    expect(net().allows(from(all), pod('shop'), ANY)).toBe(true);
    expect(net().allows(from(all), OUTSIDE, ANY)).toBe(false);
    const guests = new Team(platform, 'guests');
    expect(net().allows(SHARED, pod('guests'), ANY)).toBe(false);
    gifts.delegate('/wrap', guests);
    expect(net().allows(SHARED, pod('guests'), ANY)).toBe(true);
    expect(payments.namespace).toBe('payments');
  });

  it('reach their own namespace where the platform has routes of its own there', () => {
    const { app, platform, policies, shared } = site({ networkPolicies: true });
    expect(new NetworkFlows(policies()).allows(SHARED, pod('infra'), ANY)).toBe(false);
    const lobby = new SharedGateway(platform, 'lobby', {
      listeners: { web: http(80, { routes: { from: 'Same' }, hostname: 'lobby.example.com' }) },
    });
    new TeamRoute(platform, 'hello', { on: lobby.listener('web') }).rule().to(service('hello', 8080));
    expect(errors(app)).toEqual([]);
    expect(shared.namespace).toBe('infra');
    expect(new NetworkFlows(policies()).allows(SHARED, pod('infra'), ANY)).toBe(true);
  });
});

describe('what routes refer to', () => {
  it('is reached by the data planes that serve it, as translate resolves it', () => {
    const { app, charts, media, own, policies, shared, shop } = site({
      networkPolicies: true,
      shop: { isolated: true },
    });
    const lent = new ReferenceGrant(charts.payments, 'lent', { from: media, to: service('pay', 8080) });
    const gifts = shared.grant(shop, { name: 'gifts', hostnames: ['gifts.example.com'] });
    new TeamRoute(charts.shop, 'own', { on: [own, gifts] }).rule().to(service('cart', 8080));
    const route = new TeamRoute(charts.media, 'feed', { on: gifts.delegate('/feed', media) });
    route.rule({ filters: [mirror(service('copies', 8080))] }).to(lent.service('pay', 8080));
    for (const [chart, name] of [
      [charts.shop, 'cart'],
      [charts.media, 'copies'],
      [charts.payments, 'pay'],
    ] as const)
      new ApiObject(chart, name, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { ports: [{ port: 8080 }] },
      });
    expect(errors(app)).toEqual([]);
    const { snapshots } = translate(objects(app) as unknown as RawObject[], { regex: re2, classes: 'any' });
    const reached = [...snapshots.values()].flatMap(({ gateway, resources }) =>
      resources.flatMap((each) =>
        each.type === 'backend' ? [`${gateway.namespace}/${gateway.name} ${each.namespace}`] : [],
      ),
    );
    expect([...new Set(reached)].sort()).toEqual([
      'edge/own shop',
      'infra/shared media',
      'infra/shared payments',
      'infra/shared shop',
    ]);
    const net = new NetworkFlows(policies());
    for (const way of reached) {
      const [gateway, namespace] = way.split(' ') as [string, string];
      const [at, name] = gateway.split('/') as [string, string];
      expect([way, net.allows(dataPlane(at, name), pod(namespace), ANY)]).toEqual([way, true]);
    }
  });
});

describe('the control plane', () => {
  it('is reached by data planes of its gateways, and its replicas by one another', () => {
    const net = new NetworkFlows(site({ networkPolicies: { monitoring: ['metrics'] } }).policies());
    for (const plane of [SHARED, OWN, CONTROL_PLANE]) {
      expect(net.allows(plane, CONTROL_PLANE, CONTROL)).toBe(true);
      expect(net.allows(plane, CONTROL_PLANE, ADMIN)).toBe(false);
    }
    expect(net.allows(pod('metrics'), CONTROL_PLANE, ADMIN)).toBe(true);
    for (const other of [
      OUTSIDE,
      pod('shop'),
      pod('infra'),
      pod('gatewright-system'),
      dataPlane('shop', 'x'),
    ])
      expect(net.allows(other, CONTROL_PLANE, CONTROL)).toBe(false);
    expect(net.allows(CONTROL_PLANE, OUTSIDE, { port: 6443 })).toBe(true);
  });

  it('is reached by data planes everywhere, where gateways may be everywhere, and by none where there is none', () => {
    const everywhere = site({ networkPolicies: true, permissions: 'cluster' });
    const net = new NetworkFlows(everywhere.policies());
    expect(net.allows(dataPlane('shop', 'x'), CONTROL_PLANE, CONTROL)).toBe(true);
    expect(net.allows(pod('shop'), CONTROL_PLANE, CONTROL)).toBe(false);
    const app = new App();
    new GatewayRuntime(new PlatformChart(app, 'platform', { namespace: 'infra' }), 'runtime', {
      image: 'registry.example.com/gatewright:1',
      networkPolicies: true,
    });
    const alone = new NetworkFlows(ofKind(app, 'NetworkPolicy') as unknown as NetworkPolicy[]);
    expect(alone.allows(SHARED, CONTROL_PLANE, CONTROL)).toBe(false);
    expect(alone.allows(CONTROL_PLANE, CONTROL_PLANE, CONTROL)).toBe(true);
  });
});

describe('an isolated team', () => {
  it('is reached by its own pods and by the gateways that send to it', () => {
    const net = new NetworkFlows(site({ shop: { isolated: true } }).policies());
    for (const own of [pod('shop'), SHARED, OWN]) expect(net.allows(own, pod('shop'), ANY)).toBe(true);
    for (const other of [
      OUTSIDE,
      pod('media'),
      pod('infra'),
      dataPlane('infra', 'own'),
      pod('metrics'),
    ] as const)
      expect(net.allows(other, pod('shop'), ANY)).toBe(false);
    expect(net.allows(pod('shop'), OUTSIDE, { port: 443 })).toBe(true);
    expect(net.allows(pod('shop'), pod('media'), ANY)).toBe(true);
  });

  it('is reached from namespaces that are said, and by gateways of teams that it lends a Service', () => {
    const { charts, media, platform, policies } = site({ shop: { isolated: { from: ['metrics'] } } });
    const other = new SharedGateway(platform, 'other', { listeners: { web: http(80) } });
    other.grant(media, { hostnames: ['other.example.com'] });
    const from = dataPlane('infra', 'other');
    const net = () => new NetworkFlows(policies());
    expect(net().allows(pod('metrics'), pod('shop'), ANY)).toBe(true);
    expect(net().allows(from, pod('shop'), ANY)).toBe(false);
    new ReferenceGrant(charts.shop, 'lent', { from: media, to: service('cart', 8080) });
    expect(net().allows(from, pod('shop'), ANY)).toBe(true);
  });
});

describe('what is asked of networks wrongly', () => {
  it('is told', () => {
    // biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
    const wrong = { networkPolicies: { monitorin: ['metrics'] }, shop: { isolated: 'yes' } } as any;
    expect(errors(site(wrong).app)).toEqual([
      '[platform/runtime] networkPolicies does not know monitorin: did you mean monitoring?',
      '[platform/shop] Team takes true, false or { from: namespaces } as isolated, this is "yes"',
    ]);
  });
});
