/** The platform: one gateway that teams share, and who has which hostnames of it. */
import { App, Chart } from 'cdk8s';
import { GatewayRuntime, http, https, PlatformChart, SharedGateway, secretRef, Team } from 'gatewright';

const app = new App();

// What serves the gateways in a cluster. Put the image of your registry in place of this one.
const runtime = new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
  image: 'registry.example.com/gatewright:0.1.0',
});

export const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
const shop = new Team(platform, 'shop', { group: 'shop-developers' });
const media = new Team(platform, 'media', { group: 'media-developers' });
const payments = new Team(platform, 'payments', { group: 'payments-developers' });

const shared = new SharedGateway(platform, 'shared-gw', {
  class: runtime,
  listeners: { web: http(80), secure: https(443, secretRef('wildcard')) },
});
const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
shared.grant(media, { hostnames: ['media.example.com'] });

// What holds for everybody, whatever their routes say.
shared.enforce({ minTlsVersion: 'TLSv1.3', maxRequestBytes: 10 * 1024 * 1024 });

// A path of one team that another one serves.
shopEdge.delegate('/checkout', payments, { hostnames: ['shop.example.com'] });

export default app;
