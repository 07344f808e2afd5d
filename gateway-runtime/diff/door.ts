/** Whether a client gets as far as the rules of a listener, and what the listener asks of it before. */
import { clientsInWords } from '../explain/words.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import type { Listener } from '../snapshot/snapshot.ts';
import type { GatewaySide } from './gateway-side.ts';

/** The way in for the hosts of one class at one port. */
export interface Door {
  /** Open: the listener that serves them. */
  readonly listener?: Listener;
  /** Closed: what a client meets instead. */
  readonly closed?: string;
}

export function doorOf(side: GatewaySide, port: number, listener: Listener | undefined): Door {
  // Only requests are compared.
  if (listener?.protocol === 'TLS') {
    return {
      closed: `no HTTP: connections to the listener ${listener.source.listener} go where TLSRoutes say`,
    };
  }
  if (listener && (listener.protocol === 'HTTP' || listener.certificates.length > 0)) return { listener };
  if (listener) {
    return {
      closed: `the TLS handshake fails: the listener ${listener.source.listener} has no certificate`,
    };
  }
  const [any] = side.listeners(port).values();
  if (!any) return { closed: `connection refused: no listener at port ${port}` };
  return {
    closed:
      any.protocol === 'HTTP'
        ? '404: no listener takes the host'
        : 'the TLS handshake fails: no listener takes the host',
  };
}

/** Else it takes what the proxy does. */
const needsTls13 = ({ minTlsVersion }: Listener) => minTlsVersion === 'TLSv1.3';

export interface DoorChange {
  /** Some clients that came in come in no more. */
  readonly isLess: boolean;
  /** Clients without a certificate came in and don't now, or the other way round. */
  readonly isForThoseWithout: boolean;
}

/** How an open door differs from what it was; undefined where it does not. */
export function changeOfDoor(
  before: Listener,
  after: Listener,
  bundlesOf: (listener: Listener, side: 'before' | 'after') => unknown,
): DoorChange | undefined {
  if (before.protocol !== after.protocol) return { isLess: true, isForThoseWithout: false };
  const form = (listener: Listener, side: 'before' | 'after') =>
    canonicalJson([
      [...listener.certificates].sort(),
      listener.clientCertificates?.mode,
      bundlesOf(listener, side),
      needsTls13(listener),
    ]);
  if (form(before, 'before') === form(after, 'after')) return undefined;
  const asks = ({ clientCertificates }: Listener) => clientCertificates?.mode === 'AllowValidOnly';
  const isNewer = needsTls13(after) && !needsTls13(before);
  return {
    isLess: isNewer || (asks(after) && !asks(before)),
    isForThoseWithout: asks(after) !== asks(before),
  };
}

/** `HTTPS with the certificate infra/edge, only clients with a certificate from ConfigMap infra/authorities`. */
export function doorInWords(listener: Listener): string {
  const { protocol, certificates, clientCertificates } = listener;
  if (protocol === 'HTTP') return 'served over HTTP';
  const names = certificates.map((id) => `Secret ${id}`).join(', ');
  const clients = clientCertificates ? `; lets in ${clientsInWords(clientCertificates)}` : '';
  const tls = needsTls13(listener) ? ' and TLS 1.3' : '';
  return `served over HTTPS with the certificate of ${names}${tls}${clients}`;
}
