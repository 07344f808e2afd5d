/** What the control plane asks of whatever makes and watches over the infrastructure of Gateways. */
import type { ObjectRef, RawObject } from '../api/object.ts';
import type { PodView } from '../control/distribution-view.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { Infrastructure } from '../translate/translation.ts';

/** How it stands with the infrastructure of one Gateway. */
export interface InfrastructureState {
  readonly pods: readonly PodView[];
  /** Absent where nothing is known of them. */
  readonly addresses?: readonly { readonly type: string; readonly value: string }[];
  /** Why it can't be had as asked: reason and message of Programmed. */
  readonly problem?: { readonly reason: string; readonly message: string };
}

export interface ProvisionerPort {
  /** By `namespace/name` of the Gateway; the first call is everything. */
  want(change: ReadonlyMap<string, Infrastructure | undefined>): void;
  /** Authorities, PEM, that data planes are to trust from now on. */
  trust(bundle: string): void;
  /** An object of the cluster; undefined where it is gone. */
  observe(ref: ObjectRef, object: RawObject | undefined): void;
  lead(): void;
  follow(): void;
  stop(): void | Promise<void>;
  stateOf(gateway: GatewayId): InfrastructureState;
  /** The service account of the Gateway's data planes; undefined where there are to be none. */
  accountOf(gateway: GatewayId): string | undefined;
}
