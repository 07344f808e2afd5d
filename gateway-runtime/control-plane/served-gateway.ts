/** One Gateway, what its data planes have come to, and what was last said of it. */
import type { ObjectRef } from '../api/object.ts';
import { type ReplicaView, verdictOf, type Wanted } from '../control/distribution-view.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import { GatewayProgress } from './gateway-progress.ts';
import { type GatewayWord, gatewayWord } from './programmed.ts';
import type { InfrastructureState } from './provisioner-port.ts';

/** Milliseconds after which data planes that don't answer make a Gateway unprogrammed. */
const LAG = 5_000;

export class ServedGateway {
  readonly gateway: GatewayId;
  readonly progress: GatewayProgress;
  /** What was said last of it, and of which generation; undefined where nothing was. */
  said: { readonly word: GatewayWord; readonly generation: number } | undefined;
  /** As of the last look. */
  word: GatewayWord | undefined;
  /** Whether a write of it waits for an answer. */
  isHeld = false;
  hasDataPlanes = false;
  /** Those that are attached to it, by key. */
  readonly listenerSets = new Map<string, ObjectRef>();
  #generation: { readonly number: number; readonly since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970 */
  constructor(gateway: GatewayId, wanted: Wanted, now: number) {
    this.gateway = gateway;
    this.progress = new GatewayProgress(wanted, now);
  }

  /** What is to be said of it now, and in how many milliseconds that may be something else. */
  assess(views: readonly ReplicaView[], state: InfrastructureState, now: number) {
    const { progress } = this;
    const verdict = verdictOf(progress.wanted, views, state.pods, now, (view) => progress.serves(view));
    return { word: gatewayWord(verdict, state), reconsider: verdict.reconsider };
  }

  /** Milliseconds until data planes that have not answered are late; not above 0 where they are. */
  lateIn(now: number): number {
    return (this.progress.behindSince ?? Number.POSITIVE_INFINITY) + LAG - now;
  }

  /** When this generation of the Gateway was first seen, in milliseconds since 1970. */
  seenSince(generation: number, now: number): number {
    if (this.#generation?.number !== generation) this.#generation = { number: generation, since: now };
    return this.#generation.since;
  }

  /** Has it looked at again in so many milliseconds, and not before; not at all where they are not above 0, or infinite. */
  lookAgain(wait: number, look: () => void): void {
    this.stop();
    if (wait <= 0 || wait === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(look, Math.ceil(wait));
    this.#timer.unref();
  }

  /** Nothing is to follow by itself. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
