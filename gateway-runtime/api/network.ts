/** Addresses and networks of IPv4 (RFC 4632) and IPv6 (RFC 4291), as text and as numbers. */

/**
 * IPv4 is a number, IPv6 a bigint. An IPv4 address that is written as one of IPv6 (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is that of IPv4, as
 * sockets that take both say it.
 */
export type Address = number | bigint;

export interface Network {
  /** Its first address. */
  readonly first: Address;
  /** Of the prefix: 0 to 32, of IPv6 to 128. */
  readonly bits: number;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const BITS = /^(?:0|[1-9]\d{0,2})$/;
const GROUPS = 8;
/** `::ffff:0:0/96` */
const MAPPED = 0xffffn << 32n;
const MAPPED_BITS = 96;

/** Undefined where the text is no address. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const address = parseIpv6(text);
  return address !== undefined && isMapped(address) ? Number(address - MAPPED) : address;
}

/**
 * `10.0.0.0/8`, `2001:db8::/32`, or one address. What is beyond the prefix is cut off: `networkText` differs from the text then. Undefined where
 * it is no network.
 */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const [written, suffix] = slash < 0 ? [text] : [text.slice(0, slash), text.slice(slash + 1)];
  const isIpv6 = written.includes(':');
  const address = isIpv6 ? parseIpv6(written) : parseIpv4(written);
  const longest = isIpv6 ? 128 : 32;
  if (suffix !== undefined && !BITS.test(suffix)) return undefined;
  const bits = suffix === undefined ? longest : Number(suffix);
  if (address === undefined || bits > longest) return undefined;
  if (typeof address === 'bigint' && isMapped(address) && bits >= MAPPED_BITS)
    return cut(Number(address - MAPPED), bits - MAPPED_BITS);
  return cut(address, bits);
}

/** The one way to write it: with its prefix, IPv6 as in RFC 5952. */
export const networkText = ({ first, bits }: Network): string => `${addressText(first)}/${bits}`;

export const lastOf = ({ first, bits }: Network): Address =>
  typeof first === 'number' ? first + 2 ** (32 - bits) - 1 : first | ((1n << BigInt(128 - bits)) - 1n);

function cut(address: Address, bits: number): Network {
  if (typeof address === 'number') return { first: address - (address % 2 ** (32 - bits)), bits };
  const rest = BigInt(128 - bits);
  return { first: (address >> rest) << rest, bits };
}

const isMapped = (address: bigint) => address >> 32n === 0xffffn;

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    // What begins with 0 is octal for some.
    if (!OCTET.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::', 3);
  const isShort = halves.length === 2;
  const first = groupsOf(halves[0]!, !isShort);
  const last = isShort ? groupsOf(halves[1]!, true) : [];
  if (!first || !last || halves.length > 2) return undefined;
  // "::" stands for one group of zeros or more.
  const missing = GROUPS - first.length - last.length;
  if (isShort ? missing < 1 : missing !== 0) return undefined;
  const zeros = Array.from({ length: missing }, () => 0);
  return [...first, ...zeros, ...last].reduce((all, group) => (all << 16n) | BigInt(group), 0n);
}

/** @param isEnd the last 32 bits may be written as IPv4 */
function groupsOf(half: string, isEnd: boolean): number[] | undefined {
  if (half === '') return [];
  const parts = half.split(':', GROUPS + 1);
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const address = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (address === undefined) return undefined;
      groups.push(Math.floor(address / 65_536), address % 65_536);
    }
  }
  return groups;
}

function addressText(address: Address): string {
  if (typeof address === 'number') {
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
  }
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    ((address >> BigInt(16 * (GROUPS - 1 - index))) & 0xffffn).toString(16),
  );
  const [start, length] = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zeros (RFC 5952 section 4.2). */
function longestZeros(groups: readonly string[]): [start: number, length: number] {
  let [start, length] = [0, 0];
  for (let i = 0; i < groups.length; ) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > length) [start, length] = [i, end - i];
    i = Math.max(end, i + 1);
  }
  return [start, length];
}
