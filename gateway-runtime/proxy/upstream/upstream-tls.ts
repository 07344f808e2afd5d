/**
 * TLS to the endpoints of a backend: whom to trust, who has to answer, and what to show of ourselves. One object stands for all of it, so
 * that no connection and no session of another trust, name or client certificate is ever used again.
 */
import { X509Certificate } from 'node:crypto';
import {
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { BackendTls, Endpoint } from '../../snapshot/snapshot.ts';
import type { UpstreamFailure } from '../exchange.ts';
import { type Guard, guardedBy } from '../guard.ts';
import { STRICT } from '../tls.ts';
import { hasAnyName, isForHost } from './certificate-names.ts';

/** What goes into a context: the same one serves every backend that trusts and shows the same. */
export interface TlsMaterial {
  /** PEM, at least one; undefined: the roots that Node comes with, and those of NODE_EXTRA_CA_CERTS. */
  readonly authorities: readonly string[] | undefined;
  /** PEM, shown to whoever asks for it. */
  readonly client: { readonly certificate: string; readonly privateKey: string } | undefined;
}

/** What `tls.connect` and `https.request` are called with, the endpoint aside. */
export interface TlsOptions {
  readonly secureContext: SecureContext;
  readonly servername: string;
  readonly rejectUnauthorized: true;
  readonly ALPNProtocols: string[];
  readonly checkServerIdentity: (name: string, certificate: PeerCertificate) => Error | undefined;
}

/** Sessions that are kept to be resumed: of so many endpoints. */
const MOST_SESSIONS = 1_000;

let ids = 0;

export class UpstreamTls {
  /** No other has it. */
  readonly id = `${++ids}`;
  readonly options: TlsOptions;
  readonly #sessions = new Map<string, Buffer>();
  readonly #guard: Guard;

  /** @param onError is told of what is thrown about a certificate, which is not trusted then; default: console.error */
  constructor(
    { hostname, subjectAltNames }: BackendTls,
    context: SecureContext,
    onError: (error: unknown) => void = console.error,
  ) {
    this.#guard = guardedBy(onError);
    this.options = {
      secureContext: context,
      servername: hostname,
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      checkServerIdentity: (_name, { raw }) => {
        try {
          return problemOf(raw, hostname, subjectAltNames);
        } catch (error) {
          onError(error);
          return new Error('the certificate could not be looked at');
        }
      },
    };
  }

  /** A connection on its way to an endpoint, for HTTP/1.1. */
  connect(endpoint: Endpoint, highWaterMark: number): TLSSocket {
    return this.#connect(endpoint, highWaterMark, this.options, `${endpoint.address} ${endpoint.port}`);
  }

  /** The same for HTTP/2. */
  connectHttp2(endpoint: Endpoint, highWaterMark: number): TLSSocket {
    const options = { ...this.options, ALPNProtocols: ['h2'] };
    return this.#connect(endpoint, highWaterMark, options, `h2 ${endpoint.address} ${endpoint.port}`);
  }

  /** The same for whatever it may be: no protocol is named (ALPN). */
  connectRaw(endpoint: Endpoint, highWaterMark: number): TLSSocket {
    const { ALPNProtocols: _, ...options } = this.options;
    return this.#connect(endpoint, highWaterMark, options, `raw ${endpoint.address} ${endpoint.port}`);
  }

  #connect(
    endpoint: Endpoint,
    highWaterMark: number,
    options: Omit<TlsOptions, 'ALPNProtocols'>,
    key: string,
  ): TLSSocket {
    const session = this.#sessions.get(key);
    const socket = tlsConnect({
      ...options,
      host: endpoint.address,
      port: endpoint.port,
      ...({ highWaterMark } as object),
      ...(session ? { session } : {}),
    });
    socket.setNoDelay(true);
    // Only of who was found to be the one: Node tells of none before it has verified the certificate.
    socket.on(
      'session',
      this.#guard((fresh: Buffer) => this.#keep(key, fresh)),
    );
    return socket;
  }

  #keep(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > MOST_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value!);
  }
}

/** Throws where a certificate or key can't be loaded. */
export function secureContext({ authorities, client }: TlsMaterial): SecureContext {
  // Node takes an empty list for its own roots.
  if (authorities?.length === 0) throw new Error('no certificate of an authority');
  return createSecureContext({
    ...STRICT,
    // A trust anchor need not be a root (RFC 5280 section 6.1.1 (d)).
    ...(authorities ? { ca: [...authorities], allowPartialTrustChain: true } : {}),
    ...(client ? { cert: client.certificate, key: client.privateKey } : {}),
  });
}

const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/**
 * Why a certificate is not that of the backend, besides who has signed it. "If SubjectAltNames are specified, Hostname can be used for
 * certificate selection but MUST NOT be used for authentication" (BackendTLSPolicyValidation.hostname).
 */
function problemOf(
  certificate: Buffer,
  hostname: string,
  subjectAltNames: BackendTls['subjectAltNames'],
): Error | undefined {
  const found = new X509Certificate(certificate);
  const isExpected = subjectAltNames ? hasAnyName(found, subjectAltNames) : isForHost(found, hostname);
  if (isExpected) return undefined;
  return Object.assign(new Error('the certificate is for another name'), { code: WRONG_NAME });
}

/** Why there is no TLS with an endpoint that took the connection. */
export function tlsFailure({ authorizationError }: TLSSocket): UpstreamFailure {
  // Typed as an Error, but set to its code.
  const code = authorizationError as unknown;
  if (!code) return 'tls-handshake';
  return code === WRONG_NAME ? 'tls-name' : 'tls-untrusted';
}

/** Whether an error comes from TLS itself, such as a client certificate that was refused after the handshake (TLS 1.3). */
export function isTlsError({ code }: NodeJS.ErrnoException): boolean {
  return code?.startsWith('ERR_SSL_') ?? false;
}
