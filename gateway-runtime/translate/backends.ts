/** Backends of routes: from a backendRef, through ReferenceGrant and Service, to what the snapshot holds. */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { RouteKind } from '../api/route-kinds.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { Backend, CaBundle } from '../snapshot/snapshot.ts';
import { type Finding, listed, named, oneOf } from './findings.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import type { BackendTlsPolicies } from './policies/backend-tls.ts';
import type { Reason } from './reasons.ts';
import type { References } from './references.ts';

export interface BackendRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}

/** What kinds of routes send: TLSRoutes whatever it is, the others HTTP. */
type Sent = 'anything' | 'http';

/** A port of a Service, or why there is nothing to send to. */
type Found =
  | { readonly backend: Backend; readonly bundles: readonly CaBundle[]; readonly reason?: undefined }
  | { readonly reason: Reason; readonly message: string; readonly fix: string };

const H2C = 'kubernetes.io/h2c';
/**
 * Application protocols (KEP-3726 and IANA names) that are spoken with backends. "If a Route is not able to send traffic
 * to the backend using the specified protocol then the backend is considered invalid" (BackendRef).
 */
const SPOKEN = new Set(['http', 'ws', 'kubernetes.io/ws', H2C]);
/** The same over TLS, in HTTP/1.1: how, only a BackendTLSPolicy says (GEP-1911 for WebSocket). */
const SPOKEN_OVER_TLS = new Set(['http', 'ws', 'kubernetes.io/ws', 'https', 'wss', 'kubernetes.io/wss']);

export class Backends {
  readonly #ports: Derived<Found>;
  readonly #references: References;
  /** Of a Service that a namespace does not have: another one where it is, if routes of the first may know. */
  readonly #elsewhere: Derived<string | undefined>;

  constructor(memo: Memo, objects: Objects, references: References, policies: BackendTlsPolicies) {
    this.#references = references;
    this.#ports = memo.derive((sent, namespace, name, port) =>
      find(objects, policies, sent as Sent, namespace!, name!, Number(port)),
    );
    this.#elsewhere = memo.derive((kind, namespace, name) => {
      if (objects.get('Service', namespace!, name!) || objects.isRefused('Service', namespace!, name!)) {
        return undefined;
      }
      return references
        .permittedElsewhere(routesOf(kind!, namespace!), { group: '', kind: 'Service', name: name! })
        .find((other) => objects.get('Service', other, name!));
    });
  }

  /** The certificates of authorities that a backend names, as resources. */
  bundlesOf({ namespace, service, port, tls }: Backend): readonly CaBundle[] {
    if (!tls) return NO_BUNDLES;
    const found = this.#ports.get('anything', namespace, service, `${port}`);
    return found.reason === undefined ? found.bundles : NO_BUNDLES;
  }

  /** What a route of a kind and `namespace` refers to, or why it can't be used. */
  resolve(kind: RouteKind, namespace: string, ref: BackendRef, field: string): Backend | Finding {
    const service = {
      group: ref.group,
      kind: ref.kind,
      namespace: ref.namespace ?? namespace,
      name: ref.name,
    };
    if (ref.group !== '' || ref.kind !== 'Service' || ref.port === undefined) {
      return {
        reason: 'InvalidKind',
        field,
        message: `found a reference to ${ref.kind} of group ${ref.group || '""'}, expected a Service of the core group with a port`,
        fix: 'refer to a Service',
      };
    }
    const refusal = this.#references.refusal(routesOf(kind, namespace), service, field);
    if (refusal) return refusal;
    const sent: Sent = kind === 'TLSRoute' ? 'anything' : 'http';
    const found = this.#ports.get(sent, service.namespace, service.name, `${ref.port}`);
    if (found.reason === undefined) return found.backend;
    const elsewhere =
      ref.namespace === undefined ? this.#elsewhere.get(kind, namespace, ref.name) : undefined;
    if (elsewhere === undefined) return { ...found, field, related: [service] };
    return {
      ...found,
      field,
      // Not in the message, which is in the snapshot: what others create must not alter it.
      fix: `add namespace: ${elsewhere} to the reference: ${named({ ...service, namespace: elsewhere })} exists, and a ReferenceGrant lets routes of namespace ${namespace} refer to it`,
      related: [service, { ...service, namespace: elsewhere }],
    };
  }
}

