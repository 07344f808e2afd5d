/** The request that is asked about, as a person writes it: a method and a URL, and header lines as curl takes them. */
import { parseAddress } from '../api/network.ts';
import { hostPort, normalizeHost, type Problem } from '../match/normalize.ts';
import type { MatchRequest } from '../match/request.ts';
import { isAddress } from './connection.ts';

export interface AskedRequest {
  readonly port: number;
  readonly tls: boolean;
  /** Server name of the TLS handshake: the host of the URL, also where a Host header names another. Empty for an address. */
  readonly serverName?: string;
  /** Address of the client; absent where none is given. */
  readonly client?: string;
  readonly request: MatchRequest;
}

const URL_PARTS = /^(https?|tls):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PRINTABLE = /^[\x21-\x7e]*$/;

/**
 * `GET https://shop.example.com/cart?item=1` with headers such as `x-tier: gold`. The method may be left out (GET); a port that is
 * not in the URL is 80 or 443. `tls://mail.example.com` is for a connection of which only the server name counts. Host and path are taken as they are, so that what is wrong with them can be explained.
 */
export function parseRequest(
  line: string,
  headers: readonly string[] = [],
  client?: string,
): AskedRequest | Problem {
  if (client !== undefined && parseAddress(client) === undefined)
    return expected(`the client ${JSON.stringify(client)}`, 'its address, such as 10.0.0.1 or fd00::1');
  const words = line.trim().split(/\s+/);
  const url = words.pop() ?? '';
  const [method = 'GET', ...rest] = words;
  const parts = URL_PARTS.exec(url);
  if (!parts || rest.length > 0) {
    return expected(JSON.stringify(line), 'a method and a URL, such as GET https://shop.example.com/cart');
  }
  if (!TOKEN.test(method)) return expected(`the method ${JSON.stringify(method)}`, 'a name such as GET');
  const [, scheme = '', authority = '', path = '', query = ''] = parts;
  if (!PRINTABLE.test(query))
    return expected(`the query ${JSON.stringify(query)}`, 'other characters escaped, as %20');
  const host = normalizeHost(authority);
  if (typeof host !== 'string') return expected(`the URL ${url}`, `a host in it: ${host.problem}`);

  const fields = new Map<string, string>();
  for (const header of headers) {
    const field = parseHeader(header);
    if ('problem' in field) return field;
    const before = fields.get(field.name);
    fields.set(field.name, before === undefined ? field.value : `${before}, ${field.value}`);
  }
  const tls = scheme.toLowerCase() !== 'http';
  return {
    port: hostPort(authority) ?? (tls ? 443 : 80),
    tls,
    ...(tls && fields.has('host') ? { serverName: isAddress(host) ? '' : host } : {}),
    ...(client === undefined ? {} : { client }),
    request: {
      method,
      host: fields.get('host') ?? authority,
      path: path || '/',
      query,
      header: (name) => fields.get(name),
    },
  };
}

function parseHeader(line: string): { readonly name: string; readonly value: string } | Problem {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
  const value = line.slice(colon + 1).trim();
  // RFC 9110 section 5.5, without what is obsolete in it.
  if (!TOKEN.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) {
    return expected(
      `the header ${JSON.stringify(line)}`,
      'a name, a colon and a value, such as "x-tier: gold"',
    );
  }
  return { name, value };
}

const expected = (found: string, wanted: string): Problem => ({
  problem: `found ${found}, expected ${wanted}`,
});
