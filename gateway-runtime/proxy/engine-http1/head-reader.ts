/**
 * Reads a message head in one pass (RFC 9112 sections 2 to 5), strictly: a line ends with CRLF and nothing else, no line folding, no
 * space before a colon, no octet where the grammar has none. What two readers could read in two ways is refused.
 */
import type { Head } from './head.ts';
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TARGET, TOKEN, ZERO } from './octets.ts';

/** Instead of the end of the head: more octets are needed. */
export const MORE = -1;
/** Not a message head. */
export const BAD = -2;
/** More fields than allowed. */
export const TOO_MANY = -3;
/** Another version that there is; what is no version at all is BAD. */
export const VERSION = -4;
/** Transfer codings before chunked. */
export const CODING = -5;

/** Octets of a method. Those that are registered have at most 17. */
const LONGEST_METHOD = 32;

const lowerCase = (name: string) => Uint8Array.from(Buffer.from(name));
const HOST = lowerCase('host');
const DATE = lowerCase('date');
const TE = lowerCase('te');
const EXPECT = lowerCase('expect');
const UPGRADE = lowerCase('upgrade');
const TRAILER = lowerCase('trailer');
const CONNECTION = lowerCase('connection');
const KEEP_ALIVE = lowerCase('keep-alive');
const CONTENT_LENGTH = lowerCase('content-length');
const PROXY_CONNECTION = lowerCase('proxy-connection');
const TRANSFER_ENCODING = lowerCase('transfer-encoding');
const PROXY_AUTHENTICATE = lowerCase('proxy-authenticate');
const PROXY_AUTHORIZATION = lowerCase('proxy-authorization');

/** Both are known to be as long as each other; letters only differ in one bit, and "-" has it set. */
function isNamed(octets: Buffer, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if ((octets[start + i]! | 0x20) !== name[i]) return false;
  return true;
}

/** `HTTP/1.` at this place. */
function isHttp1(octets: Buffer, i: number): boolean {
  return (
    octets[i] === 72 &&
    octets[i + 1] === 84 &&
    octets[i + 2] === 84 &&
    octets[i + 3] === 80 &&
    octets[i + 4] === 47 &&
    octets[i + 5] === 49 &&
    octets[i + 6] === 46
  );
}

/** Another version that there is, at this place. */
function isOtherVersion(octets: Buffer, i: number): boolean {
  return /^HTTP\/(?:0\.9|2\.0|3\.0)$/.test(octets.toString('latin1', i, i + 8));
}

/**
 * Reads a request head that begins at `start`. The octet after it, or MORE, BAD, TOO_MANY, VERSION or CODING.
 *
 * @param most fields
 */
export function readRequest(head: Head, octets: Buffer, start: number, end: number, most: number): number {
  let i = start;
  while (i < end && TOKEN[octets[i]!] === 1) i++;
  if (i - start > LONGEST_METHOD) return BAD;
  if (i === end) return MORE;
  if (octets[i] !== SP || i === start) return BAD;
  const methodEnd = i++;
  const target = i;
  while (i < end && TARGET[octets[i]!] === 1) i++;
  if (i === end) return MORE;
  if (octets[i] !== SP || i === target) return BAD;
  const targetEnd = i++;
  if (i + 10 > end) return MORE;
  if (octets[i + 8] !== CR || octets[i + 9] !== LF) return BAD;
  const minor = octets[i + 7]! - 48;
  if (!isHttp1(octets, i) || minor < 0 || minor > 1) return isOtherVersion(octets, i) ? VERSION : BAD;
  head.reset();
  head.minor = minor;
  head.targetStart = target - start;
  head.targetEnd = targetEnd - start;
  const done = readFields(head, octets, start, i + 10, end, most);
  if (done < 0) return done;
  head.method = head.text.slice(0, methodEnd - start);
  return done;
}

/** Reads a response head, in the same way. */
export function readResponse(head: Head, octets: Buffer, start: number, end: number, most: number): number {
  let i = start;
  if (i + 12 > end) return MORE;
  const minor = octets[i + 7]! - 48;
  if (!isHttp1(octets, i) || minor < 0 || minor > 1 || octets[i + 8] !== SP) return BAD;
  const hundreds = octets[i + 9]! - 48;
  const tens = octets[i + 10]! - 48;
  const ones = octets[i + 11]! - 48;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return BAD;
  i += 12;
  if (i < end && octets[i] !== SP && octets[i] !== CR) return BAD;
  while (i < end && FIELD_VALUE[octets[i]!] === 1) i++;
  if (i + 1 >= end) return MORE;
  if (octets[i] !== CR || octets[i + 1] !== LF) return BAD;
  head.reset();
  head.minor = minor;
  head.status = hundreds * 100 + tens * 10 + ones;
  head.statusStart = 9;
  head.statusEnd = i - start;
  return readFields(head, octets, start, i + 2, end, most);
}

