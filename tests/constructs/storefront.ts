/** Two teams on a shared gateway with listeners of every kind, and a Service: what tests of routes start from. */
import { App } from 'cdk8s';
import { Service } from 'cdk8s-plus-25';
import {
  allNamespaces,
  http,
  https,
  PlatformChart,
  SharedGateway,
  sameNamespace,
  secretRef,
  Team,
  TeamChart,
} from 'gatewright';

/** @param hostnames What shop is granted, where that is not the usual. */
export function storefront(hostnames?: readonly ['shop.example.com']) {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop');
  const media = new Team(platform, 'media');
  const shared = new SharedGateway(platform, 'shared-gw', {
    listeners: {
      web: http(80),
      secure: https(443, secretRef('wildcard')),
      lobby: http(80, { hostname: 'lobby.example.com', routes: allNamespaces() }),
      house: http(80, { hostname: 'house.example.com', routes: sameNamespace() }),
    },
  });
  const shopEdge = shared.grant(shop, {
    hostnames: (hostnames ?? ['shop.example.com', '*.shop.example.com']) as readonly [
      'shop.example.com',
      '*.shop.example.com',
    ],
  });
  const mediaEdge = shared.grant(media, { hostnames: ['media.example.com'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  new Service(chart, 'cart-service', { metadata: { name: 'cart' }, ports: [{ port: 8080 }] });
  return { app, platform, shop, media, shared, shopEdge, mediaEdge, chart };
}
