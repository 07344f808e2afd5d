/**
 * Asks the Services of a rule's ExternalAuth filters whether a request may go on, one after the other, while its exchange waits: nothing of
 * it is forwarded, mirrored or answered before. Whatever goes wrong, the request does not go on.
 */
import { randomUUID } from 'node:crypto';
import type {
  AuthorizationAnswer,
  AuthorizationSubject,
  AuthorizationVerdict,
  CompiledAuthorization,
  EditableHead,
  LocalReply,
} from '../../filters/definition.ts';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import type { Exchange, UpstreamFailure } from '../exchange.ts';
import { ResponseFields } from '../header-fields.ts';
import { BODY_TOO_LARGE, NO_AUTHORIZATION, NOT_AUTHORIZED } from '../replies.ts';
import type { UpstreamEndpoint } from '../upstream/upstream-endpoint.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import { reply } from './edited-reply.ts';

type Denial = AuthorizationVerdict & { result: 'denied' };

/** What is known of whether one request may go on. */
export class Authorization {
  readonly plan: CompiledRule;
  /** `failed`: a Service that had to be asked gave no answer, or none in time. */
  result: 'pending' | 'allowed' | 'denied' | 'failed' = 'pending';
  /** Which of the rule's Services is asked. */
  index = 0;
  deadline: Deadline<Exchange> | undefined;
  /** Of this Service, in the order in which they were asked. */
  tried: UpstreamEndpoint[] = [];
  /** The last of them was asked on a connection that no request used before. */
  isFresh = false;
  /** The last of them was asked, and nothing has come. */
  isWaiting = false;
  /** What Services want done to the response. */
  responses: ((head: EditableHead) => void)[] | undefined;
  readonly #began = Date.now();
  #id: string | undefined;

  constructor(plan: CompiledRule) {
    this.plan = plan;
  }

  get asked(): CompiledAuthorization {
    return this.plan.authorizations[this.index]!;
  }

