/**
 * A request of HTTP/2 in the form of HTTP/1.1 (RFC 9113 section 8.3): it is read as strictly as one that came so, by the same reader, and
 * goes on in that form to backends.
 */
import { normalizeHost } from '../../match/normalize.ts';
import { Head } from '../engine-http1/head.ts';
import { readRequest, TOO_MANY } from '../engine-http1/head-reader.ts';
import { isFieldValue, isToken } from '../engine-http1/octets.ts';
import { TOO_MANY_FIELDS } from '../request-problems.ts';
import type { TargetProblem } from '../request-target.ts';

const bad = (message: string): TargetProblem => Object.freeze({ status: 400, message });

const NO_REQUEST = bad('the request has no :method, :path or :authority, or one of them is not valid');
const TWO_HOSTS = bad('the Host field names another host than :authority');
const BAD_FIELD = bad('a field of the request has a character that must not be in one');
const NOT_A_MESSAGE = bad('the request is not one that HTTP/1.1 can carry');

export interface Http2Head {
  readonly head: Head;
  readonly problem?: TargetProblem;
}

/**
 * @param fields names and values in turns, as received
 * @param most fields
 * @param hasBody whether a body follows
 */
export function requestHeadOf(fields: readonly string[], most: number, hasBody: boolean): Http2Head {
  const head = new Head();
  let method = '';
  let path = '';
  let authority: string | undefined;
  let host: string | undefined;
  let cookie = '';
  let lines = '';
  let isFramed = !hasBody;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (!isFieldValue(value)) return { head, problem: BAD_FIELD };
    if (name === ':method') method = value;
    else if (name === ':path') path = value;
    else if (name === ':authority') authority = value;
    else if (name.startsWith(':')) continue;
    else if (!isToken(name)) return { head, problem: BAD_FIELD };
    else if (name === 'host') {
      if (host !== undefined) return { head, problem: TWO_HOSTS };
      host = value;
    }
    // "these MUST be concatenated into a single octet string using the two-octet delimiter of 0x3b, 0x20" (RFC 9113 section 8.2.3).
    else if (name === 'cookie') cookie += cookie === '' ? value : `; ${value}`;
    else {
      if (name === 'content-length') isFramed = true;
      lines += `${name}: ${value}\r\n`;
    }
  }
  const named = authority ?? host;
  if (method === '' || path === '' || named === undefined) return { head, problem: NO_REQUEST };
  if (authority !== undefined && host !== undefined && !isSameHost(authority, host))
    return { head, problem: TWO_HOSTS };
  if (cookie !== '') lines += `cookie: ${cookie}\r\n`;
  if (!isFramed) lines += 'transfer-encoding: chunked\r\n';
  const text = Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${named}\r\n${lines}\r\n`, 'latin1');
  const end = readRequest(head, text, 0, text.length, most);
  if (end === text.length) return { head };
  head.reset();
  return { head, problem: end === TOO_MANY ? TOO_MANY_FIELDS : NOT_A_MESSAGE };
}

function isSameHost(a: string, b: string): boolean {
  const host = normalizeHost(a);
  return a === b || (typeof host === 'string' && host === normalizeHost(b));
}
