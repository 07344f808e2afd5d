/** The backends that requests are sent to: their endpoints, and how much may be tried again at each. */
import type { Backend, BackendEndpoints, BackendKey, Endpoint } from '../../snapshot/snapshot.ts';
import { ALL, type Allowance, allowanceOf, type Turn } from '../allowance.ts';
import type { UpstreamFailure } from '../exchange.ts';
import { LIMITS } from '../limits.ts';
import { isEndpointFault, isGatewayFailure } from './ejection.ts';
import { EndpointHealth, HEALTH_TIMES } from './endpoint-health.ts';
import { speaksHttp2 } from './http2/app-protocol.ts';
import { RetryBudget } from './retry-budget.ts';
import type { BackendTransport } from './tls-backends.ts';
import { Upstream, type UpstreamFigures } from './upstream.ts';
import type { UpstreamEndpoint } from './upstream-endpoint.ts';

interface Entry {
  backend?: Backend;
  readonly upstream: Upstream;
  /** What `fallback` gave last: asked while `upstream` is empty. */
  elsewhere?: Upstream;
  retries?: RetryBudget;
}

const NONE: readonly Endpoint[] = [];

export interface UpstreamsOptions {
  /** Asked for a backend of the snapshot that has no endpoint. */
  readonly fallback?: ((backend: Backend) => readonly Endpoint[]) | undefined;
  readonly health?: EndpointHealth;
  /** Told of what looking after endpoints throws. Default: console.error. */
  readonly onError?: (error: unknown) => void;
  /** Requests that an endpoint may have under way. Default: as LIMITS. */
  readonly most?: number;
  /** From 0 up to 1. Default: Math.random. */
  readonly random?: () => number;
}

export class Upstreams {
  readonly health: EndpointHealth;
  readonly #byBackend = new Map<BackendKey, Entry>();
  readonly #fallback: UpstreamsOptions['fallback'];
  readonly #most: number;
  readonly #random: () => number;

  constructor({ fallback, health, onError, most, random }: UpstreamsOptions = {}) {
    this.#fallback = fallback;
    this.health = health ?? new EndpointHealth(HEALTH_TIMES, onError);
    this.#most = most ?? LIMITS.connectionsPerEndpoint;
    this.#random = random ?? Math.random;
  }

  putBackend(backend: Backend): void {
    const entry = this.#entry(backend.key);
    entry.backend = backend;
    entry.upstream.isHttp2 = speaksHttp2(backend);
  }

  /** Its endpoints go with it. */
  removeBackend(key: BackendKey): void {
    this.#byBackend.delete(key);
  }

  putEndpoints(key: BackendKey, found: BackendEndpoints | undefined): void {
    const entry = this.#entry(key);
    entry.upstream.put(found?.endpoints ?? NONE);
    if (entry.upstream.isEmpty && !entry.backend) this.#byBackend.delete(key);
  }

  /** Connections to the backend are made so from now on. */
  setTransport(key: BackendKey, transport: BackendTransport): void {
    this.#byBackend.get(key)?.upstream.setTransport(transport);
  }

  /** Whether it has any of its own: one that stands in for it does not count. */
  hasEndpoints(key: BackendKey): boolean {
    return this.#byBackend.get(key)?.upstream.isEmpty === false;
  }

  /** The endpoint to send a request to, those in `tried` left out; undefined where there is none or all are full for such an allowance. */
  next(
    key: BackendKey,
    allowance: Allowance = ALL,
    tried: readonly Endpoint[] = NONE,
  ): UpstreamEndpoint | undefined {
    return this.of(key)?.next(tried, allowance);
  }

  /** How much of what an endpoint may have under way it may use now. */
  allowance(turn: Turn): Allowance {
    return allowanceOf(turn, this.#most);
  }

  /** Undefined for a backend that is not known. */
  of(key: BackendKey): Upstream | undefined {
    const entry = this.#byBackend.get(key);
    if (!entry) return undefined;
    const { upstream, backend } = entry;
    if (!upstream.isEmpty || upstream.isRefused || !backend || !this.#fallback) return upstream;
    // Within this process, and so reached without TLS.
    entry.elsewhere ??= this.#upstream();
    entry.elsewhere.put(this.#fallback(backend));
    return entry.elsewhere;
  }

  /** Of every backend. */
  *figures(): Generator<readonly [BackendKey, UpstreamFigures]> {
    for (const [key, { upstream }] of this.#byBackend) yield [key, upstream.figures];
  }

  /** A request is on its way to the endpoint; `answered`, `failed` or `outdated` follows, and then `left`. */
  sent(endpoint: UpstreamEndpoint): void {
    endpoint.upstream.entered(endpoint);
    this.health.sent(endpoint);
  }

  /** The head of a response has come. */
  answered(endpoint: UpstreamEndpoint, status: number): void {
    this.health.ended(endpoint);
    if (isGatewayFailure(status)) endpoint.upstream.failed(endpoint);
    else endpoint.upstream.succeeded(endpoint);
  }

  /** None will come. `isImpatient`: the rule sets times of its own. */
  failed(endpoint: UpstreamEndpoint, failure: UpstreamFailure, isImpatient: boolean): void {
    this.health.ended(endpoint, failure);
    if (isEndpointFault(failure, isImpatient)) endpoint.upstream.failed(endpoint);
  }

  /** The connection, which was there before the request, was closed under it: that says nothing against the endpoint. `left` follows. */
  outdated(endpoint: UpstreamEndpoint): void {
    this.health.ended(endpoint, 'reset');
  }

  /** A connection of a TLSRoute stands; `disconnected` follows, and then `left`. */
  connected(endpoint: UpstreamEndpoint): void {
    this.health.ended(endpoint);
  }

  /** `isFault`: the endpoint took the connection and ended it before it said anything. */
  disconnected(endpoint: UpstreamEndpoint, isFault: boolean): void {
    if (isFault) endpoint.upstream.failed(endpoint);
    else endpoint.upstream.succeeded(endpoint);
  }

  /** Nothing of the request is at the endpoint any more. */
  left(endpoint: UpstreamEndpoint): void {
    endpoint.upstream.left(endpoint);
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
    const entry = this.#byBackend.get(key);
    if (entry) entry.retries ??= new RetryBudget(performance.now());
    return entry?.retries;
  }

  #upstream(): Upstream {
    return new Upstream({ health: this.health, most: this.#most, random: this.#random });
  }

  #entry(key: BackendKey): Entry {
    let entry = this.#byBackend.get(key);
    if (!entry) {
      entry = { upstream: this.#upstream() };
      this.#byBackend.set(key, entry);
    }
    return entry;
  }
}
