/** The subject alternative names of a certificate (RFC 5280 section 4.2.1.6), as far as backends are known by them: DNS names and URIs. */
import type { X509Certificate } from 'node:crypto';
import type { SubjectAltName } from '../../snapshot/snapshot.ts';

/** The name in the certificate itself, or a wildcard that stands for its first label; never the common name (RFC 9525 section 2). */
export function isForHost(certificate: X509Certificate, hostname: string): boolean {
  return certificate.checkHost(hostname, { subject: 'never', partialWildcards: false }) !== undefined;
}

/** "The certificate served from the backend MUST have at least one Subject Alternate Name matching" (subjectAltNames). */
export function hasAnyName(certificate: X509Certificate, expected: readonly SubjectAltName[]): boolean {
  const entries = alternativeNames(certificate.subjectAltName ?? '');
  return expected.some(({ type, value }) => {
    // Octet by octet, as identities are compared (SPIFFE): who means the same writes the same.
    if (type === 'URI') return entries.includes(`URI:${value}`);
    // A wildcard that is asked for is asked for as such.
    if (value.startsWith('*.')) return entries.some((entry) => entry.toLowerCase() === `dns:${value}`);
    return isForHost(certificate, value);
  });
}

/**
 * The entries of the text that Node makes of the extension: `TYPE:value` separated by ", ", where a value that could be taken for more
 * than one entry is a JSON string.
 */
function alternativeNames(text: string): string[] {
  const entries: string[] = [];
  const entry = /([^:]*:)("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
  while (entry.lastIndex < text.length) {
    const found = entry.exec(text);
    // Whatever it is, nobody is known by it.
    if (!found) return entries;
    const [, type, value] = found as unknown as [string, string, string];
    entries.push(type + (value.startsWith('"') ? unquoted(value) : value));
  }
  return entries;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
