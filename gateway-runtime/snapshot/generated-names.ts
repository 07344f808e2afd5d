/** How objects that are made for a Gateway are called, which those who make them and those who give the rights to must agree on. */
import { GATEWAY_GROUP } from '../api/names.ts';
import { contentHash } from './canonical.ts';
import type { GatewayId } from './snapshot.ts';

/** Of a name of a Service (RFC 1035), and of a label's value. */
const LONGEST = 63;

const hashed = (text: string, ...of: readonly string[]) => {
  const hash = contentHash(of).slice(0, 8);
  return `${text.slice(0, LONGEST - hash.length - 1).replace(/[^a-z0-9A-Z]+$/, '')}-${hash}`;
};

/**
 * `<gateway>-<class>` (GEP-1762). Names of Gateways may be longer than those of Services, have dots and begin with a digit:
 * such a name is cut and altered, and ends with a hash.
 */
export function generatedName(gateway: string, className: string): string {
  const plain = `${gateway}-${className}`;
  if (plain.length <= LONGEST && /^[a-z][-a-z0-9]*[a-z0-9]$/.test(plain)) return plain;
  const allowed = plain.replaceAll(/[^-a-z0-9]/g, '-');
  return hashed(/^[a-z]/.test(allowed) ? allowed : `gw-${allowed}`, gateway, className);
}

/** A name as the value of a label, which holds less. */
export const labelValue = (name: string): string => (name.length <= LONGEST ? name : hashed(name, name));

/** Of pods of a Gateway, whoever serves it (GEP-1762). */
export const GATEWAY_NAME_LABEL = `${GATEWAY_GROUP}/gateway-name`;
export const CLASS_NAME_LABEL = `${GATEWAY_GROUP}/gateway-class-name`;

/** By which pods are selected, so it never changes for an object of the same name. */
export const selectorLabels = (gateway: GatewayId, className: string): Record<string, string> => ({
  [GATEWAY_NAME_LABEL]: labelValue(gateway.name),
  [CLASS_NAME_LABEL]: labelValue(className),
});
