/** GatewayClasses that name this controller, and what it supports. */
import type { KindObject } from '../api/kinds.ts';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../api/names.ts';
import { supportedFeatures } from '../filters/index.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { Conditions, diagnose, type Finding, sentence } from './findings.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { parametersProblem } from './parameters.ts';
import type { ObjectStatus } from './translation.ts';

/**
 * Features of Gateway API that are served, beyond those that exist because of a filter. Each is claimed because it is so,
 * not because a profile asks for it.
 */
const FEATURES = [
  'BackendTLSPolicy',
  'BackendTLSPolicySANValidation',
  'Gateway',
  'GatewayAddressEmpty',
  'GatewayBackendClientCertificate',
  'GatewayFrontendClientCertificateValidation',
  'GatewayFrontendClientCertificateValidationInsecureFallback',
  'GatewayHTTPListenerIsolation',
  'GatewayHTTPSListenerDetectMisdirectedRequests',
  'GatewayInfrastructurePropagation',
  'GatewayPort8080',
  'GatewayStaticAddresses',
  'HTTPRoute',
  'HTTPRouteBackendProtocolH2C',
  'HTTPRouteBackendProtocolWebSocket',
  'HTTPRouteBackendTimeout',
  'HTTPRouteDestinationPortMatching',
  'HTTPRouteMethodMatching',
  'HTTPRouteNamedRouteRule',
  'HTTPRouteParentRefPort',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestTimeout',
  'HTTPRouteRetry',
  'HTTPRouteRetryBackendTimeout',
  'HTTPRouteRetryConnectionError',
  'ListenerSet',
  'ReferenceGrant',
  'TLSRoute',
  'TLSRouteModeMixed',
  'TLSRouteModeTerminate',
];

/** "It MUST be sorted in ascending alphabetical order by the Name key" (GatewayClassStatus.supportedFeatures). */
const SUPPORTED = [...new Set([...FEATURES, ...supportedFeatures()])].sort().map((name) => ({ name }));

type GatewayClass = KindObject<'GatewayClass'>;

export interface GatewayClassView {
  readonly status: Extract<ObjectStatus, { kind: 'GatewayClass' }>;
  readonly diagnostics: readonly Diagnostic[];
}

/** By (empty) namespace and name; undefined where there is none, or it names another controller. */
export function gatewayClassViews(memo: Memo, objects: Objects): Derived<GatewayClassView | undefined> {
  return memo.derive((_, name) => {
    const gatewayClass = objects.get('GatewayClass', '', name!);
    if (gatewayClass?.spec.controllerName !== CONTROLLER_NAME) return undefined;
    const ref = { group: GATEWAY_GROUP, kind: 'GatewayClass', namespace: '', name: name! };
    const conditions = new Conditions(gatewayClass.metadata.generation);
    const refusal = refusalOfClass(gatewayClass, objects);
    if (refusal) conditions.add('Accepted', 'False', refusal.reason, sentence(refusal));
    else conditions.add('Accepted', 'True', 'Accepted', 'Gateways of this class are served.');
    return {
      status: { kind: 'GatewayClass', ref, conditions: conditions.list, supportedFeatures: SUPPORTED },
      diagnostics: refusal ? [diagnose('gateway-class', ref, refusal)] : [],
    };
  });
}

export function refusalOfClass({ spec }: GatewayClass, objects: Objects): Finding | undefined {
  return (
    spec.parametersRef && parametersProblem(spec.parametersRef, 'spec.parametersRef', undefined, objects)
  );
}
