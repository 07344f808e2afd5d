/** PEM (RFC 7468), as far as its shape goes. Linear in the length of the text, since tenants write it. */

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The blocks of one label, each written anew, without what stands between them and without blocks of other labels; undefined where
 * one of them is broken: cut off, not base64, or no DER (X.690) sequence of the length that it says.
 */
export function pemBlocks(text: string, label: string): string[] | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: string[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const stop = text.indexOf(end, at);
    if (stop < 0) return undefined;
    const content = text.slice(at + begin.length, stop).replaceAll(/\s+/g, '');
    if (!BASE64.test(content) || content.length % 4 !== 0 || !isSequence(atob(content))) return undefined;
    blocks.push(`${begin}\n${content.replaceAll(/.{64}(?=.)/g, '$&\n')}\n${end}\n`);
    at = stop + end.length;
  }
  return blocks;
}

/** One SEQUENCE in DER, and nothing behind it. */
function isSequence(octets: string): boolean {
  if (octets.charCodeAt(0) !== 0x30 || octets.length < 2) return false;
  const first = octets.charCodeAt(1);
  if (first < 0x80) return octets.length === 2 + first;
  const count = first - 0x80;
  if (count < 1 || count > 4 || octets.length < 2 + count) return false;
  let length = 0;
  for (let index = 0; index < count; index++) length = length * 256 + octets.charCodeAt(2 + index);
  return octets.length === 2 + count + length;
}
