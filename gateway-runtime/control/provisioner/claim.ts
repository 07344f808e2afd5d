/** Whose a Gateway is that translate says nothing of, as the API server has it. */
import { CONTROLLER_NAME, GATEWAY_GROUP, GATEWAY_VERSION } from '../../api/names.ts';
import type { GatewayId } from '../../snapshot/snapshot.ts';
import { type ApiClient, isStatus } from '../cluster/client.ts';
import type { ApiObject } from '../cluster/reflector.ts';

const TIMEOUT = 10_000;

/** `ours` is one that is refused. Rejects where the API server does not say. */
export async function claimOn(
  { namespace, name }: GatewayId,
  client: Pick<ApiClient, 'call'>,
  signal: AbortSignal,
): Promise<'gone' | 'ours' | 'of another'> {
  const read = async (place: string): Promise<ApiObject | undefined> => {
    try {
      const path = `/apis/${GATEWAY_GROUP}/${GATEWAY_VERSION}/${place}`;
      return await client.call<ApiObject>('GET', path, { signal, timeout: TIMEOUT });
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  };
  const gateway = await read(`namespaces/${namespace}/gateways/${name}`);
  if (!gateway) return 'gone';
  const { gatewayClassName } = gateway.spec as { readonly gatewayClassName: string };
  const gatewayClass = await read(`gatewayclasses/${gatewayClassName}`);
  const { controllerName } = (gatewayClass?.spec ?? {}) as { readonly controllerName?: string };
  return controllerName === CONTROLLER_NAME ? 'ours' : 'of another';
}
