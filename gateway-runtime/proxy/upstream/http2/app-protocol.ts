/** Which backends are spoken to in HTTP/2. */
import type { Backend } from '../../../snapshot/snapshot.ts';

/** HTTP/2 in the clear by prior knowledge (KEP-3726). */
const H2C = 'kubernetes.io/h2c';

export function speaksHttp2({ appProtocol }: Backend): boolean {
  return appProtocol?.toLowerCase() === H2C;
}
