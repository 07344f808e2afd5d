/** What the control plane asks of whatever makes and watches over the infrastructure of Gateways. */
import type { GatewayState, Provisioner } from '../control/provisioner.ts';

/** How it stands with the infrastructure of one Gateway. */
export type InfrastructureState = GatewayState;

export type ProvisionerPort = Pick<
  Provisioner,
  'want' | 'trust' | 'observe' | 'lead' | 'follow' | 'stop' | 'stateOf' | 'accountOf'
>;
