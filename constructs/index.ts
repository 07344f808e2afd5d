/** The constructs: gateways, grants and routes of teams as cdk8s constructs. */
export { type AppObject, objectsOf } from './app-objects.ts';
export type { Attachment } from './attachment.ts';
export { type Backend, type BackendOptions, type ServiceConstruct, type Split, service } from './backend.ts';
export { Canary, type CanaryProps, canary } from './canary.ts';
export { PlatformChart, type PlatformChartProps, TeamChart, type TeamChartProps } from './chart.ts';
export { strict } from './checks.ts';
export {
  type ClientCertificateProps,
  type ConfigMapRef,
  type ConfigMapRefOptions,
  configMapRef,
} from './client-certificates.ts';
export { type CorsProps, cors } from './cors.ts';
export { DedicatedGateway, type DedicatedGatewayProps } from './dedicated-gateway.ts';
export type { TimeSpan } from './duration.ts';
export {
  type ExternalAuth,
  type ExternalAuthProps,
  externalAuth,
  type GrpcAuthProps,
  type HttpAuthProps,
} from './external-auth.ts';
export {
  addHeaders,
  addResponseHeaders,
  type Filter,
  type PathReplacement,
  type Redirect,
  type RedirectProps,
  type RewriteProps,
  redirect,
  removeHeaders,
  removeResponseHeaders,
  replacePath,
  replacePrefix,
  rewrite,
  setHeaders,
  setResponseHeaders,
} from './filter.ts';
export type { Finding } from './findings.ts';
export type { GatewayClassRef, GatewayProps } from './gateway.ts';
export type { DataPlaneProps, ResourceAmounts } from './gateway-parameters.ts';
export {
  type GatewayClassProps,
  GatewayRuntime,
  type GatewayRuntimeProps,
} from './gateway-runtime.ts';
export type { AnyGrant, DelegatedGrant, DelegateProps, Grant, GrantProps } from './grant.ts';
export type { GrantedHostname } from './granted.ts';
export type { GrantPolicy } from './granted-policies.ts';
export type { GrpcRuleProps } from './grpc-rule.ts';
export { type GrantData, type ImportedGrant, importGrant } from './import-grant.ts';
export {
  allNamespaces,
  type GrantedListener,
  type HttpsProps,
  http,
  https,
  type ListenerSpec,
  namespacesWith,
  type OpenListener,
  type OpenListenerProps,
  type RouteNamespaces,
  type SecretRef,
  type SecretRefOptions,
  sameNamespace,
  secretRef,
  tcp,
  tls,
  udp,
} from './listener.ts';
export { exact, type Match, type Method, type PathCondition, prefix, type Regex, regex } from './match.ts';
export { type MirrorProps, mirror } from './mirror.ts';
export type {
  DefaultPolicy,
  EnforcedPolicy,
  HttpsRedirect,
  HttpsRedirectProps,
  PolicyHeaders,
  PolicyValues,
} from './policy-values.ts';
export {
  ReferenceGrant,
  type ReferenceGrantProps,
  type ReferenceSource,
  type ReferenceTarget,
} from './reference-grant.ts';
export type { RouteKind } from './route-kind.ts';
export { type PolicedRoute, RoutePolicy, type RoutePolicyProps } from './route-policy.ts';
export type { Destination, Rule, RuleProps } from './rule.ts';
export type { Retry, RuleLimits, Timeouts } from './rule-limits.ts';
export type { RuntimeNetworkProps } from './runtime-network.ts';
export type { SessionPersistence } from './session-persistence.ts';
export { SharedGateway, type SharedGatewayProps } from './shared-gateway.ts';
export { SynthError, type Synthesis, type SynthesizeOptions, synthesize } from './synthesize.ts';
export { Team, type TeamProps, type TeamRef } from './team.ts';
export {
  TeamCertificate,
  type TeamCertificateOptions,
  type TeamCertificateProps,
} from './team-certificate.ts';
export { TeamGrpcRoute, type TeamGrpcRouteProps } from './team-grpc-route.ts';
export { TeamRoute, type TeamRouteOptions, type TeamRouteProps } from './team-route.ts';
export { TeamTcpRoute, type TeamTcpRouteProps } from './team-tcp-route.ts';
export { TeamTlsRoute, type TeamTlsRouteProps } from './team-tls-route.ts';
export { TeamUdpRoute, type TeamUdpRouteProps } from './team-udp-route.ts';
