/** Requests on a connection that was opened for another host than theirs, or under other conditions than those of today. */
import type { ListenerTable, Router } from '../../match/router.ts';
import type { ClientConnection } from '../exchange.ts';
import type { CompiledRule } from './compiled-rule.ts';

/**
 * Whether the listener that the TLS handshake chose is another than the one that the Host header chooses (Gateway API, GEP-3567), or asks for
 * a certificate that the client of this connection has not shown.
 *
 * @param table of the listener that the Host header chooses
 */
export function isMisdirected(
  router: Router<CompiledRule>,
  connection: ClientConnection,
  table: ListenerTable<CompiledRule>,
): boolean {
  // A connection can be older than what its port asks now.
  if (
    table.listener.clientCertificates?.mode === 'AllowValidOnly' &&
    connection.client?.state !== 'verified'
  ) {
    return true;
  }
  const handshake = router.listener(connection.port, connection.serverName ?? '');
  return handshake?.listener.key !== table.listener.key;
}
