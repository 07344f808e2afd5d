/** A small app to ask: two teams on one gateway, a split, redirects, and a Service that is missing. */
import { App } from 'cdk8s';
import {
  canary,
  exact,
  http,
  https,
  PlatformChart,
  prefix,
  redirect,
  SharedGateway,
  secretRef,
  service,
  Team,
  TeamChart,
  TeamRoute,
} from 'gatewright';

export interface Made {
  readonly app: App;
  readonly store: TeamRoute;
  /** Adds a route of the shop. */
  readonly addRoute: (name: string) => TeamRoute;
  readonly chart: TeamChart;
}

export function makeApp(): Made {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop');
  const media = new Team(platform, 'media');
  const shared = new SharedGateway(platform, 'edge', {
    listeners: { web: http(80), secure: https(443, secretRef('wildcard')) },
  });
  const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com'] });
  const mediaEdge = shared.grant(media, { hostnames: ['media.example.com'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  const store = new TeamRoute(chart, 'store', { on: shopEdge, hostnames: ['shop.example.com'] });
  store.rule({ path: prefix('/cart'), headers: { 'x-tier': 'gold' } }).to(service('gold', 8080));
  store.rule({ path: prefix('/cart') }).to(service('cart', 8080));
  store
    .rule({ path: exact('/new') })
    .to(canary({ stable: service('cart', 8080), canary: service('next', 8080), weights: [3, 1] }));
  store.rule({ path: prefix('/basket') }).to(redirect({ scheme: 'https', status: 301 }));
  const site = new TeamRoute(new TeamChart(app, 'media', { team: media }), 'site', { on: mediaEdge });
  site.rule().to(service('player', 80));
  const addRoute = (name: string) =>
    new TeamRoute(chart, name, { on: shopEdge, hostnames: ['shop.example.com'] });
  return { app, store, addRoute, chart };
}

export default makeApp().app;
