/**
 * The Snapshot: what one Gateway serves, as a keyed set of resources that point up to their parents, as the API's own
 * objects do. Plain JSON: it is diffed, hashed, streamed, kept as last-known-good, golden-tested and explained. One API
 * rule is one rule here. There is no key material in it (certificates are ids) and no endpoint (a backend is a name);
 * both have streams of their own, so that neither a renewed certificate nor a moved pod changes a snapshot.
 */
import type { RouteKind } from '../api/route-kinds.ts';

export interface GatewayId {
  readonly namespace: string;
  readonly name: string;
}

/** `listener/<Gateway|ListenerSet>/<namespace>/<object name>/<listener name>` */
export type ListenerKey = string;
/**
 * `http-rule/<namespace>/<route>/<index of the rule>`, `tls-rule/...`. Where policies make another rule of it at some of its listeners, that is a
 * rule of its own with a number from 1 behind.
 */
export type RuleKey = string;
/** `backend/<namespace>/<service>/<port>` */
export type BackendKey = string;
/** `ca-bundle/<namespace>/<ConfigMap>` */
export type CaBundleKey = string;
/** `<namespace>/<secret>` */
export type CertificateId = string;

export interface Listener {
  readonly type: 'listener';
  readonly key: ListenerKey;
  readonly hash: string;
  readonly source: {
    readonly kind: 'Gateway' | 'ListenerSet';
    readonly namespace: string;
    readonly name: string;
    readonly listener: string;
    readonly generation: number;
  };
  readonly port: number;
  readonly protocol: ListenerProtocol;
  /** TLS: whether the handshake is the gateway's or the backend's. */
  readonly tlsMode?: TlsMode;
  /** Lower case; absent where the listener takes every hostname. */
  readonly hostname?: string;
  /** HTTPS and TLS in mode Terminate: one or more. Those that could not be resolved are left out. */
  readonly certificates: readonly CertificateId[];
  /** HTTPS: absent where clients are asked for none. The same for all listeners of a port (GEP-91). */
  readonly clientCertificates?: ClientCertificates;
  /** HTTPS and TLS in mode Terminate: handshakes below it fail. Absent where the proxy's own minimum, TLS 1.2, is enough. */
  readonly minTlsVersion?: TlsVersion;
  /** From where that comes. */
  readonly policies?: readonly AppliedPolicy[];
}

/** HTTPS and TLS can share a port, since server names tell them apart. */
export type ListenerProtocol = 'HTTP' | 'HTTPS' | 'TLS';
export type TlsMode = 'Terminate' | 'Passthrough';
/** As Node names them. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What is asked of clients in the TLS handshake (FrontendTLSValidation). */
export interface ClientCertificates {
  /** AllowInsecureFallback lets in those without a valid certificate, too. */
  readonly mode: 'AllowValidOnly' | 'AllowInsecureFallback';
  /** One or more: a certificate is valid that any of them issued. */
  readonly authorities: readonly CaBundleKey[];
}

export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  /** Exact and PathPrefix: normalized as request paths are (`match/normalize.ts`); a prefix has no trailing slash but for "/" itself. */
  readonly value: string;
}

export interface ValueMatch {
  /** Headers: lower case. Query parameters: as written. */
  readonly name: string;
  readonly type: 'Exact' | 'RegularExpression';
  readonly value: string;
}

export interface HttpMatch {
  readonly path: PathMatch;
  readonly method?: string;
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
}

/** A filter as its own file translated it. `filters/index.ts` holds the union of the types. */
export interface FilterConfig {
  readonly type: string;
  readonly config: unknown;
}

/** A reference to a backend with its share. */
export interface BackendShare {
  /** 0 to 1,000,000; the share is the weight over the sum of weights. */
  readonly weight: number;
  /** How the route wrote it, for messages: `Service shop/cart:8080`. */
  readonly name: string;
  /** Absent where the reference did not resolve: this share answers 500, or its connections are closed. */
  readonly backend?: BackendKey;
  /** Why it did not resolve: a ResolvedRefs reason and a sentence. */
  readonly unresolved?: { readonly reason: string; readonly message: string };
}

