/**
 * What the statuses of Gateways and routes say beside what translate knows: whether data planes serve it. A changed route is held
 * back for a moment, so that one write says both; what did not change is not looked at again, however often data planes answer.
 *
 * Only for a leader: a follower does not know what data planes say to the others.
 */
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import { liveViews, type ReplicaView } from '../control/distribution-view.ts';
import type { WantedStatus } from '../control/status-writer-merge.ts';
import type { Order } from '../distribution/order.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import { gatewayRef } from '../translate/status.ts';
import type { ObjectStatus, TranslationChange } from '../translate/translation.ts';
import { Held } from './held.ts';
import { ListenerSetParents } from './listener-set-parents.ts';
import {
  completeGateway,
  completeListenerSet,
  type GatewayStatus,
  generationOf,
  type ListenerSetStatus,
} from './programmed.ts';
import type { InfrastructureState } from './provisioner-port.ts';
import { RouteStatuses } from './route-statuses.ts';
import { ServedGateway } from './served-gateway.ts';

export interface StatusesOptions {
  readonly views: (gateway: GatewayId) => readonly ReplicaView[];
  readonly infrastructure: (gateway: GatewayId) => InfrastructureState;
  /** `complete` would give something else now. */
  readonly reconsider: (ref: ObjectRef) => void;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly now?: () => number;
}

/** Milliseconds for which a changed object waits for the answer of data planes. */
const HOLD = 1_000;
/** Milliseconds in which a new leader learns what data planes say to the other replicas. */
const SETTLE = 5_000;

const PENDING = 'Pending';

export class Statuses {
  readonly #options: StatusesOptions;
  readonly #now: () => number;
  readonly #gateways = new Map<string, ServedGateway>();
  readonly #listenerSets = new ListenerSetParents();
  readonly #routes: RouteStatuses;
  readonly #held: Held;
  /** Gateways of which a new leader does not know yet what their data planes say. */
  readonly #unsettled = new Set<string>();
  /** To be looked at in this turn of the event loop. */
  readonly #changed = new Set<string>();
  #scheduled: NodeJS.Immediate | undefined;
  /** Runs while a new leader learns. */
  #settling: NodeJS.Timeout | undefined;
  #leads = false;
  #isPublished = false;

