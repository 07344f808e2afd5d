/**
 * What is known of data planes, put together from what every replica of the control plane sees of them: each is connected to one
 * replica at a time, and moves.
 */
import { GRACE, type ReplicaView } from '../control/distribution-view.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';

/** Who sees it: a replica of the control plane by its identity; empty for this one. */
export type Observer = string;
export const HERE: Observer = '';

interface Seen {
  readonly view: ReplicaView;
  readonly gateway: GatewayId;
  /** Its stream is of a Gateway that is gone, and ends with it. */
  readonly isEnding: boolean;
}

export class Views {
  readonly #onChange: (gateway: GatewayId) => void;
  readonly #now: () => number;
  /** By Gateway, data plane and observer. */
  readonly #seen = new Map<string, Map<string, Map<Observer, Seen>>>();

  constructor(onChange: (gateway: GatewayId) => void, now: () => number = Date.now) {
    this.#onChange = onChange;
    this.#now = now;
  }

  put(observer: Observer, gateway: GatewayId, view: ReplicaView): void {
    const key = gatewayKey(gateway);
    const replicas = this.#seen.get(key) ?? new Map<string, Map<Observer, Seen>>();
    this.#seen.set(key, replicas);
    const seen = replicas.get(view.replica) ?? new Map<Observer, Seen>();
    replicas.set(view.replica, seen);
    const before = seen.get(observer);
    const isEnding = before?.isEnding === true && (!view.connected || before.view.since === view.since);
    if (isEnding && !view.connected) seen.delete(observer);
    else seen.set(observer, { view, gateway, isEnding });
    this.#onChange(gateway);
  }

  /** Nothing is heard from there any more: its data planes are on their way to somebody else. */
  lost(observer: Observer): void {
    const since = this.#now();
    for (const { view, gateway } of this.#of(observer)) {
      if (view.connected) this.put(observer, gateway, { ...view, connected: false, since });
    }
  }

  /**
   * The Gateway is gone. A stream that was lost is not on its way back to one that is made under the same name; one that stands ends soon, unless
   * its observer was faster than we and it is of the new Gateway already.
   */
  gone(key: string): void {
    for (const seen of this.#seen.get(key)?.values() ?? []) {
      for (const [observer, each] of seen) {
        if (each.view.connected) seen.set(observer, { ...each, isEnding: true });
        else seen.delete(observer);
      }
    }
  }

  /** Those that one observer sees connected. */
  *connectedTo(observer: Observer): Generator<readonly [GatewayId, ReplicaView]> {
    for (const { view, gateway } of this.#of(observer)) if (view.connected) yield [gateway, view];
  }

  /** One view of each data plane: that of where it is connected, or was last. */
  of(gateway: GatewayId): ReplicaView[] {
    const views: ReplicaView[] = [];
    for (const seen of this.#seen.get(gatewayKey(gateway))?.values() ?? []) {
      let best: ReplicaView | undefined;
      for (const { view } of seen.values()) if (!best || isBetter(view, best)) best = view;
      if (best) views.push(best);
    }
    return views;
  }

  /** Drops what is of no account any more. */
  forget(): void {
    const before = this.#now() - 2 * GRACE;
    for (const [key, replicas] of this.#seen) {
      for (const [replica, seen] of replicas) {
        for (const [observer, { view }] of seen) {
          if (!view.connected && view.since < before) seen.delete(observer);
        }
        if (seen.size === 0) replicas.delete(replica);
      }
      if (replicas.size === 0) this.#seen.delete(key);
    }
  }

  #of(observer: Observer): Seen[] {
    return [...this.#seen.values()].flatMap((replicas) =>
      [...replicas.values()].flatMap((seen) => seen.get(observer) ?? []),
    );
  }
}

const isBetter = (a: ReplicaView, b: ReplicaView): boolean =>
  a.connected === b.connected ? a.since > b.since : a.connected;
