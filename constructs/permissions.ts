/**
 * What the control plane may do in a cluster: read what it translates, write status, run data planes where Gateways are, and nothing
 * else. It has no right to give itself more.
 */
import { GATEWAY_GROUP, OWN_GROUP } from '../gateway-runtime/api/names.ts';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

const READ = ['get', 'list', 'watch'];

/** Over all namespaces: routes and services of every team, without their Secrets. */
export const CLUSTER_RULES = [
  {
    apiGroups: [GATEWAY_GROUP],
    resources: [
      'backendtlspolicies',
      'gatewayclasses',
      'gateways',
      'httproutes',
      'listenersets',
      'referencegrants',
      'tlsroutes',
    ],
    verbs: READ,
  },
  {
    apiGroups: [GATEWAY_GROUP],
    resources: [
      'backendtlspolicies/status',
      'gatewayclasses/status',
      'gateways/status',
      'httproutes/status',
      'listenersets/status',
      'tlsroutes/status',
    ],
    verbs: ['patch', 'update'],
  },
  {
    apiGroups: [OWN_GROUP],
    resources: ['gatewayparameters', 'gatewaypolicies', 'grants', 'routepolicies'],
    verbs: READ,
  },
  {
    apiGroups: [OWN_GROUP],
    resources: ['gatewaypolicies/status', 'grants/status', 'routepolicies/status'],
    verbs: ['patch', 'update'],
  },
  { apiGroups: [''], resources: ['namespaces', 'services'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
  // Which kinds are installed, of which release and channel.
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: READ },
  // Whose token a data plane has.
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
];

/** In its own namespace: one of the replicas writes. */
export const LEASE_RULES = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: ['gatewright'],
    verbs: ['get', 'patch', 'update', 'watch'],
  },
];

/** In its own namespace: the authority by which data planes know it. A right to create can't be given by name. */
export const AUTHORITY_RULES = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: ['gatewright-authority'],
    verbs: ['get', 'update'],
  },
];

/** In the namespace of a listener's certificates: these Secrets by name; all of them where no names are given. */
export const secretRules = (names?: readonly string[]) => [
  { apiGroups: [''], resources: ['secrets'], ...named(names), verbs: READ },
];

/** The same where certificates of authorities are, which clients or backends must have theirs from. */
export const caBundleRules = (names?: readonly string[]) => [
  { apiGroups: [''], resources: ['configmaps'], ...named(names), verbs: READ },
];

/** What is made for a Gateway, besides Services, by API group. */
const GENERATED = [
  { apiGroups: [''], resources: ['configmaps', 'serviceaccounts'] },
  { apiGroups: ['apps'], resources: ['deployments'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'] },
];

/**
 * In the namespace of a Gateway: what is named after it, of these names or of any. They are followed by their label, which a rule
 * can't name. Nothing is created but by server-side apply, of which the API server knows the name.
 */
export const provisionerRules = (names?: readonly string[]) => [
  ...GENERATED.flatMap((rule) => [
    { ...rule, verbs: ['list', 'watch'] },
    { ...rule, ...named(names), verbs: ['get', 'create', 'patch', 'delete'] },
  ]),
  // Services of all namespaces can be read in any case.
  { apiGroups: [''], resources: ['services'], ...named(names), verbs: ['create', 'patch', 'delete'] },
];

const named = (names: readonly string[] | undefined) => (names ? { resourceNames: names } : {});
