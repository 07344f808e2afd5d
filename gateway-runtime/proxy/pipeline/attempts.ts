/**
 * The attempts at one request after its backend was chosen: which endpoint it is sent to, when it waits for one, how long each attempt and
 * all of them may take, and whether another one follows.
 */
import type { LocalReply } from '../../filters/definition.ts';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Allowance } from '../allowance.ts';
import type { Exchange, Outcome, Repeatable, UpstreamFailure } from '../exchange.ts';
import { isIdempotent } from '../idempotent.ts';
import { FAILURES, NO_ENDPOINTS, REFUSED_TLS } from '../replies.ts';
import type { UpstreamEndpoint } from '../upstream/upstream-endpoint.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { Deadlines } from './deadlines.ts';
import { reply } from './edited-reply.ts';
import type { Observer } from './observer.ts';
import { Pending, type PendingBounds } from './pending.ts';
import { KEPT_BODY } from './retries.ts';

export interface AttemptsOptions {
  readonly upstreams: Upstreams;
  readonly observer: Observer;
  /** Endpoints tried for one request. */
  readonly attempts: number;
  /** Requests that may wait for an endpoint of one backend, and milliseconds for which they do. */
  readonly pending: PendingBounds;
  /** From 0 up to 1, for the time between attempts. */
  readonly random: () => number;
  /** So many requests wait for an endpoint of the backend: those that are held up by their own clients may go. */
  readonly relieve: (backend: BackendKey, count: number, connections: number) => void;
}

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #pending: Pending;
  readonly #requestDeadlines: Deadlines<Exchange>;
  readonly #attemptDeadlines: Deadlines<Exchange>;
  readonly #backoffs: Deadlines<Exchange>;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    const onError = (error: unknown) => options.observer.internalError(error);
    this.#pending = new Pending({
      ...options.pending,
      allowance: (waiting) => options.upstreams.allowance(waiting),
      send: (backend, exchange, allowance) => this.#sendPending(backend, exchange, allowance),
      onLate: endingIt((exchange) => this.#overloaded(exchange)),
      onWaiting: options.relieve,
      onError,
    });
    const onRequestDue = endingIt((exchange) => {
      exchange.outcome.isExpired = true;
      exchange.expire();
    });
    this.#requestDeadlines = new Deadlines(onRequestDue, onError);
    this.#attemptDeadlines = new Deadlines(
      endingIt((exchange) => exchange.expire()),
      onError,
    );
    this.#backoffs = new Deadlines(
      endingIt((exchange) => this.#again(exchange)),
      onError,
    );
  }

  /** From now on the time runs that its rule gives to the request as a whole, if it gives one. Of one that had to be allowed it runs already. */
  startTime(exchange: Exchange, { requestTimeout }: CompiledRule): void {
    const { outcome } = exchange;
    if (requestTimeout > 0 && !outcome.requestDeadline) {
      outcome.requestDeadline = this.#requestDeadlines.set(exchange, requestTimeout);
    }
  }

  /** Sends the request to its backend, now or when there is room. A reply where there is no endpoint to wait for. */
  begin(exchange: Exchange, plan: CompiledRule): LocalReply | undefined {
    const { outcome } = exchange;
    const { upstreams, observer } = this.#options;
    const backend = outcome.backend!;
    const kept = outcome.session?.endpoint;
    const allowance = upstreams.allowance(exchange);
    const mustWait = !kept && this.#pending.has(backend, allowance);
    const endpoint = kept ?? (mustWait ? undefined : upstreams.next(backend, allowance));
    if (!endpoint && !mustWait && !upstreams.of(backend)?.isFull(allowance))
      return this.#noEndpoints(backend);
    const { retry } = plan;
    if (retry || (endpoint ?? upstreams.of(backend))?.isHttp2) exchange.keepBody(KEPT_BODY);
    if (retry) upstreams.earnRetry(backend);
    if (endpoint) {
      this.startTime(exchange, plan);
      this.#send(exchange, endpoint, false);
    } else if (this.#pending.add(backend, exchange)) {
      this.startTime(exchange, plan);
      observer.requestWaited();
    } else this.#overloaded(exchange);
    return undefined;
  }

  /** A status has come of the endpoint. False where its answer is not wanted, because the request is sent again. */
  onStatus(exchange: Exchange, status: number): boolean {
    const { outcome } = exchange;
    outcome.isWaiting = false;
    this.#options.upstreams.answered(outcome.endpoint!, status);
    if (outcome.plan!.retry?.onStatus(status) && this.#retries(exchange)) {
      this.#leave(exchange);
      return false;
    }
    // What follows a switch of protocols is no response, and takes as long as it takes.
    if (status === 101) cancelDeadlines(outcome);
    return true;
  }

  /** No response came: the request is sent again, or answered, where anybody is there for an answer. */
  onFailure(exchange: Exchange, failure: UpstreamFailure, repeatable: Repeatable): void {
    const { outcome } = exchange;
    if (repeatable === 'idempotent' && outcome.isWaiting) {
      outcome.isWaiting = false;
      this.#options.upstreams.outdated(outcome.endpoint!);
    }
    this.#failed(exchange, failure);
    this.#pending.remove(exchange);
    outcome.attemptDeadline?.cancel();
    outcome.backoff?.cancel();
    if (failure === 'client-gone' || this.#retriesFailure(exchange, failure, repeatable)) return;
    const next = this.#nextEndpoint(exchange, repeatable);
    if (next) {
      outcome.failure = undefined;
      this.#send(exchange, next, repeatable === 'idempotent');
    } else {
      reply(exchange, FAILURES[outcome.isExpired ? 'timeout' : failure]);
    }
  }

  /** Nothing of the exchange is to follow. */
  end(exchange: Exchange): void {
    const { outcome, connection } = exchange;
    const wasServed = outcome.isUnderWay && !outcome.isWaiting && outcome.failure === undefined;
    if (wasServed && connection.holder) connection.holder.wasServed = true;
    this.#failed(exchange, 'client-gone');
    this.#pending.remove(exchange);
    cancelDeadlines(outcome);
  }

  /** An endpoint of the backend has one request less, or its endpoints have changed. */
  roomAt(backend: BackendKey): void {
    this.#pending.roomAt(backend);
  }

  #noEndpoints(backend: BackendKey): LocalReply {
    return this.#options.upstreams.of(backend)?.isRefused ? REFUSED_TLS : NO_ENDPOINTS;
  }

  #overloaded(exchange: Exchange): void {
    exchange.outcome.failure = 'overloaded';
    reply(exchange, FAILURES.overloaded);
  }

  #sendPending(backend: BackendKey, exchange: Exchange, allowance: Allowance): boolean {
    const { upstreams } = this.#options;
    try {
      const endpoint = upstreams.next(backend, allowance);
      if (endpoint) {
        this.#pending.passed(exchange);
        this.#send(exchange, endpoint, false);
        return true;
      }
      if (upstreams.of(backend)?.isFull(allowance)) return false;
      // They have gone, and nothing that leaves them will make room.
      this.#pending.remove(exchange);
      reply(exchange, this.#noEndpoints(backend));
    } catch (error) {
      this.#pending.remove(exchange);
      exchange.fail(error);
    }
    return true;
  }

  #send(exchange: Exchange, endpoint: UpstreamEndpoint, fresh: boolean): void {
    const { outcome } = exchange;
    const { backendTimeout, hasTimeouts } = outcome.plan!;
    const { holder } = exchange.connection;
    outcome.endpoint = endpoint;
    outcome.tried.push(endpoint);
    outcome.isWaiting = true;
    outcome.isUnderWay = true;
    if (holder) holder.underWay++;
    this.#options.upstreams.sent(endpoint);
    if (backendTimeout > 0) {
      outcome.attemptDeadline = this.#attemptDeadlines.set(exchange, backendTimeout);
    }
    exchange.forward(endpoint, fresh, !hasTimeouts);
  }

  /** No answer will come of the endpoint, and nothing of the request is there any more. */
  #failed(exchange: Exchange, failure: UpstreamFailure): void {
    const { outcome } = exchange;
    if (outcome.isWaiting) {
      outcome.isWaiting = false;
      this.#options.upstreams.failed(outcome.endpoint!, failure, outcome.plan!.hasTimeouts);
    }
    this.#leave(exchange);
  }

  #leave({ outcome, connection: { holder } }: Exchange): void {
    if (!outcome.isUnderWay) return;
    outcome.isUnderWay = false;
    if (holder) holder.underWay--;
    this.#options.upstreams.left(outcome.endpoint!);
    this.#pending.roomAt(outcome.backend!);
  }

  #retriesFailure(exchange: Exchange, failure: UpstreamFailure, repeatable: Repeatable): boolean {
    const { outcome, request } = exchange;
    // A connection that was merely old is replaced at once.
    if (repeatable === 'idempotent') return false;
    const { retry } = outcome.plan!;
    const isReason = retry?.onFailure(failure, repeatable, request.method) ?? false;
    return isReason && this.#retries(exchange);
  }

  /** Whether it will be sent again, as its rule says, and not now. */
  #retries(exchange: Exchange): boolean {
    const { outcome } = exchange;
    const { retry } = outcome.plan!;
    if (outcome.isExpired || !exchange.isRepeatable || outcome.retries >= retry!.attempts) return false;
    const { upstreams, random } = this.#options;
    const now = performance.now();
    const delay = retry!.delay(outcome.retries, random());
    // There would be no time left to answer: what there is now is better than nothing.
    if (outcome.requestDeadline && now + delay >= outcome.requestDeadline.due) return false;
    if (!upstreams.spendRetry(outcome.backend!, now)) return false;
    outcome.retries++;
    outcome.failure = undefined;
    outcome.attemptDeadline?.cancel();
    outcome.backoff = this.#backoffs.set(exchange, delay);
    return true;
  }

  /** At another endpoint, if there is one; but a session stays where it is for as long as that can be reached. */
  #again(exchange: Exchange): void {
    const { upstreams } = this.#options;
    const { backend, tried, session } = exchange.outcome;
    const allowance = upstreams.allowance(exchange);
    const kept = session?.endpoint;
    const endpoint = kept?.upstream.isUsable(kept)
      ? kept
      : (upstreams.next(backend!, allowance, tried) ?? upstreams.next(backend!, allowance));
    if (endpoint) this.#send(exchange, endpoint, false);
    else {
      const isFull = upstreams.of(backend!)?.isFull(allowance);
      reply(exchange, isFull ? FAILURES.overloaded : this.#noEndpoints(backend!));
    }
  }

  /** Where to try again at once, if it may be tried again at all. */
  #nextEndpoint(exchange: Exchange, repeatable: Repeatable): UpstreamEndpoint | undefined {
    const { outcome, request } = exchange;
    const { upstreams, attempts } = this.#options;
    const { tried, backend, endpoint, isExpired, failure } = outcome;
    const { retry } = outcome.plan!;
    const allowance = upstreams.allowance(exchange);
    if (isExpired || repeatable === 'never') return undefined;
    if (tried.length - outcome.retries >= attempts) return undefined;
    // A connection that failed is worth another endpoint; one that was merely old, a new one to the same.
    if (repeatable === 'always') {
      return retry && failure !== 'overloaded' ? undefined : upstreams.next(backend!, allowance, tried);
    }
    if (repeatable === 'unprocessed') {
      if (retry || !exchange.isRepeatable) return undefined;
      // One that is about to end says so to each connection, and takes no others: there may be no other endpoint to ask.
      return upstreams.next(backend!, allowance, tried) ?? upstreams.next(backend!, allowance);
    }
    if (!isIdempotent(request.method)) return undefined;
    // Where the rule says how often, this is one of the times.
    if (retry && outcome.retries++ >= retry.attempts) return undefined;
    return endpoint;
  }
}

/** Beyond the call in which an exchange began nobody else ends it where something is thrown. */
function endingIt(act: (exchange: Exchange) => void): (exchange: Exchange) => void {
  return (exchange) => {
    try {
      act(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  };
}

function cancelDeadlines({ requestDeadline, attemptDeadline, backoff }: Outcome): void {
  backoff?.cancel();
  requestDeadline?.cancel();
  attemptDeadline?.cancel();
}
