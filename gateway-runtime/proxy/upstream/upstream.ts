/**
 * The endpoints of one backend, and which is next. They take turns; the one whose turn it is gives way to another, drawn by chance, that has
 * fewer requests under way (the least loaded of two). While all have equally much to do that is round robin, which spreads best; one
 * that is slow gets less. The cost does not grow with the number of endpoints.
 *
 * A part of what an endpoint may have under way is kept for some clients (`allowance.ts`).
 *
 * Passed over are those that can't be reached, those that are ejected and those that have as many requests as they may have. Where no
 * other is left, the first two are asked all the same.
 */
import type { Endpoint } from '../../snapshot/snapshot.ts';
import { ALL, type Allowance, COMMON, NEARLY_ALL, placesWith } from '../allowance.ts';
import { eject, FAILURES, mostEjected, readmit } from './ejection.ts';
import type { EndpointHealth } from './endpoint-health.ts';
import type { BackendTransport } from './tls-backends.ts';
import { UpstreamEndpoint } from './upstream-endpoint.ts';

export interface UpstreamOptions {
  readonly health: EndpointHealth;
  /** Requests that an endpoint may have under way. */
  readonly most: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** In the order of their numbers. */
const ALLOWANCES: readonly Allowance[] = [ALL, NEARLY_ALL, COMMON];

export type EndpointCondition = 'usable' | 'ejected' | 'unreachable' | 'terminating';

export interface UpstreamFigures {
  /** How many are in which condition; each is counted once. */
  readonly endpoints: Readonly<Record<EndpointCondition, number>>;
  /** Requests under way. */
  readonly active: number;
  /** So far. */
  readonly ejections: number;
}

export class Upstream {
  /** How its endpoints are spoken to; else it is HTTP/1.1. */
  isHttp2 = false;
  readonly #options: UpstreamOptions;
  #transport: BackendTransport;
  /** As they were given last. */
  #found: readonly Endpoint[] = [];
  /** Those that requests are sent to. */
  #serving: readonly UpstreamEndpoint[] = [];
  #byPlace = new Map<string, UpstreamEndpoint>();
  #next = 0;
  /** What an endpoint may have under way, by allowance. */
  readonly #places: readonly number[];
  /** Of `#serving`: those without room, by allowance. */
  readonly #full = ALLOWANCES.map(() => 0);
  #ejected = 0;
  /** Ever. */
  #ejections = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#places = ALLOWANCES.map((allowance) => placesWith(options.most, allowance));
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** Whether its endpoints are to be reached over TLS, and can't be: then it is as if there were none. */
  get isRefused(): boolean {
    return this.#transport === 'refused';
  }

