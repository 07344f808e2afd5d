/** Fields that belong to one connection and are never forwarded (RFC 9110 section 7.6.1), and which trailers may be. */

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/**
 * What a Connection field can't take away, whatever it lists: a client could otherwise make the origin see another message than
 * the proxy routed, or hide where it came from ("A sender MUST NOT send a connection option corresponding to a field that is
 * intended for all recipients").
 */
const KEPT = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'set-cookie',
  'trailer',
  'www-authenticate',
]);

/** Fields that change how a message is framed, routed, authenticated or read must not come as trailers (RFC 9110 section 6.5.1). */
const NO_TRAILERS = new Set([
  ...KEPT,
  ...HOP_BY_HOP,
  'age',
  'cache-control',
  'date',
  'expires',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'vary',
]);

/** Whether a Connection field that lists this name, given in lower case, has it taken away. */
export function mayBeListed(name: string): boolean {
  return !KEPT.has(name) && !name.startsWith('x-forwarded') && name !== 'x-real-ip';
}

/** Whether a field of this name, given in lower case, may come as a trailer. */
export function mayBeTrailer(name: string): boolean {
  const plain = name.replaceAll('_', '-');
  return !NO_TRAILERS.has(plain) && !plain.startsWith('x-forwarded') && plain !== 'x-real-ip';
}

/** A copy of the fields without those of one hop. */
export function withoutHopByHop(raw: readonly string[]): string[] {
  let listed: string[] | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === 10 && raw[i]!.toLowerCase() === 'connection') {
      for (const option of raw[i + 1]!.split(',')) {
        const name = option.trim().toLowerCase();
        if (!mayBeListed(name)) continue;
        listed ??= [];
        listed.push(name);
      }
    }
  }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !listed?.includes(name)) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

/** Trailers that may be forwarded, as pairs. */
export function forwardableTrailers(raw: readonly string[]): [string, string][] {
  const kept: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (mayBeTrailer(raw[i]!.toLowerCase())) kept.push([raw[i]!, raw[i + 1]!]);
  }
  return kept;
}
