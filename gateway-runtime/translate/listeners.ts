/** What one Gateway or ListenerSet declares: each of its listeners, checked for itself. Conflicts are for `merge.ts`. */
import type { Listener as ListenerSpec } from '../api/listener.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type {
  CaBundle,
  CertificateId,
  Listener,
  ListenerKey,
  ListenerProtocol,
} from '../snapshot/snapshot.ts';
import type { Certificates } from './certificates.ts';
import type { Finding } from './findings.ts';
import { grantedListeners } from './grants.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { type AllowedNamespaces, selectorProblem } from './selector.ts';
import type { RouteGroupKind } from './translation.ts';

export type ListenerHome = 'Gateway' | 'ListenerSet';

export interface DeclaredListener {
  readonly key: ListenerKey;
  readonly home: { readonly kind: ListenerHome; readonly namespace: string; readonly name: string };
  readonly generation: number;
  readonly name: string;
  /** Path of it in its object. */
  readonly field: string;
  readonly port: number;
  readonly protocol: string;
  readonly hostname?: string;
  readonly namespaces: AllowedNamespaces;
  /** Routes of other namespaces need a Grant that names it. */
  readonly isGranted?: true;
  /** Kinds of routes that it takes, among those that are served. */
  readonly supportedKinds: readonly RouteGroupKind[];
  /** It can't be served without a certificate. */
  readonly terminates: boolean;
  readonly certificates: readonly CertificateId[];
  /** What it refers to and may refer to: its certificates, and Secrets that are not there or of no use. */
  readonly secrets: readonly CertificateId[];
  /** Authorities that certificates of clients must be from. */
  readonly authorities?: readonly CaBundle[];
  /** As the snapshot has it, where it is programmed; absent for a protocol that is not served. */
  readonly resource?: Listener;
  /** Why the Gateway does not take it: then it has no place there, and takes none from others. */
  readonly notTaken?: Finding;
  /** Why it can't be served at all, conflicts aside. */
  readonly unsupported?: Finding;
  /** Why not everything that it refers to is there. */
  readonly unresolved: readonly Finding[];
}

/** Protocols that are served, with the kinds of routes that fit them. */
const ROUTE_KINDS = {
  HTTP: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute' }],
  HTTPS: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute' }],
  TLS: [{ group: GATEWAY_GROUP, kind: 'TLSRoute' }],
} as const satisfies Record<ListenerProtocol, readonly RouteGroupKind[]>;

export const isServedProtocol = (protocol: string): protocol is ListenerProtocol =>
  Object.hasOwn(ROUTE_KINDS, protocol);

/** Whether handshakes with clients are the gateway's own, so that it needs a certificate. */
export const terminates = ({ protocol, tls }: Pick<ListenerSpec, 'protocol' | 'tls'>): boolean =>
  protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode !== 'Passthrough');

/** Listeners of a Gateway or ListenerSet by kind, namespace and name; empty where there is no such object. */
export function declaredListeners(
  memo: Memo,
  objects: Objects,
  certificates: Certificates,
): Derived<readonly DeclaredListener[]> {
  return memo.derive((kind, namespace, name) => {
    const home = { kind: kind as ListenerHome, namespace: namespace!, name: name! };
    const object = objects.get(home.kind, home.namespace, home.name);
    if (!object) return [];
    const isGranted = grantedListeners(object);
    return (object.spec.listeners ?? []).map((spec, index) => {
      const field = `spec.listeners[${index}]`;
      const declared = declare(spec, field, home, object.metadata.generation ?? 0, certificates);
      return isGranted(spec.name) ? { ...declared, isGranted: true as const } : declared;
    });
  });
}

function declare(
  spec: ListenerSpec,
  field: string,
  home: DeclaredListener['home'],
  generation: number,
  resolver: Certificates,
): DeclaredListener {
  const unresolved: Finding[] = [];
  const supportedKinds = kindsOf(spec, field, unresolved);
  const unsupported = unsupportedPart(spec, field);
  const { certificates, secrets } = terminates(spec)
    ? certificatesOf(spec, field, home, resolver, unresolved)
    : NO_CERTIFICATES;
  const key = `listener/${home.kind}/${home.namespace}/${home.name}/${spec.name}`;
  return {
    key,
    home,
    generation,
    name: spec.name,
    field,
    port: spec.port,
    protocol: spec.protocol,
    ...(spec.hostname ? { hostname: spec.hostname } : {}),
    namespaces: spec.allowedRoutes.namespaces,
    supportedKinds,
    terminates: terminates(spec),
    certificates,
    secrets,
    ...(isServedProtocol(spec.protocol)
      ? { resource: resourceOf(key, spec, spec.protocol, home, generation, certificates) }
      : {}),
    ...(unsupported ? { unsupported } : {}),
    unresolved,
  };
}

