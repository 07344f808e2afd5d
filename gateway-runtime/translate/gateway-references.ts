/** What a Gateway itself refers to, its listeners aside. */
import type { KindObject } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { CertificateId, GatewayIdentity } from '../snapshot/snapshot.ts';
import type { Certificates } from './certificates.ts';
import type { Finding } from './findings.ts';

export interface GatewayReferences {
  /** Secrets that it names and may read. */
  readonly secrets: readonly CertificateId[];
  readonly unresolved: readonly Finding[];
  /** What it shows to backends, where that resolves. */
  readonly identity?: GatewayIdentity;
}

const NONE: GatewayReferences = { secrets: [], unresolved: [] };

/**
 * The client certificate for backends. Where it does not resolve, none is shown, and a backend that demands one refuses the connection.
 * The reasons are those of the Gateway's ResolvedRefs.
 */
export function gatewayReferences(
  namespace: string,
  { spec }: KindObject<'Gateway'>,
  certificates: Certificates,
): GatewayReferences {
  const ref = spec.tls?.backend?.clientCertificateRef;
  if (!ref) return NONE;
  const from = { group: GATEWAY_GROUP, kind: 'Gateway', namespace };
  const { id, problem } = certificates.resolve(from, ref, 'spec.tls.backend.clientCertificateRef');
  const secrets = id === undefined ? [] : [id];
  if (!problem) return { secrets, unresolved: [], identity: identityOf(id) };
  const reason = problem.reason === 'RefNotPermitted' ? problem.reason : 'InvalidClientCertificateRef';
  return { secrets, unresolved: [{ ...problem, reason }] };
}

function identityOf(certificate: CertificateId): GatewayIdentity {
  const fields = { type: 'gateway-identity', key: 'gateway-identity', certificate } as const;
  return { ...fields, hash: contentHash(fields) };
}
