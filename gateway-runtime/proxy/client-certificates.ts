/**
 * Certificates of clients: what a port asks for in its handshakes, and what came of it. A connection belongs to a port and not to a
 * listener (GEP-91, "Connection coalescing security issue"), so all that are made on a port are asked alike.
 */
import type { TLSSocket } from 'node:tls';
import { contentHash } from '../snapshot/canonical.ts';
import type { ClientCertificates, Listener } from '../snapshot/snapshot.ts';
import type { CaBundles } from './ca-bundles.ts';

/** What the handshakes of one port ask of clients. As long as nothing of it changes it is the same object. */
export interface ClientDemand {
  readonly mode: ClientCertificates['mode'];
  /**
   * Of the port, the mode and the authorities. Sessions belong to it (`sessionIdContext`), so that none is resumed where something else
   * was asked: a session keeps what was found when it was begun.
   */
  readonly identity: string;
  /** PEM. Empty where none could be loaded: then no handshake succeeds. */
  readonly authorities: readonly string[];
}

/** Where a port asked for a certificate: what the client showed. */
export interface ClientIdentity {
  readonly state: 'verified' | 'not-verified' | 'none';
  /** Of one that is not verified: the code of OpenSSL, such as `CERT_HAS_EXPIRED`. */
  readonly problem?: string;
  /** Of a verified one, as one line. */
  readonly subject?: string;
  /** Of a verified one: SHA-256 in hexadecimal. */
  readonly fingerprint?: string;
}

/** Of subjects that are kept. */
const LONGEST_SUBJECT = 256;

/** To be asked once a connection is secure, on a port that asks for certificates. */
export function clientIdentityOf(socket: TLSSocket): ClientIdentity {
  const certificate = socket.getPeerX509Certificate();
  // A resumed session of TLS 1.3 without a certificate counts as authorized for Node.
  if (!certificate) return { state: 'none' };
  if (!socket.authorized) {
    // A code, whatever the declared type says.
    const problem = String(socket.authorizationError ?? '');
    return { state: 'not-verified', ...(problem ? { problem } : {}) };
  }
  return {
    state: 'verified',
    subject: certificate.subject.replaceAll('\n', ', ').slice(0, LONGEST_SUBJECT),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** What each port makes of the authorities of the snapshot. */
export class ClientAuthorities {
  readonly #bundles: CaBundles;
  #demands: ReadonlyMap<number, ClientDemand> = new Map();

  constructor(bundles: CaBundles) {
    this.#bundles = bundles;
  }

  demandOf(port: number): ClientDemand | undefined {
    return this.#demands.get(port);
  }

  /** @param ports the listener that speaks for each port */
  update(ports: ReadonlyMap<number, Listener>): void {
    const demands = new Map<number, ClientDemand>();
    for (const [port, { clientCertificates }] of ports) {
      if (!clientCertificates) continue;
      const { mode, authorities } = clientCertificates;
      const loaded = authorities.flatMap((key) => this.#bundles.get(key) ?? []);
      const identity = contentHash([port, mode, loaded.map(({ hash }) => hash)]);
      const known = this.#demands.get(port);
      demands.set(
        port,
        known?.identity === identity
          ? known
          : { mode, identity, authorities: [...new Set(loaded.flatMap((each) => each.certificates))] },
      );
    }
    this.#demands = demands;
  }
}

/** Of two listeners of a port the one that asks more of clients: it speaks for the port, should they ever differ. */
export function stricter(one: Listener, other: Listener): Listener {
  const rank = ({ clientCertificates: asked }: Listener) =>
    asked ? (asked.mode === 'AllowValidOnly' ? 2 : 1) : 0;
  return rank(other) > rank(one) ? other : one;
}