  constructor(options: StatusesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#held = new Held(HOLD, options.reconsider);
    this.#routes = new RouteStatuses({
      gateway: (key) => this.#gateways.get(key),
      isUnsettled: (key) => this.#unsettled.has(key),
      listenerSets: this.#listenerSets,
      held: this.#held,
      hold: HOLD,
      onWaiting: ({ gateway }) => this.changed(gateway),
      reconsider: options.reconsider,
      now: this.#now,
    });
  }

  /** From now on statuses are written here. `complete` is to be asked of every object after this. */
  lead(): void {
    this.#leads = true;
    for (const key of this.#gateways.keys()) this.#unsettled.add(key);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      for (const key of [...this.#unsettled]) this.#settle(key);
    }, SETTLE);
    this.#settling.unref();
  }

  follow(): void {
    this.#leads = false;
    clearTimeout(this.#settling);
    this.#settling = undefined;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#changed.clear();
    this.#unsettled.clear();
    this.#routes.clear();
    this.#held.clear();
    for (const [key, served] of this.#gateways) {
      served.stop();
      this.#gateways.set(key, new ServedGateway(served.gateway, served.progress.wanted, this.#now()));
    }
  }

  /** An object of the cluster, as it comes. */
  observe(ref: ObjectRef, object: RawObject | undefined): void {
    if (ref.kind !== 'ListenerSet') return;
    const before = this.#listenerSets.put(ref, object);
    if (before !== undefined) this.#gateways.get(before)?.listenerSets.delete(refKey(ref));
  }

  /** What data planes are to serve from now on. Comes before `complete` is asked of the statuses of the change. */
  published(order: Order, change: TranslationChange): void {
    for (const key of change.removedGateways) {
      this.#gateways.get(key)?.stop();
      this.#gateways.delete(key);
      this.#unsettled.delete(key);
    }
    for (const { gateway, to: version } of change.deltas) {
      const key = gatewayKey(gateway);
      const known = this.#gateways.get(key);
      if (known) known.progress.publish({ order, version }, this.#now());
      else {
        this.#gateways.set(key, new ServedGateway(gateway, { order, version }, this.#now()));
        if (this.#settling && !this.#isPublished) this.#unsettled.add(key);
      }
      this.changed(gateway);
    }
    for (const [key, status] of change.statuses) if (!status) this.#routes.forget(key);
    this.#isPublished = true;
  }

  /** Something about the Gateway's data planes or infrastructure is other than before. */
  changed(gateway: GatewayId): void {
    if (!this.#leads) return;
    this.#changed.add(gatewayKey(gateway));
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      const keys = [...this.#changed];
      this.#changed.clear();
      for (const key of keys) this.#look(key);
    });
  }

  /** As `ClusterOptions.complete`. */
  complete(status: ObjectStatus): WantedStatus | undefined {
    if (!this.#leads) return undefined;
    switch (status.kind) {
      case 'Gateway':
        return this.#gateway(status);
      case 'ListenerSet':
        return this.#listenerSet(status);
      case 'HTTPRoute':
      case 'TLSRoute':
        return this.#routes.complete(status);
      default:
        return status;
    }
  }

  /** Asks what has become of one Gateway, and has what follows from it written. */
  #look(key: string): void {
    const served = this.#gateways.get(key);
    if (!served) return;
    const { gateway, progress } = served;
    const views = this.#options.views(gateway);
    const state = this.#options.infrastructure(gateway);
    const now = this.#now();
    const live = liveViews(views, now);
    served.hasDataPlanes = live.length > 0;
    if (this.#unsettled.has(key)) {
      if (areAllSeen(live, state)) this.#settle(key);
      return;
    }
    for (const each of progress.review(views, now)) this.#routes.release(each, key);
    const { word, reconsider } = served.assess(views, state, now);
    const lateIn = served.lateIn(now);
    served.lookAgain(Math.min(reconsider ?? Number.POSITIVE_INFINITY, lateIn), () => this.#look(key));
    const before = served.word;
    served.word = word;
    // Between a change and its ack nothing turns for the worse, unless that takes long.
    const isPassing = word.programmed.reason === PENDING && lateIn > 0;
    const shown = isPassing && served.said ? { ...word, programmed: served.said.word.programmed } : word;
    if (!served.isHeld && canonicalJson(shown) === canonicalJson(served.said?.word)) return;
    this.#options.reconsider(gatewayRef(gateway));
    if (word.programmed.reason !== before?.programmed.reason) this.#routes.reconsiderWaiting(served);
  }

  #settle(key: string): void {
    this.#unsettled.delete(key);
    this.#look(key);
    const served = this.#gateways.get(key);
    if (served) this.#routes.reconsiderWaiting(served);
  }

  #gateway(status: GatewayStatus): WantedStatus | undefined {
    const key = gatewayKey(status.ref);
    const served = this.#gateways.get(key);
    if (!served) return status;
    if (this.#unsettled.has(key)) return undefined;
    const { said } = served;
    const now = this.#now();
    const number = generationOf(status.conditions);
    const since = served.seenSince(number, now);
    const state = this.#options.infrastructure(served.gateway);
    const { word } = served.assess(this.#options.views(served.gateway), state, now);
    served.isHeld = false;
    if (word.programmed.reason === PENDING && served.lateIn(now) > 0) {
      if (said?.generation === number) {
        served.said = { word: { ...word, programmed: said.word.programmed }, generation: number };
        return completeGateway(status, served.said.word);
      }
      if (now < since + HOLD) {
        served.isHeld = true;
        this.#held.add(status.ref);
        return undefined;
      }
    }
    served.said = { word, generation: number };
    if (said?.word.programmed.status !== word.programmed.status) {
      for (const ref of served.listenerSets.values()) this.#options.reconsider(ref);
    }
    return completeGateway(status, word);
  }

  #listenerSet(status: ListenerSetStatus): WantedStatus | undefined {
    const key = refKey(status.ref);
    const served = this.#gateways.get(this.#listenerSets.of(key) ?? '');
    if (!served) return status;
    served.listenerSets.set(key, status.ref);
    return served.said && completeListenerSet(status, served.said.word);
  }
}

/** Whether every ready pod is connected somewhere. Where no pods are known there may be any number of them. */
const areAllSeen = (live: readonly ReplicaView[], { pods }: InfrastructureState): boolean =>
  pods.length > 0 &&
  pods.every(
    ({ name, ready }) => !ready || live.some(({ replica, connected }) => connected && replica === name),
  );
