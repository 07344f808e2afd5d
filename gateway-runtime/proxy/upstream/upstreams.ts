/**
 * The endpoints of every backend, and which one is next: round robin, since endpoints of a Service are taken to be alike. Those that
 * can't be reached are passed over as long as there are others.
 */
import type { Backend, BackendEndpoints, BackendKey, Endpoint } from '../../snapshot/snapshot.ts';
import { EndpointHealth } from './endpoint-health.ts';
import { RetryBudget } from './retry-budget.ts';

interface Upstream {
  backend?: Backend;
  /** Those that don't terminate, or all where every one does. */
  endpoints: readonly Endpoint[];
  next: number;
  retries?: RetryBudget;
}

const NONE: readonly Endpoint[] = [];

export class Upstreams {
  readonly health: EndpointHealth;
  readonly #byBackend = new Map<BackendKey, Upstream>();
  readonly #fallback: ((backend: Backend) => readonly Endpoint[]) | undefined;

  /** `fallback` is asked for a backend of the snapshot that has no endpoint. */
  constructor(
    fallback?: (backend: Backend) => readonly Endpoint[],
    health: EndpointHealth = new EndpointHealth(),
  ) {
    this.#fallback = fallback;
    this.health = health;
  }

  putBackend(backend: Backend): void {
    this.#upstream(backend.key).backend = backend;
  }

  /** Its endpoints go with it. */
  removeBackend(key: BackendKey): void {
    this.#byBackend.delete(key);
  }

  putEndpoints(key: BackendKey, found: BackendEndpoints | undefined): void {
    const upstream = this.#upstream(key);
    const all = found?.endpoints ?? NONE;
    const serving = all.filter((endpoint) => !endpoint.terminating);
    upstream.endpoints = serving.length ? serving : all;
    if (all.length === 0 && !upstream.backend) this.#byBackend.delete(key);
  }

  /** The endpoint whose turn it is, those in `tried` left out; undefined where there is none. */
  next(key: BackendKey, tried: readonly Endpoint[] = NONE): Endpoint | undefined {
    const endpoints = this.#endpoints(key);
    const upstream = this.#byBackend.get(key);
    let unreachable: Endpoint | undefined;
    for (let i = 0; i < endpoints.length; i++) {
      if (upstream!.next >= endpoints.length) upstream!.next = 0;
      const endpoint = endpoints[upstream!.next++]!;
      if (tried.some((each) => isSame(each, endpoint))) continue;
      if (!this.health.isAnyUnreachable || !this.health.isUnreachable(endpoint)) return endpoint;
      unreachable ??= endpoint;
    }
    return unreachable;
  }

  /** A request to the backend may be tried again, should it fail. */
  earnRetry(key: BackendKey): void {
    this.#budget(key)?.earn();
  }

  /** Whether a request to the backend may be tried again now. */
  spendRetry(key: BackendKey, now: number): boolean {
    return this.#budget(key)?.spend(now) ?? false;
  }

  #budget(key: BackendKey): RetryBudget | undefined {
    const upstream = this.#byBackend.get(key);
    if (upstream) upstream.retries ??= new RetryBudget(performance.now());
    return upstream?.retries;
  }

  #endpoints(key: BackendKey): readonly Endpoint[] {
    const upstream = this.#byBackend.get(key);
    if (!upstream) return NONE;
    if (upstream.endpoints.length === 0 && upstream.backend && this.#fallback) {
      return this.#fallback(upstream.backend);
    }
    return upstream.endpoints;
  }

  #upstream(key: BackendKey): Upstream {
    let upstream = this.#byBackend.get(key);
    if (!upstream) {
      upstream = { endpoints: NONE, next: 0 };
      this.#byBackend.set(key, upstream);
    }
    return upstream;
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}
