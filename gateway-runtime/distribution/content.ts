/**
 * What is sent and kept: resources of a snapshot, endpoints and certificates, checked field by field. What this version does not
 * know is refused and not passed over: a rule without a condition that was meant would let in what it should not.
 */
import { ROUTE_KINDS } from '../api/route-kinds.ts';
import {
  anything,
  boolean,
  hidden,
  integer,
  list,
  oneOf,
  optional,
  type Pattern,
  type Schema,
  string,
} from '../api/schema.ts';
import { contentHash, SetHash } from '../snapshot/canonical.ts';
import type {
  AppliedPolicy,
  Backend,
  BackendEndpoints,
  BackendShare,
  BackendTls,
  CaBundle,
  CertificateBundle,
  ClientCertificates,
  Endpoint,
  FilterConfig,
  GatewayId,
  GatewayIdentity,
  HttpMatch,
  HttpRule,
  Listener,
  PathMatch,
  Resource,
  RulePlace,
  RuleRetry,
  RuleSession,
  RuleSource,
  RuleTimeouts,
  SubjectAltName,
  TlsRule,
  ValueMatch,
  WeightedBackend,
} from '../snapshot/snapshot.ts';
import { checked, exactly, InvalidContentError } from './exactly.ts';

const HASH: Pattern = { regex: /^[0-9a-f]{64}$/, words: 'a SHA-256 hash in hexadecimal' };

/** Namespaces and names of objects; keys are made of them. */
export const name = () => string({ min: 1, max: 253 });
export const hash = () => string({ pattern: HASH });
export const key = () => string({ min: 1, max: 1024 });
const port = () => integer({ min: 1, max: 65535 });
const SESSION_KEY: Pattern = { regex: /^[\w-]{43}$/, words: '32 octets in base64url' };
/** Found to be wrong, they are not shown. */
export const sessionKeys = hidden(list(string({ pattern: SESSION_KEY }), { max: 10 }));
/** Milliseconds. */
const time = () => integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

export const gatewayId = exactly<GatewayId>({ namespace: name(), name: name() });

const policies = list(
  exactly<AppliedPolicy>({
    kind: oneOf(['GatewayPolicy', 'RoutePolicy']),
    namespace: name(),
    name: name(),
    field: string(),
    effect: string(),
  }),
);

const listener = exactly<Listener>({
  type: oneOf(['listener']),
  key: key(),
  hash: hash(),
  source: exactly<Listener['source']>({
    kind: oneOf(['Gateway', 'ListenerSet']),
    namespace: name(),
    name: name(),
    listener: name(),
    generation: integer({ max: Number.MAX_SAFE_INTEGER }),
  }),
  port: port(),
  protocol: oneOf(['HTTP', 'HTTPS', 'TLS']),
  tlsMode: optional(oneOf(['Terminate', 'Passthrough'])),
  hostname: optional(string()),
  certificates: list(key()),
  clientCertificates: optional(
    exactly<ClientCertificates>({
      mode: oneOf(['AllowValidOnly', 'AllowInsecureFallback']),
      authorities: list(key(), { min: 1 }),
    }),
  ),
  minTlsVersion: optional(oneOf(['TLSv1.2', 'TLSv1.3'])),
  policies: optional(policies),
});

const filters = list(exactly<FilterConfig>({ type: string(), config: anything() }));

const valueMatches = list(
  exactly<ValueMatch>({ name: string(), type: oneOf(['Exact', 'RegularExpression']), value: string() }),
);

const ruleFields = {
  key: key(),
  hash: hash(),
  source: exactly<RuleSource>({
    kind: oneOf([...ROUTE_KINDS]),
    namespace: name(),
    name: name(),
    rule: integer({ min: 0 }),
    ruleName: optional(string()),
    generation: integer({ max: Number.MAX_SAFE_INTEGER }),
    created: string(),
    team: optional(string()),
  }),
  parents: list(exactly<RulePlace>({ listener: key(), hostnames: list(string(), { min: 1 }) })),
};

const shareFields = {
  weight: integer({ min: 0, max: 1_000_000 }),
  name: string(),
  backend: optional(key()),
  unresolved: optional(
    exactly<NonNullable<BackendShare['unresolved']>>({ reason: string(), message: string() }),
  ),
};

