/**
 * What happens to a request, whatever engine carries it: listener, route, filters, backend, endpoint, and the same way back. May
 * read only what was compiled, and never blocks; an exchange that has to be allowed first (ExternalAuth) is
 * held by its engine until then.
 */
import type { CompiledMirror, LocalReply, ResponseHead } from '../../filters/definition.ts';
import type { ListenerTable, RouteEntry, Router } from '../../match/router.ts';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type {
  AuthorizationAnswer,
  ClientConnection,
  Exchange,
  ExchangeHandler,
  ExchangeTotals,
  HandshakeCause,
  Outcome,
  Repeatable,
  UpstreamFailure,
} from '../exchange.ts';
import {
  FAILURES,
  INTERNAL_ERROR,
  MISDIRECTED,
  NO_BACKEND,
  NO_ENDPOINTS,
  NO_LISTENER,
  NO_ROUTE,
  problemReply,
  REFUSED_RULE,
  REFUSED_TLS,
  UNRESOLVED_BACKEND,
} from '../replies.ts';
import { RequestSession } from '../sessions/rule-sessions.ts';
import type { UpstreamEndpoint } from '../upstream/upstream-endpoint.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { Authorizer } from './authorization.ts';
import { type CompiledBackend, type CompiledRule, chooseBackend } from './compiled-rule.ts';
import { Deadlines } from './deadlines.ts';
import type { ForwardingFields } from './forwarding.ts';
import { Pending } from './pending.ts';
import { isIdempotent, KEPT_BODY } from './retries.ts';

/** What is told of every exchange. */
export interface Observer {
  ended(exchange: Exchange, totals: ExchangeTotals): void;
  malformed(connection: ClientConnection, status: number): void;
  connectionDropped(): void;
  mirrorDropped(): void;
  authorizationFailed(): void;
  /** It has to: all endpoints of its backend have as many requests as they may have. */
  requestWaited(): void;
  /** What a client showed as its session is none that counts: forged, expired, or of another rule. */
  sessionRefused(): void;
  handshakeFailed(connection: ClientConnection, cause?: HandshakeCause): void;
  internalError(error: unknown): void;
}

export interface PipelineOptions {
  readonly upstreams: Upstreams;
  readonly forwarding: ForwardingFields;
  readonly observer: Observer;
  /** Endpoints tried for one request. */
  readonly attempts: number;
  /** Requests that may wait for an endpoint of one backend, and milliseconds for which they do. */
  readonly pending: { readonly most: number; readonly time: number };
  /** Milliseconds for the answer of an authorization service. */
  readonly authorizationTime: number;
  /** From 0 up to 1, for weights. */
  readonly random: () => number;
  /** So many requests wait for an endpoint of the backend: those that are held up by their own clients may go. */
  readonly relieve: (backend: BackendKey, count: number) => void;
}

