/** Listeners that ask clients for certificates: what becomes of it, what may be read for it, and what is refused. */
import { describe, expect, it } from '@jest/globals';
import { App, Chart } from 'cdk8s';
import {
  allNamespaces,
  configMapRef,
  DedicatedGateway,
  GatewayRuntime,
  http,
  https,
  PlatformChart,
  ReferenceGrant,
  SharedGateway,
  secretRef,
  Team,
} from 'gatewright';
import { errors, named, ofKind, warnings } from './synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
type Any = any;

const certificate = secretRef('wildcard');
const clients = configMapRef('clients');
const partners = configMapRef('partners', { namespace: 'vault' });

function platformOf() {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const runtime = new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
    image: 'gatewright:1',
  });
  return { app, platform, runtime };
}

const ref = (name: string, namespace?: string) => ({
  group: '',
  kind: 'ConfigMap',
  name,
  ...(namespace ? { namespace } : {}),
});

describe('client certificates', () => {
  it('are asked for on the port of a listener, and read from no other ConfigMaps', () => {
    const { app, platform, runtime } = platformOf();
    const gateway = new SharedGateway(platform, 'edge', {
      class: runtime,
      listeners: {
        web: http(80),
        secure: https(443, certificate, { clientCertificates: { from: clients } }),
        lobby: https(443, certificate, {
          hostname: 'lobby.example.com',
          routes: allNamespaces(),
          clientCertificates: { from: [clients] },
        }),
        trial: https(8443, certificate, {
          clientCertificates: { from: [clients, partners], mode: 'AllowInsecureFallback' },
        }),
        open: https(9443, certificate),
      },
    });
    new ReferenceGrant(platform, 'partners', { from: gateway, to: partners, namespace: 'vault' });
    expect(errors(app)).toEqual([]);
    expect(warnings(app)).toEqual([]);
    const { spec } = named(app, 'Gateway', 'edge');
    expect(spec.tls).toEqual({
      frontend: {
        default: {},
        perPort: [
          {
            port: 443,
            tls: { validation: { caCertificateRefs: [ref('clients')], mode: 'AllowValidOnly' } },
          },
          {
            port: 8443,
            tls: {
              validation: {
                caCertificateRefs: [ref('clients'), ref('partners', 'vault')],
                mode: 'AllowInsecureFallback',
              },
            },
          },
        ],
      },
    });
    for (const listener of spec.listeners) expect(listener).not.toHaveProperty('clientCertificates');
    const verbs = ['get', 'list', 'watch'];
    const rules = (resource: string, ...resourceNames: string[]) => ({
      apiGroups: [''],
      resources: [resource],
      resourceNames,
      verbs,
    });
    const roles = ofKind(app, 'Role')
      .filter(({ metadata }) => metadata.name === 'gatewright-certificates')
      .map(({ metadata, rules }) => [metadata.namespace, rules]);
    expect(roles).toEqual([
      ['infra', [rules('secrets', 'wildcard'), rules('configmaps', 'clients')]],
      ['vault', [rules('configmaps', 'partners')]],
    ]);
  });

  it('are asked for by the gateway of one team, too', () => {
    const { app, platform } = platformOf();
    new DedicatedGateway(platform, 'own', {
      team: new Team(platform, 'shop'),
      hostnames: ['shop.example.com'],
      listeners: { secure: https(443, certificate, { clientCertificates: { from: clients } }) },
    });
    expect(errors(app)).toEqual([]);
    expect(named(app, 'Gateway', 'own').spec.tls.frontend.perPort).toMatchObject([{ port: 443 }]);
  });

  it('from another namespace need a grant there, which somebody else may have', () => {
    const { app, platform } = platformOf();
    const secure = https(443, certificate, { clientCertificates: { from: partners } });
    new SharedGateway(platform, 'edge', { listeners: { secure, web: http(80) } });
    expect(errors(app)).toEqual([]);
    expect(warnings(app).join()).toContain('refer to ConfigMap vault/partners');
  });

  it('that differ between listeners of a port are refused', () => {
    const { app, platform } = platformOf();
    const routes = allNamespaces();
    new SharedGateway(platform, 'edge', {
      listeners: {
        secure: https(443, certificate, { clientCertificates: { from: clients } }),
        open: https(443, certificate, { hostname: 'open.example.com', routes }),
      },
    });
    expect(errors(app)).toEqual([
      '[platform/edge] listeners secure and open share port 443 and ask for different clientCertificates: a connection that was made for one can be used for the other, so give both the same',
    ]);
  });

  it.each([
    [
      { clientCertificates: 'clients' },
      'https() takes an object such as { from: configMapRef(name) } as clientCertificates, this is "clients"',
    ],
    [{ clientCertificates: { form: clients } }, 'clientCertificates does not know form: did you mean from?'],
    [
      { clientCertificates: { from: [] } },
      'clientCertificates takes configMapRef(name) or a list of them as from, this is []',
    ],
    [
      { clientCertificates: { from: 'clients' } },
      'clientCertificates takes configMapRef(name) or a list of them as from, this is "clients"',
    ],
    [
      { clientCertificates: { from: certificate } },
      'configMapRef() takes \'ConfigMap\' as kind, this is "Secret"',
    ],
    [
      { clientCertificates: { from: configMapRef('clients', { namepace: 'x' } as Any) } },
      'configMapRef() does not know namepace: did you mean namespace?',
    ],
    [
      { clientCertificates: { from: clients, mode: 'Perhaps' } },
      "clientCertificates takes 'AllowValidOnly' or 'AllowInsecureFallback' as mode, this is \"Perhaps\"",
    ],
    [{ clientCertificate: { from: clients } }, 'https() does not know clientCertificate: did you mean'],
    [{ hostname: 'a.example.com' }, 'https() takes allNamespaces(), sameNamespace()'],
  ])('written as %j are refused', (props, problem) => {
    const { app, platform } = platformOf();
    const listeners = { secure: https(443, certificate, props as Any) };
    new SharedGateway(platform, 'edge', { listeners });
    expect(errors(app).join('\n')).toContain(`[platform/edge] listener secure: ${problem}`);
  });

  it('are nothing for a listener of plain HTTP', () => {
    const { app, platform } = platformOf();
    const web = http(80, { routes: allNamespaces(), clientCertificates: { from: clients } } as Any);
    new SharedGateway(platform, 'edge', { listeners: { web } });
    expect(errors(app).join('\n')).toContain('http() does not know clientCertificates');
  });
});
