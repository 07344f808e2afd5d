/** Real certificates for a run: one authority, and a server certificate for each set of names that a case asks for. */
import { X509Certificate } from 'node:crypto';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import {
  type Issued,
  type Issuer,
  issueCertificate,
  issueServerCertificate,
  makeRoot,
} from '../../gateway-runtime/control/x509.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';

const authority = makeRoot('Authority of the test cases', 1);
const made = new Map<string, Issued>();

/** What a client of this run trusts. */
export const authorityCertificate = authority.certificate;

/** The TLS Secret `namespace/name` for these names; the same names give the same certificate within a run. */
export function tlsSecret(secret: string, names: readonly string[]): RawObject {
  const [namespace, name] = secret.split('/');
  if (!namespace || !name) throw new Error(`certificates: found ${secret}, expected namespace/name`);
  const cacheKey = names.join();
  const { certificate, key } = made.get(cacheKey) ?? issueServerCertificate(authority, names, 1);
  made.set(cacheKey, { certificate, key });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': base64(certificate),
      'tls.key': base64(key.export({ type: 'pkcs8', format: 'pem' }) as string),
    },
  };
}

const authorities = new Map<string, Issuer & Issued>();
const ofClients = new Map<string, ClientCertificate>();

function authorityOf(name: string): Issuer & Issued {
  const known = authorities.get(name) ?? makeRoot(name, 1);
  authorities.set(name, known);
  return known;
}

/** The ConfigMap `namespace/name` with the certificate of an authority, which is the same within a run. */
export function caConfigMap(configMap: string, authority: string): RawObject {
  const [namespace, name] = configMap.split('/');
  if (!namespace || !name) throw new Error(`authorities: found ${configMap}, expected namespace/name`);
  const data = { 'ca.crt': authorityOf(authority).certificate };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a client shows that has its certificate from this authority. */
export function clientCertificate(authority: string): ClientCertificate {
  const known = ofClients.get(authority);
  if (known) return known;
  const { certificate, key } = issueCertificate(
    authorityOf(authority),
    'A client of the test cases',
    { purpose: 'client', names: [] },
    1,
  );
  const fresh = { cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) as string };
  ofClients.set(authority, fresh);
  return fresh;
}

const ofServers = new Map<string, ClientCertificate>();

/** What a backend shows that has its certificate from this authority; the same names give the same within a run. */
export function backendCertificate(authority: string, names: readonly string[]): ClientCertificate {
  const cacheKey = JSON.stringify([authority, names]);
  const known = ofServers.get(cacheKey);
  if (known) return known;
  const { certificate, key } = issueServerCertificate(authorityOf(authority), names, 1);
  const fresh = { cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) as string };
  ofServers.set(cacheKey, fresh);
  return fresh;
}

/** Whether listeners of the port would take it. */
export function isAccepted({ cert }: ClientCertificate, { resources }: Snapshot, port: number): boolean {
  const asked = new Set(
    resources.flatMap((each) =>
      each.type === 'listener' && each.port === port ? (each.clientCertificates?.authorities ?? []) : [],
    ),
  );
  const shown = new X509Certificate(cert);
  return resources.some(
    (each) =>
      each.type === 'ca-bundle' &&
      asked.has(each.key) &&
      shown.verify(new X509Certificate(each.certificates).publicKey),
  );
}

/** The DNS names of a certificate as a peer sent it (DER); its subject where it has none. */
export function namesOf(raw: Buffer): string[] {
  const { subjectAltName, subject } = new X509Certificate(raw);
  return (subjectAltName ?? subject).split(', ').map((entry) => entry.replace(/^DNS:/, ''));
}
