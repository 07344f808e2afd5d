/**
 * What acks mean. From what the streams of a Gateway's data planes say, and which of its pods are ready, to two conditions: whether
 * the Gateway is programmed, and whether a data plane serves that can't be told anything.
 */
import { isOlder, type Order } from '../distribution/order.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { StreamState } from './distribution-stream.ts';

/** One data plane, as some replica of the control plane sees it. */
export interface ReplicaView extends StreamState {
  /** Name of the pod. */
  readonly replica: string;
  readonly connected: boolean;
  /** Milliseconds since 1970: when it connected, or when its stream was lost. */
  readonly since: number;
}

/** A pod of the Gateway, as the API server knows it. */
export interface PodView {
  readonly name: string;
  readonly ready: boolean;
  /** Milliseconds since 1970 from which on it is ready or not. */
  readonly since: number;
}

export interface Wanted {
  readonly order: Order;
  readonly version: string;
}

export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface GatewayVerdict {
  readonly programmed: Verdict;
  /** `DataPlaneStale`, our own: True where a ready replica has had no stream for longer than the grace. */
  readonly stale: Verdict;
  /** Milliseconds until time alone changes the answer; undefined where it does not. */
  readonly reconsider: number | undefined;
}

/** Milliseconds for which a lost stream may be on its way back. */
export const GRACE = 15_000;

/**
 * Programmed counts replicas with a live stream, and among them those that serve what is wanted or something newer; where there
 * is none it is False/NoReplicas. A stream that was lost within the grace counts as live: it is on its way to another replica
 * of the control plane.
 */
export function verdictOf(
  wanted: Wanted,
  views: readonly ReplicaView[],
  pods: readonly PodView[],
  now: number,
  isServing: (view: ReplicaView) => boolean = (view) => serves(view, wanted),
): GatewayVerdict {
  const live = liveViews(views, now);
  const serving = live.filter(isServing);
  const refusing = live.filter(({ refused }) => refused === wanted.version);
  const lost = pods.filter((pod) => pod.ready && !live.some(({ replica }) => replica === pod.name));
  const lostSince = (pod: PodView) =>
    Math.max(pod.since, ...views.filter(({ replica }) => replica === pod.name).map(({ since }) => since));
  const stale = lost.filter((pod) => now - lostSince(pod) >= GRACE);
  const deadlines = [
    ...live.filter(({ connected }) => !connected).map(({ since }) => since + GRACE - now),
    ...lost.filter((pod) => !stale.includes(pod)).map((pod) => lostSince(pod) + GRACE - now),
  ];
  return {
    programmed: programmed(live.length, serving.length, refusing),
    stale: staleVerdict(stale),
    reconsider: deadlines.length > 0 ? Math.max(0, Math.min(...deadlines)) : undefined,
  };
}

/** Those that count: connected, or lost within the grace. */
export function liveViews(views: readonly ReplicaView[], now: number): ReplicaView[] {
  return views.filter(({ connected, since }) => connected || now - since < GRACE);
}

/** Whether a data plane serves a state, or a newer one. */
export function serves({ acked, refused }: ReplicaView, wanted: Wanted): boolean {
  if (!acked || refused === wanted.version) return false;
  // Another replica of the control plane can be ahead of us.
  return acked.version === wanted.version || isOlder(wanted.order, acked.order);
}

function programmed(live: number, serving: number, refusing: readonly ReplicaView[]): Verdict {
  const count = `${serving} of ${live} ${live === 1 ? 'data plane' : 'data planes'}`;
  if (live === 0) {
    const message = 'no data plane is connected; look at the pods of the Gateway';
    return { status: 'False', reason: 'NoReplicas', message };
  }
  if (serving === live) {
    const verb = live === 1 ? 'serves' : 'serve';
    return { status: 'True', reason: 'Programmed', message: `${count} ${verb} the newest configuration` };
  }
  const [refusal] = refusing.flatMap(({ diagnostics }) => diagnostics.filter(isError));
  if (refusing.length > 0) {
    const why = refusal ? `: ${refusal.message}` : '';
    return { status: 'False', reason: 'Refused', message: `${count} serve it; it was refused${why}` };
  }
  return { status: 'False', reason: 'Pending', message: `${count} serve the newest configuration` };
}

const isError = ({ severity }: Diagnostic) => severity === 'error';

function staleVerdict(stale: readonly PodView[]): Verdict {
  if (stale.length === 0) {
    return { status: 'False', reason: 'Connected', message: 'every ready data plane is connected' };
  }
  const names = stale.map(({ name }) => name).sort();
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? `, and ${names.length - 5} more` : '');
  return {
    status: 'True',
    reason: 'NotConnected',
    message: `they serve what they had ${GRACE / 1000} s ago or longer: ${shown}`,
  };
}
