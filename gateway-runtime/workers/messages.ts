/**
 * What the process of a data plane and its workers say to each other, over a pipe that no other process has: frames of JSON, as in
 * `distribution/`. Both ends are the same program, so that what comes is taken at its word.
 */
import type { AgentResult, AgentUpdate } from '../proxy/agent.ts';
import type { EngineName } from '../proxy/engines.ts';
import type { Limits } from '../proxy/limits.ts';
import type { GatewayCounts } from '../proxy/telemetry/gateway-metrics.ts';
import type { UpstreamFigures } from '../proxy/upstream/upstream.ts';
import type { BackendKey, Endpoint, GatewayId, Resource, SnapshotDelta } from '../snapshot/snapshot.ts';

/** The first message to a worker. */
export interface Serve {
  readonly type: 'serve';
  readonly gateway: GatewayId;
  readonly address: string;
  readonly engine?: EngineName;
  readonly serverName?: string;
  readonly trustedHops?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly accessLog: boolean;
  /** Base64. */
  readonly ticketKeys: string;
}

/** A listener port as all workers bind it. */
export interface SharedPort {
  /** Of the Gateway. */
  readonly port: number;
  readonly number: number;
  /** Under which clients reach it. */
  readonly publicPort: number;
  /** Why it can't be had: the code of the system's error. */
  readonly problem?: string;
}

/** Fields of an update beside the snapshot: maps, of which it has what changed, and plain values, which it has whole. */
export type UpdateField = Exclude<keyof AgentUpdate, 'delta'>;

/** Some of the next update: resources, or entries of one of its maps; null for what is gone. */
export type Part =
  | { readonly type: 'resources'; readonly put: readonly Resource[] }
  | {
      readonly type: 'entries';
      readonly section: UpdateField;
      readonly entries: readonly (readonly [string, unknown])[];
    };

/** What stands in for backends without endpoints, as of `fallbackEndpoints` of AgentOptions. */
export interface StandIns {
  readonly type: 'stand-ins';
  readonly entries: readonly (readonly [BackendKey, readonly Endpoint[]])[];
}

/** The parts since the last of these are complete, and to be applied all at once. */
export interface Apply {
  readonly type: 'apply';
  /** Counts up. */
  readonly id: number;
  readonly snapshot?: Omit<SnapshotDelta, 'put'>;
  readonly values: Readonly<Partial<Record<UpdateField, unknown>>>;
  readonly ports: readonly SharedPort[];
}

/** By which tickets of TLS sessions are sealed, in base64. */
export interface TicketKeysMessage {
  readonly type: 'ticket-keys';
  readonly keys: string;
}

/** As of Agent: ask clients to leave. */
export interface Retire {
  readonly type: 'retire';
}

/** As of Agent: answer what is in flight, and end. */
export interface Drain {
  readonly type: 'drain';
  /** Milliseconds that clients are given to leave. One that heard late that they are to be asked gives them as many from there. */
  readonly leave: number;
}

/** Tell now what was counted. */
export interface Count {
  readonly type: 'count';
  readonly question: number;
}

export type ToWorker = Serve | StandIns | Part | Apply | TicketKeysMessage | Retire | Drain | Count;

/** It can be sent what it is to serve. */
export interface Started {
  readonly type: 'started';
}

export interface Applied {
  readonly type: 'applied';
  /** Of the update. */
  readonly id: number;
  readonly result: AgentResult;
  /** Listener ports and the ports bound for them. */
  readonly bound: readonly (readonly [number, number])[];
}

/** It drains, and others can have its ports. */
export interface Unbound {
  readonly type: 'unbound';
}

/** What was counted since the last of these; none is told twice. */
export interface Counted {
  readonly type: 'counted';
  readonly counts: GatewayCounts;
  /** The question, where it was asked; then with the figures of all backends. */
  readonly answers?: number;
  readonly figures: readonly (readonly [BackendKey, UpstreamFigures])[];
  /** More of the same follows. */
  readonly more: boolean;
  /** Microseconds of CPU time since the process began. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
}

export type FromWorker = Started | Applied | Unbound | Counted;
