/**
 * What the statuses of Gateways and routes say beside what translate knows: whether data planes serve it. A changed route is held
 * back for a moment, so that one write says both; what did not change is not looked at again, however often data planes answer.
 *
 * Only for a leader: a follower does not know what data planes say to the others.
 */
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import {
  liveViews,
  type ReplicaView,
  type Verdict,
  verdictOf,
  type Wanted,
} from '../control/distribution-view.ts';
import type { WantedStatus } from '../control/status-writer-merge.ts';
import type { Order } from '../distribution/order.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import { gatewayRef } from '../translate/status.ts';
import type { ObjectStatus, ParentRefStatus, TranslationChange } from '../translate/translation.ts';
import { GatewayProgress } from './gateway-progress.ts';
import { Held } from './held.ts';
import {
  completeGateway,
  completeListenerSet,
  completeParent,
  type GatewayStatus,
  type GatewayWord,
  gatewayWord,
  generationOf,
  type ListenerSetStatus,
  type RouteStatus,
} from './programmed.ts';
import type { InfrastructureState } from './provisioner-port.ts';

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
/** Milliseconds after which data planes that don't answer make a Gateway unprogrammed. */
const LAG = 5_000;
/** Milliseconds in which a new leader learns what data planes say to the other replicas. */
const SETTLE = 5_000;

interface Served {
  readonly gateway: GatewayId;
  readonly progress: GatewayProgress;
  /** What was said last of it, and of which generation; undefined where nothing was. */
  said: { readonly word: GatewayWord; readonly generation: number } | undefined;
  /** When its generation of now was first seen. */
  generation: { readonly number: number; readonly since: number } | undefined;
  /** As of the last look. */
  word: GatewayWord | undefined;
  /** Whether a write of it waits for an answer. */
  isHeld: boolean;
  hasDataPlanes: boolean;
  readonly listenerSets: Map<string, ObjectRef>;
  timer: NodeJS.Timeout | undefined;
}

interface Route {
  readonly ref: ObjectRef;
  readonly status: RouteStatus;
  /** By Gateway, the generation that its data planes serve. */
  readonly served: Map<string, number>;
  /** Gateways whose data planes have still to answer. */
  readonly waiting: Set<string>;
  /** When it began to wait. */
  readonly since: number;
}

const PENDING = 'Pending';

