/** What can keep a Gateway from getting what it needs, in words for its status. */
import type { GatewayId } from '../../snapshot/snapshot.ts';
import { ApiError, isStatus } from '../cluster/client.ts';
import type { Problem } from './addresses.ts';
import { GENERATED, type GeneratedKind, type GeneratedObject } from './kinds.ts';
import { ROLE } from './names.ts';

const REASON = 'NoResources';

/** A right that the Role does not give. Refusals by a quota or a webhook are 403 too. */
export const isDenied = (error: unknown): boolean =>
  isStatus(error, 403) && /is forbidden: User ".*" cannot /.test((error as ApiError).message);

/** No answer, or one that says nothing about the object. */
export const isPassing = (error: unknown): boolean =>
  !(error instanceof ApiError) || error.status >= 500 || error.status === 429;

/** Of `kind`, or of any where that is not known. */
export function missingRight(namespace: string, name: string, kind?: GeneratedKind): Problem {
  const what = kind ? `write ${GENERATED[kind].plural}` : 'list what it makes';
  return {
    reason: REASON,
    message: `the control plane has no right to ${what} in namespace ${namespace}: Role ${ROLE} there is missing or does not name ${name}. Synthesize and apply the GatewayRuntime in one app with this Gateway, or give it permissions: 'cluster'.`,
  };
}

export function taken({ kind, metadata }: GeneratedObject, { name }: GatewayId): Problem {
  return {
    reason: REASON,
    message: `${kind} ${metadata.namespace}/${metadata.name} is there already and was not made for Gateway ${name}, so it is left as it is. Rename or delete it, or rename the Gateway.`,
  };
}

/** What the API server said to a write. */
export function refused({ kind, metadata }: GeneratedObject, error: Error, asksForAddress: boolean): Problem {
  const { name, namespace } = metadata;
  if (isDenied(error)) return missingRight(namespace, name, kind);
  if (!(error instanceof ApiError)) {
    return {
      reason: REASON,
      message: `${kind} ${namespace}/${name} can't be written now: ${error.message}. It is tried again.`,
    };
  }
  const isAddress = kind === 'Service' && asksForAddress && /clusterIP|loadBalancerIP/.test(error.message);
  return {
    reason: isAddress ? 'AddressNotUsable' : REASON,
    message: `${kind} ${namespace}/${name} was refused by the API server: ${error.message}`,
  };
}
