/** What the objects around a Gateway are called and labelled, so that everyone finds them. */
import { GATEWAY_GROUP, OWN_GROUP } from '../../api/names.ts';
import { labelValue } from '../../snapshot/generated-names.ts';
import type { GatewayId } from '../../snapshot/snapshot.ts';

export { generatedName } from '../../snapshot/generated-names.ts';

export const GATEWAY_NAME_LABEL = `${GATEWAY_GROUP}/gateway-name`;
export const CLASS_NAME_LABEL = `${GATEWAY_GROUP}/gateway-class-name`;
const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
const MANAGED_BY = 'gatewright';

/** Of all that the provisioner makes. */
export const MANAGED_SELECTOR = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;
/** Annotation: hash of what was last applied, so that what is not wanted any more shows. */
export const APPLIED_ANNOTATION = `${OWN_GROUP}/applied`;
/** Of the authorities in the ConfigMap, and of the file that data planes have of it. */
export const BUNDLE_FILE = 'ca.crt';
/** Field manager of server-side apply. */
export const FIELD_MANAGER = 'gatewright-provisioner';
/** As the constructs write it into each namespace with a Gateway. */
export const ROLE = 'gatewright-provisioner';

/** By which the objects of a Gateway are found, whatever its class is now. */
export const gatewayLabels = ({ name }: GatewayId): Record<string, string> => ({
  [GATEWAY_NAME_LABEL]: labelValue(name),
  [MANAGED_BY_LABEL]: MANAGED_BY,
});

/** By which pods are selected, so it never changes for an object of the same name. */
export const selectorLabels = (gateway: GatewayId, className: string): Record<string, string> => ({
  [GATEWAY_NAME_LABEL]: labelValue(gateway.name),
  [CLASS_NAME_LABEL]: labelValue(className),
});

export const isManaged = (labels: Readonly<Record<string, string>> | undefined): boolean =>
  labels?.[MANAGED_BY_LABEL] === MANAGED_BY && labels[GATEWAY_NAME_LABEL] !== undefined;