export interface WeightedBackend extends BackendShare {
  readonly filters: readonly FilterConfig[];
}

export interface RuleSource {
  readonly kind: RouteKind;
  readonly namespace: string;
  readonly name: string;
  /** Index in `spec.rules`. */
  readonly rule: number;
  readonly ruleName?: string;
  readonly generation: number;
  /** creationTimestamp of the route as ISO text; empty where it has none, which sorts as the newest. */
  readonly created: string;
  /** Value of the team label of the route's namespace, which the platform sets; the route's own counts only where that has none. */
  readonly team?: string;
}

/** What one field of a GatewayPolicy or RoutePolicy makes of a rule or listener, which is in that already: for people. */
export interface AppliedPolicy {
  readonly kind: 'GatewayPolicy' | 'RoutePolicy';
  readonly namespace: string;
  readonly name: string;
  /** Such as `overrides.requestTimeout`. */
  readonly field: string;
  /** In words, without credentials. */
  readonly effect: string;
}

/** In milliseconds; 0 is none. Where a rule has either, it stands in place of what the gateway does without. */
export interface RuleTimeouts {
  /** From the head of the request to the end of its response, all attempts together. */
  readonly request?: number;
  /** From the beginning of one attempt to the end of its response. */
  readonly backendRequest?: number;
}

/** When a request that failed is sent again; connection errors count without being named. */
export interface RuleRetry {
  /** Of responses. */
  readonly codes: readonly number[];
  /** Times that it is sent again, at most. */
  readonly attempts: number;
  /** Milliseconds before it is, at least. */
  readonly backoff: number;
}

/** Requests of one client go to one endpoint (GEP-1619). */
export interface RuleSession {
  readonly type: 'Cookie' | 'Header';
  /** Of the cookie or header; where it is absent one is made of the rule (`session.ts`). */
  readonly name?: string;
  /** Milliseconds from its beginning to its end, however much it is used; absent where there is none. */
  readonly lifetime?: number;
  /** The cookie outlives the session of the browser: until the end of `lifetime`, which is there then. */
  readonly isPermanent?: boolean;
}

/** A listener that a rule is attached to, with the hostnames in which listener and route agree ("*" is any). */
export interface RulePlace {
  readonly listener: ListenerKey;
  readonly hostnames: readonly string[];
}

export interface HttpRule {
  readonly type: 'http-rule';
  readonly key: RuleKey;
  readonly hash: string;
  readonly source: RuleSource;
  readonly parents: readonly RulePlace[];
  /** At least one. */
  readonly matches: readonly HttpMatch[];
  /** In the order in which they run. */
  readonly filters: readonly FilterConfig[];
  /** May be empty: then the rule answers 500, unless a filter answers. */
  readonly backends: readonly WeightedBackend[];
  readonly timeouts?: RuleTimeouts;
  readonly retry?: RuleRetry;
  readonly session?: RuleSession;
  /** Octets of a request's body, at most; what has more is answered 413. Absent where there is no bound, 0 where none may come. */
  readonly maxRequestBytes?: number;
  /** Networks in canonical CIDR, of IPv4 or IPv6, from which clients may come; others are answered 403. Empty refuses all, absent none. */
  readonly allow?: readonly string[];
  /** The policies that have a say in the rule, as they do at its listeners. */
  readonly policies?: readonly AppliedPolicy[];
  /** Set where something in the rule is not understood or not allowed: requests that match get 500, for this reason. */
  readonly refusal?: string;
}

/** Where connections go by the server name of their handshake. */
export interface TlsRule {
  readonly type: 'tls-rule';
  readonly key: RuleKey;
  readonly hash: string;
  readonly source: RuleSource;
  readonly parents: readonly RulePlace[];
  /** At least one. */
  readonly backends: readonly BackendShare[];
}

