/** What the control plane may do in a cluster: read what it translates, write status, and nothing else. */
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';

const READ = ['get', 'list', 'watch'];

/** Over all namespaces: routes and services of every team, without their Secrets. */
export const CLUSTER_RULES = [
  {
    apiGroups: [GATEWAY_GROUP],
    resources: ['gatewayclasses', 'gateways', 'httproutes', 'listenersets', 'referencegrants'],
    verbs: READ,
  },
  {
    apiGroups: [GATEWAY_GROUP],
    resources: ['gatewayclasses/status', 'gateways/status', 'httproutes/status', 'listenersets/status'],
    verbs: ['patch', 'update'],
  },
  { apiGroups: [''], resources: ['namespaces', 'services'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
  // Which kinds are installed, of which release and channel.
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: READ },
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

/** In the namespace of a listener's certificates: these Secrets by name. */
export const secretRules = (names: readonly string[]) => [
  { apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: READ },
];
