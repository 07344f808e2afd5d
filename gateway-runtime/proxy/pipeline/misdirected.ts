/** Requests on a connection that was opened for another host than theirs, or under other conditions than those of today. */
import type { ListenerTable, Router } from '../../match/router.ts';
import type { ClientConnection } from '../exchange.ts';
import type { CompiledRule } from './compiled-rule.ts';

/**
 * Whether the listener that the TLS handshake chose is another than the one that the Host header chooses (Gateway API, GEP-3567), or asks for
 * a certificate that the client of this connection has not shown, or a newer TLS than it speaks.
 *
 * @param table of the listener that the Host header chooses
 */
export function isMisdirected(
  router: Router<CompiledRule>,
  connection: ClientConnection,
  table: ListenerTable<CompiledRule>,
): boolean {
  const { clientCertificates, minTlsVersion } = table.listener;
  // A connection can be older than what its listener asks now, or have resumed a session whose server name is lost.
  if (clientCertificates?.mode === 'AllowValidOnly' && connection.client?.state !== 'verified') return true;
  if (minTlsVersion === 'TLSv1.3' && connection.tlsVersion !== 'TLSv1.3') return true;
  const handshake = router.listener(connection.port, connection.serverName ?? '');
  return handshake?.listener.key !== table.listener.key;
}
