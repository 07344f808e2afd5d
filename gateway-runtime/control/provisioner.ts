/**
 * Runs the data planes of each Gateway: a Deployment with what belongs to it, in the Gateway's namespace. Only a leader
 * writes; what it finds of an earlier one it goes on with.
 */
import type { ObjectRef, RawObject } from '../api/object.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { Infrastructure } from '../translate/translation.ts';
import type { ApiClient } from './cluster/client.ts';
import type { PodView } from './distribution-view.ts';

export interface ProvisionerOptions {
  readonly client: ApiClient;
  /** Asked right before each write. */
  readonly mayWrite: () => boolean;
  /** Of the data planes: that of the control plane. */
  readonly image: string;
  /** Where data planes dial. */
  readonly controlPlane: { readonly host: string; readonly port: number };
  /** What `stateOf` says of the Gateway is something else than before. */
  readonly onState: (gateway: GatewayId) => void;
  /** What went wrong once, as a sentence. */
  readonly onEvent: (message: string) => void;
}

export interface GatewayState {
  readonly pods: readonly PodView[];
  /** As they are really assigned; absent where none is. */
  readonly addresses?: readonly { readonly type: 'IPAddress' | 'Hostname'; readonly value: string }[];
  /** Why the Gateway is not programmed, for that condition. */
  readonly problem?: { readonly reason: string; readonly message: string };
}

/** The class and its contract; what it does follows. */
export declare class Provisioner {
  constructor(options: ProvisionerOptions);
  /** By `namespace/name`. The first call is everything; nothing is deleted before it. */
  want(change: ReadonlyMap<string, Infrastructure | undefined>): void;
  /** The authorities by which data planes know the control plane, as PEM. Nothing is made before they are known. */
  trust(bundle: string): void;
  /** Every version of every Service and EndpointSlice; undefined where it is gone. Others are ignored. */
  observe(ref: ObjectRef, object: RawObject | undefined): void;
  lead(): void;
  follow(): void;
  stop(): Promise<void>;
  stateOf(gateway: GatewayId): GatewayState;
  /** Name of the service account of the Gateway's data planes, in its namespace; undefined where it is not wanted. */
  accountOf(gateway: GatewayId): string | undefined;
}