const NO_BUNDLES: readonly CaBundle[] = [];

const routesOf = (kind: string, namespace: string) => ({ group: GATEWAY_GROUP, kind, namespace });

/** `Service shop/cart:8080`: how a route wrote it. */
export function backendName(ref: BackendRef, namespace: string): string {
  const port = ref.port === undefined ? '' : `:${ref.port}`;
  return `${ref.kind} ${ref.namespace ?? namespace}/${ref.name}${port}`;
}

function find(
  objects: Objects,
  policies: BackendTlsPolicies,
  sent: Sent,
  namespace: string,
  name: string,
  port: number,
): Found {
  const service = objects.get('Service', namespace, name);
  const shown = named({ kind: 'Service', namespace, name });
  if (!service) {
    return {
      reason: 'BackendNotFound',
      message: objects.isRefused('Service', namespace, name)
        ? `${shown} was refused for its fields`
        : `${shown} does not exist`,
      fix: 'create it, or correct the name or namespace',
    };
  }
  if (service.spec.type === 'ExternalName') {
    // "Implementations SHOULD NOT support ExternalName Services" (BackendObjectReference.kind, CVE-2021-25740): a name of
    // the tenant's choice would reach whatever the proxy can reach.
    return {
      reason: 'UnsupportedValue',
      message: `${shown} is of type ExternalName, which would let a route reach any host that the gateway can reach`,
      fix: 'use a Service with a selector or with EndpointSlices',
    };
  }
  const entry = service.spec.ports.find((each) => each.port === port && each.protocol === 'TCP');
  if (!entry) {
    const ports = service.spec.ports.map((each) => `${each.port}/${each.protocol}`);
    const usable = service.spec.ports.filter(({ protocol }) => protocol === 'TCP');
    return {
      reason: 'BackendNotFound',
      message: `${shown} has no TCP port ${port}; it has ${listed(ports) || 'no ports'}`,
      fix:
        usable.length > 0
          ? `set port to ${oneOf(usable.map((each) => `${each.port}`))}`
          : 'add the port to the Service, or send to another',
    };
  }
  const { appProtocol } = entry;
  const resolved = policies.tlsOf({ namespace, name }, entry.name ?? '');
  if (sent === 'http' && appProtocol !== undefined) {
    const asked = appProtocol.toLowerCase();
    if (!(resolved ? SPOKEN_OVER_TLS : SPOKEN).has(asked)) {
      const { why, fix } = whyUnspoken(asked, resolved?.tls.policy);
      return {
        reason: 'UnsupportedProtocol',
        message: `${shown} asks for the application protocol ${appProtocol} on port ${port}, ${why}`,
        fix,
      };
    }
  }
  const resource = {
    type: 'backend' as const,
    key: `backend/${namespace}/${name}/${port}`,
    namespace,
    service: name,
    port,
    ...(appProtocol === undefined ? {} : { appProtocol }),
    ...(resolved ? { tls: resolved.tls } : {}),
  };
  const backend = { ...resource, hash: contentHash(resource) };
  return { backend, bundles: resolved?.bundles ?? NO_BUNDLES };
}

/** @param policy the BackendTLSPolicy of the port, where there is one */
function whyUnspoken(asked: string, policy: string | undefined): { why: string; fix: string } {
  if (policy !== undefined && asked === H2C) {
    return {
      why: `which is HTTP/2 in the clear, and BackendTLSPolicy ${policy} has it reached over TLS`,
      fix: 'have the port speak HTTP/1.1 over TLS, with appProtocol https or none, or leave it out of the policy with a sectionName',
    };
  }
  if (policy === undefined && SPOKEN_OVER_TLS.has(asked)) {
    return {
      why: 'and no BackendTLSPolicy says how to reach it over TLS',
      fix: 'target the Service with a BackendTLSPolicy, or use a port that speaks HTTP in the clear',
    };
  }
  return {
    why: 'which is not spoken with backends',
    fix: policy
      ? 'use a port that speaks HTTP/1.1 over TLS, with appProtocol https or none'
      : 'use a port that speaks HTTP/1.1, with appProtocol http or none, or HTTP/2 in the clear, with appProtocol kubernetes.io/h2c',
  };
}
