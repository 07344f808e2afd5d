/** What the objects around a Gateway are called and labelled, so that everyone finds them. */
import { OWN_GROUP } from '../../api/names.ts';
import { GATEWAY_NAME_LABEL, labelValue } from '../../snapshot/generated-names.ts';
import type { GatewayId } from '../../snapshot/snapshot.ts';

export { GATEWAY_NAME_LABEL, generatedName, selectorLabels } from '../../snapshot/generated-names.ts';

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

export const isManaged = (labels: Readonly<Record<string, string>> | undefined): boolean =>
  labels?.[MANAGED_BY_LABEL] === MANAGED_BY && labels[GATEWAY_NAME_LABEL] !== undefined;
