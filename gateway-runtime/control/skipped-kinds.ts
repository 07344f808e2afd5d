/** What becomes of objects of kinds that are not read: the ordinary company of a Service is passed over silently. */
import { KINDS } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import { isNear } from '../api/schema.ts';

/** Built-in groups whose kinds say how something runs or who may do what, none of which changes where a request goes. */
const SILENT_GROUPS = new Set([
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'rbac.authorization.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'coordination.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);
const SILENT_CORE_KINDS = new Set([
  'LimitRange',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Pod',
  'ReplicationController',
  'ResourceQuota',
  'ServiceAccount',
]);

/** What Gateway API has in the place of Traefik's own kinds. */
function traefik(group: string): Record<string, string> {
  return {
    [`${group}/IngressRoute`]: 'IngressRoute is of Traefik: an HTTPRoute says the same',
    [`${group}/Middleware`]: 'Middleware is of Traefik: filters of an HTTPRoute say the same',
    [`${group}/TraefikService`]:
      'TraefikService is of Traefik: the weights of backendRefs of an HTTPRoute say the same',
    [`${group}/IngressRouteTCP`]: 'IngressRouteTCP is of Traefik: a TLSRoute says the same by server name',
  };
}

const REASONS: Readonly<Record<string, string>> = {
  'networking.k8s.io/Ingress': 'Ingress is not Gateway API: an HTTPRoute says the same',
  'networking.k8s.io/NetworkPolicy': 'NetworkPolicy is not enforced on this machine',
  'gateway.networking.x-k8s.io/XBackendTrafficPolicy':
    'XBackendTrafficPolicy is not served: session persistence and retries are set on rules of routes',
  'gateway.networking.x-k8s.io/XBackend': 'XBackend is not served: backendRefs name Services',
  'gateway.networking.x-k8s.io/XMesh': 'XMesh is not served: it is for meshes, and this is a gateway',
  ...traefik('traefik.io'),
  ...traefik('traefik.containo.us'),
  '/Endpoints': 'Endpoints are not read: an EndpointSlice says the same',
};

/** Kinds of Gateway API that are not served, though some are spelt much like one that is. */
const OTHER_GATEWAY_KINDS = ['GRPCRoute', 'TCPRoute', 'UDPRoute'];

/** Whether Gateway API has no such kind: nothing would take the object in a cluster. */
export function isNoKind({ group, kind }: ObjectRef): boolean {
  return group === GATEWAY_GROUP && !gatewayKinds().includes(kind);
}

/** The kind of Gateway API that was meant by one that is not of it. */
export function meantKind(ref: ObjectRef): string | undefined {
  if (!isNoKind(ref)) return undefined;
  const kind = ref.kind.toLowerCase();
  const all = gatewayKinds();
  return (
    all.find((name) => name.toLowerCase() === kind) ?? all.find((name) => isNear(name.toLowerCase(), kind))
  );
}

function gatewayKinds(): string[] {
  const read = Object.entries(KINDS).filter(([, { group }]) => group === GATEWAY_GROUP);
  return [...read.map(([name]) => name), ...OTHER_GATEWAY_KINDS];
}

export type Skipped = { readonly silently: true } | { readonly silently: false; readonly reason?: string };

export function skippedKind(ref: ObjectRef): Skipped {
  if (SILENT_GROUPS.has(ref.group)) return { silently: true };
  if (ref.group === '' && SILENT_CORE_KINDS.has(ref.kind)) return { silently: true };
  const key = `${ref.group}/${ref.kind}`;
  if (Object.hasOwn(REASONS, key)) return { silently: false, reason: REASONS[key]! };
  if (ref.group === GATEWAY_GROUP) {
    return { silently: false, reason: `${ref.kind} of Gateway API is not served by this version` };
  }
  return { silently: false };
}
