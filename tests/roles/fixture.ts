/**
 * What every violation of the catalogue starts from: a platform with a shared gateway, and three teams with what each was granted. The
 * objects of it are those that a cluster has before a team tries anything.
 */
import { ApiObject, App, JsonPatch } from 'cdk8s';
import { Construct } from 'constructs';
import * as own from 'gatewright';

/** The same with another copy of the package for the platform, or for the teams. */
export function fixture(ofPlatform: typeof own = own, ofTeams: typeof own = ofPlatform) {
  const { http, https, PlatformChart, SharedGateway, secretRef, Team, tcp } = ofPlatform;
  const { service, TeamChart } = ofTeams;
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop', { group: 'shop-people' });
  const media = new Team(platform, 'media', { group: 'media-people' });
  const payments = new Team(platform, 'payments', { group: 'payments-people' });
  const shared = new SharedGateway(platform, 'shared-gw', {
    listeners: { web: http(80), secure: https(443, secretRef('wildcard')) },
  });
  // A default Gateway takes no more of teams than one that they name.
  shared.object.addJsonPatch(JsonPatch.add('/spec/defaultScope', 'All'));
  shared.enforce({ maxRequestBytes: 1_048_576, requestTimeout: '1m' });
  const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com', '*.apps.example.com'] });
  /** A part of what shop has. */
  const checkoutEdge = shopEdge.delegate('/checkout', payments);
  /** HTTPS only. */
  const payEdge = shared.grant(shop, {
    name: 'pay',
    hostnames: ['pay.example.com'],
    listeners: ['secure'],
  });
  const rpcEdge = shared.grant(shop, {
    name: 'rpc',
    hostnames: ['rpc.example.com'],
    kinds: ['GRPCRoute'],
  });
  const mediaEdge = shared.grant(media, { hostnames: ['media.example.com', '*.media.example.com'] });
  /** Whose certificates team media brings itself. */
  const brandEdge = shared.grant(media, {
    name: 'brand',
    hostnames: ['brand.example.com'],
    ownCertificates: ['brand-tls'],
  });
  /** A gateway of ports, one of which is media's. */
  const ports = new SharedGateway(platform, 'ports-gw', { listeners: { db: tcp(5432), cache: tcp(6379) } });
  const dbEdge = ports.grant(media, { listeners: ['db'], kinds: ['TCPRoute'] });
  const shopChart = new TeamChart(app, 'shop', { team: shop });
  const mediaChart = new TeamChart(app, 'media', { team: media });
  const paymentsChart = new TeamChart(app, 'payments', { team: payments });
  serviceObject(shopChart, 'cart');
  serviceObject(paymentsChart, 'pay');
  serviceObject(mediaChart, 'feed');
  const cart = service('cart', 8080);
  return {
    app,
    platform,
    shop,
    media,
    payments,
    shared,
    shopEdge,
    checkoutEdge,
    payEdge,
    rpcEdge,
    mediaEdge,
    brandEdge,
    dbEdge,
    shopChart,
    mediaChart,
    paymentsChart,
    cart,
    ApiObject,
    Construct,
  };
}

/** Whose namespaces are whose, for those who apply objects under a team's own credentials. */
export const TEAMS = {
  shop: { namespace: 'shop', group: 'shop-people' },
  media: { namespace: 'media', group: 'media-people' },
  payments: { namespace: 'payments', group: 'payments-people' },
} as const;

function serviceObject(scope: Construct, name: string): void {
  new ApiObject(scope, name, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 8080 }] },
  });
}
