/**
 * What happens to a request, whatever engine carries it: listener, route, filters, backend, endpoint, and the same way back. May
 * read only what was compiled, and never blocks; an exchange that has to be allowed first (ExternalAuth) is
 * held by its engine until then.
 */
import type {
  AuthorizationAnswer,
  CompiledMirror,
  LocalReply,
  ResponseHead,
} from '../../filters/definition.ts';
import type { RouteEntry, Router } from '../../match/router.ts';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type {
  ClientConnection,
  Exchange,
  ExchangeHandler,
  ExchangeTotals,
  HandshakeCause,
  Repeatable,
  UpstreamFailure,
} from '../exchange.ts';
import {
  FAILURES,
  MISDIRECTED,
  NO_BACKEND,
  NO_LISTENER,
  NO_ROUTE,
  problemReply,
  REFUSED_RULE,
  REQUEST_TOO_LARGE,
  UNRESOLVED_BACKEND,
} from '../replies.ts';
import { Attempts, type AttemptsOptions } from './attempts.ts';
import { Authorizer } from './authorization.ts';
import { backendOfSession, chooseBackend } from './backend-choice.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { reply } from './edited-reply.ts';
import type { ForwardingFields } from './forwarding.ts';
import { isMisdirected } from './misdirected.ts';

export interface PipelineOptions extends AttemptsOptions {
  readonly forwarding: ForwardingFields;
  /** Milliseconds for the answer of an authorization service. */
  readonly authorizationTime: number;
  /** From 0 up to 1: for weights and shares too. */
  readonly random: () => number;
}

export class Pipeline implements ExchangeHandler {
  /** The table that serves: replaced in one assignment; requests in flight have taken what they need. */
  router: Router<CompiledRule>;
  readonly #options: PipelineOptions;
  readonly #attempts: Attempts;
  readonly #authorizer: Authorizer;

  constructor(router: Router<CompiledRule>, options: PipelineOptions) {
    this.router = router;
    this.#options = options;
    this.#attempts = new Attempts(options);
    const { upstreams, attempts, authorizationTime: time, observer } = options;
    this.#authorizer = new Authorizer({
      upstreams,
      attempts,
      time,
      onAllowed: (exchange) => {
        const { plan } = exchange.outcome;
        const answer = this.#pass(exchange, plan!, plan!.unauthorized);
        if (answer) reply(exchange, answer);
      },
      onUnavailable: () => observer.authorizationFailed(),
      onRoom: (backend) => this.#attempts.roomAt(backend),
      onError: (error) => this.onInternalError(error),
    });
  }

  onRequest(exchange: Exchange): void {
    const answer = exchange.problem ? problemReply(exchange.problem) : this.#route(exchange);
    if (answer) reply(exchange, answer);
  }

  /** A reply, or undefined where the request was forwarded. */
  #route(exchange: Exchange): LocalReply | undefined {
    const { connection, request, outcome } = exchange;
    const table = this.router.listener(connection.port, request.host);
    if (!table) return NO_LISTENER;
    if (connection.tls && isMisdirected(this.router, connection, table)) return MISDIRECTED;
    outcome.listener = table.listener;
    const entry = table.find(request);
    if (!entry) return NO_ROUTE;
    outcome.rule = entry.rule;
    return this.#serve(exchange, entry);
  }

  #serve(exchange: Exchange, { payload }: RouteEntry<CompiledRule>): LocalReply | undefined {
    if (!payload || payload.isRefused) return REFUSED_RULE;
    exchange.outcome.plan = payload;
    const refused = payload.admission?.refuse(exchange);
    if (refused) return refused;
    this.#options.forwarding.apply(exchange);
    return payload.authorizations.length > 0
      ? this.#authorize(exchange, payload)
      : this.#pass(exchange, payload, 0);
  }

  /** A reply, or undefined where it waits to be allowed. */
  #authorize(exchange: Exchange, plan: CompiledRule): LocalReply | undefined {
    const { filters, unauthorized } = plan;
    for (let i = 0; i < unauthorized; i++) {
      const answer = filters[i]!.request?.(exchange.head);
      if (answer) return answer;
    }
    this.#attempts.startTime(exchange, plan);
    this.#authorizer.begin(exchange, plan);
    return undefined;
  }

  /** What nothing holds back any more; the filters before `from` have run. A reply, or undefined where the request was forwarded. */
  #pass(exchange: Exchange, plan: CompiledRule, from: number): LocalReply | undefined {
    const { outcome } = exchange;
    const { filters } = plan;
    for (let i = from; i < filters.length; i++) {
      const answer = filters[i]!.request?.(exchange.head);
      if (answer) return answer;
    }
    const { upstreams, observer, random } = this.#options;
    const chosen =
      (plan.sessions && backendOfSession(exchange, plan, upstreams, observer)) ??
      chooseBackend(plan, random());
    if (!chosen) return NO_BACKEND;
    if (!chosen.backend) return UNRESOLVED_BACKEND;
    outcome.backend = chosen.backend;
    outcome.chosen = chosen;
    if (plan.mirrors.length > 0) this.#mirror(exchange, plan.mirrors);
    for (const filter of chosen.filters) {
      const answer = filter.request?.(exchange.head);
      if (answer) return answer;
    }
    if (chosen.mirrors.length > 0) this.#mirror(exchange, chosen.mirrors);
    return this.#attempts.begin(exchange, plan);
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

  /** The endpoints of the backend have changed: there may be room for what waits, or nothing to wait for. */
  roomAt(backend: BackendKey): void {
    this.#attempts.roomAt(backend);
  }

  onBody(exchange: Exchange, isWhole: boolean): void {
    this.#authorizer.onBody(exchange, isWhole);
  }

  onBodyTooLarge(exchange: Exchange): void {
    reply(exchange, REQUEST_TOO_LARGE);
  }

  onAuthorizationAnswer(exchange: Exchange, answer: AuthorizationAnswer): void {
    this.#authorizer.onAnswer(exchange, answer);
  }

  onAuthorizationFailure(exchange: Exchange, failure: UpstreamFailure): void {
    this.#authorizer.onFailure(exchange, failure);
  }

  onResponse(exchange: Exchange, head: ResponseHead): boolean {
    if (!this.#attempts.onStatus(exchange, head.status)) return false;
    const { connection, request, outcome } = exchange;
    const { plan, session, backend, chosen, endpoint, authorization } = outcome;
    // The way back: the filters of the backend are nearer to it than those of the rule.
    for (const filter of chosen!.filters) filter.response?.(head, request);
    if (authorization?.responses) for (const edit of authorization.responses) edit(head);
    for (const filter of plan!.filters) filter.response?.(head, request);
    // After all filters: none of them is to undo it.
    if (session) plan!.sessions!.mark(head, session, backend!, endpoint!, connection.tls, Date.now());
    return true;
  }

  onFailure(exchange: Exchange, failure: UpstreamFailure, repeatable: Repeatable): void {
    const { outcome } = exchange;
    const { authorization } = outcome;
    outcome.failure = failure;
    if (authorization?.result !== 'pending') {
      this.#attempts.onFailure(exchange, failure, repeatable);
      return;
    }
    this.#authorizer.end(authorization, failure);
    if (failure !== 'client-gone') reply(exchange, FAILURES[failure]);
  }

  onEnd(exchange: Exchange, totals: ExchangeTotals): void {
    const { authorization } = exchange.outcome;
    this.#attempts.end(exchange);
    if (authorization) this.#authorizer.end(authorization, 'client-gone');
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
