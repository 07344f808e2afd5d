/**
 * One canonical form for hosts and paths, after RFC 3986 section 6. What is matched is what is forwarded: an origin never
 * sees another spelling than the one that was routed. What two readers could take for two different paths is refused, with
 * a Problem; the proxy answers it 400. Nothing is allocated where the input is canonical already.
 */

export interface Problem {
  readonly problem: string;
}

const refuse = (problem: string): Problem => Object.freeze({ problem });

const HOST_EMPTY = refuse('the host is empty');
const HOST_CHARACTER = refuse(
  'the host has a character other than letters, digits, "-", "_" and "." (or is not an [IPv6] address)',
);
const HOST_LABEL = refuse('the host has an empty label: two dots in a row, or one at its start');
const HOST_LENGTH = refuse('the host is longer than 253 characters');
const HOST_PORT = refuse('the port of the host is not a number up to 65535');

/** RFC 1035 section 2.3.4: 255 octets on the wire are 253 characters of text. */
const LONGEST_HOST = 253;

const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const COLON = 58;
const PERCENT = 37;

/** Characters of a host, by code: 1 as it is, 2 an upper-case letter. */
const HOST_CLASS = new Uint8Array(128);
// RFC 3986 section 3.2.2 lets a reg-name hold more; DNS (RFC 1123 section 2.1) does not. "_" is outside of both, yet names with it
// resolve and clients send them, and since no listener or route can name such a host, only wildcards serve it. Percent-encoding,
// sub-delims and userinfo ("@", RFC 9110 section 4.2.4) have no use here but to make two readers see two hosts.
for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789-_.') HOST_CLASS[character.charCodeAt(0)] = 1;
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') HOST_CLASS[character.charCodeAt(0)] = 2;

/**
 * The host of a Host header, an authority or a TLS server name in canonical form: lower case (RFC 3986 section 6.2.2.1), without
 * port (Gateway API: the port of a Host header is ignored when matching) and without the one trailing dot of a fully
 * qualified name.
 */
export function normalizeHost(raw: string): string | Problem {
  if (raw.charCodeAt(0) === 91) return normalizeAddress(raw);
  const colon = raw.indexOf(':');
  let end = colon < 0 ? raw.length : colon;
  if (end < raw.length && !isPort(raw, end + 1)) return HOST_PORT;
  if (end === 0) return HOST_EMPTY;
  if (raw.charCodeAt(end - 1) === DOT) end--;
  if (end > LONGEST_HOST) return HOST_LENGTH;
  let upper = false;
  let previous = DOT;
  for (let i = 0; i < end; i++) {
    const code = raw.charCodeAt(i);
    const kind = code < 128 ? HOST_CLASS[code] : 0;
    if (kind === 0) return HOST_CHARACTER;
    if (kind === 2) upper = true;
    if (code === DOT && previous === DOT) return HOST_LABEL;
    previous = code;
  }
  if (previous === DOT) return HOST_LABEL;
  const host = end === raw.length ? raw : raw.slice(0, end);
  return upper ? host.toLowerCase() : host;
}

/**
 * An authority as it is forwarded: the host that it was routed by, and its port, if it has one, without zeros before it (RFC 3986 section
 * 6.2.3). Nothing is allocated where it is so already.
 *
 * @param host what `normalizeHost` gave for it
 */
export function normalizeAuthority(raw: string, host: string): string {
  if (raw.length === host.length) return host;
  const colon = raw.indexOf(':', raw.lastIndexOf(']') + 1);
  if (colon < 0 || colon + 1 === raw.length) return host;
  if (colon === host.length && raw.charCodeAt(colon + 1) !== ZERO && raw.startsWith(host)) return raw;
  return `${host}:${Number(raw.slice(colon + 1))}`;
}

