/** What a Gateway itself refers to, its listeners aside. */
import type { KindObject } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { CertificateId } from '../snapshot/snapshot.ts';
import type { Certificates } from './certificates.ts';
import type { Finding } from './findings.ts';

export interface GatewayReferences {
  /** Secrets that it names and may read. */
  readonly secrets: readonly CertificateId[];
  readonly unresolved: readonly Finding[];
}

const NONE: GatewayReferences = { secrets: [], unresolved: [] };

/**
 * Of the client certificate for backends: it is not used yet, but whoever wrote it learns whether it could be. The
 * reasons are those of the Gateway's ResolvedRefs.
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
  return {
    secrets: id === undefined ? [] : [id],
    unresolved: problem
      ? [
          problem.reason === 'RefNotPermitted'
            ? problem
            : { ...problem, reason: 'InvalidClientCertificateRef' },
        ]
      : [],
  };
}
