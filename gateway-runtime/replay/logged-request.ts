/** One request as an access log tells of it: what it says, and what it leaves out. */

/**
 * What a log says of a header or query parameter: its value; null where the request had none; true where it had one that the log keeps
 * to itself. Of names that are not there the log says nothing.
 */
export type KnownValues = ReadonlyMap<string, string | null | true>;

export interface LoggedRequest {
  readonly method: string;
  /** As logged, perhaps with a port. Undefined where the log has none. */
  readonly host: string | undefined;
  /** Target of the request line, or the path of it; with the query, unless `query` says what is known of that. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: KnownValues;
  /** Where the log does not have the query itself: what it says of single parameters. */
  readonly query?: KnownValues;
  /** Port of the Gateway, where the log is of one. */
  readonly port?: number;
  readonly scheme?: 'http' | 'https';
  /** `namespace/name`, where the log is of a Gateway. */
  readonly gateway?: string;
  /** Of the TLS handshake, where it is another than the host. */
  readonly serverName?: string;
  /** Of the answer, where there was one. */
  readonly status: number | undefined;
  /** What served it, where the log is of a Gateway. */
  readonly served?: Served;
}

/** How the Gateway that wrote the log served a request. */
export interface Served {
  /** `namespace/route` and index or name of the rule; absent where no rule took it. */
  readonly rule?: string;
  readonly team?: string;
  /** `shop/cart:8080`, where it went to one. */
  readonly backend?: string;
}

/** `problem`: the line is none of the format. `noRequest`: it is, and tells of something that was no valid request of HTTP. */
export type ReadLine = LoggedRequest | { readonly problem: string } | { readonly noRequest: true };

export interface LogFormat {
  /** As in `--format`. */
  readonly name: string;
  /** Without line end; at most 64 KiB. Never throws. */
  readonly read: (line: string) => ReadLine;
}

export const NO_VALUES: KnownValues = new Map();
export const NO_REQUEST = Object.freeze({ noRequest: true });

/** RFC 9112 section 3: method, target and version of a request line; undefined where it is none. */
export function requestLine(text: string): { method: string; target: string } | undefined {
  const first = text.indexOf(' ');
  const last = text.lastIndexOf(' ');
  if (first <= 0 || last <= first + 1) return undefined;
  const method = text.slice(0, first);
  const target = text.slice(first + 1, last);
  if (!METHOD.test(method) || target.includes(' ') || !VERSION.test(text.slice(last + 1))) return undefined;
  return { method, target };
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
const VERSION = /^HTTP\/[0-9](?:\.[0-9])?$/;

export const isMethod = (text: unknown): text is string => typeof text === 'string' && METHOD.test(text);
