/** Real certificates for a run: one authority, and a server certificate for each set of names that a case asks for. */
import { X509Certificate } from 'node:crypto';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { type Issued, issueServerCertificate, makeRoot } from '../../gateway-runtime/control/x509.ts';

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

/** The DNS names of a certificate as a peer sent it (DER); its subject where it has none. */
export function namesOf(raw: Buffer): string[] {
  const { subjectAltName, subject } = new X509Certificate(raw);
  return (subjectAltName ?? subject).split(', ').map((entry) => entry.replace(/^DNS:/, ''));
}