export type RouteRule = HttpRule | TlsRule;

export interface Backend {
  readonly type: 'backend';
  readonly key: BackendKey;
  readonly hash: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** appProtocol of the Service port, where it is set. */
  readonly appProtocol?: string;
  /** Its endpoints are reached over TLS, and in no other way. */
  readonly tls?: BackendTls;
}

/** What a BackendTLSPolicy demands of the endpoints of a backend. */
export interface BackendTls {
  /** `namespace/name` of the BackendTLSPolicy, for messages. */
  readonly policy: string;
  /** Named in the handshake, and that of the certificate where there are no `subjectAltNames`. */
  readonly hostname: string;
  /** One or more, of which the certificate must have one. */
  readonly subjectAltNames?: readonly SubjectAltName[];
  /** Who may have signed the certificate: bundles of the snapshot, at least one, or the well-known roots. */
  readonly authorities: readonly CaBundleKey[] | 'System';
  /** Set where the policy can't be served: then no endpoint is reached at all, for this reason. */
  readonly refusal?: string;
}

export interface SubjectAltName {
  readonly type: 'Hostname' | 'URI';
  /** Hostname: lower case, with "*." at most in front. */
  readonly value: string;
}

/**
 * Certificates of authorities, from the `ca.crt` of one ConfigMap: whoever trusts them says so by its key. They are public, and part
 * of the snapshot, so that nothing that demands them is ever served without.
 */
export interface CaBundle {
  readonly type: 'ca-bundle';
  readonly key: CaBundleKey;
  readonly hash: string;
  readonly namespace: string;
  readonly configMap: string;
  /** PEM, one or more, and nothing else that stood beside them. */
  readonly certificates: string;
}

/** What the Gateway shows of itself to backends that ask for it. At most one, and only where it has something to show. */
export interface GatewayIdentity {
  readonly type: 'gateway-identity';
  readonly key: 'gateway-identity';
  readonly hash: string;
  readonly certificate: CertificateId;
}

export type Resource = Listener | HttpRule | TlsRule | Backend | CaBundle | GatewayIdentity;
export type ResourceKey = string;

export interface Snapshot {
  readonly gateway: GatewayId;
  /** Hash over the hashes of the resources: equal versions have equal content. */
  readonly version: string;
  /** In the order of their keys. */
  readonly resources: readonly Resource[];
}

/** What one version has that another has not. With `from` absent, everything. */
export interface SnapshotDelta {
  readonly gateway: GatewayId;
  readonly from?: string;
  readonly to: string;
  /** New or changed resources. */
  readonly put: readonly Resource[];
  readonly remove: readonly ResourceKey[];
}

/** Where a backend can be reached: a stream beside the snapshot. */
export interface BackendEndpoints {
  readonly backend: BackendKey;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** A terminating endpoint is used only where there is no other. */
  readonly terminating?: boolean;
  readonly zone?: string;
}

/** Certificate and key, PEM: a stream beside the snapshot. Never logged, dumped or put in a diagnostic. */
export interface CertificateBundle {
  readonly id: CertificateId;
  /** Hash of the content, so that the same one is not loaded twice. */
  readonly hash: string;
  readonly certificate: string;
  readonly privateKey: string;
}

export const isRule = (resource: Resource): resource is RouteRule =>
  resource.type === 'http-rule' || resource.type === 'tls-rule';

/** The certificates, with their keys, that a data plane needs for a resource. */
export function certificatesOf(resource: Resource): readonly CertificateId[] {
  if (resource.type === 'listener') return resource.certificates;
  return resource.type === 'gateway-identity' ? [resource.certificate] : NO_CERTIFICATES;
}

const NO_CERTIFICATES: readonly CertificateId[] = [];

export function gatewayKey(gateway: GatewayId): string {
  return `${gateway.namespace}/${gateway.name}`;
}