/** Field lines and the empty line after them. Also for trailers, whose head begins with its fields. */
export function readFields(
  head: Head,
  octets: Buffer,
  start: number,
  from: number,
  end: number,
  most: number,
): number {
  let i = from;
  for (;;) {
    if (i === end) return MORE;
    if (octets[i] === CR) {
      if (i + 1 === end) return MORE;
      if (octets[i + 1] !== LF) return BAD;
      break;
    }
    const name = i;
    while (i < end && TOKEN[octets[i]!] === 1) i++;
    if (i === end) return MORE;
    if (octets[i] !== COLON || i === name) return BAD;
    const nameEnd = i++;
    while (i < end && (octets[i] === SP || octets[i] === HTAB)) i++;
    const value = i;
    while (i < end && FIELD_VALUE[octets[i]!] === 1) i++;
    if (i + 1 >= end) return i < end && octets[i] !== CR ? BAD : MORE;
    if (octets[i] !== CR || octets[i + 1] !== LF) return BAD;
    let valueEnd = i;
    while (valueEnd > value && (octets[valueEnd - 1] === SP || octets[valueEnd - 1] === HTAB)) valueEnd--;
    i += 2;
    if (head.count === most) return TOO_MANY;
    const index = head.push(name - start, nameEnd - start, value - start, valueEnd - start);
    const bad = note(head, octets, name, nameEnd - name, value, valueEnd, index);
    if (bad !== 0) return bad;
  }
  head.end = i - start;
  i += 2;
  head.text = octets.toString('latin1', start, i);
  return head.chunked && head.length >= 0 ? BAD : i;
}

/** Fields that frame the message or belong to this connection are noted, and the latter not sent on. */
function note(
  head: Head,
  octets: Buffer,
  name: number,
  nameLength: number,
  value: number,
  valueEnd: number,
  index: number,
): number {
  switch (nameLength) {
    case 2:
      if (isNamed(octets, name, TE)) {
        head.te = index;
        head.drop(index);
      }
      return 0;
    case 4:
      if (isNamed(octets, name, HOST)) {
        head.host = index;
        head.hosts++;
      } else if (isNamed(octets, name, DATE)) head.date = index;
      return 0;
    case 6:
      if (isNamed(octets, name, EXPECT)) head.expect = index;
      return 0;
    case 7:
      if (isNamed(octets, name, UPGRADE)) {
        // Two of them are one list, which is no protocol that is passed on.
        head.upgrade = index;
        head.drop(index);
      } else if (isNamed(octets, name, TRAILER)) head.trailer = index;
      return 0;
    case 10:
      if (isNamed(octets, name, CONNECTION)) {
        head.connection = index;
        head.drop(index);
        noteOptions(head, octets.toString('latin1', value, valueEnd));
      } else if (isNamed(octets, name, KEEP_ALIVE)) {
        head.keepAlive = index;
        head.drop(index);
      }
      return 0;
    case 14:
      return isNamed(octets, name, CONTENT_LENGTH) ? noteLength(head, octets, value, valueEnd, index) : 0;
    case 16:
      if (isNamed(octets, name, PROXY_CONNECTION)) head.drop(index);
      return 0;
    case 17:
      return isNamed(octets, name, TRANSFER_ENCODING) ? noteCoding(head, octets, value, valueEnd, index) : 0;
    case 18:
      if (isNamed(octets, name, PROXY_AUTHENTICATE)) head.drop(index);
      return 0;
    case 19:
      if (isNamed(octets, name, PROXY_AUTHORIZATION)) head.drop(index);
      return 0;
    default:
      return 0;
  }
}

/**
 * RFC 9110 section 8.6: digits; a second one, even with the same value, is refused (RFC 9112 section 6.3). So is a number that begins
 * with 0, which some readers take for an octal one.
 */
function noteLength(head: Head, octets: Buffer, value: number, valueEnd: number, index: number): number {
  if (head.length >= 0 || value === valueEnd || valueEnd - value > 15) return BAD;
  if (octets[value] === ZERO && valueEnd - value > 1) return BAD;
  let length = 0;
  for (let i = value; i < valueEnd; i++) {
    const digit = octets[i]! - 48;
    if (digit < 0 || digit > 9) return BAD;
    length = length * 10 + digit;
  }
  head.length = length;
  head.contentLength = index;
  return 0;
}

/**
 * "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field MUST treat the message as if the
 * framing is faulty"; chunked, once, is all that is known (RFC 9112 sections 6.1 and 7).
 */
function noteCoding(head: Head, octets: Buffer, value: number, valueEnd: number, index: number): number {
  if (head.transferEncoding >= 0 || head.minor === 0) return BAD;
  const coding = octets.toString('latin1', value, valueEnd);
  if (coding !== 'chunked' && coding.toLowerCase() !== 'chunked') return codingProblem(coding);
  head.transferEncoding = index;
  head.chunked = true;
  head.drop(index);
  return 0;
}

/**
 * "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the final encoding, ... the
 * server MUST respond with the 400 (Bad Request) status code" (RFC 9112 section 6.3).
 */
function codingProblem(codings: string): number {
  const names = codings.split(',').map((each) => each.trim().toLowerCase());
  return names.indexOf('chunked') === names.length - 1 ? CODING : BAD;
}

/** RFC 9110 section 7.6.1. */
function noteOptions(head: Head, value: string): void {
  if (value === 'keep-alive') return;
  for (const each of value.split(',')) {
    const option = each.trim().toLowerCase();
    if (option === 'close') head.close = true;
    else if (option === 'upgrade') head.asksUpgrade = true;
    else if (option !== 'keep-alive' && option !== '') head.listsFields = true;
  }
}