function resourceOf(
  key: ListenerKey,
  spec: ListenerSpec,
  protocol: ListenerProtocol,
  { kind, namespace, name }: DeclaredListener['home'],
  generation: number,
  certificates: readonly CertificateId[],
): Listener {
  const listener = {
    type: 'listener' as const,
    key,
    source: { kind, namespace, name, listener: spec.name, generation },
    port: spec.port,
    protocol,
    ...(protocol === 'TLS' && spec.tls ? { tlsMode: spec.tls.mode } : {}),
    ...(spec.hostname ? { hostname: spec.hostname } : {}),
    certificates,
  };
  return { ...listener, hash: contentHash(listener) };
}

function unsupportedPart(spec: ListenerSpec, field: string): Finding | undefined {
  if (!isServedProtocol(spec.protocol)) {
    return {
      reason: 'UnsupportedProtocol',
      field: `${field}.protocol`,
      message: `found protocol ${spec.protocol}, which is not served`,
      fix: `use one of ${Object.keys(ROUTE_KINDS).join(', ')}`,
    };
  }
  const options = Object.keys(spec.tls?.options ?? {});
  if (options.length > 0) {
    return {
      reason: 'UnsupportedValue',
      field: `${field}.tls.options`,
      message: `found the TLS options ${options.join(', ')}, none of which is known`,
      fix: 'remove them',
    };
  }
  const problem = selectorProblem(spec.allowedRoutes.namespaces);
  return (
    problem && {
      reason: 'UnsupportedValue',
      field: `${field}.allowedRoutes.namespaces.${problem.field}`,
      message: problem.message,
      fix: problem.fix,
    }
  );
}

/** "If kinds are specified in Spec that are not supported, they MUST NOT appear in this list" (supportedKinds). */
function kindsOf(spec: ListenerSpec, field: string, unresolved: Finding[]): readonly RouteGroupKind[] {
  const served: readonly RouteGroupKind[] = isServedProtocol(spec.protocol) ? ROUTE_KINDS[spec.protocol] : [];
  const asked = spec.allowedRoutes.kinds;
  if (!asked?.length) return served;
  const supported: RouteGroupKind[] = [];
  for (const [index, kind] of asked.entries()) {
    const isServed = served.some((each) => each.group === kind.group && each.kind === kind.kind);
    if (!isServed) {
      unresolved.push({
        reason: 'InvalidRouteKinds',
        field: `${field}.allowedRoutes.kinds[${index}]`,
        message: `found ${kind.kind} of group ${kind.group || '""'}, which a listener of protocol ${spec.protocol} can't take`,
        fix:
          served.length > 0 ? `allow ${served.map((each) => each.kind).join(', ')}` : 'change the protocol',
      });
    } else if (!supported.some((each) => each.kind === kind.kind)) {
      supported.push({ group: kind.group, kind: kind.kind });
    }
  }
  return supported;
}

type Certified = Pick<DeclaredListener, 'certificates' | 'secrets'>;

const NO_CERTIFICATES: Certified = { certificates: [], secrets: [] };

function certificatesOf(
  spec: ListenerSpec,
  field: string,
  home: DeclaredListener['home'],
  certificates: Certificates,
  unresolved: Finding[],
): Certified {
  const refs = spec.tls?.certificateRefs ?? [];
  if (refs.length === 0) {
    unresolved.push({
      reason: 'InvalidCertificateRef',
      field: `${field}.tls.certificateRefs`,
      message: `found no certificate, expected one or more since the ${spec.protocol === 'HTTPS' ? 'protocol is HTTPS' : 'mode is Terminate'}`,
      fix: 'name a Secret of type kubernetes.io/tls',
    });
  }
  const usable = new Set<CertificateId>();
  const secrets = new Set<CertificateId>();
  for (const [index, ref] of refs.entries()) {
    const from = { group: GATEWAY_GROUP, kind: home.kind, namespace: home.namespace };
    const resolved = certificates.resolve(from, ref, `${field}.tls.certificateRefs[${index}]`);
    if (resolved.id !== undefined) secrets.add(resolved.id);
    if (resolved.problem) unresolved.push(resolved.problem);
    else usable.add(resolved.id);
  }
  return { certificates: [...usable], secrets: [...secrets] };
}
