/** Real certificates, signed by an authority of the test run. */
import {
  type Issued,
  issueCertificate,
  issueServerCertificate,
  makeRoot,
} from '../../gateway-runtime/control/x509.ts';
import { contentHash } from '../../gateway-runtime/snapshot/canonical.ts';
import type { CaBundle, CertificateBundle } from '../../gateway-runtime/snapshot/snapshot.ts';

const root = makeRoot('Authority of the live tests', 1);

/** What clients trust, PEM. */
export const authority = root.certificate;
/** What nobody has a certificate from, PEM. */
export const otherAuthority = makeRoot('Another authority', 1).certificate;

/** The content of a TLS Secret `namespace/name` for these DNS names and URIs. `now` is in milliseconds since 1970. */
export function issue(id: string, names: readonly string[], now?: number): CertificateBundle {
  return bundleOf(id, issueServerCertificate(root, names, 1, now));
}

/** The same to show to servers. */
export function issueClient(id: string, names: readonly string[]): CertificateBundle {
  return bundleOf(id, issueCertificate(root, names[0]!, { purpose: 'client', names }, 1));
}

function bundleOf(id: string, { certificate, key }: Issued): CertificateBundle {
  const content = { certificate, privateKey: key.export({ type: 'pkcs8', format: 'pem' }) as string };
  return { id, hash: contentHash(content), ...content };
}

/** A resource of the snapshot: the `ca.crt` of ConfigMap shop/`configMap`. */
export function caBundle(configMap: string, certificates = authority): CaBundle {
  const fields = {
    type: 'ca-bundle',
    key: `ca-bundle/shop/${configMap}`,
    namespace: 'shop',
    configMap,
    certificates,
  } as const;
  return { ...fields, hash: contentHash(fields) };
}
