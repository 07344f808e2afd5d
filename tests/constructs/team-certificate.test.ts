/** Certificates that teams bring: the objects that come out, what attaches to them, and what is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import {
  exact,
  GatewayRuntime,
  http,
  https,
  importGrant,
  PlatformChart,
  SharedGateway,
  secretRef,
  service,
  synthesize,
  Team,
  TeamCertificate,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { Folder } from '../cli/support/folder.ts';
import { errors, objects } from './synth.ts';

const cart = service('cart', 8080);

function site() {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const runtime = new GatewayRuntime(platform, 'runtime', { image: 'registry.example.com/gatewright:1' });
  const shop = new Team(platform, 'shop', { group: 'shop-people' });
  const media = new Team(platform, 'media', { group: 'media-people' });
  const shared = new SharedGateway(platform, 'shared-gw', {
    class: runtime,
    listeners: { web: http(80), secure: https(443, secretRef('wildcard')) },
  });
  const shopEdge = shared.grant(shop, {
    hostnames: ['shop.example.com', '*.apps.example.com'],
    ownCertificates: ['shop-tls'],
  });
  const mediaEdge = shared.grant(media, { hostnames: ['media.example.com'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  return { app, platform, shop, media, shared, shopEdge, mediaEdge, chart };
}

/** By `Kind/namespace/name`. */
function objectOf(app: App, key: string) {
  const found = objects(app).find(
    ({ kind, metadata: { namespace, name } }) => key === `${kind}/${namespace}/${name}`,
  );
  if (!found) throw new Error(`no ${key}`);
  return found;
}

