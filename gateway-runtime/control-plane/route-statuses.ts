/**
 * What the statuses of routes say of data planes: for each Gateway that a route is attached to, whether its data planes serve the route as it is.
 * A changed route is held back until they have answered, or for a moment.
 */
import { type ObjectRef, refKey } from '../api/object.ts';
import type { Verdict } from '../control/distribution-view.ts';
import type { WantedStatus } from '../control/status-writer-merge.ts';
import { gatewayKey } from '../snapshot/snapshot.ts';
import type { ParentRefStatus } from '../translate/translation.ts';
import type { Held } from './held.ts';
import type { ListenerSetParents } from './listener-set-parents.ts';
import { completeParent, generationOf, type RouteStatus } from './programmed.ts';
import type { ServedGateway } from './served-gateway.ts';

export interface RouteStatusesOptions {
  readonly gateway: (key: string) => ServedGateway | undefined;
  /** Whether it is not known yet what data planes of the Gateway say. */
  readonly isUnsettled: (key: string) => boolean;
  readonly listenerSets: ListenerSetParents;
  readonly held: Held;
  /** Milliseconds for which a changed route waits for an answer. */
  readonly hold: number;
  /** A route waits for the data planes of the Gateway. */
  readonly onWaiting: (gateway: ServedGateway) => void;
  /** `complete` would give something else now. */
  readonly reconsider: (ref: ObjectRef) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
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

export class RouteStatuses {
  readonly #options: RouteStatusesOptions;
  readonly #routes = new Map<string, Route>();

  constructor(options: RouteStatusesOptions) {
    this.#options = options;
  }

  /** Undefined where it is held back; `reconsider` follows. */
  complete(status: RouteStatus): WantedStatus | undefined {
    const { gateway } = this.#options;
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
      const found = at === undefined ? undefined : gateway(at);
      if (at === undefined || !found) return completeParent(parent, undefined);
      const programmed = found.word?.programmed;
      const why = programmed?.status === 'False' ? programmed : NOT_ANSWERED;
      return completeParent(parent, { waits: waiting.has(at), served: served.get(at), why });
    });
    return { ...status, parents: completed };
  }

  /** From now on it waits for the Gateways that it is attached to, and was. */
  #begin(key: string, status: RouteStatus, parents: readonly (string | undefined)[], before?: Route): Route {
    const { gateway, onWaiting, now } = this.#options;
    const waiting = new Set<string>();
    for (const each of parents) {
      const found = each === undefined ? undefined : gateway(each);
      if (!found) continue;
      waiting.add(each!);
      found.progress.wait(key);
      onWaiting(found);
    }
    for (const each of before?.waiting ?? []) {
      if (!waiting.has(each)) gateway(each)?.progress.forget(key);
    }
    return {
      ref: status.ref,
      status,
      served: new Map([...(before?.served ?? [])].filter(([each]) => waiting.has(each))),
      waiting,
      since: before && before.waiting.size > 0 ? before.since : now(),
    };
  }

  #isHeld({ ref, waiting, since }: Route): boolean {
    const { gateway, isUnsettled, held, hold, now } = this.#options;
    let isHeld = false;
    for (const each of waiting) {
      if (isUnsettled(each)) return true;
      isHeld ||= gateway(each)?.hasDataPlanes === true && now() < since + hold;
    }
    if (isHeld) held.add(ref);
    return isHeld;
  }

  /** Of a parent, by `namespace/name`. */
  #gatewayOf(
    route: ObjectRef,
    { kind, namespace = route.namespace, name }: ParentRefStatus,
  ): string | undefined {
    if (kind === 'Gateway') return gatewayKey({ namespace, name });
    return this.#options.listenerSets.of(refKey({ kind, namespace, name }));
  }

  /** The route is served at a Gateway as it is now. */
  release(key: string, gateway: string): void {
    const route = this.#routes.get(key)!;
    route.waiting.delete(gateway);
    route.served.set(gateway, generationOf(route.status.parents[0]?.conditions ?? []));
    if (route.waiting.size === 0) this.#options.held.delete(key);
    this.#options.reconsider(route.ref);
  }

  /** Why routes wait for the Gateway is another reason than before. */
  reconsiderWaiting({ progress }: ServedGateway): void {
    for (const each of progress.waiting) this.#options.reconsider(this.#routes.get(each)!.ref);
  }

  forget(key: string): void {
    const route = this.#routes.get(key);
    if (!route) return;
    for (const each of route.waiting) this.#options.gateway(each)?.progress.forget(key);
    this.#routes.delete(key);
    this.#options.held.delete(key);
  }

  clear(): void {
    this.#routes.clear();
  }
}

const NOT_ANSWERED: Verdict = {
  status: 'False',
  reason: 'Pending',
  message: 'data planes have not answered yet',
};