export class Statuses {
  readonly #options: StatusesOptions;
  readonly #now: () => number;
  readonly #gateways = new Map<string, Served>();
  readonly #routes = new Map<string, Route>();
  /** The Gateway of each ListenerSet. */
  readonly #parents = new Map<string, string>();
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
    for (const [key, { gateway, progress, timer }] of this.#gateways) {
      clearTimeout(timer);
      this.#gateways.set(key, this.#serve(gateway, progress.wanted));
    }
  }

  /** An object of the cluster, as it comes. */
  observe(ref: ObjectRef, object: RawObject | undefined): void {
    if (ref.kind !== 'ListenerSet') return;
    const key = refKey(ref);
    const before = this.#parents.get(key);
    const parent = parentOf(ref, object);
    const after = parent && gatewayKey(parent);
    // Each write of its status comes by here too.
    if (after === before) return;
    this.#gateways.get(before ?? '')?.listenerSets.delete(key);
    if (after === undefined) this.#parents.delete(key);
    else this.#parents.set(key, after);
  }

  /** What data planes are to serve from now on. Comes before `complete` is asked of the statuses of the change. */
  published(order: Order, change: TranslationChange): void {
    for (const key of change.removedGateways) {
      clearTimeout(this.#gateways.get(key)?.timer);
      this.#gateways.delete(key);
      this.#unsettled.delete(key);
    }
    for (const { gateway, to: version } of change.deltas) {
      const key = gatewayKey(gateway);
      const known = this.#gateways.get(key);
      if (known) known.progress.publish({ order, version }, this.#now());
      else {
        this.#gateways.set(key, this.#serve(gateway, { order, version }));
        if (this.#settling && !this.#isPublished) this.#unsettled.add(key);
      }
      this.changed(gateway);
    }
    for (const [key, status] of change.statuses) if (!status) this.#forget(key);
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
        return this.#route(status);
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
    for (const each of progress.review(views, now)) this.#release(each, key);
    const { word, reconsider } = this.#assess(served, views, state, now);
    const lateIn = this.#lateIn(served, now);
    this.#lookAgain(served, key, Math.min(reconsider ?? Number.POSITIVE_INFINITY, lateIn));
    const before = served.word;
    served.word = word;
    // Between a change and its ack nothing turns for the worse, unless that takes long.
    const isPassing = word.programmed.reason === PENDING && lateIn > 0;
    const shown = isPassing && served.said ? { ...word, programmed: served.said.word.programmed } : word;
    if (!served.isHeld && canonicalJson(shown) === canonicalJson(served.said?.word)) return;
    this.#options.reconsider(gatewayRef(gateway));
    if (word.programmed.reason !== before?.programmed.reason) this.#reconsiderWaiting(progress);
  }

  #assess({ progress }: Served, views: readonly ReplicaView[], state: InfrastructureState, now: number) {
    const verdict = verdictOf(progress.wanted, views, state.pods, now, (view) => progress.serves(view));
    return { word: gatewayWord(verdict, state), reconsider: verdict.reconsider };
  }

  /** Milliseconds until data planes that have not answered are late; not above 0 where they are. */
  #lateIn({ progress }: Served, now: number): number {
    return (progress.behindSince ?? Number.POSITIVE_INFINITY) + LAG - now;
  }

  #lookAgain(served: Served, key: string, wait: number): void {
    clearTimeout(served.timer);
    if (wait <= 0 || wait === Number.POSITIVE_INFINITY) return;
    served.timer = setTimeout(() => this.#look(key), Math.ceil(wait));
    served.timer.unref();
  }

  #settle(key: string): void {
    this.#unsettled.delete(key);
    this.#look(key);
    const progress = this.#gateways.get(key)?.progress;
    if (progress) this.#reconsiderWaiting(progress);
  }

  #reconsiderWaiting({ waiting }: GatewayProgress): void {
    for (const each of waiting) this.#options.reconsider(this.#routes.get(each)!.ref);
  }

  /** The route is served at a Gateway as it is now. */
  #release(key: string, gateway: string): void {
    const route = this.#routes.get(key)!;
    route.waiting.delete(gateway);
    route.served.set(gateway, routeGeneration(route.status));
    if (route.waiting.size === 0) this.#held.delete(key);
    this.#options.reconsider(route.ref);
  }

  #forget(key: string): void {
    const route = this.#routes.get(key);
    if (!route) return;
    for (const each of route.waiting) this.#gateways.get(each)?.progress.forget(key);
    this.#routes.delete(key);
    this.#held.delete(key);
  }

  #gateway(status: GatewayStatus): WantedStatus | undefined {
    const key = gatewayKey(status.ref);
    const served = this.#gateways.get(key);
    if (!served) return status;
    if (this.#unsettled.has(key)) return undefined;
    const { said } = served;
    const now = this.#now();
    const number = generationOf(status.conditions);
    if (served.generation?.number !== number) served.generation = { number, since: now };
    const state = this.#options.infrastructure(served.gateway);
    const { word } = this.#assess(served, this.#options.views(served.gateway), state, now);
    served.isHeld = false;
    if (word.programmed.reason === PENDING && this.#lateIn(served, now) > 0) {
      if (said?.generation === number) {
        served.said = { word: { ...word, programmed: said.word.programmed }, generation: number };
        return completeGateway(status, served.said.word);
      }
      if (now < served.generation.since + HOLD) {
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
    const served = this.#gateways.get(this.#parents.get(key) ?? '');
    if (!served) return status;
    served.listenerSets.set(key, status.ref);
    return served.said && completeListenerSet(status, served.said.word);
  }

  #route(status: RouteStatus): WantedStatus | undefined {
    const key = refKey(status.ref);
    const parents = status.parents.map(({ parentRef }) => this.#gatewayOf(status.ref, parentRef));
    let route = this.#routes.get(key);
    if (route?.status !== status) {
      route = this.#begin(key, status, parents, route);
      this.#routes.set(key, route);
    }
    if (this.#isHeld(route)) return undefined;
    const { served, waiting } = route;
    const completed = status.parents.map((parent, index) => {
      const at = parents[index];
      const found = at === undefined ? undefined : this.#gateways.get(at);
      if (at === undefined || !found) return completeParent(parent, undefined);
      const programmed = found.word?.programmed;
      const why = programmed?.status === 'False' ? programmed : NOT_ANSWERED;
      return completeParent(parent, { waits: waiting.has(at), served: served.get(at), why });
    });
    return { ...status, parents: completed };
  }

  /** From now on it waits for the Gateways that it is attached to, and was. */
  #begin(key: string, status: RouteStatus, parents: readonly (string | undefined)[], before?: Route): Route {
    const now = this.#now();
    const waiting = new Set<string>();
    for (const each of parents) {
      const found = each === undefined ? undefined : this.#gateways.get(each);
      if (!found) continue;
      waiting.add(each!);
      found.progress.wait(key);
      this.changed(found.gateway);
    }
    for (const each of before?.waiting ?? []) {
      if (!waiting.has(each)) this.#gateways.get(each)?.progress.forget(key);
    }
    const served = new Map([...(before?.served ?? [])].filter(([each]) => waiting.has(each)));
    return {
      ref: status.ref,
      status,
      served,
      waiting,
      since: before && before.waiting.size > 0 ? before.since : now,
    };
  }

  #isHeld({ ref, waiting, since }: Route): boolean {
    let isHeld = false;
    for (const each of waiting) {
      if (this.#unsettled.has(each)) return true;
      isHeld ||= this.#gateways.get(each)?.hasDataPlanes === true && this.#now() < since + HOLD;
    }
    if (isHeld) this.#held.add(ref);
    return isHeld;
  }

  /** Of a parent, by `namespace/name`. */
  #gatewayOf(
    route: ObjectRef,
    { kind, namespace = route.namespace, name }: ParentRefStatus,
  ): string | undefined {
    if (kind === 'Gateway') return gatewayKey({ namespace, name });
    return this.#parents.get(refKey({ kind, namespace, name }));
  }

  #serve(gateway: GatewayId, wanted: Wanted): Served {
    return {
      gateway,
      progress: new GatewayProgress(wanted, this.#now()),
      said: undefined,
      generation: undefined,
      word: undefined,
      isHeld: false,
      hasDataPlanes: false,
      listenerSets: new Map(),
      timer: undefined,
    };
  }
}

const NOT_ANSWERED: Verdict = {
  status: 'False',
  reason: PENDING,
  message: 'data planes have not answered yet',
};

const routeGeneration = ({ parents }: RouteStatus): number => generationOf(parents[0]?.conditions ?? []);

/** Whether every ready pod is connected somewhere. Where no pods are known there may be any number of them. */
const areAllSeen = (live: readonly ReplicaView[], { pods }: InfrastructureState): boolean =>
  pods.length > 0 &&
  pods.every(
    ({ name, ready }) => !ready || live.some(({ replica, connected }) => connected && replica === name),
  );

function parentOf({ namespace }: ObjectRef, object: RawObject | undefined): GatewayId | undefined {
  const { parentRef } = (object?.spec ?? {}) as {
    parentRef?: { namespace?: unknown; name?: unknown };
  };
  if (typeof parentRef?.name !== 'string') return undefined;
  return {
    namespace: typeof parentRef.namespace === 'string' ? parentRef.namespace : namespace,
    name: parentRef.name,
  };
}
