/** A certificate that a team brings, on a laptop: one stands in for it, for its hostnames and for no other. */
import { connect } from 'node:tls';
import { expect, it, jest } from '@jest/globals';
import { Serving } from './support/command.ts';
import { Folder } from './support/folder.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const APP = `import { App } from 'cdk8s';
import { http, https, PlatformChart, SharedGateway, secretRef, service, Team, TeamCertificate, TeamChart, TeamRoute } from 'gatewright';
const app = new App();
const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
const shop = new Team(platform, 'shop');
const media = new Team(platform, 'media');
const shared = new SharedGateway(platform, 'gw', { listeners: { web: http(80), secure: https(443, secretRef('wildcard')) } });
const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com'], ownCertificates: ['shop-tls'] });
const mediaEdge = shared.grant(media, { hostnames: ['media.example.com'] });
const chart = new TeamChart(app, 'shop', { team: shop, on: shopEdge });
new TeamCertificate(chart, 'shop-tls', { on: shopEdge });
new TeamRoute(chart, 'all', {}).rule().to(service('cart', 80));
new TeamRoute(new TeamChart(app, 'media', { team: media, on: mediaEdge }), 'all', {}).rule().to(service('feed', 80));
app.synth();
`;

/** The names of the certificate that is served to those who ask for this one. */
function namesServed(port: number, servername: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // Whose it is is what is asked here; that it can be trusted is for other tests.
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  socket.once('secureConnect', () => {
    resolve(socket.getPeerCertificate().subjectaltname ?? '');
    socket.destroy();
  });
  socket.once('error', reject);
  return promise;
}

it('has a stand-in of its own on a laptop', async () => {
  using folder = new Folder();
  await using serving = await new Serving([
    folder.write('app.ts', APP),
    '--port-offset',
    'free',
    '--all',
  ]).ready();
  const port = serving.port(443);
  const names = {
    shop: await namesServed(port, 'shop.example.com'),
    media: await namesServed(port, 'media.example.com'),
  };
  expect(names.shop).toContain('DNS:shop.example.com');
  expect(names.shop).not.toContain('media.example.com');
  expect(names.media).toContain('DNS:media.example.com');
});