/** The port of a Host header or authority; undefined where there is none, or no valid one. */
export function hostPort(raw: string): number | undefined {
  const colon = raw.indexOf(':', raw.lastIndexOf(']') + 1);
  if (colon < 0 || colon + 1 === raw.length || !isPort(raw, colon + 1)) return undefined;
  return Number(raw.slice(colon + 1));
}

/** RFC 3986 section 3.2.3: a port is digits, perhaps none. */
function isPort(raw: string, start: number): boolean {
  if (raw.length - start > 5) return false;
  let port = 0;
  for (let i = start; i < raw.length; i++) {
    const digit = raw.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65535;
}

/** IP-literal of RFC 3986 section 3.2.2, without IPvFuture and zone: `[2001:db8::1]:8080`. */
function normalizeAddress(raw: string): string | Problem {
  const close = raw.indexOf(']');
  if (close < 0 || close > 46 || !isIpv6(raw.slice(1, close))) return HOST_CHARACTER;
  if (close + 1 === raw.length) return raw.toLowerCase();
  if (raw.charCodeAt(close + 1) !== COLON || !isPort(raw, close + 2)) return HOST_PORT;
  return raw.slice(0, close + 1).toLowerCase();
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** IPv6address of RFC 3986 section 3.2.2: eight groups, "::" once for one or more of them, the last two perhaps as IPv4. */
function isIpv6(address: string): boolean {
  const halves = address.split('::');
  if (halves.length > 2) return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    if (half === '') continue;
    const groups = half.split(':');
    const last = groups.at(-1)!;
    if (last.includes('.')) {
      if (index !== halves.length - 1 || !IPV4.test(last)) return false;
      groups.splice(-1, 1, '0', '0');
    }
    if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
    count += groups.length;
  }
  return halves.length === 2 ? count < 8 : count === 8;
}

const PATH_START = refuse('the path does not start with "/"');
const PATH_CHARACTER = refuse(
  'the path has a character that must not be in one: a space, control character, "#", "?", "\\" or one outside ASCII',
);
const PATH_ESCAPE = refuse('the path has a "%" that is not followed by two hexadecimal digits');
const PATH_FORBIDDEN_ESCAPE = refuse('the path has an encoded NUL (%00) or backslash (%5C)');
const PATH_HIDDEN_DOTS = refuse(
  'the path hides a "." or ".." segment behind an encoded slash, a ";" or a second encoding',
);

const AS_IT_IS = 1;
const TO_ENCODE = 2;

/** Characters of a path, by code. */
const PATH_CLASS = new Uint8Array(128);
// RFC 3986 section 3.3: pchar = unreserved / pct-encoded / sub-delims / ":" / "@".
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/") {
  PATH_CLASS[character.charCodeAt(0)] = AS_IT_IS;
}
// No part of a URI (RFC 3986 section 2), but browsers send some of them as they are. Encoded, since origins take both forms for one.
for (const character of '"<>[]^`{|}') PATH_CLASS[character.charCodeAt(0)] = TO_ENCODE;

/**
 * The path of a request target in canonical form. `rawPath` is what stands before the first "?".
 *
 * - Escapes of unreserved characters are decoded, the others written with upper-case digits (RFC 3986 sections 6.2.2.1 and 6.2.2.2). So
 *   %2F stays one character of its segment (`/@scope%2Fname`).
 * - Dot segments are removed (sections 6.2.2.3 and 5.2.4).
 * - "//" stays: section 6 has no rule for it, and an empty segment is a segment.
 */
export function normalizePath(rawPath: string): string | Problem {
  if (rawPath.charCodeAt(0) !== SLASH) return PATH_START;
  const length = rawPath.length;
  let previous = 0;
  for (let i = 0; i < length; i++) {
    const code = rawPath.charCodeAt(i);
    if (code >= 128 || PATH_CLASS[code] !== AS_IT_IS) return rewritePath(rawPath);
    if (code === DOT && previous === SLASH && mayEndDotSegment(rawPath.charCodeAt(i + 1))) {
      return rewritePath(rawPath);
    }
    previous = code;
  }
  return rawPath;
}

