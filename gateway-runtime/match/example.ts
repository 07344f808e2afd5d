/** A request that a match takes, to show what is said of it. */
import { isCredentialName, REDACTED } from '../snapshot/credential.ts';
import type { ExampleRequest } from '../snapshot/diagnostic.ts';
import type { HttpMatch } from '../snapshot/snapshot.ts';
import { ANY_HOST } from './hostname.ts';

/** Where a request arrives: a listener, or what is known of one. */
export interface ExamplePlace {
  /** `HTTP`, `HTTPS` or `TLS`. */
  readonly protocol: string;
  readonly port: number;
  /** A hostname that the listener and the route agree on; `*` is any. */
  readonly hostname: string;
}

const EVERYTHING: HttpMatch = { path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] };

/**
 * `POST https://www.example.com/cart?a=1` with its headers. Without a match: any request there. Of protocol TLS it is a connection:
 * `tls://www.example.com:8443`.
 */
export function exampleRequest(
  { protocol, port, hostname }: ExamplePlace,
  { path, method = 'GET', headers, queryParams }: HttpMatch = EVERYTHING,
): ExampleRequest {
  const scheme = protocol === 'HTTPS' ? 'https' : protocol === 'TLS' ? 'tls' : 'http';
  const host = hostname === ANY_HOST ? 'any.example' : hostname.replace(/^\*\./, 'www.');
  const ending = port === (scheme === 'http' ? 80 : 443) ? '' : `:${port}`;
  if (scheme === 'tls') return { method: '', url: `tls://${host}${ending}`, headers: [] };
  const query = queryParams.map((param) => `${param.name}=${shown(param)}`).join('&');
  return {
    method,
    url: `${scheme}://${host}${ending}${plain(path)}${query ? `?${query}` : ''}`,
    headers: headers.map((header) => ({ name: header.name, value: shown(header) })),
  };
}

interface Value {
  readonly type: string;
  readonly value: string;
}

const shown = (value: Value & { readonly name: string }) =>
  isCredentialName(value.name) ? REDACTED : plain(value);

/** An expression stands for itself: nobody but the reader knows a good text that it matches. */
const plain = ({ type, value }: Value) => (type === 'RegularExpression' ? `<${value}>` : value);
