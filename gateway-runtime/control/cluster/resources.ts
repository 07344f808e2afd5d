/** Where the API server keeps objects of each kind. */
import { PARAMETERS_PLURAL } from '../../api/gateway-parameters.ts';
import { GATEWAY_POLICY_PLURAL } from '../../api/gateway-policy.ts';
import { GRANT_PLURAL } from '../../api/grant.ts';
import { KINDS, type KindName } from '../../api/kinds.ts';
import { ROUTE_POLICY_PLURAL } from '../../api/route-policy.ts';

/** "By convention the plural is the lower-case kind with an s"; these are all the plurals there are here. */
const PLURALS: Readonly<Record<KindName, string>> = {
  GatewayClass: 'gatewayclasses',
  Gateway: 'gateways',
  ListenerSet: 'listenersets',
  HTTPRoute: 'httproutes',
  TLSRoute: 'tlsroutes',
  ReferenceGrant: 'referencegrants',
  BackendTLSPolicy: 'backendtlspolicies',
  GatewayParameters: PARAMETERS_PLURAL,
  Grant: GRANT_PLURAL,
  GatewayPolicy: GATEWAY_POLICY_PLURAL,
  RoutePolicy: ROUTE_POLICY_PLURAL,
  Namespace: 'namespaces',
  Service: 'services',
  Secret: 'secrets',
  ConfigMap: 'configmaps',
  EndpointSlice: 'endpointslices',
};

/** Plural and group, as a CustomResourceDefinition and RBAC name it: `httproutes.gateway.networking.k8s.io`. */
export function resourceName(kind: KindName): string {
  const { group } = KINDS[kind];
  return group ? `${PLURALS[kind]}.${group}` : PLURALS[kind];
}

export const pluralOf = (kind: KindName): string => PLURALS[kind];

/** Path of all objects of the kind in one version, in all namespaces unless one is named. */
export function collectionPath(kind: KindName, version: string, namespace = ''): string {
  const { group } = KINDS[kind];
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  return `${root}${namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${PLURALS[kind]}`;
}

/** Path of one object, or of its status. */
export function objectPath(
  kind: KindName,
  version: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  return `${collectionPath(kind, version, namespace)}/${encodeURIComponent(name)}`;
}
