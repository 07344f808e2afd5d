/** Field rules that several kinds share, as `sigs.k8s.io/gateway-api` v1.6.1 states them. */
import { GATEWAY_GROUP } from './names.ts';
import {
  hidden,
  integer,
  list,
  object,
  optional,
  type Pattern,
  type Rule,
  type Schema,
  string,
  stringMap,
} from './schema.ts';

const DNS_NAME = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

export const hostnamePattern: Pattern = {
  regex: new RegExp(`^(\\*\\.)?${DNS_NAME}$`),
  words: 'a lower-case DNS name, with "*." at most in front, without port or trailing dot',
};
const preciseHostnamePattern: Pattern = {
  regex: new RegExp(`^${DNS_NAME}$`),
  words: 'a lower-case DNS name without a wildcard',
};
const groupPattern: Pattern = {
  regex: new RegExp(`^$|^${DNS_NAME}$`),
  words: 'an API group, or "" for the core group',
};
const kindPattern: Pattern = {
  regex: /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/,
  words: 'a kind, such as Service',
};
const namespacePattern: Pattern = { regex: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, words: 'a namespace name' };
const sectionPattern: Pattern = { regex: new RegExp(`^${DNS_NAME}$`), words: 'a lower-case DNS name' };
const headerNamePattern: Pattern = {
  regex: /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/,
  words: "a header name (letters, digits and !#$%&'*+-.^_`|~)",
};
const headerValuePattern: Pattern = {
  regex: /^[!-~]+([\t ]?[!-~]+)*$/,
  words: 'visible ASCII characters with single spaces or tabs between them',
};
const durationPattern: Pattern = {
  regex: /^([0-9]{1,5}(h|m|s|ms)){1,4}$/,
  words: 'a duration such as 500ms, 10s or 1h30m (GEP-2257)',
};

/** Of a label or annotation. */
export const qualifiedNamePattern =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
export const isQualifiedName = (key: string): boolean =>
  qualifiedNamePattern.test(key) && key.split('/')[0]!.length < 253;
export const QUALIFIED_NAMES = 'keys of an optional DNS prefix with "/" and a name of at most 63 characters';

export const hostname = () => string({ min: 1, max: 253, pattern: hostnamePattern });
export const preciseHostname = () => string({ min: 1, max: 253, pattern: preciseHostnamePattern });
export const group = (fallback?: string) => string({ max: 253, pattern: groupPattern, default: fallback });
export const kind = (fallback?: string) =>
  string({ min: 1, max: 63, pattern: kindPattern, default: fallback });
export const objectName = () => string({ min: 1, max: 253 });
export const namespace = () => string({ min: 1, max: 63, pattern: namespacePattern });
export const sectionName = () => string({ min: 1, max: 253, pattern: sectionPattern });
export const port = () => integer({ min: 1, max: 65535 });
export const headerName = () => string({ min: 1, max: 256, pattern: headerNamePattern });
/** May be a credential, so no message shows it. */
export const headerValue = () => hidden(string({ min: 1, max: 4096, pattern: headerValuePattern }));
/** A list of names with values that may be credentials, whatever stands in the place of the list or of one of them. */
export const namedValues = <T extends { name: string }>(item: Schema<T>): Schema<T[]> =>
  hidden(list(hidden(item), { max: 16, key: ({ name }) => name }));
export const duration = () => string({ pattern: durationPattern });

const DURATION_UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a GEP-2257 duration that passed its field rule. */
export function durationMilliseconds(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(h|ms|m|s)/g))
    total += Number(amount) * DURATION_UNITS[unit!]!;
  return total;
}

/** metav1.LabelSelector. An empty one matches everything. */
export const labelSelector = object({
  matchLabels: optional(stringMap()),
  matchExpressions: optional(
    list(object({ key: string(), operator: string(), values: optional(list(string())) })),
  ),
});

export const parametersRef = object({
  group: group(),
  kind: kind(),
  name: objectName(),
});

/** SecretObjectReference: the certificate of a listener. */
export const secretRef = object({
  group: group(''),
  kind: kind('Secret'),
  name: objectName(),
  namespace: optional(namespace()),
});

/** BackendObjectReference, with the CEL rule that a Service needs a port. */
export const backendObjectFields = {
  group: group(''),
  kind: kind('Service'),
  name: objectName(),
  namespace: optional(namespace()),
  port: optional(port()),
};
export const serviceNeedsPort: Rule<{ group: string; kind: string; port?: number }> = (ref, field) =>
  ref.group === '' && ref.kind === 'Service' && ref.port === undefined
    ? { field: `${field}.port`, found: 'nothing', expected: 'the port of the Service' }
    : undefined;
export const backendObjectRef = object(backendObjectFields, { rules: [serviceNeedsPort] });

/** ParentReference of a route. */
export const parentRef = object({
  group: group(GATEWAY_GROUP),
  kind: kind('Gateway'),
  namespace: optional(namespace()),
  name: objectName(),
  sectionName: optional(sectionName()),
  port: optional(port()),
});

/** Standard object metadata, as far as anything here reads it. */
export const metadata = object(
  {
    name: objectName(),
    namespace: optional(string()),
    labels: optional(stringMap()),
    annotations: optional(stringMap()),
    generation: optional(integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
    creationTimestamp: optional(string()),
    deletionTimestamp: optional(string()),
    uid: optional(string()),
  },
  { others: 'ignored' },
);
