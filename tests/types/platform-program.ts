/** What a platform grants in the programs that are compiled, and what those of teams import of it. */
export const PLATFORM = `
import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import {
  allNamespaces, DedicatedGateway, http, https, PlatformChart, SharedGateway, secretRef, tcp, Team, TeamChart, type TeamRef,
} from 'gatewright';

export const app = new App();
export const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
export const shop = new Team(platform, 'shop');
export const data = new Team(platform, 'data');
export const shared = new SharedGateway(platform, 'shared-gw', {
  listeners: {
    web: http(80),
    secure: https(443, secretRef('wildcard')),
    lobby: http(80, { hostname: 'lobby.example.com', routes: allNamespaces() }),
    anything: http(8081, { routes: allNamespaces() }),
  },
});
export const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
export const wildEdge = shared.grant(shop, { name: 'wild', hostnames: ['*.wild.example.com'] });
export const grpcEdge = shared.grant(shop, { name: 'grpc', hostnames: ['grpc.example.com'], kinds: ['GRPCRoute'] });
export const secureEdge = shared.grant(shop, { name: 'tls', hostnames: ['tls.example.com'], listeners: ['secure'] });
export const laterEdge = shared.grant(shop, { name: 'later', hostnames: [process.env.HOST!] });
export const manyEdge = shared.grant(shop, { name: 'many', hostnames: [${Array.from({ length: 60 }, (_, index) => `'h${index}.example.com'`)}] });
export const ownEdge = shared.grant(shop, { name: 'own', hostnames: ['own.example.com'], ownCertificates: ['a-tls', 'b-tls'] });
export const ports = new SharedGateway(platform, 'ports-gw', { listeners: { db: tcp(5432) } });
export const portEdge = ports.grant(shop, { name: 'port', listeners: ['db'], kinds: ['TCPRoute'] });
export const dataEdge = new DedicatedGateway(platform, 'dedicated-gw', {
  team: data,
  hostnames: ['data.example.com'],
  listeners: { web: http(80) },
});
export const shopChart = new TeamChart(app, 'shop', { team: shop });
export const plain = new Chart(app, 'plain');
/** A construct that says whose it is. */
export class OfTeam<Name extends string> extends Construct {
  readonly team: TeamRef<Name>;
  constructor(scope: TeamChart<Name>, id: string) {
    super(scope, id);
    this.team = scope.team;
  }
}
export const page = new OfTeam(shopChart, 'page');
`;
export const IMPORTS = `
import { Construct } from 'constructs';
import {
  allNamespaces, canary, configMapRef, cors, DedicatedGateway, exact, externalAuth, http, https, mirror, PlatformChart, prefix, redirect, ReferenceGrant, regex, rewrite,
  secretRef, service, setHeaders, SharedGateway, Team, TeamCertificate, TeamChart, TeamRoute, TeamTcpRoute,
} from 'gatewright';
import { Duration } from 'cdk8s';
import {
  app, data, dataEdge, grpcEdge, laterEdge, manyEdge, OfTeam, ownEdge, page, plain, platform, portEdge, secureEdge, shared, shop, shopChart, shopEdge, wildEdge,
} from './platform.ts';
export const used = [
  allNamespaces, app, canary, configMapRef, Construct, cors, Duration, externalAuth, mirror, data, dataEdge, DedicatedGateway, exact, grpcEdge, http, https,
  laterEdge, manyEdge, OfTeam, ownEdge, page, plain, portEdge, TeamCertificate, TeamTcpRoute,
  platform, PlatformChart, prefix, redirect, ReferenceGrant, regex, rewrite, secretRef, secureEdge, service, Team, setHeaders, shared, SharedGateway, shop, shopChart, shopEdge, TeamChart, TeamRoute, wildEdge,
];
`;
