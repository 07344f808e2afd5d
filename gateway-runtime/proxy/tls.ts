/** Certificates, loaded once per content, and the TLS that listener ports speak. */
import { constants, X509Certificate } from 'node:crypto';
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type TlsOptions,
} from 'node:tls';
import { normalizeHost } from '../match/normalize.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { CertificateBundle, CertificateId, Listener } from '../snapshot/snapshot.ts';
import type { ClientDemand } from './client-certificates.ts';
import type { Limits } from './limits.ts';

/** Ciphers with forward secrecy and authenticated encryption (RFC 9325 section 4.2); TLS 1.3 has no others. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** RFC 9325 section 3.1.1: TLS 1.2 or newer; section 3.5: no renegotiation. */
export const STRICT: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};

interface Secured {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

class LoadedCertificate {
  readonly bundle: CertificateBundle;
  readonly names: X509Certificate;
  readonly #plain: Secured;
  /** Made where they are first needed, and gone with what the port asked. */
  readonly #asking = new WeakMap<ClientDemand, Secured>();

  /** Throws where it can't be loaded. */
  constructor(bundle: CertificateBundle) {
    this.bundle = bundle;
    const { certificate, privateKey } = bundle;
    this.#plain = secured({ ...STRICT, cert: certificate, key: privateKey });
    this.names = new X509Certificate(certificate);
  }

  /** For a port that asks this of clients; undefined where no client could fulfil it. */
  under(demand: ClientDemand | undefined): Secured | undefined {
    if (!demand) return this.#plain;
    // Without authorities Node would take those that browsers trust.
    if (demand.authorities.length === 0) return undefined;
    let made = this.#asking.get(demand);
    if (!made) {
      made = secured({ ...this.#plain.options, ...verifying(demand) });
      this.#asking.set(demand, made);
    }
    return made;
  }
}

const secured = (options: SecureContextOptions): Secured => ({
  options,
  context: createSecureContext(options),
});

const verifying = ({ authorities, identity }: ClientDemand): SecureContextOptions => ({
  ca: [...authorities],
  // A trust anchor need not be a root (RFC 5280 section 6.1.1 (d)).
  allowPartialTrustChain: true,
  // OpenSSL takes 32 octets.
  sessionIdContext: identity.slice(0, 32),
});

export class Certificates {
  readonly #loaded = new Map<CertificateId, LoadedCertificate>();
  readonly #problems = new Map<CertificateId, Diagnostic>();

  /** One that can't be loaded is reported in `problems`, and the one before it, if any, stays in use. */
  put(id: CertificateId, bundle: CertificateBundle | undefined): void {
    if (!bundle) {
      this.#loaded.delete(id);
      this.#problems.delete(id);
      return;
    }
    if (this.#loaded.get(id)?.bundle.hash === bundle.hash) {
      this.#problems.delete(id);
      return;
    }
    try {
      this.#loaded.set(id, new LoadedCertificate(bundle));
      this.#problems.delete(id);
    } catch (error) {
      this.#problems.set(id, this.#problem(id, (error as NodeJS.ErrnoException).code));
    }
  }

  get problems(): readonly Diagnostic[] {
    return [...this.#problems.values()];
  }

  /** One that could be loaded. */
  bundle(id: CertificateId): CertificateBundle | undefined {
    return this.#loaded.get(id)?.bundle;
  }

  /** That of a listener for a server name: the first certificate with that name, else the first one. */
  choose({ certificates }: Listener, serverName: string): LoadedCertificate | undefined {
    let first: LoadedCertificate | undefined;
    for (const id of certificates) {
      const loaded = this.#loaded.get(id);
      if (!loaded) continue;
      if (certificates.length === 1 || (serverName && loaded.names.checkHost(serverName))) return loaded;
      first ??= loaded;
    }
    return first;
  }

  /** What OpenSSL says of a key may quote it, so only its code is passed on. */
  #problem(id: CertificateId, code: string | undefined): Diagnostic {
    const slash = id.indexOf('/');
    const mismatch = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    const kept = this.#loaded.has(id) ? '; the certificate before it stays in use' : '';
    return {
      severity: 'error',
      code: mismatch ? 'certificate/key-does-not-match' : 'certificate/not-loaded',
      object: { group: '', kind: 'Secret', namespace: id.slice(0, slash), name: id.slice(slash + 1) },
      field: mismatch ? 'data["tls.key"]' : 'data["tls.crt"]',
      message: mismatch
        ? `found a private key that is not the one of the certificate${kept}`
        : `found a certificate or private key that can't be loaded (${code ?? 'unknown reason'}), expected both in PEM, the key without a passphrase${kept}`,
      fix: 'put the certificate chain, leaf first, into tls.crt and its key into tls.key',
    };
  }
}

export interface HandshakePort {
  readonly certificates: Certificates;
  /** The listener for a server name, empty where the client sends none: of the table that serves now. */
  listener(serverName: string): Listener | undefined;
  /** What is asked of clients now. Whether it is anything, and how strictly, stays as long as the port is bound. */
  demand(): ClientDemand | undefined;
  readonly limits: Limits;
  /** For ALPN, the best first. */
  readonly protocols: readonly string[];
  /** Told what the choice of a certificate throws; the handshake has failed. */
  readonly onError: (error: unknown) => void;
}

/** Options of a port that terminates TLS. Certificates are chosen at each handshake, so new ones need no new port. */
export function tlsOptions(port: HandshakePort): TlsOptions {
  const demand = port.demand();
  return {
    ...defaultTls(port),
    ...(demand ? { requestCert: true, rejectUnauthorized: demand.mode === 'AllowValidOnly' } : {}),
    ALPNProtocols: [...port.protocols],
    handshakeTimeout: port.limits.tlsHandshake,
    SNICallback(serverName, done) {
      let context: SecureContext | undefined;
      try {
        context = contextFor(port, serverName);
      } catch (error) {
        // An exception in this callback can end the process; the handshake fails instead.
        port.onError(error);
      }
      // Not a context without certificate: OpenSSL would then show that of the listener for any host.
      if (context) done(null, context);
      else done(new Error('no listener for the server name'));
    },
  };
}

function contextFor(
  { certificates, listener, demand }: HandshakePort,
  serverName: string,
): SecureContext | undefined {
  const host = normalizeHost(serverName);
  if (typeof host !== 'string') return undefined;
  const found = listener(host);
  return found && certificates.choose(found, host)?.under(demand())?.context;
}

/** For clients that send no server name: only a listener without hostname serves them. Without a certificate the handshake fails. */
export function defaultTls({
  certificates,
  listener,
  demand,
}: Pick<HandshakePort, 'certificates' | 'listener' | 'demand'>): SecureContextOptions {
  const found = listener('');
  const asked = demand();
  return (found && certificates.choose(found, '')?.under(asked)?.options) ?? bare(asked);
}

const BARE = new WeakMap<ClientDemand, SecureContextOptions>();

/** Without a certificate. Tickets are the default context's, so that they must be bound to what the port asks here too. */
function bare(demand: ClientDemand | undefined): SecureContextOptions {
  if (!demand) return STRICT;
  let options = BARE.get(demand);
  if (!options) {
    options = { ...STRICT, ...verifying(demand) };
    BARE.set(demand, options);
  }
  return options;
}
