import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  LocalCertificates,
  missingAuthorities,
  missingSecrets,
} from '../../../gateway-runtime/control/certificates.ts';
import { parseText } from '../../../gateway-runtime/control/document.ts';
import { issueServerCertificate, makeRoot } from '../../../gateway-runtime/control/x509.ts';

const OBJECTS = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: shared-gw, namespace: infra }
spec:
  gatewayClassName: gatewright
  listeners:
    - { name: web, port: 80, protocol: HTTP }
    - name: secure
      port: 443
      protocol: HTTPS
      hostname: "*.example.com"
      tls: { certificateRefs: [{ name: wildcard }] }
    - name: any
      port: 8443
      protocol: HTTPS
      tls: { certificateRefs: [{ name: wildcard }, { name: other, namespace: certs }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart, namespace: shop }
spec:
  hostnames: [shop.example.org]
`;
const SECRET = `apiVersion: v1
kind: Secret
metadata: { name: wildcard, namespace: infra }
`;

describe('missingSecrets', () => {
  it('names the Secrets of HTTPS listeners that nothing defines, with the hostnames they must cover', () => {
    const missing = missingSecrets(parseText(OBJECTS, 'x.yaml').objects);
    expect(missing).toEqual([
      {
        ref: { group: '', kind: 'Secret', namespace: 'certs', name: 'other' },
        neededBy: ['Gateway/infra/shared-gw listener any'],
        hostnames: ['shop.example.org'],
      },
      {
        ref: { group: '', kind: 'Secret', namespace: 'infra', name: 'wildcard' },
        neededBy: ['Gateway/infra/shared-gw listener secure', 'Gateway/infra/shared-gw listener any'],
        hostnames: ['*.example.com', 'shop.example.org'],
      },
    ]);
  });

  it('leaves those alone that are defined', () => {
    const missing = missingSecrets(parseText(`${OBJECTS}---\n${SECRET}`, 'x.yaml').objects);
    expect(missing.map(({ ref }) => ref.name)).toEqual(['other']);
  });
});

describe('LocalCertificates', () => {
  it('makes a Secret that its root vouches for, the same one again for the same hostnames', async () => {
    const certificates = await LocalCertificates.create();
    try {
      const missing = missingSecrets(parseText(OBJECTS, 'x.yaml').objects);
      const secrets = certificates.secretsFor(missing);
      expect(certificates.secretsFor(missing)[1]!.raw).toBe(secrets[1]!.raw);
      const data = secrets[1]!.raw.data as Record<string, string>;
      const certificate = new X509Certificate(Buffer.from(data['tls.crt']!, 'base64'));
      expect(certificate.checkHost('media.example.com')).toBe('*.example.com');
      expect(certificate.checkHost('shop.example.org')).toBe('shop.example.org');
      expect(certificate.checkHost('evil.example.net')).toBeUndefined();
      expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
      expect(statSync(certificates.made.caFile).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(certificates.made.caFile)).mode & 0o777).toBe(0o700);
    } finally {
      await certificates.remove();
    }
    expect(existsSync(certificates.made.caFile)).toBe(false);
  });
});

describe('x509', () => {
  it('makes a chain that a TLS client accepts for DNS names and addresses', async () => {
    const root = makeRoot('Root of a test', 1);
    const { certificate, key } = issueServerCertificate(root, ['a.example.com', '127.0.0.1', 'fe80::1:2'], 1);
    expect(new X509Certificate(certificate).subjectAltName).toBe(
      'DNS:a.example.com, IP Address:127.0.0.1, IP Address:FE80:0:0:0:0:0:1:2',
    );
    const server = createServer(
      { cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) },
      (_, response) => response.end('hello'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const get = (servername: string, ca?: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request({ host: '127.0.0.1', port, servername, ca, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    try {
      await expect(get('a.example.com', root.certificate)).resolves.toBe(200);
      await expect(get('b.example.com', root.certificate)).rejects.toThrow(/altnames/);
      await expect(get('a.example.com')).rejects.toThrow(/unable to/);
    } finally {
      server.close();
    }
  });
});

describe('authorities for clients', () => {
  const ASKING = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: infra }
spec:
  gatewayClassName: gatewright
  tls:
    frontend:
      default: { validation: { caCertificateRefs: [{ group: "", kind: ConfigMap, name: clients }] } }
      perPort:
        - port: 8443
          tls:
            validation:
              caCertificateRefs:
                - { group: "", kind: ConfigMap, name: partners, namespace: vault }
                - { group: "", kind: Secret, name: odd }
        - { port: 8444, tls: {} }
  listeners: [{ name: secure, port: 443, protocol: HTTPS }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: clients, namespace: infra }
`;

  it('are those of ConfigMaps that nothing defines', () => {
    const missing = missingAuthorities(parseText(ASKING, 'x.yaml').objects);
    expect(missing).toEqual([{ group: '', kind: 'ConfigMap', namespace: 'vault', name: 'partners' }]);
    expect(missingAuthorities(parseText(OBJECTS, 'x.yaml').objects)).toEqual([]);
  });

  it('are the local root, which issued what a file has for clients', async () => {
    const certificates = await LocalCertificates.create();
    try {
      expect(await certificates.authoritiesFor([])).toEqual([]);
      expect(certificates.made.clientFile).toBeUndefined();
      const missing = missingAuthorities(parseText(ASKING, 'x.yaml').objects);
      const [made] = await certificates.authoritiesFor(missing);
      expect(made!.ref).toEqual(missing[0]);
      const { clientFile, caFile } = certificates.made;
      const authority = (made!.raw.data as Record<string, string>)['ca.crt']!;
      expect(authority).toBe(readFileSync(caFile, 'utf8'));
      const client = readFileSync(clientFile!, 'utf8');
      const shown = new X509Certificate(client);
      expect(shown.verify(new X509Certificate(authority).publicKey)).toBe(true);
      expect(shown.checkPrivateKey(createPrivateKey(client))).toBe(true);
      expect(statSync(clientFile!).mode & 0o777).toBe(0o600);
      expect(certificates.made.clientFile).toBe(clientFile);
    } finally {
      await certificates.remove();
    }
  });
});
