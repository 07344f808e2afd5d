/** The platform team's part: who has which hostnames, on which gateway. */
import { App } from 'cdk8s';
import {
  allNamespaces,
  DedicatedGateway,
  http,
  https,
  namespacesWith,
  PlatformChart,
  SharedGateway,
  sameNamespace,
  secretRef,
  Team,
} from 'gatewright';

export const app = new App();
export const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });

export const shop = new Team(platform, 'shop', { group: 'shop-developers' });
export const media = new Team(platform, 'media', { group: 'media-developers', labels: { partner: 'yes' } });
export const data = new Team(platform, 'data', { group: 'data-developers' });

export const shared = new SharedGateway(platform, 'shared-gw', {
  listeners: {
    web: http(80),
    secure: https(443, secretRef('wildcard')),
    // These three are not granted by hostname but open to whole namespaces.
    lobby: http(80, { hostname: 'lobby.example.com', routes: allNamespaces() }),
    partners: http(80, { hostname: 'partners.example.com', routes: namespacesWith({ partner: 'yes' }) }),
    house: http(80, { hostname: 'house.example.com', routes: sameNamespace() }),
  },
});
export const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
export const mediaEdge = shared.grant(media, { hostnames: ['media.example.com'] });

export const dataEdge = new DedicatedGateway(platform, 'dedicated-gw', {
  team: data,
  hostnames: ['data.example.com'],
  listeners: { web: http(80), secure: https(443, secretRef('data-certificate')) },
});
