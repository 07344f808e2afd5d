/** How the endpoint of a Service is reached that is asked about requests. */
import type { AuthorizationRequest } from '../../filters/definition.ts';
import type { TargetEndpoint } from '../exchange.ts';

/** In HTTP/2 where the question can be put in no other way; encrypted, as ever, where the backend is to be reached so. */
export function inquired(
  endpoint: TargetEndpoint,
  { isHttp2 = false }: Pick<AuthorizationRequest, 'isHttp2'>,
): TargetEndpoint {
  if (!isHttp2 || endpoint.isHttp2) return endpoint;
  const { address, port, tls } = endpoint;
  return { address, port, tls, isHttp2 };
}
