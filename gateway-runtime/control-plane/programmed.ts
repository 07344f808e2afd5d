/** The conditions that tell whether data planes serve what an object asks for, put into what translate says of it. */
import { OWN_GROUP } from '../api/names.ts';
import type { GatewayVerdict, Verdict } from '../control/distribution-view.ts';
import type { WantedStatus } from '../control/status-writer-merge.ts';
import type { Condition, ListenerStatus, ObjectStatus, RouteParentStatus } from '../translate/translation.ts';
import type { InfrastructureState } from './provisioner-port.ts';

export type GatewayStatus = Extract<ObjectStatus, { kind: 'Gateway' }>;
export type ListenerSetStatus = Extract<ObjectStatus, { kind: 'ListenerSet' }>;
export type { RouteStatus } from '../translate/translation.ts';

/** Our own condition of each parent of a route. */
export const ROUTE_PROGRAMMED = `${OWN_GROUP}/Programmed`;
export const DATA_PLANE_STALE = `${OWN_GROUP}/DataPlaneStale`;

const ACCEPTED = 'Accepted';
const PROGRAMMED = 'Programmed';

/** What is said of a Gateway beside what translate says. */
export interface GatewayWord {
  readonly programmed: Verdict;
  readonly stale: Verdict;
  readonly addresses: InfrastructureState['addresses'];
}

export function gatewayWord({ programmed, stale }: GatewayVerdict, state: InfrastructureState): GatewayWord {
  const { problem, addresses } = state;
  return { programmed: problem ? { status: 'False', ...problem } : programmed, stale, addresses };
}

/** Translate's word counts where it says that there is nothing to serve. */
export function completeGateway(
  status: GatewayStatus,
  { programmed, stale, addresses }: GatewayWord,
): WantedStatus {
  const observedGeneration = generationOf(status.conditions);
  return {
    ...status,
    ...(addresses ? { addresses } : {}),
    conditions: [
      ...status.conditions.map((each) => replaced(each, programmed, programmed.reason)),
      { type: DATA_PLANE_STALE, ...stale, message: sentence(stale.message), observedGeneration },
    ],
    listeners: completeListeners(status.listeners, programmed),
  };
}

export function completeListenerSet(status: ListenerSetStatus, { programmed }: GatewayWord): WantedStatus {
  if (programmed.status === 'True') return status;
  return {
    ...status,
    conditions: status.conditions.map((each) => replaced(each, programmed, 'ParentNotProgrammed')),
    listeners: completeListeners(status.listeners, programmed),
  };
}

function completeListeners(
  listeners: readonly ListenerStatus[],
  programmed: Verdict,
): readonly ListenerStatus[] {
  if (programmed.status === 'True') return listeners;
  return listeners.map((listener) => ({
    ...listener,
    conditions: listener.conditions.map((each) => replaced(each, programmed, 'Pending')),
  }));
}

function replaced(condition: Condition, { status, message }: Verdict, reason: string): Condition {
  if (condition.type !== PROGRAMMED || condition.status !== 'True') return condition;
  return {
    ...condition,
    status,
    reason: status === 'True' ? condition.reason : reason,
    message: sentence(message),
  };
}

/** How it stands with a route at one Gateway. */
export interface RouteProgress {
  /** Whether data planes have still to say that they serve it as it is now. */
  readonly waits: boolean;
  /** The last generation that they said they serve. */
  readonly served: number | undefined;
  /** Why they don't. */
  readonly why: Verdict;
}

/** @param progress undefined where the parent's Gateway is not served */
export function completeParent(
  parent: RouteParentStatus,
  progress: RouteProgress | undefined,
): RouteParentStatus {
  return { ...parent, conditions: [...parent.conditions, routeProgrammed(parent.conditions, progress)] };
}

function routeProgrammed(conditions: readonly Condition[], progress: RouteProgress | undefined): Condition {
  const generation = generationOf(conditions);
  const condition = (
    status: Condition['status'],
    reason: string,
    message: string,
    observedGeneration = generation,
  ) => ({ type: ROUTE_PROGRAMMED, status, reason, message, observedGeneration });
  const accepted = conditions.find(({ type }) => type === ACCEPTED);
  if (accepted?.status !== 'True') {
    return condition('False', 'NotAccepted', 'Not served, since the parent does not accept the route.');
  }
  if (!progress) return condition('False', 'NotServed', 'The Gateway of the parent is not served.');
  const { waits, served, why } = progress;
  if (!waits || served === generation) {
    return condition('True', 'Programmed', 'Every data plane of the Gateway serves it.');
  }
  if (served !== undefined) {
    return condition(
      'True',
      'Programmed',
      `Data planes serve this generation; the next: ${why.message}.`,
      served,
    );
  }
  return condition('False', why.reason, sentence(why.message));
}

const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

export const generationOf = (conditions: readonly Condition[]): number =>
  conditions[0]?.observedGeneration ?? 0;
