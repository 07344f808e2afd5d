/** Names that stand in one place: the groups that are read, and what this implementation calls itself. */

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
export const GATEWAY_VERSION = 'v1';
/** The group of the API that Gateway API grew out of; its objects are refused with what replaces them. */
export const SERVICE_APIS_GROUP = 'networking.x-k8s.io';

/** API group, label and annotation prefix, condition prefix of this implementation. */
export const OWN_GROUP = 'gatewright.dev';
/** `GatewayClass.spec.controllerName` that this implementation answers to. */
export const CONTROLLER_NAME = `${OWN_GROUP}/gateway-controller`;

/** Label that every namespace carries with its own name (Kubernetes 1.22 and later). */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';
/** Label by which an object names the team it belongs to. */
export const TEAM_LABEL = `${OWN_GROUP}/team`;
/**
 * Annotation of a Gateway or ListenerSet: at which of its listeners routes of other namespaces attach only as far as a Grant says. `*`
 * for all, or section names with commas.
 */
export const GRANTED_LISTENERS = `${OWN_GROUP}/granted-listeners`;
