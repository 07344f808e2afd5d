/** Keys for sessions of one Gateway, derived from a secret of the control plane: the same in all its replicas, and after each start. */
import { hkdfSync } from 'node:crypto';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';

/** 32 octets in base64url. Tells nothing of the secret, nor of the key of another Gateway (RFC 5869). */
export function sessionKey(secret: string, gateway: GatewayId): string {
  const octets = hkdfSync('sha256', secret, '', `gatewright sessions of ${gatewayKey(gateway)}`, 32);
  return Buffer.from(octets).toString('base64url');
}
