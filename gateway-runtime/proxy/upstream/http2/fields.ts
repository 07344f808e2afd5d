/** Fields of HTTP/2 (RFC 9113 section 8) for what goes to a backend, and what comes back from it as fields that HTTP/1.1 may carry on. */
import { isFieldValue, isToken } from '../../engine-http1/octets.ts';
import { mayBeTrailer } from '../../hop-by-hop.ts';

/** Fields of HTTP/1.1 that concern a connection, which a message of HTTP/2 must not have (section 8.2.2). Host becomes `:authority`. */
const NOT_IN_HTTP2 = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** What the handshake of WebSocket over HTTP/1.1 has, and that over HTTP/2 has not (RFC 8441 section 5). */
const NOT_IN_CONNECT = new Set(['content-length', 'sec-websocket-accept', 'sec-websocket-key']);

export interface RequestLine {
  readonly method: string;
  /** That of the connection: a backend in the clear may refuse anything else. */
  readonly scheme: 'http' | 'https';
  /** Path with query. */
  readonly target: string;
  readonly authority: string;
  /** For an extended CONNECT (RFC 8441). */
  readonly protocol?: string | undefined;
}

/**
 * @param raw names and values in turns, as they would be sent over HTTP/1.1
 * @returns the same for HTTP/2, those of the request line first
 */
export function requestFields(
  { method, scheme, target, authority, protocol }: RequestLine,
  raw: readonly string[],
): string[] {
  const fields = [':method', protocol === undefined ? method : 'CONNECT'];
  if (protocol !== undefined) fields.push(':protocol', protocol);
  fields.push(':scheme', scheme, ':authority', authority, ':path', target);
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (NOT_IN_HTTP2.has(name) || (protocol !== undefined && NOT_IN_CONNECT.has(name))) continue;
    // "The TE header field MAY be present [...] it MUST NOT contain any value other than "trailers"" (section 8.2.2).
    if (name !== 'te') fields.push(name, raw[i + 1]!);
    else if (raw[i + 1] === 'trailers') fields.push(name, 'trailers');
  }
  return fields;
}

/** The fields of a response without those of its status line; undefined where one of them is none. */
export function responseFields(raw: readonly string[]): string[] | undefined {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.startsWith(':')) continue;
    if (!isToken(name) || !isFieldValue(raw[i + 1]!)) return undefined;
    fields.push(name, raw[i + 1]!);
  }
  return fields;
}

/** Those that may be passed on. */
export function trailerPairs(raw: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (isToken(name) && isFieldValue(raw[i + 1]!) && mayBeTrailer(name)) pairs.push([name, raw[i + 1]!]);
  }
  return pairs;
}

/** As `sendTrailers` takes them. */
export function trailersToSend(pairs: readonly (readonly [name: string, value: string])[]) {
  const trailers = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (NOT_IN_HTTP2.has(lower) || lower === 'te') continue;
    trailers[lower] = [...(trailers[lower] ?? []), value];
  }
  return trailers;
}