const httpRule = exactly<HttpRule>({
  type: oneOf(['http-rule']),
  ...ruleFields,
  matches: list(
    exactly<HttpMatch>({
      path: exactly<PathMatch>({
        type: oneOf(['Exact', 'PathPrefix', 'RegularExpression']),
        value: string(),
      }),
      method: optional(string()),
      headers: valueMatches,
      queryParams: valueMatches,
    }),
    { min: 1 },
  ),
  filters,
  backends: list(exactly<WeightedBackend>({ ...shareFields, filters })),
  timeouts: optional(exactly<RuleTimeouts>({ request: optional(time()), backendRequest: optional(time()) })),
  retry: optional(
    exactly<RuleRetry>({
      codes: list(integer({ min: 400, max: 599 })),
      attempts: integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      backoff: time(),
    }),
  ),
  session: optional(
    exactly<RuleSession>({
      type: oneOf(['Cookie', 'Header']),
      name: optional(string({ max: 128 })),
      lifetime: optional(time()),
      isPermanent: optional(boolean()),
    }),
  ),
  maxRequestBytes: optional(integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  allow: optional(list(string())),
  policies: optional(policies),
  refusal: optional(string()),
});

const tlsRule = exactly<TlsRule>({
  type: oneOf(['tls-rule']),
  ...ruleFields,
  backends: list(exactly<BackendShare>(shareFields), { min: 1 }),
});

function authorities(): Schema<BackendTls['authorities']> {
  const [system, keys] = [oneOf(['System']), list(key())];
  return {
    check: (value, field, problems) =>
      Array.isArray(value) ? keys.check(value, field, problems) : system.check(value, field, problems),
  };
}

const backend = exactly<Backend>({
  type: oneOf(['backend']),
  key: key(),
  hash: hash(),
  namespace: name(),
  service: name(),
  port: port(),
  appProtocol: optional(string()),
  tls: optional(
    exactly<BackendTls>({
      policy: string(),
      hostname: string({ min: 1, max: 253 }),
      subjectAltNames: optional(
        list(
          exactly<SubjectAltName>({ type: oneOf(['Hostname', 'URI']), value: string({ min: 1, max: 253 }) }),
          { min: 1 },
        ),
      ),
      authorities: authorities(),
      refusal: optional(string()),
    }),
  ),
});

const caBundle = exactly<CaBundle>({
  type: oneOf(['ca-bundle']),
  key: key(),
  hash: hash(),
  namespace: name(),
  configMap: name(),
  certificates: string({ min: 1 }),
});

const gatewayIdentity = exactly<GatewayIdentity>({
  type: oneOf(['gateway-identity']),
  key: oneOf(['gateway-identity']),
  hash: hash(),
  certificate: key(),
});

const RESOURCES = {
  listener,
  'http-rule': httpRule,
  'tls-rule': tlsRule,
  backend,
  'ca-bundle': caBundle,
  'gateway-identity': gatewayIdentity,
} satisfies {
  [T in Resource['type']]: Schema<Extract<Resource, { type: T }>>;
};

export function checkedResource(value: unknown): Resource {
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== 'string' || !Object.hasOwn(RESOURCES, type)) {
    throw new InvalidContentError(
      `resource.type: expected one of ${Object.keys(RESOURCES).join(', ')}; update the data plane`,
    );
  }
  return checked<Resource>(RESOURCES[type as Resource['type']], value, type);
}

const backendEndpoints = exactly<BackendEndpoints>({
  backend: key(),
  endpoints: list(
    exactly<Endpoint>({
      address: string({ min: 1, max: 253 }),
      port: port(),
      terminating: optional(boolean()),
      zone: optional(string()),
    }),
  ),
});

export const checkedEndpoints = (value: unknown): BackendEndpoints =>
  checked(backendEndpoints, value, 'endpoints');

const certificate = exactly<CertificateBundle>({
  id: key(),
  hash: hash(),
  certificate: string({ min: 1 }),
  privateKey: string({ min: 1 }),
});

/** The hash is that of what is in it, so that nothing else is kept under it. */
export function checkedCertificate(value: unknown): CertificateBundle {
  const bundle = checked(certificate, value, 'certificate');
  const { hash, certificate: chain, privateKey } = bundle;
  if (hash === contentHash({ certificate: chain, privateKey })) return bundle;
  throw new InvalidContentError('certificate.hash: expected the hash of the certificate and its key');
}

/** The version of a snapshot, from one that is known. */
export function versionAfter(
  version: string | undefined,
  gone: Iterable<Resource>,
  come: Iterable<Resource>,
): string {
  const sum = new SetHash(version);
  for (const { hash } of gone) sum.remove(hash);
  for (const { hash } of come) sum.add(hash);
  return sum.toString();
}

/** Endpoints are immutable, and asked for by every data plane that comes back. */
const hashes = new WeakMap<BackendEndpoints, string>();

function hashOf(endpoints: BackendEndpoints): string {
  const known = hashes.get(endpoints);
  if (known !== undefined) return known;
  const fresh = contentHash(endpoints);
  hashes.set(endpoints, fresh);
  return fresh;
}

export function endpointsHash(all: Iterable<BackendEndpoints>): string {
  const sum = new SetHash();
  for (const each of all) sum.add(hashOf(each));
  return sum.toString();
}

export function certificatesHash(all: Iterable<CertificateBundle>): string {
  const sum = new SetHash();
  for (const { id, hash } of all) sum.add(contentHash([id, hash]));
  return sum.toString();
}
