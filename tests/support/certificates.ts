/** Real certificates, signed by an authority of the test run. */
import { issueServerCertificate, makeRoot } from '../../gateway-runtime/control/x509.ts';
import { contentHash } from '../../gateway-runtime/snapshot/canonical.ts';
import type { CertificateBundle } from '../../gateway-runtime/snapshot/snapshot.ts';

const root = makeRoot('Authority of the live tests', 1);

/** What clients trust, PEM. */
export const authority = root.certificate;

/** The content of a TLS Secret `namespace/name` for these DNS names. */
export function issue(id: string, names: readonly string[]): CertificateBundle {
  const { certificate, key } = issueServerCertificate(root, names, 1);
  const content = { certificate, privateKey: key.export({ type: 'pkcs8', format: 'pem' }) as string };
  return { id, hash: contentHash(content), ...content };
}