export class Pipeline implements ExchangeHandler {
  /** The table that serves: replaced in one assignment; requests in flight have taken what they need. */
  router: Router<CompiledRule>;
  readonly #options: PipelineOptions;
  readonly #requestDeadlines = new Deadlines<Exchange>(
    (exchange) => {
      exchange.outcome.isExpired = true;
      exchange.expire();
    },
    (error) => this.onInternalError(error),
  );
  readonly #attemptDeadlines = new Deadlines<Exchange>(
    (exchange) => exchange.expire(),
    (error) => this.onInternalError(error),
  );
  readonly #backoffs = new Deadlines<Exchange>(
    (exchange) => this.#again(exchange),
    (error) => this.onInternalError(error),
  );
  readonly #pending: Pending;
  readonly #authorizer: Authorizer;

  constructor(router: Router<CompiledRule>, options: PipelineOptions) {
    this.router = router;
    this.#options = options;
    this.#pending = new Pending({
      ...options.pending,
      send: (backend, exchange) => this.#sendPending(backend, exchange),
      onLate: (exchange) => this.#overloaded(exchange),
      onWaiting: options.relieve,
      onError: (error) => this.onInternalError(error),
    });
    const { upstreams, attempts, authorizationTime: time, observer } = options;
    this.#authorizer = new Authorizer({
      upstreams,
      attempts,
      time,
      onAllowed: (exchange) => {
        const { plan } = exchange.outcome;
        const reply = this.#pass(exchange, plan!, plan!.unauthorized);
        if (reply) this.#reply(exchange, reply);
      },
      onRefused: (exchange, reply) => this.#reply(exchange, reply),
      onUnavailable: () => observer.authorizationFailed(),
      onRoom: (backend) => this.#pending.roomAt(backend),
      onError: (error) => this.onInternalError(error),
    });
  }

  onRequest(exchange: Exchange): void {
    const reply = exchange.problem ? problemReply(exchange.problem) : this.#route(exchange);
    if (reply) this.#reply(exchange, reply);
  }

  #reply(exchange: Exchange, reply: LocalReply): void {
    const { request, outcome } = exchange;
    if (!outcome.plan?.editsReplies) {
      exchange.reply(reply);
      return;
    }
    const headers = [...reply.headers];
    // Those of the rule have the last word, as on the way back.
    const own = outcome.plan.filters.some(({ reply: edits }) => edits)
      ? outcome.plan.filters
      : outcome.backendFilters;
    for (const filter of own) headers.push(...(filter.reply?.(request) ?? []));
    exchange.reply({ ...reply, headers });
  }

  /** A reply, or undefined where the request was forwarded. */
  #route(exchange: Exchange): LocalReply | undefined {
    const { connection, request, outcome } = exchange;
    const table = this.router.listener(connection.port, request.host);
    if (!table) return NO_LISTENER;
    if (connection.tls && this.#isMisdirected(connection, table)) return MISDIRECTED;
    outcome.listener = table.listener;
    const entry = table.find(request);
    if (!entry) return NO_ROUTE;
    outcome.rule = entry.rule;
    return this.#serve(exchange, entry);
  }

  /** The listener that the TLS handshake chose must be the one that the Host header chooses (Gateway API, GEP-3567). */
  #isMisdirected(connection: ClientConnection, table: ListenerTable<CompiledRule>): boolean {
    // A connection can be older than what its port asks now.
    if (
      table.listener.clientCertificates?.mode === 'AllowValidOnly' &&
      connection.client?.state !== 'verified'
    ) {
      return true;
    }
    const handshake = this.router.listener(connection.port, connection.serverName ?? '');
    return handshake?.listener.key !== table.listener.key;
  }

  #serve(exchange: Exchange, { rule, payload }: RouteEntry<CompiledRule>): LocalReply | undefined {
    if (!payload || rule.refusal !== undefined) return REFUSED_RULE;
    const { outcome } = exchange;
    this.#options.forwarding.apply(exchange);
    outcome.plan = payload;
    return payload.authorizations.length > 0
      ? this.#authorize(exchange, payload)
      : this.#pass(exchange, payload, 0);
  }

  /** A reply, or undefined where it waits to be allowed. */
  #authorize(exchange: Exchange, plan: CompiledRule): LocalReply | undefined {
    const { filters, unauthorized, requestTimeout } = plan;
    for (let i = 0; i < unauthorized; i++) {
      const reply = filters[i]!.request?.(exchange.head);
      if (reply) return reply;
    }
    if (requestTimeout > 0) {
      exchange.outcome.requestDeadline = this.#requestDeadlines.set(exchange, requestTimeout);
    }
    this.#authorizer.begin(exchange, plan);
    return undefined;
  }

  /** What nothing holds back any more; the filters before `from` have run. A reply, or undefined where the request was forwarded. */
  #pass(exchange: Exchange, payload: CompiledRule, from: number): LocalReply | undefined {
    const { outcome } = exchange;
    const { filters } = payload;
    for (let i = from; i < filters.length; i++) {
      const reply = filters[i]!.request?.(exchange.head);
      if (reply) return reply;
    }
    const chosen =
      (payload.sessions && this.#backendOfSession(exchange, payload)) ??
      chooseBackend(payload, this.#options.random());
    if (!chosen) return NO_BACKEND;
    if (!chosen.backend) return UNRESOLVED_BACKEND;
    outcome.backend = chosen.backend;
    outcome.backendFilters = chosen.filters;
    if (payload.mirrors.length > 0) this.#mirror(exchange, payload.mirrors);
    for (const filter of chosen.filters) {
      const reply = filter.request?.(exchange.head);
      if (reply) return reply;
    }
    if (chosen.mirrors.length > 0) this.#mirror(exchange, chosen.mirrors);
    return this.#forward(exchange, payload);
  }

  /**
   * "A persistent session takes precedence over traffic split weights", also over a weight of 0 (GEP-1619). Where its endpoint is gone, it
   * stays with the backend for as long as new sessions begin there.
   */
  #backendOfSession({ request, outcome }: Exchange, { sessions }: CompiledRule): CompiledBackend | undefined {
    const shown = sessions!.find(request, Date.now());
    if (shown === null) this.#options.observer.sessionRefused();
    const backend = shown ? sessions!.backendOf(shown) : undefined;
    const upstream = backend && this.#options.upstreams.of(backend.backend!);
    const endpoint = upstream?.at(shown!.address, shown!.port);
    outcome.session = new RequestSession(shown ?? undefined, endpoint);
    return endpoint || (backend && backend.upTo > 0 && !upstream!.isEmpty) ? backend : undefined;
  }

  /** A connection that is to be switched to another protocol has two ends, so there is nothing to mirror. */
  #mirror(exchange: Exchange, mirrors: readonly CompiledMirror[]): void {
    if (exchange.upgrade !== undefined) return;
    const { random, upstreams } = this.#options;
    for (const { backend, share } of mirrors) {
      if (share < 1 && random() >= share) continue;
      const endpoint = upstreams.next(backend);
      if (endpoint) exchange.mirror(endpoint);
    }
  }

  #forward(exchange: Exchange, { requestTimeout, retry }: CompiledRule): LocalReply | undefined {
    const { outcome } = exchange;
    const { upstreams } = this.#options;
    const backend = outcome.backend!;
    const kept = outcome.session?.endpoint;
    const mustWait = !kept && this.#pending.has(backend);
    const endpoint = kept ?? (mustWait ? undefined : upstreams.next(backend));
    if (!endpoint && !mustWait && !upstreams.of(backend)?.isFull) return this.#noEndpoints(backend);
    if (retry || (endpoint ?? upstreams.of(backend))?.isHttp2) exchange.keepBody(KEPT_BODY);
    if (retry) upstreams.earnRetry(backend);
    if (endpoint || this.#pending.add(backend, exchange)) {
      // That of one that had to be allowed runs since then.
      if (requestTimeout > 0 && !outcome.requestDeadline) {
        outcome.requestDeadline = this.#requestDeadlines.set(exchange, requestTimeout);
      }
      if (endpoint) this.#attempt(exchange, endpoint, false);
      else this.#options.observer.requestWaited();
    } else this.#overloaded(exchange);
    return undefined;
  }

  #noEndpoints(backend: BackendKey): LocalReply {
    return this.#options.upstreams.of(backend)?.isRefused ? REFUSED_TLS : NO_ENDPOINTS;
  }

  #sendPending(backend: BackendKey, exchange: Exchange): boolean {
    const endpoint = this.#options.upstreams.next(backend);
    if (!endpoint) return false;
    this.#pending.remove(exchange);
    this.#attemptLater(exchange, endpoint);
    return true;
  }

  /** Beyond the call in which the exchange began: nobody else answers what is thrown here. */
  #attemptLater(exchange: Exchange, endpoint: UpstreamEndpoint): void {
    try {
      this.#attempt(exchange, endpoint, false);
    } catch (error) {
      this.onInternalError(error);
      exchange.reply(INTERNAL_ERROR);
    }
  }

  #overloaded(exchange: Exchange): void {
    exchange.outcome.failure = 'overloaded';
    this.#reply(exchange, FAILURES.overloaded);
  }

  #attempt(exchange: Exchange, endpoint: UpstreamEndpoint, fresh: boolean): void {
    const { outcome } = exchange;
    const { backendTimeout, hasTimeouts } = outcome.plan!;
    outcome.endpoint = endpoint;
    outcome.tried.push(endpoint);
    outcome.isWaiting = true;
    outcome.isUnderWay = true;
    this.#options.upstreams.sent(endpoint);
    if (backendTimeout > 0) {
      outcome.attemptDeadline = this.#attemptDeadlines.set(exchange, backendTimeout);
    }
    exchange.forward(endpoint, fresh, !hasTimeouts);
  }

  /** No answer will come of the endpoint, and nothing of the request is there any more. */
  #failed(outcome: Outcome, failure: UpstreamFailure): void {
    if (outcome.isWaiting) {
      outcome.isWaiting = false;
      this.#options.upstreams.failed(outcome.endpoint!, failure, outcome.plan!.hasTimeouts);
    }
    this.#leave(outcome);
  }

  #leave(outcome: Outcome): void {
    if (!outcome.isUnderWay) return;
    outcome.isUnderWay = false;
    this.#options.upstreams.left(outcome.endpoint!);
    this.#pending.roomAt(outcome.backend!);
  }

  onResponse(exchange: Exchange, head: ResponseHead): boolean {
    const { outcome, request } = exchange;
    outcome.isWaiting = false;
    this.#options.upstreams.answered(outcome.endpoint!, head.status);
    if (outcome.plan!.retry?.onStatus(head.status) && this.#retries(exchange)) {
      this.#leave(outcome);
      return false;
    }
    // What follows a switch of protocols is no response, and takes as long as it takes.
    if (head.status === 101) cancelDeadlines(outcome);
    // The way back: the filters of the backend are nearer to it than those of the rule.
    for (const filter of outcome.backendFilters) filter.response?.(head, request);
    for (const filter of outcome.plan!.filters) filter.response?.(head, request);
    if (outcome.session) this.#markSession(exchange, head);
    return true;
  }

  /** After all filters: none of them is to undo it. */
  #markSession({ connection, outcome }: Exchange, head: ResponseHead): void {
    const { plan, session, backend, endpoint } = outcome;
    plan!.sessions!.mark(head, session!, backend!, endpoint!, connection.tls, Date.now());
  }

  onFailure(exchange: Exchange, failure: UpstreamFailure, repeatable: Repeatable): void {
    const { outcome } = exchange;
    this.#failed(outcome, failure);
    this.#pending.remove(exchange);
    outcome.failure = failure;
    if (outcome.authorization?.result === 'pending') {
      this.#authorizer.end(outcome.authorization, failure);
      if (failure !== 'client-gone') this.#reply(exchange, FAILURES[failure]);
      return;
    }
    outcome.attemptDeadline?.cancel();
    outcome.backoff?.cancel();
    if (failure === 'client-gone') return;
    if (this.#retriesFailure(exchange, failure, repeatable)) return;
    const next = this.#nextAttempt(exchange, repeatable);
    if (next) {
      outcome.failure = undefined;
      this.#attempt(exchange, next, repeatable === 'idempotent');
    } else {
      this.#reply(exchange, FAILURES[outcome.isExpired ? 'timeout' : failure]);
    }
  }

  onBody(exchange: Exchange, isWhole: boolean): void {
    this.#authorizer.onBody(exchange, isWhole);
  }

  onAuthorizationAnswer(exchange: Exchange, answer: AuthorizationAnswer): void {
    this.#authorizer.onAnswer(exchange, answer);
  }

  onAuthorizationFailure(exchange: Exchange, failure: UpstreamFailure): void {
    this.#authorizer.onFailure(exchange, failure);
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
    const kept = session?.endpoint;
    const endpoint = kept?.upstream.isUsable(kept)
      ? kept
      : (upstreams.next(backend!, tried) ?? upstreams.next(backend!));
    if (endpoint) this.#attemptLater(exchange, endpoint);
    else
      this.#reply(
        exchange,
        upstreams.of(backend!)?.isFull ? FAILURES.overloaded : this.#noEndpoints(backend!),
      );
  }

  /** Where to try again, if it may be tried again at all. */
  #nextAttempt(exchange: Exchange, repeatable: Repeatable): UpstreamEndpoint | undefined {
    const { outcome, request } = exchange;
    const { upstreams, attempts } = this.#options;
    const { tried, backend, endpoint, isExpired, failure } = outcome;
    const { retry } = outcome.plan!;
    if (isExpired || repeatable === 'never') return undefined;
    if (tried.length - outcome.retries >= attempts) return undefined;
    // A connection that failed is worth another endpoint; one that was merely old, a new one to the same.
    if (repeatable === 'always') {
      return retry && failure !== 'overloaded' ? undefined : upstreams.next(backend!, tried);
    }
    if (repeatable === 'unprocessed') {
      if (retry || !exchange.isRepeatable) return undefined;
      // One that is about to end says so to each connection, and takes no others: there may be no other endpoint to ask.
      return upstreams.next(backend!, tried) ?? upstreams.next(backend!);
    }
    if (!isIdempotent(request.method)) return undefined;
    // Where the rule says how often, this is one of the times.
    if (retry && outcome.retries++ >= retry.attempts) return undefined;
    return endpoint;
  }

  onEnd(exchange: Exchange, totals: ExchangeTotals): void {
    this.#failed(exchange.outcome, 'client-gone');
    this.#pending.remove(exchange);
    cancelDeadlines(exchange.outcome);
    if (exchange.outcome.authorization) this.#authorizer.end(exchange.outcome.authorization, 'client-gone');
    this.#options.observer.ended(exchange, totals);
  }

  onMalformed(connection: ClientConnection, status: number): void {
    this.#options.observer.malformed(connection, status);
  }

  onConnectionDropped(): void {
    this.#options.observer.connectionDropped();
  }

  onMirrorDropped(): void {
    this.#options.observer.mirrorDropped();
  }

  onHandshakeFailure(connection: ClientConnection, cause?: HandshakeCause): void {
    this.#options.observer.handshakeFailed(connection, cause);
  }

  onInternalError(error: unknown): void {
    this.#options.observer.internalError(error);
  }
}

function cancelDeadlines({ requestDeadline, attemptDeadline, backoff }: Outcome): void {
  backoff?.cancel();
  requestDeadline?.cancel();
  attemptDeadline?.cancel();
}
