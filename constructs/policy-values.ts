/** What policies say, as it is written in a program, and the same as the API has it. */
import { apiDuration, type TimeSpan, timeSpan } from './duration.ts';
import {
  isObject,
  list,
  number,
  oneOf,
  optional,
  type Read,
  read,
  record,
  type Shape,
  text,
  texts,
  type,
} from './props.ts';

export interface HttpsRedirectProps {
  /**
   * 308 has clients repeat the request as it was; after a 301, many send a GET.
   * @default 308
   */
  readonly statusCode?: 301 | 308;
  /**
   * The port of the listener that it leads to.
   * @default 443
   */
  readonly port?: number;
}

export interface PolicyHeaders {
  /** In place of all headers of the name. */
  readonly set?: Readonly<Record<string, string>>;
  /** Beside those of the name. */
  readonly add?: Readonly<Record<string, string>>;
  /** By name. */
  readonly remove?: readonly string[];
}

export type HttpsRedirect = boolean | 301 | 308 | HttpsRedirectProps;

/** What both a platform and a team can say of routes. */
export interface PolicyValues<Redirect = HttpsRedirect, Bytes = number> {
  /**
   * Redirects requests without TLS to HTTPS, in place of serving them; `false` serves them.
   * @default - they are served
   */
  readonly httpsRedirect?: Redirect;
  /**
   * The most octets that the body of a request has; others are answered 413.
   * @default - no bound
   */
  readonly maxRequestBytes?: Bytes;
  /**
   * The longest that a request takes, from its head to the end of its answer; then it gets a 504.
   * @default - as rules and the gateway say
   */
  readonly requestTimeout?: TimeSpan;
  /**
   * Edits of the answers of backends.
   * @default - none
   */
  readonly responseHeaders?: PolicyHeaders;
  /**
   * The networks from which clients may come, such as `10.0.0.0/8`; others are answered 403. What counts is the address that a connection
   * comes from, which is a node's where `externalTrafficPolicy` is Cluster.
   * @default - every network
   */
  readonly ipAllow?: readonly string[];
}

/** What holds whatever is said below. */
export interface EnforcedPolicy extends PolicyValues {
  /**
   * The lowest version of TLS in which listeners with a certificate take connections.
   * @default 'TLSv1.2'
   */
  readonly minTlsVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** What holds where nothing is said below, and the bounds of what may be said. */
export interface DefaultPolicy extends Omit<EnforcedPolicy, 'maxRequestBytes' | 'requestTimeout'> {
  /**
   * Of the bodies of requests.
   * @default - no bound
   */
  readonly maxRequestBytes?: { readonly default?: number; readonly max?: number };
  /**
   * Of the time that requests take.
   * @default - as rules and the gateway say
   */
  readonly requestTimeout?: { readonly default?: TimeSpan; readonly min?: TimeSpan; readonly max?: TimeSpan };
}

const redirectType = type(
  'true, false, 301, 308 or an object such as { statusCode: 308, port: 443 }',
  (value) => typeof value === 'boolean' || value === 301 || value === 308 || isObject(value),
);
const headersType = type("an object such as { set: { 'x-frame-options': 'DENY' } }", isObject);
const boundsType = (example: string) => type(`an object such as ${example}`, isObject);
const tlsType = oneOf('TLSv1.2', 'TLSv1.3');

export const VALUES: Shape<PolicyValues> = {
  httpsRedirect: optional(redirectType),
  maxRequestBytes: optional(number),
  requestTimeout: optional(timeSpan),
  responseHeaders: optional(headersType),
  ipAllow: optional(texts),
};
export const ENFORCED: Shape<EnforcedPolicy> = { ...VALUES, minTlsVersion: optional(tlsType) };
export const DEFAULTS: Shape<DefaultPolicy> = {
  ...ENFORCED,
  maxRequestBytes: optional(boundsType('{ default: 1024, max: 4096 }')),
  requestTimeout: optional(boundsType("{ default: '10s', max: '1m' }")),
};

const REDIRECT: Shape<HttpsRedirectProps> = {
  statusCode: optional(type('301 or 308', (value) => value === 301 || value === 308)),
  port: optional(number),
};
const HEADERS: Shape<PolicyHeaders> = {
  set: optional(record('values by name, { name: value },', text)),
  add: optional(record('values by name, { name: value },', text)),
  remove: optional(list('a list of names', text)),
};
const BYTES: Shape<NonNullable<DefaultPolicy['maxRequestBytes']>> = {
  default: optional(number),
  max: optional(number),
};
const TIMES: Shape<NonNullable<DefaultPolicy['requestTimeout']>> = {
  default: optional(timeSpan),
  min: optional(timeSpan),
  max: optional(timeSpan),
};

/** In the form of the API, without what is wrong, and that in sentences. `call`: how people write it, such as `enforce()`. */
export function policySpec<Props extends EnforcedPolicy | DefaultPolicy>(
  call: string,
  given: unknown,
  shape: Shape<Props>,
): { readonly spec: Record<string, unknown>; readonly problems: readonly string[] } {
  const { props, problems } = read<Props>(call, given, shape) as Read<EnforcedPolicy & DefaultPolicy>;
  const told = [...problems];
  const part = <Part extends object>(name: string, value: unknown, of: Shape<Part>): Partial<Part> => {
    const found = read<Part>(`${name} of ${call}`, value, of);
    told.push(...found.problems);
    return found.props;
  };
  const { httpsRedirect, minTlsVersion, ipAllow } = props;
  const { maxRequestBytes, requestTimeout, responseHeaders } = props as {
    maxRequestBytes?: unknown;
    requestTimeout?: unknown;
    responseHeaders?: unknown;
  };
  const time = (span: TimeSpan | undefined) => (span === undefined ? undefined : apiDuration(span));
  const timesOf = (value: unknown) => {
    const { default: usual, min, max } = part('requestTimeout', value, TIMES);
    return { default: time(usual), min: time(min), max: time(max) };
  };
  const isTimes = isObject(requestTimeout) && !('toMilliseconds' in requestTimeout);
  const spec = {
    httpsRedirect: httpsRedirect === undefined ? undefined : apiRedirect(httpsRedirect, part),
    minTlsVersion,
    maxRequestBytes: isObject(maxRequestBytes)
      ? part('maxRequestBytes', maxRequestBytes, BYTES)
      : maxRequestBytes,
    requestTimeout: isTimes ? timesOf(requestTimeout) : time(requestTimeout as TimeSpan | undefined),
    responseHeaders: responseHeaders && apiHeaders(part('responseHeaders', responseHeaders, HEADERS)),
    ipAllow,
  };
  return { spec: JSON.parse(JSON.stringify(spec)), problems: told };
}

type PartOf = <Part extends object>(name: string, value: unknown, of: Shape<Part>) => Partial<Part>;

function apiRedirect(given: HttpsRedirect, part: PartOf) {
  if (typeof given === 'boolean') return { enabled: given };
  return typeof given === 'number' ? { statusCode: given } : part('httpsRedirect', given, REDIRECT);
}

function apiHeaders({ set, add, remove }: PolicyHeaders) {
  const fields = (headers: Readonly<Record<string, string>> | undefined) =>
    headers && Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { set: fields(set), add: fields(add), remove };
}
