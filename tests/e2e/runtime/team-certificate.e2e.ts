/** Certificates that teams bring, in the cluster: with the rights that synth gives the runtime, and no others. */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import * as gatewright from 'gatewright';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { authority, issue } from '../../support/certificates.ts';
import { echoDeployment, echoService } from '../echo.ts';
import { installGatewayApi } from '../gateway-api-crds.ts';
import { KubeApi } from '../kube-api.ts';
import { installOwnCrds } from '../own-crds.ts';
import { observed, PATIENCE } from '../waiting.ts';
import { ask } from './edge.ts';
import { type Conditioned, hasTrue, imageReference, removeAll, rolledOut } from './installed.ts';

const SHOP = 'shop.example.com';
const MEDIA = 'media.example.com';

/** The platform, shop with a certificate of its own and media without, as one app. */
function objects(): RawObject[] {
  const { http, https, secretRef, service } = gatewright;
  const app = new App();
  const platform = new gatewright.PlatformChart(app, 'platform', { namespace: 'infra' });
  const runtime = new gatewright.GatewayRuntime(platform, 'runtime', {
    image: imageReference(),
    replicas: 1,
  });
  const shop = new gatewright.Team(platform, 'shop');
  const media = new gatewright.Team(platform, 'media');
  const shared = new gatewright.SharedGateway(platform, 'shared-gw', {
    class: runtime,
    listeners: { web: http(80), secure: https(443, secretRef('wildcard')) },
  });
  const shopEdge = shared.grant(shop, {
    hostnames: [SHOP, '*.apps.example.com'],
    ownCertificates: ['shop-tls'],
  });
  const mediaEdge = shared.grant(media, { hostnames: [MEDIA] });
  const shopChart = new gatewright.TeamChart(app, 'shop', { team: shop, on: shopEdge });
  const mediaChart = new gatewright.TeamChart(app, 'media', { team: media, on: mediaEdge });
  new gatewright.TeamCertificate(shopChart, 'shop-tls', { on: shopEdge, hostnames: [SHOP] });
  new gatewright.TeamRoute(shopChart, 'all', {}).rule().to(service('echo', 80));
  new gatewright.TeamRoute(mediaChart, 'all', {}).rule().to(service('echo', 80));
  const made = gatewright.synthesize(app).objects.map(({ object }) => object as RawObject);
  const isNamespace = ({ kind }: RawObject) => kind === 'Namespace';
  return [
    // As `gatewright synth` prints them.
    ...made.filter(isNamespace),
    ...made.filter((each) => !isNamespace(each)),
    ...['shop', 'media'].flatMap((each) => [echoDeployment(each), echoService(each, 'echo', {})]),
  ];
}

function secret(namespace: string, name: string, hostname: string) {
  const { certificate, privateKey } = issue(`${namespace}/${name}`, [hostname]);
  const object: RawObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
  };
  return { object, fingerprint: new X509Certificate(certificate).fingerprint256 };
}

/** Fingerprint of the certificate that is served to those who ask for this name. */
function served(address: string, servername: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({
    host: address,
    port: 443,
    servername,
    ca: authority,
    timeout: 5000,
    // A name that the certificate lacks is for the caller to see.
    checkServerIdentity: () => undefined,
  });
  socket.once('secureConnect', () => {
    resolve(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  });
  socket.once('timeout', () => socket.destroy(new Error('no answer')));
  socket.once('error', reject);
  return promise;
}

interface ListenerSetObject {
  readonly status?: {
    readonly listeners?: readonly {
      readonly name: string;
      readonly conditions: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason: string;
        readonly message: string;
      }[];
    }[];
  };
}

const all = objects();
const platformSecret = secret('infra', 'wildcard', MEDIA);
const first = secret('shop', 'shop-tls', SHOP);
let api: KubeApi;
let uninstall: readonly (() => Promise<void>)[] = [];
let address: string;

