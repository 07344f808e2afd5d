/** The host, path and query of a request, out of its target and Host field (RFC 9112 section 3.2). */
import { normalizeAuthority, normalizeHost, normalizePath } from '../match/normalize.ts';

export interface RequestTarget {
  /** What is forwarded as Host: `host`, and the port that was received with it. */
  readonly authority: string;
  /** Canonical. */
  readonly host: string;
  /** Normalized. */
  readonly path: string;
  readonly query: string;
}

export interface TargetProblem {
  readonly status: number;
  readonly message: string;
}

const bad = (message: string): TargetProblem => Object.freeze({ status: 400, message });

const NO_HOST = bad('the request has no Host header');
const TWO_HOSTS = bad('the request has more than one Host header');
const NO_PATH = bad('the request target is neither a path nor an http URL');
const BAD_QUERY = bad('the query has a space, a control character, "#" or a character outside ASCII');

/** RFC 3986 section 3.4, and what browsers send unencoded. */
const QUERY = /^[\x21\x22\x24-\x7e]*$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** @param hosts number of Host fields; `hostField` is the value of the first */
export function readTarget(url: string, hostField: string, hosts: number): RequestTarget | TargetProblem {
  // "a server MUST respond with a 400 ... to any request message that contains more than one Host header field line".
  if (hosts > 1) return TWO_HOSTS;
  if (hosts === 0) return NO_HOST;
  let authority = hostField;
  let target = url;
  if (target.charCodeAt(0) !== 47) {
    // Absolute form: "the origin server MUST ignore the received Host header field (if any)" (section 3.2.2).
    const absolute = ABSOLUTE.exec(target);
    if (!absolute) return NO_PATH;
    authority = absolute[1]!;
    target = target.slice(absolute[0].length);
    if (target.charCodeAt(0) !== 47) target = `/${target}`;
  }
  const host = normalizeHost(authority);
  if (typeof host !== 'string') return { status: 400, message: host.problem };
  const question = target.indexOf('?');
  const path = normalizePath(question < 0 ? target : target.slice(0, question));
  if (typeof path !== 'string') return { status: 400, message: path.problem };
  const query = question < 0 ? '' : target.slice(question + 1);
  if (!QUERY.test(query)) return BAD_QUERY;
  return { authority: normalizeAuthority(authority, host), host, path, query };
}