  /** What the Service that is asked is told of the exchange. */
  subjectOf({ head, protocol, connection: client, heldBody }: Exchange): AuthorizationSubject {
    const body = this.asked.body > 0 ? heldBody : undefined;
    const id = () => {
      this.#id ??= head.get('x-request-id') ?? randomUUID();
      return this.#id;
    };
    return { head, body, id, time: this.#began, protocol, client };
  }
}

export interface AuthorizerOptions {
  readonly upstreams: Upstreams;
  /** Endpoints of a Service that are tried. */
  readonly attempts: number;
  /** Milliseconds for the answer of a Service. */
  readonly time: number;
  /** All of them have said yes. */
  readonly onAllowed: (exchange: Exchange) => void;
  /** An endpoint of a backend has one request less. */
  readonly onRoom: (backend: BackendKey) => void;
  /** A Service gave no answer. */
  readonly onUnavailable: () => void;
  readonly onError: (error: unknown) => void;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #deadlines: Deadlines<Exchange>;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(
      (exchange) => this.#onDue(exchange),
      (error) => options.onError(error),
    );
  }

  #onDue(exchange: Exchange): void {
    try {
      const { authorization } = exchange.outcome;
      if (!isPending(authorization)) return;
      this.#failed(authorization, 'timeout');
      this.#fail(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }

  begin(exchange: Exchange, plan: CompiledRule): void {
    exchange.outcome.authorization = new Authorization(plan);
    this.#consult(exchange);
  }

  #consult(exchange: Exchange): void {
    const { body } = exchange.outcome.authorization!.asked;
    if (body > 0) exchange.holdBody(body);
    else this.#ask(exchange);
  }

  onBody(exchange: Exchange, isWhole: boolean): void {
    if (isPending(exchange.outcome.authorization)) {
      if (isWhole) this.#ask(exchange);
      else this.#refuse(exchange, 'denied', BODY_TOO_LARGE);
    }
  }

  #ask(exchange: Exchange): void {
    const { upstreams, time } = this.#options;
    const authorization = exchange.outcome.authorization!;
    const { backend } = authorization.asked;
    // What stands in for a Service that runs nowhere knows nobody.
    const endpoint = upstreams.hasEndpoints(backend) ? upstreams.next(backend) : undefined;
    if (!endpoint) {
      this.#fail(exchange);
      return;
    }
    authorization.deadline = this.#deadlines.set(exchange, time);
    authorization.tried = [];
    this.#send(exchange, endpoint, false);
  }

  #send(exchange: Exchange, endpoint: UpstreamEndpoint, fresh: boolean): void {
    const authorization = exchange.outcome.authorization!;
    const { asked, tried } = authorization;
    if (!fresh) tried.push(endpoint);
    authorization.isFresh = fresh;
    authorization.isWaiting = true;
    this.#options.upstreams.sent(endpoint);
    exchange.authorize(endpoint, asked.ask(authorization.subjectOf(exchange)), fresh);
  }

  onFailure(exchange: Exchange, failure: UpstreamFailure): void {
    const { authorization } = exchange.outcome;
    if (!isPending(authorization)) return;
    this.#failed(authorization, failure);
    const { tried, isFresh, asked } = authorization;
    // A kept-alive connection that was closed under it says nothing, and to ask twice does no harm.
    if (failure === 'reset' && !isFresh) {
      this.#send(exchange, tried.at(-1)!, true);
      return;
    }
    const { upstreams, attempts } = this.#options;
    const isUnsent = failure === 'connect' || failure === 'connect-timeout' || failure === 'overloaded';
    const next = isUnsent && tried.length < attempts ? upstreams.next(asked.backend, 0, tried) : undefined;
    if (next) this.#send(exchange, next, false);
    else this.#fail(exchange);
  }

  onAnswer(exchange: Exchange, answer: AuthorizationAnswer): void {
    const { authorization } = exchange.outcome;
    if (!isPending(authorization)) return;
    this.#leave(authorization, (endpoint) => this.#options.upstreams.answered(endpoint, answer.status));
    authorization.deadline?.cancel();
    const verdict = authorization.asked.judge(exchange.head, answer);
    if (verdict.result === 'failed') {
      this.#fail(exchange);
      return;
    }
    if (verdict.result === 'denied') {
      this.#deny(exchange, verdict);
      return;
    }
    if (verdict.response) {
      authorization.responses ??= [];
      authorization.responses.push(verdict.response);
    }
    if (++authorization.index < authorization.plan.authorizations.length) {
      this.#consult(exchange);
      return;
    }
    authorization.result = 'allowed';
    this.#options.onAllowed(exchange);
  }

  /** The client gets what the Service answered, as if a backend had, and none that could be taken for what it asked for. */
  #deny(exchange: Exchange, { status, fields, body }: Denial): void {
    const { plan } = exchange.outcome.authorization!;
    if (status < 300 || status === 304 || status > 599) {
      this.#refuse(exchange, 'denied', NOT_AUTHORIZED);
      return;
    }
    const head = new ResponseFields(status, [...fields]);
    // Written with the reply.
    for (const name of ['content-length', 'date', 'trailer']) head.remove(name);
    if (!body) head.removeIf('c', (name) => name.startsWith('content-'));
    for (const filter of plan.filters) filter.response?.(head, exchange.request);
    exchange.outcome.authorization!.result = 'denied';
    exchange.reply({ status: head.status, headers: pairs(head.raw), body: body ?? '' });
  }

  #fail(exchange: Exchange): void {
    this.#options.onUnavailable();
    this.#refuse(exchange, 'failed', NO_AUTHORIZATION);
  }

  #refuse(exchange: Exchange, result: 'denied' | 'failed', answer: LocalReply): void {
    const authorization = exchange.outcome.authorization!;
    authorization.deadline?.cancel();
    authorization.result = result;
    reply(exchange, answer);
  }

  /** Nobody waits for an answer any more: the client has gone, or the time of the rule is over. */
  end(authorization: Authorization, failure: UpstreamFailure): void {
    authorization.deadline?.cancel();
    // The time of the rule is no fault of the endpoint.
    this.#failed(authorization, failure, true);
    if (authorization.result === 'pending') authorization.result = 'failed';
  }

  #failed(authorization: Authorization, failure: UpstreamFailure, isImpatient = false): void {
    this.#leave(authorization, (endpoint) => this.#options.upstreams.failed(endpoint, failure, isImpatient));
  }

  /** The last endpoint that was asked has said what it will. */
  #leave(authorization: Authorization, tell: (endpoint: UpstreamEndpoint) => void): void {
    if (!authorization.isWaiting) return;
    authorization.isWaiting = false;
    const { upstreams, onRoom } = this.#options;
    const endpoint = authorization.tried.at(-1)!;
    tell(endpoint);
    upstreams.left(endpoint);
    onRoom(authorization.asked.backend);
  }
}

function isPending(authorization: Authorization | undefined): authorization is Authorization {
  return authorization?.result === 'pending';
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) found.push([raw[i]!, raw[i + 1]!]);
  return found;
}
