/** Whether a client gets as far as to send its request. */
import { normalizeHost } from '../match/normalize.ts';
import { mostSpecificListener } from '../match/reference.ts';
import type { Listener } from '../snapshot/snapshot.ts';
import { clientsInWords } from './words.ts';

/**
 * Why no HTTP is spoken at all; undefined where it is. `listeners` are those of the port; `serverName` is that of the TLS handshake,
 * undefined where the client speaks plain HTTP; `hasCertificate` whether it has a valid certificate of its own.
 */
export function connectionFailure(
  listeners: readonly Listener[],
  port: number,
  serverName: string | undefined,
  hasCertificate: boolean,
): string | undefined {
  const [first] = listeners;
  if (!first) return `not connected: the Gateway has no listener at port ${port}`;
  const tls = serverName !== undefined;
  if (tls && first.protocol === 'HTTP') {
    return `not connected: the listeners at port ${port} speak HTTP, so a TLS handshake fails; ask with http://`;
  }
  if (!tls && first.protocol !== 'HTTP') {
    return `not connected: the listeners at port ${port} speak ${first.protocol}, so plain HTTP fails; ask with https://`;
  }
  if (!tls) return undefined;
  const named = serverName ? `for the server name ${serverName}` : 'without a server name';
  const listener = mostSpecificListener(listeners, serverName);
  if (!listener) return `not connected: no listener takes a TLS handshake ${named}`;
  const { source, certificates, clientCertificates, tlsMode } = listener;
  if (certificates.length === 0 && tlsMode !== 'Passthrough') {
    return `not connected: the listener ${source.listener} has no certificate for a TLS handshake; see its status`;
  }
  if (!hasCertificate && clientCertificates?.mode === 'AllowValidOnly') {
    return `not connected: the listener ${source.listener} lets in ${clientsInWords(clientCertificates)}`;
  }
  return undefined;
}

/** The canonical server name of a handshake: the one given, else the host, unless that is an address. */
export function handshakeName(given: string | undefined, host: string): string {
  const name = given ?? (isAddress(host) ? '' : host);
  const canonical = normalizeHost(name);
  return typeof canonical === 'string' ? canonical : name;
}

/** Clients send no server name for an address (RFC 6066 section 3). */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^[0-9.]+$/.test(host);
}