describe('a certificate of a team', () => {
  it('is a ListenerSet in its namespace, which the Gateway admits from there and from beside itself', () => {
    const { app, chart, shopEdge } = site();
    new TeamCertificate(chart, 'shop-tls', {
      on: shopEdge,
      annotations: { 'cert-manager.io/issuer': 'letsencrypt' },
    });
    const { metadata, spec } = objectOf(app, 'ListenerSet/shop/shop-tls');
    expect(metadata).toMatchObject({ annotations: { 'cert-manager.io/issuer': 'letsencrypt' } });
    expect(spec).toMatchObject({
      parentRef: { kind: 'Gateway', name: 'shared-gw', namespace: 'infra' },
      listeners: [
        {
          name: 'secure.shop.example.com',
          hostname: 'shop.example.com',
          port: 443,
          protocol: 'HTTPS',
          tls: { mode: 'Terminate', certificateRefs: [{ kind: 'Secret', name: 'shop-tls' }] },
          allowedRoutes: { namespaces: { from: 'Same' }, kinds: [{ kind: 'HTTPRoute' }] },
        },
        { name: 'secure-any.apps.example.com', hostname: '*.apps.example.com' },
      ],
    });
    expect(objectOf(app, 'Gateway/infra/shared-gw').spec.allowedListeners).toEqual({
      namespaces: {
        from: 'Selector',
        selector: {
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['infra', 'shop'] },
          ],
        },
      },
    });
  });

  it('leaves the platform the listeners without TLS, and those of teams without the right', () => {
    const { app } = site();
    const sections = (name: string) =>
      (objectOf(app, name).spec.listeners as { name: string }[]).map((each) => each.name);
    expect(sections('ListenerSet/infra/shared-gw-shop')).toEqual([
      'web.shop.example.com',
      'web-any.apps.example.com',
    ]);
    expect(sections('ListenerSet/infra/shared-gw-media')).toEqual([
      'web.media.example.com',
      'secure.media.example.com',
    ]);
  });

  it('has routes on the grant attach to it, wherever they are made', () => {
    const { app, chart, shopEdge } = site();
    new TeamRoute(chart, 'before', { on: shopEdge, hostnames: ['shop.example.com'] }).rule().to(cart);
    new TeamCertificate(chart, 'shop-tls', { on: shopEdge, hostnames: ['shop.example.com'] });
    new TeamRoute(chart, 'apps', { on: shopEdge, hostnames: ['a.apps.example.com'] }).rule().to(cart);
    new TeamRoute(chart, 'tls', { on: shopEdge, hostnames: ['shop.example.com'], listeners: ['secure'] })
      .rule({ path: exact('/tls') })
      .to(cart);
    const parents = (name: string) => objectOf(app, `HTTPRoute/shop/${name}`).spec.parentRefs;
    expect(parents('before')).toMatchObject([
      { kind: 'ListenerSet', namespace: 'infra', name: 'shared-gw-shop' },
      { kind: 'ListenerSet', namespace: 'shop', name: 'shop-tls' },
    ]);
    expect(parents('apps')).toMatchObject([{ namespace: 'infra', name: 'shared-gw-shop' }]);
    expect(parents('tls')).toMatchObject([
      { namespace: 'shop', name: 'shop-tls', sectionName: 'secure.shop.example.com' },
    ]);
    const { warnings } = synthesize(app);
    expect(warnings.map(({ path }) => path).filter((path) => path.startsWith('platform/'))).toEqual([]);
  });

  it('may be read by the runtime, by its name and nothing else, and is edited by teams with the right alone', () => {
    const { app } = site();
    expect(objectOf(app, 'Role/shop/gatewright-certificates').rules).toEqual([
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['shop-tls'],
        verbs: ['get', 'list', 'watch'],
      },
    ]);
    expect(() => objectOf(app, 'Role/media/gatewright-certificates')).toThrow();
    const resources = (team: string) =>
      (objectOf(app, `Role/${team}/gatewright-routes`).rules as { resources: string[] }[])[0]!.resources;
    expect(resources('shop')).toEqual(['httproutes', 'listenersets', 'referencegrants']);
    expect(resources('media')).toEqual(['httproutes', 'referencegrants']);
  });

  it('is all there is where the grant is for HTTPS alone, and a route without it is told', () => {
    const { app, chart, shared, shop } = site();
    const own = shared.grant(shop, {
      name: 'own',
      hostnames: ['own.example.com'],
      listeners: ['secure'],
      ownCertificates: ['own-tls'],
    });
    expect(() => objectOf(app, 'ListenerSet/infra/shared-gw-shop-own')).toThrow();
    new TeamRoute(chart, 'r', { on: own }).rule().to(cart);
    expect(errors(app)).toEqual([
      "[shop/r] grant platform/shared-gw/own has certificates of the team at listener secure, and none is brought in this app: new TeamCertificate(chart, 'certificate', { on })",
    ]);
    new TeamCertificate(chart, 'own-tls', { on: own });
    expect(objectOf(app, 'HTTPRoute/shop/r').spec.parentRefs).toMatchObject([
      { namespace: 'shop', name: 'own-tls' },
    ]);
  });

  it('is asked for, where a route is served without TLS for the want of it', () => {
    const { app, chart, shopEdge } = site();
    new TeamRoute(chart, 'r', { on: shopEdge }).rule().to(cart);
    new TeamRoute(chart, 'web', { on: shopEdge, listeners: ['web'] }).rule({ path: exact('/x') }).to(cart);
    const { warnings } = synthesize(app);
    expect(warnings.filter(({ message }) => message.includes('TeamCertificate'))).toEqual([
      expect.objectContaining({ path: 'shop/r' }),
    ]);
  });

  it('is made in the repository of the team, on what the platform exported', () => {
    const grant = importGrant({
      team: { name: 'shop', namespace: 'shop' },
      gateway: 'infra/shared-gw',
      title: 'grant platform/shared-gw/shop',
      hostnames: ['shop.example.com'],
      kinds: ['HTTPRoute'],
      listeners: ['secure'],
      paths: ['/'],
      ownCertificates: ['shop-tls'],
      ownListeners: [{ listener: 'secure', port: 443 }],
      wholeObject: true,
      places: [],
    });
    for (const name of ['first', 'second']) {
      const app = new App();
      const chart = new TeamChart(app, 'shop', { team: grant.team });
      new TeamCertificate(chart, name, { on: grant });
      new TeamRoute(chart, 'r', { on: grant }).rule().to(cart);
      expect(errors(app)).toEqual([]);
      expect(objectOf(app, `HTTPRoute/shop/r`).spec.parentRefs).toMatchObject([{ namespace: 'shop', name }]);
    }
  });

  it('is granted across repositories by what the platform exports, and nothing is said to be missing there', () => {
    const { platform } = site();
    using folder = new Folder();
    platform.exportGrants(folder.file('shop.ts'));
    const { grants } = JSON.parse(readFileSync(folder.file('shop.json'), 'utf8'));
    const app = new App();
    const chart = new TeamChart(app, 'shop', { team: grants.shop.team });
    const edge = importGrant(grants.shop);
    new TeamCertificate(chart, 'shop-tls', { on: edge as never });
    new TeamRoute(chart, 'r', { on: edge as never }).rule().to(cart);
    expect(objectOf(app, 'HTTPRoute/shop/r').spec.parentRefs).toMatchObject([
      { namespace: 'infra', name: 'shared-gw-shop' },
      { namespace: 'shop', name: 'shop-tls' },
    ]);
    expect(synthesize(app).warnings.filter(({ path }) => path !== 'shop/r')).toEqual([]);
  });

  it('is on what the chart says, where that is one grant', () => {
    const { app, shop, shopEdge, mediaEdge } = site();
    const chart = new TeamChart(app, 'more', { team: shop, on: shopEdge });
    new TeamCertificate(chart, 'all', {});
    new TeamRoute(chart, 'r', {}).rule().to(cart);
    expect(objectOf(app, 'HTTPRoute/shop/r').spec.parentRefs).toMatchObject([
      { name: 'shared-gw-shop' },
      { name: 'all' },
    ]);
    const both = new TeamChart(app, 'both', { team: shop, on: [shopEdge, mediaEdge as never] });
    new TeamCertificate(both, 'b', {});
    new TeamCertificate(new TeamChart(app, 'none', { team: shop }), 'c', {} as never);
    expect(errors(app)).toEqual([
      expect.stringMatching(/^\[both\/b\] a certificate is for a grant, not for .*: name one in on$/),
      '[none/c] a certificate is for a grant, not for undefined: name one in on',
    ]);
  });

  it('is for no hostname that another team has inside of the grant', () => {
    const { app, chart, media, shared, shopEdge } = site();
    shared.grant(media, { name: 'nested', hostnames: ['b.apps.example.com'], nestedIn: shopEdge });
    new TeamCertificate(chart, 'a', { on: shopEdge, hostnames: ['a.apps.example.com'] });
    expect(errors(app)).toEqual([]);
    new TeamCertificate(chart, 'b', { on: shopEdge, hostnames: ['b.apps.example.com'] });
    const found = errors(app);
    expect(found.filter((each) => !each.startsWith('[shop/b] ListenerSet/shop/b '))).toEqual([]);
    expect(found[0]).toContain(
      'Missing: a grant of hostname b.apps.example.com at gateway infra/shared-gw to team shop',
    );
  });

  it('names one of several Secrets, and hostnames of the grant', () => {
    const { app, chart, shared, shop, shopEdge } = site();
    const two = shared.grant(shop, {
      name: 'two',
      hostnames: ['a.example.com'],
      ownCertificates: ['a', 'b'],
    });
    new TeamCertificate(chart, 'none', { on: two });
    new TeamCertificate(chart, 'other', { on: shopEdge, secret: 'other' as never });
    new TeamCertificate(chart, 'foreign', { on: shopEdge, hostnames: ['media.example.com' as never] });
    expect(errors(app)).toEqual([
      '[shop/none] grant platform/shared-gw/two names several Secrets: name one of them in secret (granted: a, b)',
      '[shop/other] secret: other is not one that grant platform/shared-gw/shop lets the gateway read (granted: shop-tls). Missing: a grant of Secret other in ownCertificates for hostnames shop.example.com, *.apps.example.com at gateway infra/shared-gw to team shop',
      '[shop/foreign] hostnames[0]: hostname media.example.com is outside grant platform/shared-gw/shop (granted: shop.example.com, *.apps.example.com). Missing: a grant of hostname media.example.com at gateway infra/shared-gw to team shop',
    ]);
  });

  it('is granted only where a ListenerSet can have it, and its grant is for no delegation', () => {
    const { app, platform, shop, media, shared, shopEdge } = site();
    shared.grant(shop, {
      name: 'plain',
      hostnames: ['p.example.com'],
      listeners: ['web'],
      ownCertificates: ['p'],
    });
    const old = new SharedGateway(platform, 'old', {
      listeners: { secure: https(443, secretRef('wildcard')) },
      teamListeners: 'gateway',
    });
    old.grant(shop, { hostnames: ['o.example.com'], ownCertificates: ['o'] });
    shopEdge.delegate('/checkout', media);
    expect(errors(app)).toEqual([
      '[platform/shared-gw/shop/media] grant platform/shared-gw/shop has certificates of team shop, whose own listeners admit its own namespace alone: delegate paths of a grant without ownCertificates',
      '[platform/shared-gw/plain] ownCertificates lets team shop bring certificates, and no listener of the grant has protocol HTTPS: leave it out, or name a listener that has',
      "[platform/old/shop] ownCertificates needs a ListenerSet of team shop, and teamListeners is 'gateway' here: leave it at 'listener-set'",
    ]);
  });
});
