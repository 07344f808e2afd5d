/** What synth makes for networks and for kinds that are not read, as a real API server takes it: unknown fields refused, defaults written out. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import * as gatewright from 'gatewright';
import { PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import { ApiServer } from './api-server.ts';
import { installCrds } from './objects.ts';

interface Made {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  ListenerSet: 'listenersets',
  TCPRoute: 'tcproutes',
  UDPRoute: 'udproutes',
};

function made(): Made[] {
  const { https, namespacesWith, secretRef, service, tcp, udp } = gatewright;
  const app = new App();
  const platform = new gatewright.PlatformChart(app, 'platform', { namespace: 'infra' });
  const runtime = new gatewright.GatewayRuntime(platform, 'runtime', {
    image: 'registry.example.com/gatewright:1',
    networkPolicies: { monitoring: ['metrics'], backends: ['legacy'] },
  });
  const shop = new gatewright.Team(platform, 'shop', { isolated: { from: ['metrics'] } });
  const shared = new gatewright.SharedGateway(platform, 'shared-gw', {
    class: runtime,
    listeners: {
      secure: https(443, secretRef('wildcard')),
      lobby: https(8443, secretRef('wildcard'), { routes: namespacesWith({ tier: 'front' }) }),
      db: tcp(5432),
      dns: udp(53),
    },
  });
  const edge = shared.grant(shop, { hostnames: ['shop.example.com'], ownCertificates: ['shop-tls'] });
  const db = shared.grant(shop, { name: 'db', listeners: ['db'], kinds: ['TCPRoute'] });
  const dns = shared.grant(shop, { name: 'dns', listeners: ['dns'], kinds: ['UDPRoute'] });
  const chart = new gatewright.TeamChart(app, 'shop', { team: shop });
  new gatewright.TeamCertificate(chart, 'shop-tls', {
    on: edge,
    annotations: { 'cert-manager.io/issuer': 'letsencrypt' },
  });
  new gatewright.TeamTcpRoute(chart, 'db', { on: db }).to(service('db', 5432));
  new gatewright.TeamUdpRoute(chart, 'dns', { on: dns }).to(service('dns', 53));
  return gatewright
    .synthesize(app)
    .objects.map(({ object }) => object as unknown as Made)
    .filter(({ kind }) => Object.hasOwn(PLURALS, kind));
}

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
  await installCrds(server.client, 'listenersets', 'tcproutes', 'udproutes');
  for (const name of ['infra', 'shop', 'gatewright-system'])
    await server.client.call('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    });
});
afterAll(() => server?.stop());

const objects = made();

describe('synth', () => {
  it('makes all of the kinds', () => {
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(Object.keys(PLURALS)));
  });

  it.each(objects)(
    '$kind $metadata.namespace/$metadata.name is read back as it was written',
    async (object) => {
      const { apiVersion, kind, metadata } = object;
      const path = `/apis/${apiVersion}/namespaces/${metadata.namespace}/${PLURALS[kind]}/${metadata.name}`;
      const applied = await server.client.call<Made>(
        'PATCH',
        `${path}?fieldManager=test&force=true&fieldValidation=Strict`,
        { body: object, contentType: PATCH.apply },
      );
      expect(applied.spec).toEqual(object.spec);
      expect(applied.metadata).toMatchObject(metadata);
    },
  );
});
