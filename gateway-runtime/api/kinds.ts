/** The kinds that are read, and what becomes of an object of any other kind. */
import { backendTlsPolicy } from './backend-tls-policy.ts';
import { configMap, endpointSlice, namespaceObject, secret, service } from './core.ts';
import { gateway, gatewayClass, listenerSet } from './gateway.ts';
import { gatewayParameters, PARAMETERS_VERSION } from './gateway-parameters.ts';
import { GATEWAY_POLICY_VERSION, gatewayPolicy } from './gateway-policy.ts';
import { GRANT_VERSION, grant } from './grant.ts';
import { httpRoute } from './http-route.ts';
import { GATEWAY_GROUP, OWN_GROUP, SERVICE_APIS_GROUP } from './names.ts';
import { groupOf, type ObjectRef, type RawObject } from './object.ts';
import { referenceGrant } from './reference-grant.ts';
import { ROUTE_POLICY_VERSION, routePolicy } from './route-policy.ts';
import type { FieldProblem, Infer, Schema } from './schema.ts';
import { tlsRoute } from './tls-route.ts';

interface KindDefinition<T> {
  readonly group: string;
  /** Versions whose fields are the same as far as they are read. */
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  readonly schema: Schema<T>;
}

const define = <T>(
  group: string,
  versions: string[],
  namespaced: boolean,
  schema: Schema<T>,
): KindDefinition<T> => ({
  group,
  versions,
  namespaced,
  schema,
});

export const KINDS = {
  GatewayClass: define(GATEWAY_GROUP, ['v1', 'v1beta1'], false, gatewayClass),
  Gateway: define(GATEWAY_GROUP, ['v1', 'v1beta1'], true, gateway),
  ListenerSet: define(GATEWAY_GROUP, ['v1'], true, listenerSet),
  HTTPRoute: define(GATEWAY_GROUP, ['v1', 'v1beta1'], true, httpRoute),
  // v1alpha2 has other rules: no hostnames, and several rules.
  TLSRoute: define(GATEWAY_GROUP, ['v1', 'v1alpha3'], true, tlsRoute),
  ReferenceGrant: define(GATEWAY_GROUP, ['v1', 'v1beta1'], true, referenceGrant),
  BackendTLSPolicy: define(GATEWAY_GROUP, ['v1'], true, backendTlsPolicy),
  GatewayParameters: define(OWN_GROUP, [PARAMETERS_VERSION], true, gatewayParameters),
  Grant: define(OWN_GROUP, [GRANT_VERSION], true, grant),
  GatewayPolicy: define(OWN_GROUP, [GATEWAY_POLICY_VERSION], true, gatewayPolicy),
  RoutePolicy: define(OWN_GROUP, [ROUTE_POLICY_VERSION], true, routePolicy),
  Namespace: define('', ['v1'], false, namespaceObject),
  Service: define('', ['v1'], true, service),
  Secret: define('', ['v1'], true, secret),
  ConfigMap: define('', ['v1'], true, configMap),
  EndpointSlice: define('discovery.k8s.io', ['v1'], true, endpointSlice),
} as const;

export type KindName = keyof typeof KINDS;
export type KindObject<K extends KindName> = Infer<(typeof KINDS)[K]['schema']>;
export type KnownObject = { [K in KindName]: KindObject<K> }[KindName];

/** What replaces each kind of the predecessor API (`networking.x-k8s.io/v1alpha1`). */
const REPLACEMENTS: Record<string, string> = {
  GatewayClass: 'GatewayClass: spec.controller is now spec.controllerName',
  Gateway:
    'Gateway: spec.listeners[].routes is now allowedRoutes on the listener, and each route names its Gateway in spec.parentRefs',
  HTTPRoute:
    'HTTPRoute: spec.parentRefs names the Gateway (labels and spec.gateways no longer bind a route), rules[].forwardTo is now rules[].backendRefs with serviceName as name, and path type Prefix is now PathPrefix',
  TLSRoute: 'TLSRoute: rules[].forwardTo is now rules[].backendRefs',
  TCPRoute: 'TCPRoute: rules[].forwardTo is now rules[].backendRefs',
  UDPRoute: 'UDPRoute: rules[].forwardTo is now rules[].backendRefs',
  BackendPolicy: 'BackendTLSPolicy',
};

export type Parsed =
  | {
      readonly outcome: 'known';
      readonly kind: KindName;
      readonly ref: ObjectRef;
      readonly object: KnownObject;
    }
  /** A kind that nothing here reads: skipped. */
  | { readonly outcome: 'unknown'; readonly ref: ObjectRef; readonly reason: string }
  | { readonly outcome: 'invalid'; readonly ref: ObjectRef; readonly problems: readonly FieldProblem[] };

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Who an object says it is, whatever else is wrong with it. A namespaced object without a namespace is in `default`. */
export function refOf(raw: RawObject): ObjectRef {
  const kind = text(raw.kind);
  const group = groupOf(text(raw.apiVersion));
  const metadata = (typeof raw.metadata === 'object' && raw.metadata !== null ? raw.metadata : {}) as Record<
    string,
    unknown
  >;
  const definition = Object.hasOwn(KINDS, kind) ? KINDS[kind as KindName] : undefined;
  // The kinds of the predecessor API have the scope of those that replaced them.
  const isKnown = definition !== undefined && [definition.group, SERVICE_APIS_GROUP].includes(group);
  const namespace =
    isKnown && !definition.namespaced ? '' : text(metadata.namespace) || (isKnown ? 'default' : '');
  return { group, kind, namespace, name: text(metadata.name) };
}

/** Checks one object against the rules of its kind. */
export function parse(raw: RawObject): Parsed {
  const ref = refOf(raw);
  const version = text(raw.apiVersion).slice(ref.group ? ref.group.length + 1 : 0);
  const invalid = (field: string, found: string, expected: string, fix?: string): Parsed => ({
    outcome: 'invalid',
    ref,
    problems: [fix ? { field, found, expected, fix } : { field, found, expected }],
  });

  if (!ref.kind) return invalid('kind', 'nothing', 'the kind of the object');
  if (!raw.apiVersion) return invalid('apiVersion', 'nothing', 'the group and version of the object');
  if (ref.group === SERVICE_APIS_GROUP) {
    const replacement = REPLACEMENTS[ref.kind] ?? 'no kind of Gateway API';
    return invalid(
      'apiVersion',
      text(raw.apiVersion),
      `${GATEWAY_GROUP}/v1`,
      `this API (Service APIs, 2020 to 2021) was replaced by Gateway API. Use ${GATEWAY_GROUP}/v1 ${replacement}`,
    );
  }
  const definition = Object.hasOwn(KINDS, ref.kind) ? KINDS[ref.kind as KindName] : undefined;
  if (definition?.group !== ref.group)
    return {
      outcome: 'unknown',
      ref,
      reason: `${text(raw.apiVersion)} ${ref.kind} is not a kind that is read`,
    };
  if (!definition.versions.includes(version)) {
    return invalid(
      'apiVersion',
      text(raw.apiVersion),
      definition.versions.map((each) => (ref.group ? `${ref.group}/${each}` : each)).join(' or '),
      `write apiVersion: ${ref.group ? `${ref.group}/` : ''}${definition.versions[0]}`,
    );
  }
  const problems: FieldProblem[] = [];
  const object = (definition.schema as Schema<KnownObject>).check(raw, '', problems);
  if (problems.length > 0) return { outcome: 'invalid', ref, problems };
  return { outcome: 'known', kind: ref.kind as KindName, ref, object };
}