beforeAll(async () => {
  api = await KubeApi.connect();
  uninstall = [await installGatewayApi(api), await installOwnCrds(api)];
  await api.applyAll([...all.filter((each) => !isOfTeam(each)), platformSecret.object]);
  // The API server hears of Grants in its own time, and before takes nothing of a team.
  await eventually(PATIENCE, () => api.applyAll(all.filter(isOfTeam)));
  const deployment = all.find(({ kind, metadata }) => kind === 'Deployment' && isOfRuntime(metadata))!;
  await observed(api, await api.pathOf(deployment), 'ready pods', rolledOut);
  const gateway = all.find(({ kind }) => kind === 'Gateway')!;
  const path = await api.pathOf(gateway);
  await observed<Conditioned, true>(api, path, 'Programmed=True', hasTrue('Programmed'));
  const { status } = await api.get<{ status: { addresses: { value: string }[] } }>(path);
  address = status.addresses[0]!.value;
}, 4 * PATIENCE);

afterAll(async () => {
  await removeAll(api, all);
  for (const each of uninstall) await each();
  api.close();
}, 3 * PATIENCE);

const isOfRuntime = (metadata: unknown) => namespaceOf(metadata) === 'gatewright-system';

/** What admission judges by Grants. */
const isOfTeam = ({ apiVersion, metadata }: RawObject) =>
  String(apiVersion).startsWith('gateway.') && ['shop', 'media'].includes(namespaceOf(metadata) ?? '');

/** What the status of the only listener of a ListenerSet says of what it refers to. */
const resolvedRefs = (name: string, words: string) =>
  observed<ListenerSetObject, true>(
    api,
    `/apis/gateway.networking.k8s.io/v1/namespaces/shop/listenersets/${name}`,
    `ResolvedRefs with ${words}`,
    ({ status }) =>
      status?.listeners?.some(({ conditions }) =>
        conditions.some(
          ({ type, reason, message }) => type === 'ResolvedRefs' && `${reason} ${message}`.includes(words),
        ),
      ) || undefined,
  );

describe('the certificate of a team', () => {
  it(
    'is waited for, and then served for its hostname, while others get that of the platform',
    async () => {
      await resolvedRefs('shop-tls', 'Secret shop/shop-tls does not exist');
      await eventually(PATIENCE, async () =>
        expect(await served(address, MEDIA)).toBe(platformSecret.fingerprint),
      );
      await api.applyAll([first.object]);
      await eventually(PATIENCE, async () => expect(await served(address, SHOP)).toBe(first.fingerprint));
      expect(await served(address, MEDIA)).toBe(platformSecret.fingerprint);
      for (const host of [SHOP, MEDIA]) {
        await eventually(PATIENCE, async () => {
          const { status, body } = await ask({ address, host, path: '/x', ca: authority });
          expect([status, JSON.parse(body).namespace]).toEqual([200, host.split('.')[0]]);
        });
      }
    },
    3 * PATIENCE,
  );

  it(
    'is for no other name: a request for another host on its connection is misdirected',
    async () => {
      const answer = await ask({ address, host: MEDIA, servername: SHOP, path: '/', ca: authority });
      expect(answer.status).toBe(421);
      expect(await served(address, 'other.example.com')).toBe(platformSecret.fingerprint);
    },
    PATIENCE,
  );

  it(
    'is served anew once its Secret is replaced',
    async () => {
      const second = secret('shop', 'shop-tls', SHOP);
      expect(second.fingerprint).not.toBe(first.fingerprint);
      await api.applyAll([second.object]);
      await eventually(PATIENCE, async () => expect(await served(address, SHOP)).toBe(second.fingerprint));
      expect(await served(address, MEDIA)).toBe(platformSecret.fingerprint);
    },
    2 * PATIENCE,
  );

  it(
    'is not read from a Secret that the grant does not name, and the status says which Role lacks it',
    async () => {
      const set = structuredClone(
        all.find(({ kind, metadata }) => kind === 'ListenerSet' && namespaceOf(metadata) === 'shop')!,
      ) as { metadata: { name: string }; spec: { listeners: { tls: object; hostname: string }[] } };
      set.metadata.name = 'other';
      set.spec.listeners[0]!.tls = { certificateRefs: [{ name: 'other-tls' }] };
      set.spec.listeners[0]!.hostname = 'a.apps.example.com';
      await api.applyAll([secret('shop', 'other-tls', SHOP).object, set as unknown as RawObject]);
      await resolvedRefs(
        'other',
        'Secret shop/other-tls may not be read by the control plane: Role gatewright-certificates in namespace shop is missing or does not name it',
      );
    },
    2 * PATIENCE,
  );
});

const namespaceOf = (metadata: unknown) => (metadata as { namespace?: string }).namespace;