  /** From now on its endpoints are reached so; what is under way goes on as it began. */
  setTransport(transport: BackendTransport): void {
    this.#transport = transport;
    this.#clear();
    this.put(this.#found);
  }

  #clear(): void {
    for (const each of this.#byPlace.values()) each.isServing = false;
    this.#byPlace.clear();
    this.#serving = [];
    this.#full.fill(0);
    this.#ejected = 0;
  }

  /** Whether there are endpoints, and none of them may have one more request with such an allowance. */
  isFull(allowance: Allowance): boolean {
    const full = this.#full[allowance]!;
    return full > 0 && full === this.#serving.length;
  }

  /** As of now, for metrics. */
  get figures(): UpstreamFigures {
    const { health } = this.#options;
    const now = performance.now();
    const count = { usable: 0, ejected: 0, unreachable: 0, terminating: 0 };
    let active = 0;
    for (const endpoint of this.#byPlace.values()) {
      active += endpoint.active;
      if (!endpoint.isServing) count.terminating++;
      else if (health.seemsUnreachable(endpoint)) count.unreachable++;
      else if (endpoint.isEjected && now < endpoint.ejectedUntil) count.ejected++;
      else count.usable++;
    }
    return { endpoints: count, active, ejections: this.#ejections };
  }

  /** From now on these: what is known of those that stay is kept. */
  put(found: readonly Endpoint[]): void {
    this.#found = found;
    if (this.#transport === 'refused') return;
    const tls = this.#transport;
    const byPlace = new Map<string, UpstreamEndpoint>();
    for (const each of found) {
      const place = placeOf(each);
      const endpoint = this.#byPlace.get(place) ?? new UpstreamEndpoint(this, each, tls);
      endpoint.terminating = each.terminating ?? false;
      byPlace.set(place, endpoint);
    }
    for (const each of this.#byPlace.values()) each.isServing = false;
    const all = [...byPlace.values()];
    const serving = all.filter(({ terminating }) => !terminating);
    this.#byPlace = byPlace;
    this.#serving = serving.length > 0 ? serving : all;
    for (const each of this.#serving) each.isServing = true;
    for (const allowance of ALLOWANCES) {
      const places = this.#places[allowance]!;
      this.#full[allowance] = this.#serving.filter(({ active }) => active >= places).length;
    }
    const ejected = this.#serving.filter(({ isEjected }) => isEjected);
    this.#ejected = ejected.length;
    ejected.sort((a, b) => a.ejectedUntil - b.ejectedUntil);
    for (const each of ejected.slice(0, Math.max(0, this.#ejected - mostEjected(this.#serving.length)))) {
      this.#readmit(each);
    }
  }

  /** The endpoint to send a request to, those in `tried` left out; undefined where there is none or all are full for such an allowance. */
  next(tried: readonly Endpoint[], allowance: Allowance = ALL): UpstreamEndpoint | undefined {
    const serving = this.#serving;
    const most = this.#places[allowance]!;
    const { length } = serving;
    let ejected: UpstreamEndpoint | undefined;
    let unreachable: UpstreamEndpoint | undefined;
    for (let i = 0; i < length; i++) {
      if (this.#next >= length) this.#next = 0;
      const at = this.#next++;
      const endpoint = serving[at]!;
      if (endpoint.active >= most || isTried(endpoint, tried)) continue;
      if (this.#isUnreachable(endpoint)) unreachable ??= endpoint;
      else if (this.#isEjected(endpoint)) ejected ??= endpoint;
      else return endpoint.active === 0 ? endpoint : this.#lessLoaded(endpoint, at, tried);
    }
    return ejected ?? unreachable;
  }

  #lessLoaded(endpoint: UpstreamEndpoint, at: number, tried: readonly Endpoint[]): UpstreamEndpoint {
    const serving = this.#serving;
    const others = serving.length - 1;
    if (others === 0) return endpoint;
    const other = serving[(at + 1 + Math.floor(this.#options.random() * others)) % serving.length]!;
    if (other.active >= endpoint.active || isTried(other, tried)) return endpoint;
    return this.#isUnreachable(other) || this.#isEjected(other) ? endpoint : other;
  }

  /** The endpoint at a place, where it may be sent a request now. */
  at(address: string, port: number): UpstreamEndpoint | undefined {
    const endpoint = this.#byPlace.get(`${address} ${port}`);
    return endpoint && this.isUsable(endpoint) ? endpoint : undefined;
  }

  isUsable(endpoint: UpstreamEndpoint): boolean {
    return (
      endpoint.isServing &&
      endpoint.active < this.#options.most &&
      !this.#isUnreachable(endpoint) &&
      !this.#isEjected(endpoint)
    );
  }

  /** A request is sent to it; `left` follows. */
  entered(endpoint: UpstreamEndpoint): void {
    endpoint.active++;
    if (endpoint.isServing) this.#count(endpoint.active, 1);
  }

  left(endpoint: UpstreamEndpoint): void {
    if (endpoint.isServing) this.#count(endpoint.active, -1);
    endpoint.active--;
  }

  /** An endpoint has come to so many, or is about to have one less. */
  #count(active: number, change: 1 | -1): void {
    for (let allowance = ALL; allowance <= COMMON; allowance++) {
      if (active === this.#places[allowance]) this.#full[allowance]! += change;
    }
  }

  /** What is not a failure makes up for those before. */
  succeeded(endpoint: UpstreamEndpoint): void {
    if (endpoint.failures > 0) endpoint.failures = 0;
  }

  failed(endpoint: UpstreamEndpoint): void {
    if (endpoint.isEjected || !endpoint.isServing || ++endpoint.failures < FAILURES) return;
    if (this.#ejected >= mostEjected(this.#serving.length)) return;
    eject(endpoint, performance.now());
    this.#ejected++;
    this.#ejections++;
  }

  #isUnreachable(endpoint: UpstreamEndpoint): boolean {
    const { health } = this.#options;
    return health.isAnyUnreachable && health.isUnreachable(endpoint);
  }

  #isEjected(endpoint: UpstreamEndpoint): boolean {
    if (!endpoint.isEjected) return false;
    if (performance.now() < endpoint.ejectedUntil) return true;
    this.#readmit(endpoint);
    return false;
  }

  #readmit(endpoint: UpstreamEndpoint): void {
    readmit(endpoint);
    this.#ejected--;
  }
}

const placeOf = ({ address, port }: Endpoint) => `${address} ${port}`;

function isTried({ address, port }: Endpoint, tried: readonly Endpoint[]): boolean {
  for (const each of tried) if (each.port === port && each.address === address) return true;
  return false;
}
