/** Certificates of clients, and the authorities that gateways check them by. */
import {
  type Issued,
  type Issuer,
  issueAuthority,
  issueCertificate,
  makeRoot,
} from '../../gateway-runtime/control/x509.ts';
import { contentHash } from '../../gateway-runtime/snapshot/canonical.ts';
import type { CaBundle } from '../../gateway-runtime/snapshot/snapshot.ts';

export type Authority = Issuer & Issued;

export const root = (name: string): Authority => makeRoot(name, 1, Date.now(), 1);
export const below = (authority: Authority, name: string): Authority => issueAuthority(authority, name, 1);

/** What a client shows: options of `tls.connect`. `chain` are certificates of authorities that it sends with its own. */
export function shows(
  authority: Authority,
  subject: string,
  {
    chain = [],
    days = 1,
    purpose = 'client',
  }: { chain?: readonly Authority[]; days?: number; purpose?: 'client' | 'server' } = {},
): { readonly cert: string; readonly key: string } {
  const { certificate, key } = issueCertificate(authority, subject, { purpose, names: [] }, days);
  return {
    cert: [certificate, ...chain.map((each) => each.certificate)].join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/** As translate makes it from the ConfigMap `infra/<name>`. */
export function caBundle(name: string, ...authorities: readonly Authority[]): CaBundle {
  const fields = {
    type: 'ca-bundle',
    key: `ca-bundle/infra/${name}`,
    namespace: 'infra',
    configMap: name,
    certificates: authorities.map(({ certificate }) => certificate).join(''),
  } as const;
  return { ...fields, hash: contentHash(fields) };
}
