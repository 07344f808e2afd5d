/**
 * Which endpoints can't be reached, found out from the traffic itself. Where requests wait at an endpoint and nothing comes from it, it
 * is asked for a connection: one that is merely slow gives it. One that does not is passed over until it does, so that a node which is
 * gone costs the requests of less than a second, long before the API server takes its endpoints away.
 */
import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../../snapshot/snapshot.ts';
import type { UpstreamFailure } from '../exchange.ts';
import { guardedBy } from '../guard.ts';

/** In milliseconds. */
export interface HealthTimes {
  /** Between looks at what waits. */
  readonly tick: number;
  /** Requests wait, and nothing came: it is asked for a connection. */
  readonly silence: number;
  /** Within which it has to give one. */
  readonly connect: number;
  /** Until one that answers slowly is asked again. */
  readonly slow: number;
  /** Until one that could not be reached is asked again. */
  readonly again: number;
  /** One that nobody would have sent a request to for so long is forgotten. */
  readonly forget: number;
}

export const HEALTH_TIMES: HealthTimes = {
  tick: 100,
  silence: 250,
  connect: 300,
  slow: 1000,
  again: 500,
  forget: 10_000,
};

interface State {
  readonly endpoint: Endpoint;
  /** Requests without a response head. */
  waiting: number;
  /** When something last came, or the first request began to wait. */
  since: number;
  /** Not asked for a connection before. */
  notBefore: number;
  /** When a request would last have been sent to it. */
  wanted: number;
  isUnreachable: boolean;
  isWatched: boolean;
  probe: Socket | undefined;
}

export class EndpointHealth {
  readonly #times: HealthTimes;
  readonly #states = new WeakMap<Endpoint, State>();
  /** By address and port: they come again in new objects. */
  readonly #unreachable = new Map<string, State>();
  readonly #watched = new Set<State>();
  #timer: NodeJS.Timeout | undefined;
  /** Time for which this process did nothing is left out: nobody was silent then. */
  #now = 0;
  #last = 0;
  readonly #onError: (error: unknown) => void;
  readonly #onTick: () => void;

  /** @param onError is told of what is thrown, of which an endpoint is asked again later; default: console.error */
  constructor(times: HealthTimes = HEALTH_TIMES, onError: (error: unknown) => void = console.error) {
    this.#times = times;
    this.#onError = onError;
    this.#onTick = guardedBy(onError)(() => this.#tick());
  }

  /** Whether any is to be passed over: otherwise there is no need to ask of each. */
  get isAnyUnreachable(): boolean {
    return this.#unreachable.size > 0;
  }

  /** Asked of one whose turn it is. */
  isUnreachable(endpoint: Endpoint): boolean {
    const state = this.#stateOf(endpoint);
    state.wanted = this.#now;
    return state.isUnreachable;
  }

  /** The same, asked by who only looks. */
  seemsUnreachable(endpoint: Endpoint): boolean {
    return this.isAnyUnreachable && this.#stateOf(endpoint).isUnreachable;
  }

  /** A request is on its way; `ended` follows. */
  sent(endpoint: Endpoint): void {
    const state = this.#stateOf(endpoint);
    if (!state.isWatched) this.#watch(state);
    if (state.waiting++ === 0) state.since = this.#now;
  }

  /** It waits no longer: a response came, or `failure`, or its client has gone. */
  ended(endpoint: Endpoint, failure?: UpstreamFailure): void {
    const state = this.#stateOf(endpoint);
    state.waiting--;
    if (failure === 'connect') this.#lose(state);
    else if (failure === undefined || ANSWERS.has(failure)) state.since = this.#now;
  }

  #stateOf(endpoint: Endpoint): State {
    let state = this.#states.get(endpoint);
    if (!state) {
      state = this.#unreachable.get(keyOf(endpoint)) ?? {
        endpoint,
        waiting: 0,
        since: 0,
        notBefore: 0,
        wanted: 0,
        isUnreachable: false,
        isWatched: false,
        probe: undefined,
      };
      this.#states.set(endpoint, state);
    }
    return state;
  }

  #watch(state: State): void {
    state.isWatched = true;
    this.#watched.add(state);
    if (this.#timer) return;
    this.#last = performance.now();
    this.#timer = setInterval(this.#onTick, this.#times.tick);
    this.#timer.unref();
  }

  #tick(): void {
    const { tick } = this.#times;
    const last = this.#last;
    this.#last = performance.now();
    this.#now += Math.min(this.#last - last, 2 * tick);
    for (const state of this.#watched) {
      try {
        this.#lookAt(state);
      } catch (error) {
        state.notBefore = this.#now + this.#times.again;
        this.#onError(error);
      }
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lookAt(state: State): void {
    const { silence, forget } = this.#times;
    if (state.isUnreachable) {
      if (this.#now - state.wanted > forget) this.#find(state);
      else this.#ask(state);
    } else if (state.waiting === 0) {
      if (!state.probe) this.#leave(state);
    } else if (this.#now - state.since >= silence) this.#ask(state);
  }

  #leave(state: State): void {
    state.isWatched = false;
    this.#watched.delete(state);
  }

  #ask(state: State): void {
    if (state.probe || this.#now < state.notBefore) return;
    const { address, port } = state.endpoint;
    // Without TLS, also where requests go over it: whether the node is there is the question, not what a handshake costs it.
    const began = this.#now;
    const probe = connect({ host: address, port });
    state.probe = probe;
    const over = (isReached: boolean) => {
      if (state.probe !== probe) return;
      state.probe = undefined;
      clearTimeout(deadline);
      probe.destroy();
      if (isReached) {
        this.#find(state);
        state.notBefore = this.#now + this.#times.slow;
      } else if (state.since <= began) this.#lose(state);
      // Else an answer came meanwhile: it is only slow to give connections.
    };
    const guard = guardedBy(this.#onError);
    const onFailure = guard(() => over(false));
    const deadline = setTimeout(onFailure, this.#times.connect);
    deadline.unref();
    probe.on(
      'connect',
      guard(() => over(true)),
    );
    probe.on('error', onFailure);
  }

  #lose(state: State): void {
    state.notBefore = this.#now + this.#times.again;
    if (!state.isUnreachable) state.wanted = this.#now;
    state.isUnreachable = true;
    this.#unreachable.set(keyOf(state.endpoint), state);
    if (!state.isWatched) this.#watch(state);
  }

  #find(state: State): void {
    state.isUnreachable = false;
    this.#unreachable.delete(keyOf(state.endpoint));
  }
}

/** Failures that show that something is there. */
const ANSWERS: ReadonlySet<UpstreamFailure> = new Set([
  'reset',
  'malformed',
  'tls-handshake',
  'tls-untrusted',
  'tls-name',
]);

const keyOf = ({ address, port }: Endpoint) => `${address} ${port}`;