/** Whether a segment that starts with "." and goes on like this may be (or hide) "." or "..". NaN is the end of the path. */
function mayEndDotSegment(code: number): boolean {
  return code === SLASH || code === DOT || code === 59 || Number.isNaN(code);
}

function rewritePath(rawPath: string): string | Problem {
  let path = '';
  /** What follows is not in it yet. */
  let from = 0;
  for (let i = 0; i < rawPath.length; i++) {
    const code = rawPath.charCodeAt(i);
    const kind = code < 128 ? PATH_CLASS[code] : 0;
    if (kind === AS_IT_IS) continue;
    if (code === PERCENT) {
      const decoded = (hexadecimal(rawPath.charCodeAt(i + 1)) << 4) | hexadecimal(rawPath.charCodeAt(i + 2));
      if (decoded < 0) return PATH_ESCAPE;
      if (decoded === 0 || decoded === 0x5c) return PATH_FORBIDDEN_ESCAPE;
      const written = isUnreserved(decoded) ? String.fromCharCode(decoded) : escaped(decoded);
      path += rawPath.slice(from, i) + written;
      i += 2;
    } else if (kind === TO_ENCODE) path += rawPath.slice(from, i) + escaped(code);
    else return PATH_CHARACTER;
    from = i + 1;
  }
  return removeDotSegments(from === 0 ? rawPath : path + rawPath.slice(from));
}

const escaped = (code: number) => `%${code < 16 ? '0' : ''}${code.toString(16).toUpperCase()}`;

/** The value of a digit; below 0 where it is none. */
function hexadecimal(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** RFC 3986 section 2.3. */
function isUnreserved(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 45 ||
    code === 46 ||
    code === 95 ||
    code === 126
  );
}

/**
 * A segment that some origin reads as a dot segment, though RFC 3986 does not: one that decodes %2F before it splits, strips
 * path parameters (`..;x`, `..%3B`), or decodes more than once (`%252e`).
 */
const HIDDEN_DOT_SEGMENT =
  /(?:^|%(?:25)*(?:2F|5C))(?:\.|%(?:25)+2E){1,2}(?:$|%(?:25)*(?:2F|5C)|;|%(?:25)*3B)/i;

/** RFC 3986 section 5.2.4, over segments: "." goes, ".." takes the segment before it along, and either leaves a final "/". */
function removeDotSegments(path: string): string | Problem {
  const mayHide = path.includes('%') || path.includes(';');
  const output: string[] = [];
  for (let start = 1, end = 0; end < path.length; start = end + 1) {
    end = path.indexOf('/', start);
    if (end < 0) end = path.length;
    const dots = dotsOf(path, start, end);
    if (dots === 0) {
      const segment = path.slice(start, end);
      if (mayHide && HIDDEN_DOT_SEGMENT.test(segment)) return PATH_HIDDEN_DOTS;
      output.push(segment);
      continue;
    }
    if (dots === 2) output.pop();
    if (end === path.length) output.push('');
  }
  return `/${output.join('/')}`;
}

/** 1 for a segment ".", 2 for "..", 0 for any other. */
function dotsOf(path: string, start: number, end: number): number {
  if (end - start > 2 || end === start || path.charCodeAt(start) !== DOT) return 0;
  return end - start === 1 || path.charCodeAt(start + 1) === DOT ? end - start : 0;
}

/**
 * The value of a path match in the form in which the Snapshot holds it. Exact and PathPrefix: normalized as the paths of requests are,
 * and for PathPrefix without the trailing "/", which Gateway API ignores. RegularExpression: as it is.
 */
export function normalizePathPattern(
  type: 'Exact' | 'PathPrefix' | 'RegularExpression',
  value: string,
): string | Problem {
  if (type === 'RegularExpression') return value;
  const path = normalizePath(value);
  if (type === 'Exact' || typeof path !== 'string') return path;
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
