/** Listeners without hostnames: who has them, which routes come out, and what is refused. */
import { describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import {
  DedicatedGateway,
  http,
  importGrant,
  PlatformChart,
  SharedGateway,
  service,
  setHeaders,
  Team,
  TeamChart,
  TeamRoute,
  TeamTcpRoute,
  TeamUdpRoute,
  tcp,
  udp,
} from 'gatewright';
import { errors, named, warnings } from './synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
type Any = any;

function start() {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop', { group: 'shop' });
  const media = new Team(platform, 'media');
  const shared = new SharedGateway(platform, 'gw', {
    listeners: { web: http(80), db: tcp(5432), dns: udp(53), spare: tcp(6379) },
  });
  const dbEdge = shared.grant(shop, { name: 'db', listeners: ['db'], kinds: ['TCPRoute'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  return { app, platform, shop, media, shared, dbEdge, chart };
}

const db = service('db', 5432);
const listenersOf = (app: App) =>
  named(app, 'Gateway', 'gw').spec.listeners.map(({ name, port, protocol, allowedRoutes }: Any) => [
    name,
    port,
    protocol,
    allowedRoutes.namespaces.selector?.matchLabels['kubernetes.io/metadata.name'] ??
      allowedRoutes.namespaces.from,
    allowedRoutes.kinds?.map(({ kind }: Any) => kind),
  ]);

describe('a port', () => {
  it('is a listener of the Gateway that admits the team that has it, and nobody where none does', () => {
    const { app, shared, media } = start();
    shared.grant(media, { listeners: ['dns'], kinds: ['UDPRoute'] });
    expect(listenersOf(app)).toEqual([
      ['web', 80, 'HTTP', 'Same', undefined],
      ['db', 5432, 'TCP', 'shop', ['TCPRoute']],
      ['dns', 53, 'UDP', 'media', ['UDPRoute']],
      ['spare', 6379, 'TCP', 'Same', undefined],
    ]);
    expect(named(app, 'Role', 'gatewright-routes').rules[0].resources).toEqual([
      'referencegrants',
      'tcproutes',
    ]);
  });

  it('is what a TCPRoute and a UDPRoute attach to, by its section', () => {
    const { app, shared, shop, dbEdge, chart } = start();
    const dnsEdge = shared.grant(shop, { name: 'dns', listeners: ['dns'], kinds: ['UDPRoute'] });
    new TeamTcpRoute(chart, 'db', { on: dbEdge }).to(db);
    new TeamUdpRoute(chart, 'dns', { on: dnsEdge }).to(
      service('dns', 53, { weight: 3 }),
      service('dns-next', 53),
    );
    const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra', name: 'gw' };
    const backend = { group: '', kind: 'Service', port: 53 };
    expect(named(app, 'TCPRoute', 'db').spec).toEqual({
      parentRefs: [{ ...parent, sectionName: 'db' }],
      rules: [{ backendRefs: [{ group: '', kind: 'Service', name: 'db', port: 5432, weight: 1 }] }],
    });
    expect(named(app, 'UDPRoute', 'dns').spec).toEqual({
      parentRefs: [{ ...parent, sectionName: 'dns' }],
      rules: [
        {
          backendRefs: [
            { ...backend, name: 'dns', weight: 3 },
            { ...backend, name: 'dns-next', weight: 1 },
          ],
        },
      ],
    });
    expect(warnings(app).filter((each) => each.startsWith('[platform/'))).toEqual([
      expect.stringContaining(
        'spec.listeners[1].protocol and 1 more: found protocol TCP, which is not served',
      ),
      expect.stringContaining('spec.listeners[2].protocol: found protocol UDP, which is not served'),
    ]);
    expect(warnings(app).filter((each) => each.startsWith('[shop/'))).toEqual([
      '[shop/db] Gatewright does not serve TCPRoutes yet: what comes to its listeners is served by a gateway of another make.',
      '[shop/dns] Gatewright does not serve UDPRoutes yet: what comes to its listeners is served by a gateway of another make.',
    ]);
  });

  it('may be in one grant with hostnames, where it is named', () => {
    const { app, shared, shop, chart } = start();
    const both = shared.grant(shop, {
      hostnames: ['shop.example.com'],
      kinds: ['HTTPRoute', 'TCPRoute'],
      listeners: ['web', 'spare'],
    });
    new TeamRoute(chart, 'web', { on: both }).rule().to(service('cart', 8080));
    new TeamTcpRoute(chart, 'spare', { on: both }).to(db);
    expect(named(app, 'HTTPRoute', 'web').spec).toMatchObject({
      hostnames: ['shop.example.com'],
      parentRefs: [{ kind: 'ListenerSet', name: 'gw-shop' }],
    });
    const tcpRoute = named(app, 'TCPRoute', 'spare').spec;
    expect(tcpRoute.hostnames).toBeUndefined();
    expect(tcpRoute.parentRefs).toMatchObject([{ kind: 'Gateway', name: 'gw', sectionName: 'spare' }]);
    expect(named(app, 'ListenerSet', 'gw-shop').spec.listeners).toHaveLength(1);
  });

  it('is not part of a grant that does not name it', () => {
    const { app, shared, shop, chart } = start();
    const both = shared.grant(shop, {
      hostnames: ['shop.example.com'],
      kinds: ['HTTPRoute', 'TCPRoute'],
    });
    new TeamTcpRoute(chart, 'db', { on: both }).to(db);
    expect(errors(app)).toEqual(['[shop/db] grant platform/gw/shop has no listener for TCPRoute among web']);
  });

  it('is for one team, and granted by its name', () => {
    const { app, shared, shop, media } = start();
    shared.grant(media, { listeners: ['db'], kinds: ['TCPRoute'] });
    shared.grant(shop, { name: 'again', listeners: ['db', 'web'], kinds: ['TCPRoute'] });
    shared.grant(shop, { name: 'all', kinds: ['UDPRoute'] } as Any);
    shared.grant(shop, {
      name: 'hosts',
      hostnames: ['x.example.com'],
      listeners: ['dns'],
      kinds: ['UDPRoute'],
    } as Any);
    expect(errors(app)).toEqual([
      '[platform/gw/media] listener db is granted to team shop by platform/gw/db: what comes to a port of TCP has no hostname, so one team has all of it',
      '[platform/gw/again] listener web has protocol HTTP, which takes no TCPRoute: name another listener, or kinds',
      '[platform/gw/again] listener db is granted to team shop by platform/gw/db: what comes to a port of TCP has no hostname, so one team has all of it',
      '[platform/gw/all] grant() of UDPRoute takes the names of listeners as listeners, since a port is granted to one team: this is undefined',
      '[platform/gw/hosts] grant() of UDPRoute takes no hostnames, since there are none in what it is for: leave them out',
    ]);
  });

  it('is told what a route on it can not do', () => {
    const { app, dbEdge, chart } = start();
    new TeamTcpRoute(chart, 'nowhere', { on: dbEdge });
    new TeamTcpRoute(chart, 'hosts', { on: dbEdge, hostnames: ['a.example.com'] } as Any).to(db);
    new TeamTcpRoute(chart, 'filtered', { on: dbEdge }).to(
      service('db', 5432, { filters: [setHeaders({ a: 'b' })] }),
    );
    new TeamTcpRoute(chart, 'elsewhere', { on: dbEdge, listeners: ['web' as never] }).to(db);
    new TeamTcpRoute(chart, 'foreign', { on: dbEdge }).to(
      service('db', 5432, { namespace: 'media' }) as never,
    );
    expect(errors(app)).toEqual([
      '[shop/nowhere] it goes nowhere: end it with .to(service(name, port))',
      '[shop/hosts] TeamTcpRoute does not know hostnames: it takes on, listeners, name',
      "[shop/filtered] service db: what a TCPRoute passes on can't be filtered: leave filters out",
      '[shop/elsewhere] listeners[0]: listener web is outside grant platform/gw/db (granted: db). Missing: a grant of listener web at gateway infra/gw to team shop',
      expect.stringContaining('[shop/foreign] service db is in namespace media, which is not of team shop'),
    ]);
  });

  it('is granted to the repository of a team as well', () => {
    const grant = importGrant({
      team: { name: 'shop', namespace: 'shop' },
      gateway: 'infra/gw',
      title: 'grant platform/gw/db',
      hostnames: [],
      kinds: ['TCPRoute'],
      listeners: ['db'],
      paths: ['/'],
      wholeObject: true,
      places: [
        {
          kind: 'Gateway',
          namespace: 'infra',
          name: 'gw',
          sectionName: 'db',
          listener: 'db',
          kinds: ['TCPRoute'],
          isShared: true,
        },
      ],
    });
    const app = new App();
    const chart = new TeamChart(app, 'shop', { team: grant.team, on: grant });
    new TeamTcpRoute(chart, 'db', {}).to(db);
    expect(named(app, 'TCPRoute', 'db').spec.parentRefs).toMatchObject([{ name: 'gw', sectionName: 'db' }]);
  });
});

describe('a dedicated gateway', () => {
  it('has ports beside its hostnames', () => {
    const { app, platform, shop, chart } = start();
    const own = new DedicatedGateway(platform, 'own', {
      team: shop,
      hostnames: ['a.example.com', 'b.example.com'],
      kinds: ['HTTPRoute', 'TCPRoute'],
      listeners: { web: http(80), db: tcp(5432) },
    });
    new TeamTcpRoute(chart, 'db', { on: own }).to(db);
    const { listeners } = named(app, 'Gateway', 'own').spec;
    expect(
      listeners.map(({ name, hostname, allowedRoutes }: Any) => [
        name,
        hostname,
        allowedRoutes.kinds[0].kind,
      ]),
    ).toEqual([
      ['web.a.example.com', 'a.example.com', 'HTTPRoute'],
      ['web.b.example.com', 'b.example.com', 'HTTPRoute'],
      ['db', undefined, 'TCPRoute'],
    ]);
    expect(named(app, 'TCPRoute', 'db').spec.parentRefs).toMatchObject([{ kind: 'Gateway', name: 'own' }]);
  });

  it('has no listener that takes none of its kinds, which would take all', () => {
    const { app, platform, shop } = start();
    new DedicatedGateway(platform, 'own', {
      team: shop,
      hostnames: ['a.example.com'],
      kinds: ['TCPRoute'],
      listeners: { web: http(80), db: tcp(5432) },
    });
    expect(errors(app)).toEqual([
      '[platform/own] listener web has protocol HTTP, which takes no TCPRoute: leave it out, or name a kind that it takes in kinds',
    ]);
  });
});
